"""Where a service stands under its policy: healthy > at_risk > exhausted > frozen > recovering.

| to | when |
|---|---|
| healthy | the worst budget's consumption is below the threshold, and by the hysteresis if it was above |
| at_risk | it reached the threshold (75 % [D]) |
| exhausted | a budget is overspent and nothing is frozen: the policy is not signed, or an exemption covers it |
| frozen | a budget is overspent that no exemption covers, and both sides have signed [EBP] |
| recovering | it was overspent, is back within the SLO [EBP], and is not healthy yet |

The worst budget rules. A budget without events is undefined and freezes nothing: in all of its window nothing failed,
for nothing happened. (What telemetry saw of an outage before it died stays in the window, and counts.)
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final, Literal

from services.slo.domain.budget.events import BudgetAssessed
from services.slo.domain.error_budget import State
from services.slo.domain.policy.document import Document

Standing = Literal["healthy", "at_risk", "exhausted", "frozen", "recovering"]

_OVERSPENT: Final[frozenset[Standing]] = frozenset({"exhausted", "frozen", "recovering"})


@dataclass(frozen=True, slots=True)
class SloBudget:
    """What is known of the budget of one of the service's SLOs, over the SLO's own window.

    Args:
        slo: Its name.
        state: What the figures amount to; `violated` says exactly that more was spent than there was.
        consumed: Share of the budget that is spent, over 1 when violated; None without events.
        remaining: 1 - consumed; None without events.
        coverage: Share of the window for which there is data.
        window: Its length, such as `28d` ([EBP]: four weeks).
    """

    slo: str
    state: State
    consumed: float | None = None
    remaining: float | None = None
    coverage: float = 0.0
    window: str = "28d"

    @classmethod
    def of(cls, assessed: BudgetAssessed) -> "SloBudget":
        """What an assessment says."""
        return cls(
            slo=assessed.slo,
            state=assessed.state,
            consumed=assessed.error_budget_consumed,
            remaining=assessed.error_budget_remaining,
            coverage=assessed.coverage,
            window=assessed.window,
        )


def defined(budgets: Iterable[SloBudget]) -> tuple[SloBudget, ...]:
    """Those whose figures mean something, the worst first, equals by name."""
    known = [(budget.remaining, budget.slo, budget) for budget in budgets if budget.remaining is not None]
    return tuple(budget for _, _, budget in sorted(known, key=lambda each: each[:2]))


def next_standing(
    held: Standing, document: Document, budgets: Iterable[SloBudget], *, in_force: bool, excused: Collection[str]
) -> Standing:
    """Where *held* leads when the budgets are these.

    Args:
        held: Where the service stood.
        document: The thresholds.
        budgets: Of every SLO of the service.
        in_force: Whether both sides have signed.
        excused: The SLOs whose overspending is covered by an exemption.
    """
    known = defined(budgets)
    if in_force and freezing(held, document, known, excused):
        return "frozen"
    if any(budget.state == "violated" for budget in known):
        return "exhausted"
    if not known:
        return "recovering" if held in _OVERSPENT else held
    consumed = known[0].consumed or 0.0
    threshold = document.at_risk.value
    if consumed >= threshold or (held != "healthy" and consumed >= threshold - document.hysteresis.value):
        return "recovering" if held in _OVERSPENT else "at_risk"
    return "healthy"


def freezing(
    held: Standing, document: Document, budgets: Iterable[SloBudget], excused: Collection[str]
) -> tuple[SloBudget, ...]:
    """Those of *budgets* that freeze releases, or keep them frozen, under a policy in force; the worst first."""
    return tuple(
        budget
        for budget in defined(budgets)
        if budget.slo not in excused and (budget.state == "violated" or (held == "frozen" and _short(budget, document)))
    )


def to_spare(document: Document, budgets: Iterable[SloBudget], *, held: bool) -> bool:
    """Whether there is budget to spare: every SLO has data for its window, and so much of its budget is left.

    As the window is covered, this has held for all of it and not for a lucky day.

    Args:
        document: The thresholds.
        budgets: Of every SLO of the service.
        held: Whether there was some to spare until now; then the hysteresis applies.
    """
    margin = document.hysteresis.value if held else 0.0
    every = tuple(budgets)
    return bool(every) and all(
        budget.remaining is not None
        and budget.remaining >= document.spare_remaining.value - margin
        and budget.coverage >= document.spare_coverage.value - margin
        for budget in every
    )


def _short(budget: SloBudget, document: Document) -> bool:
    """Whether too little is left to unfreeze."""
    return budget.remaining is not None and budget.remaining < document.unfreeze_remaining.value
