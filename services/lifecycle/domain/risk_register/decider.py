"""A risk register's rules. One register holds all risks of a service, so that the budget is never given away twice.

    proposed > assessed > accepted (until, by) | mitigating | eliminated | transferred
    accepted > assessed, when its time is over, the SLO leaves no room for it any more, or it is worse than was thought
    eliminated | transferred > proposed, when it happens all the same

Source: Google CRE, "Know thy enemy: how to prioritize and communicate risks".
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime

from services.lifecycle.domain.errors import NotAnApproverError, RecordedOtherwiseError, UnknownError
from services.lifecycle.domain.risk_register.arithmetic import Estimate
from services.lifecycle.domain.risk_register.commands import (
    Accept,
    Assess,
    Command,
    Eliminate,
    Lapse,
    Measure,
    Mitigate,
    Propose,
    Realise,
    Recognise,
    Reconsider,
    Reestimate,
    Transfer,
)
from services.lifecycle.domain.risk_register.errors import (
    AcceptorError,
    BudgetAllocatedError,
    IllegalRiskStepError,
    NoPromiseError,
    NotAssessedError,
    NothingObservedError,
    RiskDateError,
    TooBigError,
)
from services.lifecycle.domain.risk_register.events import (
    AcceptanceEnded,
    Ending,
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
from services.lifecycle.domain.risk_register.state import Register, Risk, budget_of, evolve, observed

VERBS: dict[RiskState, tuple[str, ...]] = {
    "proposed": ("assess", "mitigate", "eliminate", "transfer", "realise"),
    "assessed": ("assess", "reestimate", "accept", "mitigate", "eliminate", "transfer", "realise"),
    "accepted": ("assess", "reestimate", "accept", "mitigate", "eliminate", "transfer", "realise"),
    "mitigating": ("assess", "reestimate", "accept", "mitigate", "eliminate", "transfer", "realise"),
    "eliminated": ("realise",),
    "transferred": ("realise",),
}


def decide(command: Command, state: Register) -> tuple[Event, ...]:  # noqa: C901, PLR0911  a table, one line a command
    """The facts *command* produces; none if it was already carried out.

    Raises:
        RiskError: It is refused (`errors.py`).
        UnknownError: There is no such risk.
    """
    match command:
        case Propose():
            return _proposed(command, state)
        case Assess():
            return _assessed(command, state)
        case Reestimate():
            return _assessed(_as_observed(command, state), state)
        case Accept():
            return _accepted(command, state)
        case Mitigate():
            return _mitigated(command, state)
        case Eliminate():
            return _eliminated(command, state)
        case Transfer():
            return _transferred(command, state)
        case Realise():
            return _realised(command, state)
        case Recognise():
            return _recognised(command, state)
        case Measure():
            return tuple(_measured(command, state))
        case Reconsider():
            return _overcommitted(state, command.promise, command.policy, "slo_changed", command.at)
        case Lapse():
            return tuple(
                AcceptanceEnded(name, command.service, "expired", "its time is over", command.at)
                for name, risk in state.items()
                if risk.acceptance and risk.acceptance.until <= command.at
            )


def _proposed(command: Propose, state: Register) -> tuple[Event, ...]:
    proposed = RiskProposed(
        command.risk, command.service, command.title, command.text, command.cause, command.by.name, command.at
    )
    if command.risk in state:
        if state[command.risk].proposed == proposed:
            return ()
        raise RecordedOtherwiseError("risk", command.risk)
    if command.estimate is None:
        return (proposed,)
    return proposed, _assessment(command, command.estimate)


def _assessed(command: Assess, state: Register) -> tuple[Event, ...]:
    risk = _risk(state, command.risk, "assess")
    was = risk.assessed
    if was and risk.state != "mitigating" and (was.estimate, was.basis) == (command.estimate, command.basis):
        return ()
    assessed = _assessment(command, command.estimate)
    after = evolve(state, assessed)
    if risk.acceptance is None:
        return (assessed,)
    if command.promise is None:
        return assessed, _ended(risk, "reassessed", "the service has no SLO any more", command.at)
    budget = budget_of(after.values(), command.promise, command.policy)
    bad = command.estimate.bad_minutes
    if bad <= budget.cap and budget.unallocated >= 0:
        return (assessed,)
    reason = f"it costs {bad:.1f} bad minutes a year now, which no longer fits"
    return assessed, _ended(risk, "reassessed", reason, command.at)


def _accepted(command: Accept, state: Register) -> tuple[Event, ...]:
    risk, policy = _risk(state, command.risk, "accept"), command.policy
    held = risk.acceptance
    if held and (held.until, held.by) == (command.until, command.by.name):
        return ()
    if risk.assessed is None:
        raise NotAssessedError(command.risk)
    if not command.by.is_person:
        raise AcceptorError(command.by.name, "a machine bears no risk")
    if command.by.name == risk.proposed.by:
        raise AcceptorError(command.by.name, "who proposed it does not accept it alone")
    _require_decider(command, risk)
    latest = command.at + policy.longest
    if not command.at < command.until <= latest:
        raise RiskDateError(command.until, latest, policy.acceptance.source, "/until")
    if command.promise is None:
        raise NoPromiseError(command.service)
    others = [each for name, each in state.items() if name != command.risk]
    budget, bad = budget_of(others, command.promise, policy), risk.bad_minutes
    if bad > budget.cap:
        raise TooBigError(bad, budget.cap, command.promise, policy.largest.source)
    if bad > budget.unallocated:
        raise BudgetAllocatedError(bad, budget.unallocated, command.promise, policy.accepted.source)
    return (
        RiskAccepted(
            command.risk,
            command.service,
            command.until,
            bad,
            command.promise,
            command.by.name,
            command.reason,
            command.at,
        ),
    )


def _mitigated(command: Mitigate, state: Register) -> tuple[Event, ...]:
    risk = _risk(state, command.risk, "mitigate")
    begun = MitigationBegun(
        command.risk,
        command.service,
        command.plan,
        command.owner,
        command.due,
        command.by.name,
        command.reason,
        command.at,
    )
    now = risk.settled if risk.state == "mitigating" else None
    if isinstance(now, MitigationBegun) and replace(now, by=begun.by, reason=begun.reason, at=begun.at) == begun:
        return ()
    if command.due < command.at.date():
        raise RiskDateError(command.due, None, "", "/due")
    return (begun,)


def _eliminated(command: Eliminate, state: Register) -> tuple[Event, ...]:
    if _at(state, command.risk).state == "eliminated":
        return ()
    _require_decider(command, _risk(state, command.risk, "eliminate"))
    return (RiskEliminated(command.risk, command.service, command.url, command.by.name, command.reason, command.at),)


def _transferred(command: Transfer, state: Register) -> tuple[Event, ...]:
    risk = _at(state, command.risk)
    if risk.state == "transferred" and isinstance(risk.settled, RiskTransferred) and risk.settled.to == command.to:
        return ()
    _require_decider(command, _risk(state, command.risk, "transfer"))
    return (RiskTransferred(command.risk, command.service, command.to, command.by.name, command.reason, command.at),)


def _require_decider(command: Accept | Eliminate | Transfer, risk: Risk) -> None:
    """What is given away of the budget, and given back, is the business of those who live with the service."""
    may = command.deciders
    if isinstance(command, Accept):
        may = may.besides(risk.proposed.by)
    if may.people and command.by.name not in may.people:
        raise NotAnApproverError(command.by.name, may.people, may.roles)


def _realised(command: Realise, state: Register) -> tuple[Event, ...]:
    risk = _at(state, command.risk)
    realised = RiskRealised(
        command.risk,
        command.service,
        command.incident,
        command.ttd_minutes,
        command.ttr_minutes,
        command.users_fraction,
        command.by,
        command.at,
    )
    if _known(risk, command.incident):
        return ()
    return realised, *_measured(command, {command.risk: replace(risk, realised=(realised,))})


def _recognised(command: Recognise, state: Register) -> tuple[Event, ...]:
    found: list[Event] = []
    for name, risk in state.items():
        if command.cause and risk.proposed.cause == command.cause and not _known(risk, command.incident):
            realised = RiskRealised(name, command.service, command.incident, None, None, None, command.by, command.at)
            found += [realised, *_measured(command, {name: replace(risk, realised=(realised,))})]
    return tuple(found)


def _measured(command: Realise | Recognise | Measure, state: Register) -> Iterator[RiskMeasured]:
    """How long the incident took, for each risk that it was and that does not know it yet."""
    took = command.took
    for name, risk in state.items():
        before = risk.measured.get(command.incident)
        known = (before.ttd_minutes, before.ttr_minutes) if before else (None, None)
        if _known(risk, command.incident) and known != (took.ttd_minutes, took.ttr_minutes):
            yield RiskMeasured(name, command.service, command.incident, took.ttd_minutes, took.ttr_minutes, command.at)


def _as_observed(command: Reestimate, state: Register) -> Assess:
    risk = _risk(state, command.risk, "reestimate")
    seen = observed(risk, command.at)
    if seen is None:
        raise NothingObservedError(command.risk)
    return Assess(
        service=command.service,
        risk=command.risk,
        estimate=seen,
        basis=f"observed: {', '.join(each.incident for each in risk.realised)}",
        promise=command.promise,
        policy=command.policy,
        by=command.by,
        at=command.at,
    )


def _overcommitted(
    state: Register, promise: Promise | None, policy: RiskPolicy, because: Ending, at: datetime
) -> tuple[Event, ...]:
    """What is accepted and no longer fits, when those accepted first are served first."""
    held = sorted(
        (risk for risk in state.values() if risk.acceptance),
        key=lambda risk: (risk.acceptance.at if risk.acceptance else at, risk.proposed.risk),
    )
    if promise is None:
        return tuple(_ended(risk, because, "the service has no SLO any more", at) for risk in held)
    budget, taken = budget_of((), promise, policy), 0.0
    ended: list[Event] = []
    for risk in held:
        if risk.bad_minutes > budget.cap:
            reason = f"one risk may cost {budget.cap:.1f} bad minutes a year at {promise.target:.6g} of {promise.slo}"
            ended.append(_ended(risk, because, reason, at))
        elif taken + risk.bad_minutes > budget.allocatable:
            left = budget.allocatable - taken
            reason = f"{left:.1f} bad minutes a year are left for it at {promise.target:.6g} of {promise.slo}"
            ended.append(_ended(risk, because, reason, at))
        else:
            taken += risk.bad_minutes
    return tuple(ended)


def _assessment(command: Propose | Assess, estimate: Estimate) -> RiskAssessed:
    return RiskAssessed(
        command.risk,
        command.service,
        estimate,
        estimate.bad_minutes,
        command.basis,
        command.by.name,
        command.at,
    )


def _ended(risk: Risk, because: Ending, reason: str, at: datetime) -> AcceptanceEnded:
    return AcceptanceEnded(risk.proposed.risk, risk.proposed.service, because, reason, at)


def _known(risk: Risk, incident: str) -> bool:
    return any(each.incident == incident for each in risk.realised)


def _at(state: Register, name: str) -> Risk:
    if name not in state:
        raise UnknownError("risk", name)
    return state[name]


def _risk(state: Register, name: str, verb: str) -> Risk:
    risk = _at(state, name)
    if verb not in VERBS[risk.state]:
        raise IllegalRiskStepError(risk.state, verb, VERBS[risk.state])
    return risk
