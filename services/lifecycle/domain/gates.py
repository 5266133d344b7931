"""Whether a service may pass a gate: a pure function of the policy, what is known, and the time.

A gate is open when no blocking check is `fail` or `unknown`. Advisory checks never close it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.lifecycle.domain.checks import MEASURES, Finding, attestation
from services.lifecycle.domain.errors import EvaluationOutdatedError
from services.lifecycle.domain.evaluation.events import CheckResult, GateEvaluated
from services.lifecycle.domain.facts import Facts
from services.lifecycle.domain.phases import Phase, gates_between
from services.lifecycle.domain.policy import Check, Policy

_MOST_CRITICAL_TIER = 1  # what a service counts as until its tier is set


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
    grace = facts.grandfathered
    in_grace = grace is not None and target.number <= grace.phase.number and at < grace.until
    checks = tuple(_result(policy, name, check, facts, at) for name, check in asked.items())
    if in_grace:
        checks = tuple(replace(check, blocking=False) for check in checks)
    return Verdict(facts.service, facts.phase, target, policy.version, checks, _basis(policy, asked, facts), at)


def look(policy: Policy, names: Iterable[str], facts: Facts, at: datetime) -> tuple[CheckResult, ...]:
    """What the checks called *names* say at *at*, whichever gate asks for them; unknown, if the policy has none."""
    return tuple(
        _result(policy, name, policy.checks[name], facts, at)
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
    attested = {check.id: check for check in kept.checks if check.id not in MEASURES}
    return replace(now, checks=tuple(attested.get(check.id, check) for check in now.checks), based_on=kept.evaluation)


def _result(policy: Policy, name: str, check: Check, facts: Facts, at: datetime) -> CheckResult:
    finding = _finding(policy, name, check, facts, at)
    return CheckResult(
        id=name,
        result=finding.result,
        blocking=(facts.tier or _MOST_CRITICAL_TIER) in check.blocking_tiers,
        detail=finding.detail,
        evidence=finding.evidence,
        how_to_fix="" if finding.result in {"pass", "not_applicable"} else finding.how_to_fix or check.how_to_fix,
    )


def _finding(policy: Policy, name: str, check: Check, facts: Facts, at: datetime) -> Finding:
    if check.applies_in and facts.phase not in check.applies_in:
        return Finding("not_applicable", f"does not concern a service in {facts.phase}")
    measure = MEASURES.get(name)
    finding = measure(policy, facts, at) if measure else attestation(name, check, facts, at)
    waived_until = facts.waivers.get(name)
    if finding.result == "pass" or waived_until is None or at >= waived_until:
        return finding
    return replace(finding, result="waived", detail=f"waived until {waived_until.isoformat()}: {finding.detail}")


def _basis(policy: Policy, asked: Mapping[str, Check], facts: Facts) -> tuple[str, ...]:
    """What the results rest on beside measurements, in words that can be compared and read."""
    evidence = (facts.attestations[name] for name in sorted(asked) if name in facts.attestations)
    return (
        f"policy {policy.version}",
        f"owner {facts.owner_team or 'not set'}",
        f"tier {facts.tier or 'not set'}",
        *(f"slo {slo.name} revision {slo.revision}" for slo in sorted(facts.slos, key=lambda slo: slo.name)),
        *(f"evidence {done.kind} {done.evidence}" for done in evidence),
    )
