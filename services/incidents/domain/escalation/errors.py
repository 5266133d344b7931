"""What the rules of paging refuse, beside what all of incidents does (`domain/errors.py`).

IncidentsError
├── EndedError          it was ended, which is final
├── FaultyPolicyError   an escalation policy that could not work
├── DefaultTakenError   a team's services are paged by one policy unless they name another
├── LinkError           a link that acknowledges an incident does so no more
└── NotCalledError      only who was called rates a page
"""

from collections.abc import Sequence

from services.incidents.domain.errors import IncidentsError


class EndedError(IncidentsError):
    """It was ended, which is final."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"the {kind} {name!r} was ended, which is final; make another one")


class FaultyPolicyError(IncidentsError):
    """The policy could not work; *places* are pointers with what is wrong there."""

    def __init__(self, places: Sequence[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{pointer}: {detail}" for pointer, detail in places))
        self.places = tuple(places)


class DefaultTakenError(IncidentsError):
    """A team's services are paged by one policy unless they name another."""

    field = "default"

    def __init__(self, team: str, holder: str) -> None:
        super().__init__(
            f"the services of {team} are paged by the policy {holder!r} unless they name another;"
            f" PATCH that one to default: false first, or send default: false here"
        )


class LinkError(IncidentsError):
    """A link that acknowledges an incident does so no more, or never did."""


class NotCalledError(IncidentsError):
    """Only who was called says whether there was something to do."""

    def __init__(self, person: str) -> None:
        super().__init__(f"{person} was called, so {person} says whether there was something to do")
