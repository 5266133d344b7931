"""A service's risk register as it stands."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from services.lifecycle.domain.risk_register.arithmetic import Estimate, allowed_minutes
from services.lifecycle.domain.risk_register.events import (
    AcceptanceEnded,
    Event,
    MitigationBegun,
    Promise,
    RiskAccepted,
    RiskAssessed,
    RiskEliminated,
    RiskMeasured,
    RiskProposed,
    RiskRealised,
    RiskState,
    RiskTransferred,
)
from services.lifecycle.domain.risk_register.policy import RiskPolicy


@dataclass(frozen=True, slots=True)
class Risk:
    """Something that could go wrong; *settled* is what was last decided about it, *ended* why that holds no longer."""

    proposed: RiskProposed
    state: RiskState = "proposed"
    assessed: RiskAssessed | None = None
    settled: RiskAccepted | MitigationBegun | RiskEliminated | RiskTransferred | None = None
    ended: AcceptanceEnded | None = None
    realised: tuple[RiskRealised, ...] = ()
    measured: Mapping[str, RiskMeasured] = field(default_factory=dict[str, RiskMeasured])  # by incident

    @property
    def bad_minutes(self) -> float:
        """What it costs in a year; 0 while nobody has said."""
        return self.assessed.estimate.bad_minutes if self.assessed else 0.0

    @property
    def happened(self) -> tuple[RiskRealised, ...]:
        """The incidents that were it; what nobody said of one is what its own times tell."""
        return tuple(self._with_times(each) for each in self.realised)

    @property
    def acceptance(self) -> RiskAccepted | None:
        """Set while it is accepted."""
        return self.settled if self.state == "accepted" and isinstance(self.settled, RiskAccepted) else None

    def _with_times(self, realised: RiskRealised) -> RiskRealised:
        took = self.measured.get(realised.incident)
        if took is None:
            return realised
        ttd, ttr = realised.ttd_minutes, realised.ttr_minutes
        return replace(
            realised,
            ttd_minutes=took.ttd_minutes if ttd is None else ttd,
            ttr_minutes=took.ttr_minutes if ttr is None else ttr,
        )


Register = Mapping[str, Risk]  # by id, in the order in which they were proposed; empty: no risk is known


@dataclass(frozen=True, slots=True)
class Budget:
    """What the strictest SLO of a service leaves for risks, in bad minutes a year.

    Args:
        promise: That SLO.
        minutes: What it leaves.
        cap: What one risk may cost.
        allocatable: What all accepted risks may cost together.
        accepted: What they do cost.
    """

    promise: Promise
    minutes: float
    cap: float
    allocatable: float
    accepted: float

    @property
    def unallocated(self) -> float:
        """What is left for more; negative when too much is accepted."""
        return self.allocatable - self.accepted


def budget_of(risks: Iterable[Risk], promise: Promise, policy: RiskPolicy) -> Budget:
    """The budget that *promise* leaves, and how much of it the accepted ones of *risks* take."""
    minutes = allowed_minutes(promise.target)
    accepted = sum(risk.bad_minutes for risk in risks if risk.state == "accepted")
    return Budget(promise, minutes, minutes * policy.largest.share, minutes * policy.accepted.share, accepted)


def observed(risk: Risk, at: datetime) -> Estimate | None:
    """What the incidents so far say of *risk*; None while there are none, or nobody has assessed it.

    Where an incident does not say how long it took or whom it hit, the assessment does.
    """
    if risk.assessed is None or not risk.realised:
        return None
    known, happened = risk.assessed.estimate, risk.happened
    days = max((at - risk.proposed.at) / timedelta(days=1), 1.0)
    return Estimate(
        ttd_minutes=_mean([each.ttd_minutes for each in happened], known.ttd_minutes),
        ttr_minutes=_mean([each.ttr_minutes for each in happened], known.ttr_minutes),
        users_fraction=_mean([each.users_fraction for each in happened], known.users_fraction),
        mtbf_days=days / len(happened),
    )


def evolve(state: Register, event: Event) -> Register:
    """The register after one more fact."""
    match event:
        case RiskProposed():
            after = Risk(event)
        case RiskAssessed():
            risk = state[event.risk]
            accepted = risk.state == "accepted"
            after = replace(risk, assessed=event, state=risk.state if accepted else "assessed")
        case RiskAccepted():
            after = replace(state[event.risk], settled=event, state="accepted", ended=None)
        case AcceptanceEnded():
            after = replace(state[event.risk], ended=event, state="assessed")
        case MitigationBegun():
            after = replace(state[event.risk], settled=event, state="mitigating")
        case RiskEliminated():
            after = replace(state[event.risk], settled=event, state="eliminated")
        case RiskTransferred():
            after = replace(state[event.risk], settled=event, state="transferred")
        case RiskRealised():
            risk = state[event.risk]
            again: RiskState = risk.state if risk.state not in {"eliminated", "transferred"} else "proposed"
            after = replace(risk, realised=(*risk.realised, event), state=again)
        case RiskMeasured():
            risk = state[event.risk]
            after = replace(risk, measured={**risk.measured, event.incident: event})
    return {**state, event.risk: after}


def _mean(said: list[float | None], otherwise: float) -> float:
    known = [each for each in said if each is not None]
    return sum(known) / len(known) if known else otherwise
