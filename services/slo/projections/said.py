"""What was last said of error budgets: for a worker that starts and would else read every budget's whole stream."""

from collections import defaultdict
from collections.abc import Sequence

from sqlalchemy import Connection, select

from services.slo.domain.budget.decider import Budget
from services.slo.domain.budget.events import AlertFired, BudgetAssessed
from services.slo.projections.slo_alerts import FIRED, SLO_ALERTS
from services.slo.projections.slos import SLOS

_TOLD = (
    "slo",
    "service",
    "target",
    "window",
    "state",
    "sli",
    "error_budget_consumed",
    "error_budget_remaining",
    "coverage",
    "assessed_at",
    "assessed_revision",
    "input_version",
)


def said_of(connection: Connection, slos: Sequence[str]) -> dict[str, Budget]:
    """The budgets of *slos* that were ever assessed, as far as the read models `slos` and `slo_alerts` have come.

    Enough to tell whether figures are news. Counts, window bounds and who is notified are not kept there, so what is
    said then is decided on the stream.
    """
    budget, alert = SLOS.view.c, SLO_ALERTS.view.c
    firing: dict[str, dict[str, AlertFired]] = defaultdict(dict)
    fired = select(SLO_ALERTS.view).where(alert.state == "firing", alert.slo.in_(slos))
    for row in connection.execute(fired).mappings():
        firing[row["slo"]][row["tier"]] = AlertFired(**{name: row[name] for name in FIRED}, at=row["fired_at"])
    assessed = select(*(budget[name] for name in _TOLD)).where(budget.assessed_at.is_not(None), budget.slo.in_(slos))
    found: dict[str, Budget] = {}
    for row in connection.execute(assessed).mappings():
        at, remaining = row["assessed_at"], row["error_budget_remaining"]
        last = BudgetAssessed(
            slo=row["slo"],
            service=row["service"],
            revision=row["assessed_revision"],
            state=row["state"],
            target=row["target"],
            sli=row["sli"],
            good=0,
            total=0,
            coverage=row["coverage"],
            window=row["window"],
            window_start=at,
            window_end=at,
            error_budget_consumed=row["error_budget_consumed"],
            error_budget_remaining=remaining,
            input_version=row["input_version"],
            at=at,
        )
        exhausted = remaining is not None and remaining < 0
        found[last.slo] = Budget(last, firing[last.slo], exhausted)
    return found
