"""What an architecture review refuses.

LifecycleError
└── ArchitectureReviewError
    ├── MinutesFaultyError             somebody or something is missing in what was written down
    ├── IllegalArchitectureStepError   not from here; names what is possible
    └── SignatureError                 somebody else signs for that side
"""

from collections.abc import Iterable

from services.lifecycle.domain.errors import LifecycleError
from services.lifecycle.domain.policy import Fault


class ArchitectureReviewError(LifecycleError):
    """Anything that an architecture review refuses."""


class MinutesFaultyError(ArchitectureReviewError):
    """Somebody or something is missing in what was written down."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in self.faults))


class IllegalArchitectureStepError(ArchitectureReviewError):
    """Not from here."""

    def __init__(self, state: str, verb: str, allowed: Iterable[str]) -> None:
        self.state, self.allowed = state, tuple(allowed)
        possible = ", ".join(self.allowed) or "nothing more; prepare another"
        super().__init__(f"the review is {state}, so it cannot be asked to {verb}; possible here: {possible}")


class SignatureError(ArchitectureReviewError):
    """Somebody else signs for that side."""

    def __init__(self, actor: str, side: str, why: str, may: Iterable[str]) -> None:
        self.who_can = tuple(may)
        who = " or ".join(self.who_can)
        super().__init__(f"{actor} cannot sign for the {side} side: {why}; it takes {who}")
