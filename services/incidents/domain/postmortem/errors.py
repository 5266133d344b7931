"""What a postmortem refuses, beside what every thing refuses.

IncidentsError
├── ReviewMissingError    a side has not approved it
├── NoReviewerError       who asks, or is named, cannot approve it
├── SideMissingError      it is not said for which side
└── TimelineOrderError    the timeline is not in the order of its times
"""

from collections.abc import Sequence

from services.incidents.domain.errors import IncidentsError

_CALLED = {"sre": "SRE", "product": "product engineering"}


class ReviewMissingError(IncidentsError):
    """A side has not approved it."""

    def __init__(self, sides: Sequence[str], *, may_be_skipped: bool) -> None:
        named = " and ".join(_CALLED[side] for side in sides)
        skip = '; or send {"reason": "..."} that says why it goes out without' if may_be_skipped else ""
        super().__init__(f"{named} did not approve it yet: submit it, and let somebody of each side approve{skip}")
        self.sides = tuple(sides)


class NoReviewerError(IncidentsError):
    """Who asks, or is named, cannot approve it."""

    def __init__(self, person: str, why: str, pointer: str = "") -> None:
        super().__init__(f"{person} {why}")
        self.pointer = pointer


class SideMissingError(IncidentsError):
    """It is not said for which side."""

    def __init__(self, sides: Sequence[str]) -> None:
        super().__init__(f'say for which side you approve: {{"side": "{sides[0]}"}} or {{"side": "{sides[1]}"}}')


class TimelineOrderError(IncidentsError):
    """The timeline is not in the order of its times."""

    def __init__(self, index: int, rule: str) -> None:
        super().__init__(rule)
        self.pointer = f"/timeline/{index}/at"
