"""What a team refuses, and why.

LifecycleError
├── StructureError          it cannot be set up like this
├── TeamEndedError          it was merged or dissolved
├── TeamNeededError         something would be left without it
├── ForeignServiceError     a service that it does not own, or gives away twice
└── MergeError              the two cannot become one
"""

from collections.abc import Sequence

from services.lifecycle.domain.errors import LifecycleError
from services.lifecycle.domain.team.structure import Fault


class StructureError(LifecycleError):
    """A team cannot be set up like this."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in faults))
        self.faults = tuple(faults)


class TeamEndedError(LifecycleError):
    """A team that has ended does nothing more."""

    def __init__(self, team: str, into: str) -> None:
        onward = f"it is part of {into!r} now; ask that team" if into else "register a new team, or name another"
        super().__init__(f"team {team!r} has ended; {onward}")
        self.team, self.into = team, into


class TeamNeededError(LifecycleError):
    """A team cannot end while something needs it."""

    def __init__(self, team: str, needed_by: Sequence[str]) -> None:
        super().__init__(
            f"team {team!r} is needed by {', '.join(needed_by)}; give its services to another team"
            " (:dissolve with services, or :merge) and end its engagements first"
        )
        self.team, self.needed_by = team, tuple(needed_by)


class ForeignServiceError(LifecycleError):
    """A team gives away what is not its own, or no longer."""

    def __init__(self, team: str, service: str, field: str) -> None:
        super().__init__(f"team {team!r} has no service {service!r} to give away here; leave it out")
        self.team, self.service, self.field = team, service, field


class MergeError(LifecycleError):
    """Two teams cannot become one."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
