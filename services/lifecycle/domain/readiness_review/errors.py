"""What a readiness review refuses.

LifecycleError
└── ReviewError
    ├── ReviewUnderwayError        the service is being reviewed already
    ├── CannotBeReviewedError      the service stands where nothing is reviewed
    ├── ReviewersError             too many, twice, or nobody from outside
    ├── FrameworksError            the model and the frameworks do not go together
    ├── NothingAskedError          the checklist asks nothing of such a service for the phase
    ├── NoDeltaError               there is nothing to take over
    ├── IllegalStepError           not from here; names what is possible
    ├── NotAllowedError            somebody else must do this
    ├── NotReadyError              blocking items or findings are open
    ├── ConditionsError            a condition is missing, or cannot be
    ├── UnknownPartError           no such item, finding or condition in the review
    ├── AnswerError                an answer that shows nothing
    ├── TextMissingError           what is kept for whoever asks later
    ├── InvalidDueError            a day that has passed, or is too far away
    └── WaivedTooOftenError        a finding that is put off for good
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import TYPE_CHECKING

from services.lifecycle.domain.errors import LifecycleError
from services.lifecycle.domain.phases import Phase

if TYPE_CHECKING:
    from services.lifecycle.domain.readiness_review.readiness import Readiness


class ReviewError(LifecycleError):
    """Anything that a review refuses; *pointer* is where it stands in the body."""

    pointer: str = ""


class ReviewUnderwayError(ReviewError):
    """The service is being reviewed already."""

    def __init__(self, service: str, review: str) -> None:
        super().__init__(f"review {review} of {service!r} is under way; go on with that one, or withdraw it")
        self.service, self.review = service, review


class CannotBeReviewedError(ReviewError):
    """The service stands where nothing is reviewed."""

    def __init__(self, service: str, phase: Phase, phases: Iterable[Phase]) -> None:
        super().__init__(f"{service!r} is in {phase}; a review can be asked for in {', '.join(phases)}")
        self.service, self.phase, self.pointer = service, phase, "/service"


class ReviewersError(ReviewError):
    """Too many, twice, or nobody from outside."""

    def __init__(self, pointer: str, detail: str) -> None:
        super().__init__(detail)
        self.pointer = pointer


class FrameworksError(ReviewError):
    """The model and the frameworks do not go together."""

    def __init__(self, model: str) -> None:
        super().__init__(
            "a framework review names the frameworks that the service is built on, with their versions"
            if model == "framework"
            else f"a {model} review counts no frameworks; leave them out, or ask for a framework review"
        )
        self.pointer = "/frameworks"


class NothingAskedError(ReviewError):
    """The checklist asks nothing of such a service for the phase."""

    def __init__(self, phase: Phase, tier: int) -> None:
        super().__init__(
            f"no blocking item is asked of a tier {tier} service before {phase}, so an approval would say nothing;"
            " choose another template or target_phase"
        )
        self.pointer = "/target_phase"


class NoDeltaError(ReviewError):
    """There is nothing to take over."""

    def __init__(self, detail: str, pointer: str = "/delta_of") -> None:
        super().__init__(detail)
        self.pointer = pointer


class IllegalStepError(ReviewError):
    """Not from here."""

    def __init__(self, what: str, state: str, verb: str, allowed: Iterable[str]) -> None:
        self.state, self.verb, self.allowed = state, verb, tuple(allowed)
        possible = ", ".join(self.allowed) or "nothing more"
        super().__init__(f"the {what} is {state}, so it cannot be asked to {verb}; possible here: {possible}")


class NotAllowedError(ReviewError):
    """Somebody else must do this."""

    def __init__(self, actor: str, why: str, may: Iterable[str]) -> None:
        self.actor, self.may = actor, tuple(may)
        who = " or ".join(self.may) or "nobody yet: name another reviewer (PATCH the review)"
        super().__init__(f"{actor} cannot do this: {why}; it takes {who}")


class NotReadyError(ReviewError):
    """Blocking items or findings are open."""

    def __init__(self, readiness: "Readiness") -> None:
        items = [missing.item for missing in readiness.missing]
        open_ = [*(f"item {item}" for item in items), *(f"finding {each}" for each in readiness.blocking_findings)]
        super().__init__(f"{len(open_)} blocking for {readiness.phase}: {', '.join(open_)}")
        self.readiness = readiness


class ConditionsError(ReviewError):
    """A condition is missing, or cannot be."""

    def __init__(self, detail: str, pointer: str = "/conditions") -> None:
        super().__init__(detail)
        self.pointer = pointer


class UnknownPartError(ReviewError):
    """No such item, finding or condition in the review."""

    def __init__(self, noun: str, part: str) -> None:
        super().__init__(f"the review has no {noun} {part!r}")
        self.noun, self.part = noun, part


class AnswerError(ReviewError):
    """An answer that shows nothing."""

    def __init__(self, item: str, detail: str, pointer: str) -> None:
        super().__init__(f"{item}: {detail}")
        self.item, self.pointer = item, pointer


class TextMissingError(ReviewError):
    """What is kept for whoever asks later."""

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field} is empty: {why}")
        self.pointer = f"/{field}"


class InvalidDueError(ReviewError):
    """A day that has passed, or is too far away."""

    def __init__(self, given: date | datetime, latest: date | datetime | None, why: str, pointer: str) -> None:
        until = f" and by {latest.isoformat()} ({why})" if latest else ""
        super().__init__(f"{given.isoformat()} cannot be; choose a time after now{until}")
        self.pointer = pointer


class WaivedTooOftenError(ReviewError):
    """A finding that is put off for good."""

    def __init__(self, finding: str, most: int, source: str) -> None:
        super().__init__(
            f"finding {finding} was waived {most} times, which is as often as it may be ({source}); fix it"
        )
        self.finding, self.most = finding, most
