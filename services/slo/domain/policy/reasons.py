"""Why a service stands where it stands: a stable code for programs, a text that says what to do and by whom."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.slo.domain.policy.standing import SloBudget, Standing, defined, freezing
from services.slo.domain.policy.state import Edition, InForce, Unsigned
from services.slo.domain.signing import whom_to_ask

Code = Literal[
    "within-budget",  # allow
    "budget-to-spare",  # allow, advice
    "at-risk",  # allow, advice
    "recovering",  # allow, advice
    "budget-undefined",  # allow: there is nothing to decide by
    "no-slo",  # allow: there is nothing to decide by
    "no-policy",  # allow: nobody has agreed to anything
    "policy-unsigned",  # allow: it would have stopped the change
    "exempted",  # allow: an exemption covers it
    "change-passes",  # allow: P0 and security fixes pass a freeze
    "glass-broken",  # allow: this deployment alone
    "glass-used",  # advice: another deployment went through
    "frozen",  # deny
    "disagreement-open",  # advice
    "postmortem-owed",  # advice
    "quarterly-item-owed",  # advice
    "follow-up-owed",  # advice: something was to follow a broken glass by now
    "policy-outdated",  # advice: its date to be revisited has passed
]


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason.

    Args:
        code: Stable; programs may compare it.
        text: What to do and by whom; may be worded otherwise tomorrow.
        slo: The SLO it is about; empty if it is about all.
    """

    code: Code
    text: str
    slo: str = ""


def of_standing(
    policy: Unsigned | InForce, standing: Standing, budgets: tuple[SloBudget, ...], at: datetime
) -> Iterator[Reason]:
    """Why a service with these budgets stands there; the first reason is the one that rules."""
    edition, known = policy.edition, defined(budgets)
    worst = known[0] if known else None
    match standing:
        case "frozen":
            excused = policy.record.excused(budgets, at)
            yield from _frozen(edition, freezing(policy.record.standing, edition.document, budgets, excused))
        case "exhausted":
            yield from _exhausted(policy, tuple(budget for budget in known if budget.state == "violated"), at)
        case "recovering" if worst is not None:
            yield Reason(
                "recovering",
                f"{spent(worst)}: back within its SLO after more had been spent. Releases go on;"
                " development puts reliability first until the service is healthy",
                worst.slo,
            )
        case "at_risk" if worst is not None:
            yield Reason(
                "at-risk",
                f"{spent(worst)}. Releases go on; development prefers small, reversible changes and"
                f" repairs what spends the budget, before it is gone and {_consequence(policy)}",
                worst.slo,
            )
        case "healthy" if worst is not None:
            yield Reason("within-budget", f"{spent(worst)}, the most of any SLO here. Releases go on", worst.slo)
        case "recovering" | "at_risk" | "healthy":
            pass  # nothing is known; said below
    yield from undefined(budgets)


def undefined(budgets: tuple[SloBudget, ...]) -> Iterator[Reason]:
    """For each budget about which nothing is known, that it stops nobody; and that there is none, if there is none."""
    for budget in budgets:
        if budget.remaining is None:
            yield Reason(
                "budget-undefined",
                f"{budget.slo} had no events in {budget.window}, so its budget is undefined and stops nothing;"
                " SRE checks that its measurements arrive",
                budget.slo,
            )
    if not budgets:
        yield Reason("no-slo", "the service has no SLO, so there is no budget; development, SRE and product agree one")


def spent(budget: SloBudget) -> str:
    """How much of *budget* is spent, for people."""
    return f"{budget.slo} has spent {100 * (budget.consumed or 0.0):.6g} % of its error budget ({budget.window})"


def _frozen(edition: Edition, budgets: tuple[SloBudget, ...]) -> Iterator[Reason]:
    document = edition.document
    passing = " and ".join(document.passes_freeze)
    need = (
        f"{100 * document.unfreeze_remaining.value:.6g} % of the budget is left"
        if document.unfreeze_remaining.value
        else "the service is back within its SLO"
    )
    for budget in budgets:
        yield Reason(
            "frozen",
            f"{spent(budget)}: releases are frozen until {need} (policy version {edition.version}, signed by"
            f" {' and '.join(f'{each.by} for {each.side}' for each in edition.signatures)})."
            f" Development works on reliability; {f'only {passing} changes pass' if passing else 'no change passes'}."
            f" Whoever disagrees asks {document.executive}",
            budget.slo,
        )


def _exhausted(policy: Unsigned | InForce, overspent: tuple[SloBudget, ...], at: datetime) -> Iterator[Reason]:
    if isinstance(policy, Unsigned):
        ask = whom_to_ask(policy.edition.missing, policy.edition.document.signers)
        for budget in overspent:
            yield Reason(
                "policy-unsigned",
                f"{spent(budget)}: version {policy.edition.version} of the policy would freeze releases, but it binds"
                f" nobody before it is signed by {ask}",
                budget.slo,
            )
        return
    for budget in overspent:
        for exemption in policy.record.exemptions:
            if exemption.holds(at) and exemption.excuses(budget.slo):
                granted = exemption.granted
                yield Reason(
                    "exempted",
                    f"{spent(budget)}, but {granted.approver} exempted it as {granted.kind} until"
                    f" {granted.expires:%Y-%m-%d %H:%M} UTC: {granted.reason}. Releases go on",
                    budget.slo,
                )


def _consequence(policy: Unsigned | InForce) -> str:
    if isinstance(policy, InForce):
        return "releases freeze"
    ask = whom_to_ask(policy.edition.missing, policy.edition.document.signers)
    return f"releases would freeze, were the policy signed by {ask}"
