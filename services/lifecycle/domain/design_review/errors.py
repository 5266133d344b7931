"""What a design review refuses.

LifecycleError
└── DesignReviewError
    ├── DesignFaultyError          it contradicts itself, or says too little to be read
    ├── IllegalDesignStepError     not from here; names what is possible
    └── OutsiderNeededError        somebody from outside who did not write it must decide
"""

from collections.abc import Iterable

from services.lifecycle.domain.errors import LifecycleError
from services.lifecycle.domain.policy import Fault


class DesignReviewError(LifecycleError):
    """Anything that a design review refuses."""


class DesignFaultyError(DesignReviewError):
    """It contradicts itself, or says too little to be read."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}" for fault in self.faults))


class IllegalDesignStepError(DesignReviewError):
    """Not from here."""

    def __init__(self, state: str, verb: str, allowed: Iterable[str]) -> None:
        self.state, self.allowed = state, tuple(allowed)
        possible = ", ".join(self.allowed) or "nothing more; open another"
        super().__init__(f"the design review is {state}, so it cannot be asked to {verb}; possible here: {possible}")


class OutsiderNeededError(DesignReviewError):
    """Somebody from outside who did not write it must decide."""

    def __init__(self, actor: str, why: str, owner_team: str, writers: Iterable[str]) -> None:
        self.who_can = (f"a person from outside {owner_team or 'the team'}, not {' or '.join(writers)}",)
        super().__init__(f"{actor} cannot decide this: {why}; it takes {self.who_can[0]}")
