"""What another policy would change: each service under both, and where they differ."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.evaluation.events import CheckResult, Result
from services.lifecycle.domain.facts import Facts
from services.lifecycle.domain.gates import evaluate, keeping
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.policy import Policy


@dataclass(frozen=True, slots=True)
class CheckChange:
    """One check of a service under both policies; None: that policy does not ask for it."""

    id: str
    now: Result | None
    then: Result | None
    blocks_now: bool
    would_block: bool
    how_to_fix: str


@dataclass(frozen=True, slots=True)
class Difference:
    """What another policy would change for a service.

    Args:
        service: Which.
        phase: Where it stands.
        target: The next phase.
        passes_now: Whether it could move on.
        would_pass: Whether it could then.
        is_at_risk: Whether it lacks what its phase asks it to keep.
        would_be_at_risk: Whether it would then.
        checks: What differs.
    """

    service: str
    phase: Phase
    target: Phase
    passes_now: bool
    would_pass: bool
    is_at_risk: bool
    would_be_at_risk: bool
    checks: tuple[CheckChange, ...]


def differences(now: Policy, then: Policy, known: Iterable[Facts], at: datetime) -> list[Difference]:
    """The services of *known* for which anything differs."""
    return [found for facts in known if (found := _difference(now, then, facts, at)) is not None]


def at_risk(checks: Iterable[CheckResult]) -> list[CheckResult]:
    """What a service lacks of that which its phase asks it to keep."""
    return [check for check in checks if check.blocking and check.result in {"fail", "unknown"}]


def _difference(now: Policy, then: Policy, facts: Facts, at: datetime) -> Difference | None:
    target = list(Phase)[facts.phase.number]
    gates = evaluate(now, facts, target, at), evaluate(then, facts, target, at)
    kept = keeping(now, facts, at), keeping(then, facts, at)
    checks = _changes(gates[0].checks, gates[1].checks)
    known = {check.id for check in checks}
    checks += [check for check in _changes(*kept) if check.id not in known]
    if not checks:
        return None
    return Difference(
        service=facts.service,
        phase=facts.phase,
        target=target,
        passes_now=gates[0].passed,
        would_pass=gates[1].passed,
        is_at_risk=bool(at_risk(kept[0])),
        would_be_at_risk=bool(at_risk(kept[1])),
        checks=tuple(checks),
    )


def _changes(now: Sequence[CheckResult], then: Sequence[CheckResult]) -> list[CheckChange]:
    before, after = ({check.id: check for check in checks} for checks in (now, then))
    found: list[CheckChange] = []
    for name in [*before, *(name for name in after if name not in before)]:
        was, will = before.get(name), after.get(name)
        change = CheckChange(
            name,
            was.result if was else None,
            will.result if will else None,
            was is not None and was.blocking,
            will is not None and will.blocking,
            will.how_to_fix if will else "",
        )
        if (change.now, change.blocks_now) != (change.then, change.would_block):
            found.append(change)
    return found
