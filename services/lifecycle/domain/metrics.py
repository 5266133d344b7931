"""The metrics of both sides, computed from what was counted; never per person. What nothing is known of is None.

DORA's five (https://dora.dev/guides/dora-metrics) are of deployments to production. Definitions, units and versions
stand in the delivery policy and are shown with each value.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import linear_regression, mean, median
from typing import Final, Literal, NamedTuple

Side = Literal["both", "dev", "sre"]
METRICS: Final = (
    "deployment_frequency",
    "lead_time",
    "change_failure_rate",
    "rework_rate",
    "failed_deployment_recovery",
    "slo_attainment",
    "time_to_detect",
    "time_to_acknowledge",
    "time_to_mitigate",
    "time_to_resolve",
    "pages_per_shift",
    "operational_share",
    "changes_per_week",
    "test_coverage",
    "escaped_defects",
)
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)
WEEK: Final = timedelta(days=7)


class Value(NamedTuple):
    """A metric: None when nothing is known, what it was counted from, and what was missing."""

    metric: str
    side: Side
    value: float | None
    n: int
    missing: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """What counts of a deployment to production."""

    at: datetime
    unplanned: bool
    failed_at: datetime | None
    recovered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Times:
    """When users began to feel an incident, when it was noticed, acknowledged, mitigated and resolved."""

    impact_started: datetime
    detected: datetime
    acknowledged: datetime | None
    mitigated: datetime | None
    resolved: datetime | None


@dataclass(frozen=True, slots=True)
class Counted:
    """What CI counted about a service's code; None is what it did not count."""

    at: datetime
    service: str
    changes: int | None
    test_coverage: float | None
    escaped_defects: int | None


def delivery(
    deployments: Sequence[Delivered], lead_times: Sequence[timedelta], since: datetime, until: datetime
) -> list[Value]:
    """DORA's five over [since, until): *lead_times* are of the commits that reached production first then."""
    total = len(deployments)
    failed = [each for each in deployments if each.failed_at]
    recovered = [each.recovered_at - each.failed_at for each in failed if each.failed_at and each.recovered_at]
    unplanned = sum(each.unplanned for each in deployments)
    none = "" if total else "nothing was deployed"
    open_failures = len(failed) - len(recovered)
    return [
        Value("deployment_frequency", "both", total / ((until - since) / _DAY), total, ""),
        _median("lead_time", lead_times, "no deployment names its commit's time"),
        Value("change_failure_rate", "both", len(failed) / total if total else None, total, none),
        Value("rework_rate", "both", unplanned / total if total else None, total, none),
        _median(
            "failed_deployment_recovery",
            recovered,
            f"{open_failures} failed and not known to have recovered" if open_failures else "nothing failed",
            always=bool(open_failures),
        ),
    ]


def incidents(found: Sequence[Times]) -> list[Value]:
    """The mean times of incidents: to detect, acknowledge, mitigate and resolve."""
    spans: dict[str, list[timedelta]] = {
        "time_to_detect": [each.detected - each.impact_started for each in found],
        "time_to_acknowledge": [each.acknowledged - each.detected for each in found if each.acknowledged],
        "time_to_mitigate": [each.mitigated - each.impact_started for each in found if each.mitigated],
        "time_to_resolve": [each.resolved - each.impact_started for each in found if each.resolved],
    }
    return [_mean(metric, each, len(found)) for metric, each in spans.items()]


def attainment(days: Iterable[tuple[float, float | None]]) -> Value:
    """The share of days of SLOs, each with its target and SLI, on which the SLI over the window met the target."""
    seen = list(days)
    known = [sli >= target for target, sli in seen if sli is not None]
    unknown = len(seen) - len(known)
    missing = "no SLO was assessed" if not seen else f"{unknown} days without an SLI" if unknown else ""
    return Value("slo_attainment", "both", sum(known) / len(known) if known else None, len(known), missing)


def pages(side: Side, per_shift: Sequence[int]) -> Value:
    """The mean pages of the shifts of one side."""
    missing = "" if per_shift else "no shift of this side was closed"
    return Value("pages_per_shift", side, mean(per_shift) if per_shift else None, len(per_shift), missing)


def operational(side: Side, share: float | None, records: int) -> Value:
    """The operational share of the recorded hours of one side."""
    return Value("operational_share", side, share, records, "" if share is not None else "no hours were recorded")


def code(reports: Sequence[Counted], services: Sequence[str], since: datetime, until: datetime) -> list[Value]:
    """What CI counted over [since, until), as it counted it; *reports* are in the order of time."""
    changes = [each.changes for each in reports if each.changes is not None]
    defects = [each.escaped_defects for each in reports if each.escaped_defects is not None]
    covered = {each.service: each.test_coverage for each in reports if each.test_coverage is not None}
    unknown = len(services) - len(covered)
    return [
        Value(
            "changes_per_week",
            "both",
            sum(changes) / ((until - since) / WEEK) if changes else None,
            len(changes),
            "" if changes else "CI reported no changes",
        ),
        Value(
            "test_coverage",
            "both",
            mean(covered.values()) if covered else None,
            len(covered),
            f"CI reported none of {unknown} services" if unknown else "",
        ),
        Value(
            "escaped_defects",
            "both",
            sum(defects) if defects else None,
            len(defects),
            "" if defects else "CI reported no defects, nor that there are none",
        ),
    ]


def per_day(deployments: Iterable[Delivered], since: datetime, until: datetime) -> list[tuple[str, int]]:
    """How many deployments each day had, those with none included."""
    days = {(since + _DAY * index).date().isoformat(): 0 for index in range((until - since) // _DAY + 1)}
    if until.time() == datetime.min.time():
        days.pop(until.date().isoformat(), None)
    for each in deployments:
        day = each.at.date().isoformat()
        days[day] = days.get(day, 0) + 1
    return sorted(days.items())


def mondays(since: datetime, until: datetime) -> list[datetime]:
    """When each whole week of [since, until) begins: Mondays, at midnight."""
    midnight = since.replace(hour=0, minute=0, second=0, microsecond=0)
    monday = midnight - _DAY * midnight.weekday()
    if monday < since:
        monday += WEEK
    return [monday + WEEK * index for index in range((until - monday) // WEEK)]


def trend(values: Sequence[float | None], least: int) -> float | None:
    """By how much a metric changes a week: the least-squares line; None while fewer than *least* weeks are known."""
    known = [(week, value) for week, value in enumerate(values) if value is not None]
    if len(known) < max(least, 2):
        return None
    return linear_regression(*zip(*known, strict=True)).slope


def _median(metric: str, spans: Sequence[timedelta], missing: str, *, always: bool = False) -> Value:
    value = median(span / _HOUR for span in spans) if spans else None
    return Value(metric, "both", value, len(spans), missing if always or not spans else "")


def _mean(metric: str, spans: Sequence[timedelta], total: int) -> Value:
    left = total - len(spans)
    missing = (
        "no incident was declared" if not total else f"{left} of {total} incidents are not that far" if left else ""
    )
    value = sum(spans, timedelta()) / len(spans) / _HOUR if spans else None
    return Value(metric, "both", value, len(spans), missing)
