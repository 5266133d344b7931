"""What a large spending makes due, whatever the state of the budget [EBP].

One incident above a fifth of the four-week budget needs a postmortem with at least one P0 action on its root cause;
one class of outage above a fifth of a quarter's budget needs a P0 item on the plan for the following quarter.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Final

from services.slo.domain.policy.commands import Attribute, ClassSpending, IncidentSpending
from services.slo.domain.policy.document import Document
from services.slo.domain.policy.events import PostmortemRequired, QuarterlyItemRequired
from services.slo.domain.windows import Bounds, Calendar, periods

_QUARTERS: Final = Calendar(1, "Q", datetime(2000, 1, 1), "UTC")  # noqa: DTZ001  a wall time; the zone stands beside it


def required(
    command: Attribute, version: int, document: Document
) -> Iterator[PostmortemRequired | QuarterlyItemRequired]:
    """What these spendings make due under the edition *version*; once each, for the SLO that suffered most."""
    largest: dict[str, PostmortemRequired | QuarterlyItemRequired] = {}
    for one in command.incidents:
        if one.share > document.incident_share.value:
            _keep(largest, _postmortem(command, version, one, document.incident_share.value))
    for each in command.classes:
        if each.share > document.class_share.value:
            _keep(largest, _quarterly_item(command, version, each, document.class_share.value))
    yield from largest.values()


def quarters(since: datetime, until: datetime) -> Iterator[Bounds]:
    """The quarters, in UTC, that share time with [since, until)."""
    return periods(_QUARTERS, since, until)


def name_of(quarter: Bounds) -> str:
    """Such as `2026-Q4`."""
    return f"{quarter.start.year}-Q{1 + quarter.start.month // 3}"


def following(quarter: str) -> str:
    """The quarter after one such as `2026-Q4`."""
    year, number = quarter.split("-Q")
    return f"{int(year) + 1}-Q1" if number == "4" else f"{year}-Q{int(number) + 1}"


def _keep(
    largest: dict[str, PostmortemRequired | QuarterlyItemRequired], one: PostmortemRequired | QuarterlyItemRequired
) -> None:
    held = largest.get(one.obligation)
    if held is None or held.share < one.share:
        largest[one.obligation] = one


def _postmortem(command: Attribute, version: int, one: IncidentSpending, threshold: float) -> PostmortemRequired:
    return PostmortemRequired(
        service=command.service,
        version=version,
        obligation=f"postmortem:{one.incident}",
        incident=one.incident,
        slo=one.slo,
        share=one.share,
        threshold=threshold,
        reason=f"incident {one.number or one.incident} spent {100 * one.share:.6g} % of the budget of {one.slo}:"
        " development and SRE write a postmortem with at least one P0 action on its root cause",
        at=command.at,
    )


def _quarterly_item(command: Attribute, version: int, one: ClassSpending, threshold: float) -> QuarterlyItemRequired:
    plan = following(one.quarter)
    return QuarterlyItemRequired(
        service=command.service,
        version=version,
        obligation=f"quarterly-item:{one.outage_class}:{one.quarter}",
        outage_class=one.outage_class,
        quarter=one.quarter,
        plan=plan,
        slo=one.slo,
        share=one.share,
        threshold=threshold,
        reason=f"outages of the class {one.outage_class} spent {100 * one.share:.6g} % of the budget of {one.slo} in"
        f" {one.quarter}: development puts a P0 item on its plan for {plan}",
        at=command.at,
    )
