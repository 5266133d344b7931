"""May this change be released now? What CI/CD asks before it deploys (`docs/release-gate.md`).

The gate never closes for lack of knowledge: no policy, no signature, no SLO, no events all allow, and say so. It
closes only when a policy that both sides signed freezes releases, and then lets through what the policy lets through.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.slo.domain.policy.document import Change
from services.slo.domain.policy.reasons import Reason, of_standing, spent, undefined
from services.slo.domain.policy.standing import SloBudget, Standing, defined, to_spare
from services.slo.domain.policy.state import InForce, Policy, Unsigned, owed, standing_at


@dataclass(frozen=True, slots=True)
class Decision:
    """What the gate says.

    Args:
        decision: What to do.
        change: With what kind of change.
        reasons: Never empty; the first decides, the others are advice.
        state: Where the service stands under its policy; None without a policy.
        policy_version: Of the policy; 0 without one.
        in_force: Whether both sides have signed it.
        budget: The worst one, which rules; None if nothing is known of any.
        budgets: All of them.
        at: When this was so.
    """

    decision: Literal["allow", "deny"]
    change: Change
    reasons: tuple[Reason, ...]
    state: Standing | None
    policy_version: int
    in_force: bool
    budget: SloBudget | None
    budgets: tuple[SloBudget, ...]
    at: datetime


def decide(
    change: Change, policy: Policy, budgets: tuple[SloBudget, ...], at: datetime, *, deployment: str = ""
) -> Decision:
    """Whether *change* may be released at *at*.

    It is decided by the budgets handed in, as though the policy had just observed them: nothing has to have been
    stored, and an exemption or a broken glass ends in the moment it expires.

    Args:
        change: What kind of change.
        policy: With its exemptions and broken glasses.
        budgets: Of every SLO of the service, the undefined ones too.
        at: When.
        deployment: What is to be deployed, as named when glass was broken for it; empty if the asker does not know.
    """
    known = defined(budgets)
    worst = known[0] if known else None
    if policy is None:
        return Decision("allow", change, tuple(_without(budgets)), None, 0, False, worst, budgets, at)  # noqa: FBT003
    standing = standing_at(policy, budgets, at)
    passage = _passage(change, policy, deployment, at) if standing == "frozen" else None
    return Decision(
        decision="deny" if standing == "frozen" and passage is None else "allow",
        change=change,
        reasons=(
            *((passage,) if passage else ()),
            *of_standing(policy, standing, budgets, at),
            *_advice(policy, budgets, deployment, at),
        ),
        state=standing,
        policy_version=policy.edition.version,
        in_force=isinstance(policy, InForce),
        budget=worst,
        budgets=budgets,
        at=at,
    )


def _passage(change: Change, policy: Unsigned | InForce, deployment: str, at: datetime) -> Reason | None:
    """What lets the change through a freeze, if anything does."""
    edition, record = policy.edition, policy.record
    if change in edition.document.passes_freeze:
        return Reason(
            "change-passes",
            f"releases are frozen, but {change} changes pass (policy version {edition.version}):"
            " deploy, and name the issue it fixes in the deployment",
        )
    exemption = record.exempted(change, at) if change != "normal" else None
    if exemption is not None:
        return Reason(
            "exempted",
            f"releases are frozen, but {exemption.approver} exempted {change} changes until"
            f" {exemption.expires:%Y-%m-%d %H:%M} UTC: {exemption.reason}",
        )
    glass = record.glass_for(deployment, at)
    if glass is not None:
        broken = glass.broken
        return Reason(
            "glass-broken",
            f"releases are frozen, but {broken.by} broke glass for {glass.deployment or 'the first deployment'} until"
            f" {broken.expires:%Y-%m-%d %H:%M} UTC: {broken.reason}. Afterwards, by {broken.follow_up_due.isoformat()}:"
            f" {broken.follow_up}",
        )
    return None


def _without(budgets: tuple[SloBudget, ...]) -> Iterator[Reason]:
    """Reasons where there is no policy."""
    known = defined(budgets)
    stand = f"{spent(known[0])}, but " if known else ""
    yield Reason(
        "no-policy",
        f"{stand}the service has no error-budget policy, so nothing stops a release; development and SRE write"
        " and sign one (POST /v1/error-budget-policies)",
        known[0].slo if known else "",
    )
    yield from undefined(budgets)


def _advice(
    policy: Unsigned | InForce, budgets: tuple[SloBudget, ...], deployment: str, at: datetime
) -> Iterator[Reason]:
    """What people should know besides."""
    edition, record = policy.edition, policy.record
    if to_spare(edition.document, budgets, held=record.spare):
        yield Reason(
            "budget-to-spare",
            f"every SLO has at least {100 * edition.document.spare_remaining.value:.6g} % of its budget left or close"
            " to it: development may release more often, or all three sides agree a stricter SLO",
        )
    for glass in record.glasses:
        if glass.holds(at) and not glass.admits(deployment, at):
            text = f"the glass that {glass.broken.by} broke lets only deployment {glass.deployment} through"
            yield Reason("glass-used", f"{text}; name it (?deployment=) if it is yours")
    for each in record.disagreements:
        if each.settled is None:
            raised = each.raised
            text = f"{raised.by} ({raised.side}) disagrees: {raised.reason}. {raised.executive} decides"
            yield Reason("disagreement-open", text)
    for item in owed(policy):
        code = "postmortem-owed" if item.obligation.startswith("postmortem:") else "quarterly-item-owed"
        yield Reason(code, item.reason, item.slo)
    for glass in record.glasses:
        if glass.followed_up is None and at.date() > glass.broken.follow_up_due:
            text = f"{glass.broken.by} broke glass and promised by {glass.broken.follow_up_due.isoformat()}"
            yield Reason("follow-up-owed", f"{text}: {glass.broken.follow_up}; show it (:fulfil {glass.obligation})")
    if at.date() > edition.document.revisit_by:
        text = f"the policy was to be revisited by {edition.document.revisit_by.isoformat()}: development and SRE do so"
        yield Reason("policy-outdated", text)
