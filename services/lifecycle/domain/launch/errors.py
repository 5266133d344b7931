"""What a launch refuses.

LifecycleError
└── LaunchError
    ├── NotLiveError             the service has no users who could get it
    ├── IllegalLaunchStepError   not from here; names what is possible
    ├── UnknownCheckpointError   the launch is not asked for that
    ├── CheckpointError          evidence that shows nothing
    ├── LaunchDateError          a day that has passed
    ├── LaunchBlockedError       a blocking checkpoint is open
    └── SecondPersonNeededError  somebody else says that it is ready
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from services.lifecycle.domain.errors import LifecycleError
from services.lifecycle.domain.phases import Phase


@dataclass(frozen=True, slots=True)
class OpenCheckpoint:
    """A checkpoint that nothing shows, or not any more, and why."""

    checkpoint: str
    text: str
    blocking: bool
    why: str


class LaunchError(LifecycleError):
    """Anything that a launch refuses; *pointer* is where it stands in the body."""

    pointer: str = ""


class NotLiveError(LaunchError):
    """The service has no users who could get it."""

    def __init__(self, service: str, phase: Phase, phases: Iterable[Phase], source: str) -> None:
        super().__init__(f"{service!r} is in {phase}; launches are of services in {', '.join(phases)} ({source})")
        self.pointer = "/service"


class IllegalLaunchStepError(LaunchError):
    """Not from here."""

    def __init__(self, state: str, verb: str, allowed: Iterable[str]) -> None:
        self.state, self.allowed = state, tuple(allowed)
        possible = ", ".join(self.allowed) or "nothing more; plan another"
        super().__init__(f"the launch is {state}, so it cannot be asked to {verb}; possible here: {possible}")


class UnknownCheckpointError(LaunchError):
    """The launch is not asked for that."""

    def __init__(self, checkpoint: str, known: Iterable[str]) -> None:
        super().__init__(f"the launch has no checkpoint {checkpoint!r}; it has {', '.join(known)}")


class CheckpointError(LaunchError):
    """Evidence that shows nothing."""

    def __init__(self, detail: str, pointer: str) -> None:
        super().__init__(detail)
        self.pointer = pointer


class LaunchDateError(LaunchError):
    """A day that has passed."""

    def __init__(self, given: date) -> None:
        super().__init__(f"{given.isoformat()} has passed; plan it for today or later")
        self.pointer = "/planned_for"


class LaunchBlockedError(LaunchError):
    """A blocking checkpoint is open."""

    def __init__(self, found: Iterable[OpenCheckpoint]) -> None:
        self.open = tuple(found)
        super().__init__("; ".join(f"{each.checkpoint}: {each.why}" for each in self.open))


class SecondPersonNeededError(LaunchError):
    """Somebody else says that it is ready."""

    def __init__(self, actor: str, why: str, planned_by: str) -> None:
        self.who_can = (f"anybody but {planned_by}",)
        super().__init__(f"{actor} cannot say that it is ready: {why}; ask a person other than {planned_by}")
