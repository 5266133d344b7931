"""Whether a service may pass a gate: a pure function of the policy, what is known, and the time.

A gate is open when no blocking check is `fail` or `unknown`. Advisory checks never close it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.lifecycle.domain.checks import Question, find
from services.lifecycle.domain.errors import EvaluationOutdatedError
from services.lifecycle.domain.evaluation.events import CheckResult, GateEvaluated, Limit
from services.lifecycle.domain.facts import Facts
from services.lifecycle.domain.phases import DECOMMISSIONED, DEMOTION, Phase, gates_between
from services.lifecycle.domain.policy import MOST_CRITICAL_TIER, Check, Policy


@dataclass(frozen=True, slots=True)
class Verdict:
    """A gate's answer for one service at one time; the fields are those of `GateEvaluated`."""

    service: str
    from_phase: Phase
    phase: Phase
    policy_version: str
    checks: tuple[CheckResult, ...]
    basis: tuple[str, ...]
    at: datetime
    based_on: str = ""

    @property
    def failed(self) -> tuple[CheckResult, ...]:
        """The blocking checks that keep the gate closed."""
        return tuple(check for check in self.checks if check.blocking and check.result in {"fail", "unknown"})

    @property
    def passed(self) -> bool:
        """Whether the gate is open."""
        return not self.failed


def evaluate(policy: Policy, facts: Facts, target: Phase, at: datetime) -> Verdict:
    """What the gates on the service's way to *target* say at *at*."""
    asked = policy.asked_at(gates_between(facts.phase, target))
    checks = tuple(_results(policy, asked, facts, at, advisory=_in_grace(facts, target, at)))
    return Verdict(facts.service, facts.phase, target, policy.version, checks, _basis(policy, asked, facts, at), at)


def keeping(policy: Policy, facts: Facts, at: datetime) -> tuple[CheckResult, ...]:
    """What the service must go on showing in its phase, and whether it does."""
    advisory = _in_grace(facts, facts.phase, at)
    return tuple(_results(policy, policy.kept_in(facts.phase), facts, at, advisory=advisory))


def demotion(policy: Policy, facts: Facts, at: datetime) -> tuple[CheckResult, ...]:
    """What could suggest that a generally available service goes a step back; people decide."""
    if facts.phase is not Phase.GENERAL_AVAILABILITY:
        return ()
    return tuple(_results(policy, policy.asked_at((DEMOTION,)), facts, at, advisory=True))


def remaining(policy: Policy, facts: Facts, at: datetime) -> Verdict:
    """What is left to remove of an unsupported service before it is decommissioned."""
    asked = policy.asked_at((DECOMMISSIONED,))
    checks = tuple(_results(policy, asked, facts, at))
    basis = _basis(policy, asked, facts, at)
    return Verdict(facts.service, facts.phase, facts.phase, policy.version, checks, basis, at)


def look(policy: Policy, names: Iterable[str], facts: Facts, at: datetime) -> tuple[CheckResult, ...]:
    """What the checks called *names* say at *at*, whichever gate asks for them; unknown, if the policy has none."""
    return tuple(
        _result(Question(policy, name, policy.checks[name], facts, at), advisory=False)
        if name in policy.checks
        else CheckResult(name, "unknown", blocking=False, detail=f"policy {policy.version} has no such check")
        for name in names
    )


def reuse(kept: GateEvaluated, now: Verdict, valid_for: timedelta) -> Verdict:
    """The verdict at a move that names an earlier evaluation: its attestations, the measured checks of *now*.

    An attestation that has gone stale meanwhile still counts; one that was replaced does not.

    Raises:
        EvaluationOutdatedError: It is too old, was for another move, or what it rests on has changed.
    """
    was, wanted = (kept.service, kept.from_phase, kept.phase), (now.service, now.from_phase, now.phase)
    reasons = [
        *([f"it is for {was[0]} from {was[1]} to {was[2]}"] if was != wanted else []),
        *([f"it is older than {valid_for.days} days"] if now.at - kept.at > valid_for else []),
        *(f"changed since: {change}" for change in sorted(set(kept.basis) ^ set(now.basis))),
    ]
    if reasons:
        raise EvaluationOutdatedError(reasons)
    attested = {check.id: check for check in kept.checks if not check.measured}
    checks = tuple(
        check if check.measured or check.id not in attested else replace(attested[check.id], blocking=check.blocking)
        for check in now.checks
    )
    return replace(now, checks=checks, based_on=kept.evaluation)


def _in_grace(facts: Facts, target: Phase, at: datetime) -> bool:
    grace = facts.grandfathered
    return grace is not None and target.number <= grace.phase.number and at < grace.until


def _results(
    policy: Policy, asked: Mapping[str, Check], facts: Facts, at: datetime, *, advisory: bool = False
) -> list[CheckResult]:
    return [_result(Question(policy, name, check, facts, at), advisory=advisory) for name, check in asked.items()]


def _result(question: Question, *, advisory: bool) -> CheckResult:
    check, facts = question.check, question.facts
    finding, measured = find(question)
    result, detail, waiver = finding.result, finding.detail, facts.waivers.get(question.name)
    covered = waiver is not None and question.at < waiver.until and result in {"fail", "unknown"}
    if waiver is not None and covered:
        result, detail = "waived", f"waived until {waiver.until.isoformat()} by {waiver.approved_by}: {detail}"
    is_met = result in {"pass", "not_applicable"}
    return CheckResult(
        id=question.name,
        result=result,
        blocking=not advisory and (facts.tier or MOST_CRITICAL_TIER) in check.blocking_tiers,
        detail=detail,
        evidence=finding.evidence,
        how_to_fix="" if is_met else finding.how_to_fix or check.how_to_fix,
        measured=measured,
        source=check.source,
        limits=tuple(Limit(name, number.at(facts.tier), number.source) for name, number in check.limits()),
        waiver=waiver.waiver if waiver is not None and covered else "",
        who=() if is_met else _who(check, facts),
    )


def _who(check: Check, facts: Facts) -> tuple[str, ...]:
    """The teams that must meet *check*: those that it names, as far as the service has them, else its owner."""
    teams = {"owner": facts.owner_team, "sre": facts.engagement.sre_team if facts.engagement else ""}
    return tuple(team for side in check.who if (team := teams[side])) or tuple(filter(None, (facts.owner_team,)))


def _basis(policy: Policy, asked: Mapping[str, Check], facts: Facts, at: datetime) -> tuple[str, ...]:
    """What the results rest on beside measurements, in words that can be compared and read."""
    looked_at = {kind for name, check in asked.items() for kind in (name, check.unless, *check.met_by)}
    evidence = (facts.attestations[kind] for kind in sorted(looked_at) if kind in facts.attestations)
    waivers = (facts.waivers[name] for name in sorted(asked) if name in facts.waivers)
    return (
        f"policy {policy.version}",
        f"owner {facts.owner_team or 'not set'}",
        f"tier {facts.tier or 'not set'}",
        *(() if facts.stateless is None else (f"stateless {facts.stateless}",)),
        *(f"slo {slo.name} revision {slo.revision}" for slo in sorted(facts.slos, key=lambda slo: slo.name)),
        *(f"evidence {done.kind} {done.evidence}" for done in evidence),
        *(f"waiver {waiver.check} {waiver.waiver}" for waiver in waivers if at < waiver.until),
    )
