"""What a risk register refuses.

LifecycleError
└── RiskError
    ├── NotAssessedError        nobody has said how bad it is
    ├── NoPromiseError          without an SLO there is no budget to accept against
    ├── TooBigError             it would eat more of the budget than one risk may
    ├── BudgetAllocatedError    what is accepted already leaves too little
    ├── NothingObservedError    no incident says how bad it is
    ├── IllegalRiskStepError    not from here; names what is possible
    ├── AcceptorError           somebody else must accept it
    └── RiskDateError           a time that has passed, or is too far away
"""

from collections.abc import Iterable
from datetime import date, datetime

from services.lifecycle.domain.errors import LifecycleError
from services.lifecycle.domain.risk_register.events import Promise


class RiskError(LifecycleError):
    """Anything that the register refuses; *pointer* is where it stands in the body."""

    pointer: str = ""


class NotAssessedError(RiskError):
    """Nobody has said how bad it is."""

    def __init__(self, risk: str) -> None:
        super().__init__(f"nobody has said how bad risk {risk} is; :assess it first")
        self.risk = risk


class NoPromiseError(RiskError):
    """Without an SLO there is no budget to accept against."""

    def __init__(self, service: str) -> None:
        super().__init__(f"{service!r} has no SLO, so there is no error budget to accept risks within; define one")
        self.service = service


class TooBigError(RiskError):
    """It would eat more of the budget than one risk may."""

    def __init__(self, bad: float, cap: float, promise: Promise, source: str) -> None:
        super().__init__(
            f"it costs {bad:.1f} bad minutes a year, and one risk may cost {cap:.1f} at {promise.target:.6g} of"
            f" {promise.slo} ({source}); make it smaller, or agree a lower target"
        )
        self.bad_minutes, self.cap = bad, cap


class BudgetAllocatedError(RiskError):
    """What is accepted already leaves too little."""

    def __init__(self, bad: float, left: float, promise: Promise, source: str) -> None:
        super().__init__(
            f"it costs {bad:.1f} bad minutes a year, and {left:.1f} are not allocated at {promise.target:.6g} of"
            f" {promise.slo} ({source}); make this or another risk smaller"
        )
        self.bad_minutes, self.unallocated = bad, left


class NothingObservedError(RiskError):
    """No incident says how bad it is."""

    def __init__(self, risk: str) -> None:
        super().__init__(
            f"no incident was risk {risk}, or nobody has assessed it yet; link one (:realise), or say it (:assess)"
        )
        self.risk = risk


class IllegalRiskStepError(RiskError):
    """Not from here."""

    def __init__(self, state: str, verb: str, allowed: Iterable[str]) -> None:
        self.state, self.allowed = state, tuple(allowed)
        super().__init__(
            f"the risk is {state}, so it cannot be asked to {verb}; possible here: {', '.join(self.allowed)}"
        )


class AcceptorError(RiskError):
    """Somebody else must accept it."""

    def __init__(self, actor: str, why: str) -> None:
        super().__init__(f"{actor} cannot accept it: {why}; ask another person")
        self.actor = actor


class RiskDateError(RiskError):
    """A time that has passed, or is too far away."""

    def __init__(self, given: date | datetime, latest: datetime | None, why: str, pointer: str) -> None:
        until = f" and by {latest.isoformat()} ({why})" if latest else ""
        super().__init__(f"{given.isoformat()} cannot be; choose a time after now{until}")
        self.pointer = pointer
