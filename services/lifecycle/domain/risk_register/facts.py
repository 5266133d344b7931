"""What a gate knows of a service's risks."""

from dataclasses import dataclass

from services.lifecycle.domain.risk_register.arithmetic import allowed_minutes
from services.lifecycle.domain.risk_register.events import Promise, RiskState


@dataclass(frozen=True, slots=True)
class RiskFact:
    """A risk that is neither eliminated nor transferred; no bad minutes: nobody has said how bad it is."""

    risk: str
    title: str
    state: RiskState
    bad_minutes: float | None


@dataclass(frozen=True, slots=True)
class RiskFacts:
    """The risks of a service, and the SLO whose budget they are counted against; None: it has none."""

    risks: tuple[RiskFact, ...]
    promise: Promise | None

    @property
    def unassessed(self) -> tuple[RiskFact, ...]:
        """Those that nobody has put a number to."""
        return tuple(risk for risk in self.risks if risk.bad_minutes is None)

    @property
    def largest_unaccepted_share(self) -> float:
        """The largest share of the budget that a risk which is not accepted costs."""
        unaccepted = [risk.bad_minutes or 0.0 for risk in self.risks if risk.state != "accepted"]
        return self._share(max(unaccepted, default=0.0))

    @property
    def accepted_share(self) -> float:
        """The share of the budget that all accepted risks cost."""
        return self._share(sum(risk.bad_minutes or 0.0 for risk in self.risks if risk.state == "accepted"))

    def _share(self, minutes: float) -> float:
        left = allowed_minutes(self.promise.target) if self.promise else 0.0
        return minutes / left if left else float("inf") if minutes else 0.0
