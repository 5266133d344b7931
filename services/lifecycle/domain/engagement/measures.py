"""What was heard of services, and what ground rules measure in it.

No figure is made of nothing: where no shift, schedule or assessment was heard of, the reading is unknown and says so.
Incidents and actions are the exception: the incidents service tells of each, so that none means none while it is heard.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Final

from services.lifecycle.domain.engagement.charter import GroundRule
from services.lifecycle.domain.engagement.commands import Measured
from services.lifecycle.domain.engagement.events import EngagementEvidence, Figure

SILENT: Final = "incidents was not heard for some time, so that silence says nothing"
_MINUTE: Final = timedelta(minutes=1)
_IN_A_LINK: Final = "%Y-%m-%dT%H:%M:%SZ"  # the + of an offset would be read as a blank


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift that ended."""

    event: str
    schedule: str
    side: str
    start: datetime
    end: datetime
    pages: int
    interrupt_minutes: float

    @property
    def evidence(self) -> EngagementEvidence:
        """Where to read of it."""
        span = f"from={self.start:{_IN_A_LINK}}&until={self.end:{_IN_A_LINK}}"
        return EngagementEvidence(self.event, f"/v1/schedules/{self.schedule}/shifts?{span}")


@dataclass(frozen=True, slots=True)
class Rota:
    """A schedule as it stands: whose people of which side are in it."""

    event: str
    schedule: str
    services: tuple[str, ...]
    sides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class IncidentSeen:
    """An incident, how severe it was at worst, and when it was over."""

    event: str
    number: str
    service: str
    severity: str
    declared_at: datetime
    resolved_at: datetime | None = None
    cause: str = ""

    @property
    def evidence(self) -> EngagementEvidence:
        """Where to read of it."""
        return EngagementEvidence(self.event, f"/v1/incidents/{self.number}")


@dataclass(frozen=True, slots=True)
class ActionSeen:
    """An action item that nobody has done or dropped."""

    event: str
    action: str
    service: str
    title: str
    owner: str
    priority: str
    due: date

    @property
    def evidence(self) -> EngagementEvidence:
        """Where to read of it."""
        return EngagementEvidence(self.event, f"/v1/actions/{self.action}")


@dataclass(frozen=True, slots=True)
class SloDay:
    """How an SLO stood at the end of a day."""

    event: str
    slo: str
    service: str
    day: date
    target: float
    sli: float | None
    remaining: float | None
    state: str

    @property
    def evidence(self) -> EngagementEvidence:
        """Where to read of it."""
        return EngagementEvidence(self.event, f"/v1/slos/{self.slo}/status?at={self.day.isoformat()}T23:59:59Z")


@dataclass(frozen=True, slots=True)
class Seen:
    """What was heard of some services from *since* until *until*.

    Args:
        services: Which.
        since: The moment before the first.
        until: The last moment.
        shifts: That ended then.
        rotas: The schedules as they stood at the end.
        incidents: That were declared then.
        actions: That were open at the end.
        slo_days: The SLOs day by day.
        lead_hours: Of each deployment to production, the hours from its newest commit.
        operational_share: What teams recorded of their hours; None when nothing.
        severe: Which severities are severe.
        silent: Whether incidents was not heard for so long that to hear of nothing says nothing.
    """

    services: tuple[str, ...]
    since: datetime
    until: datetime
    shifts: tuple[Shift, ...] = ()
    rotas: tuple[Rota, ...] = ()
    incidents: tuple[IncidentSeen, ...] = ()
    actions: tuple[ActionSeen, ...] = ()
    slo_days: tuple[SloDay, ...] = ()
    lead_hours: tuple[float, ...] = ()
    operational_share: float | None = None
    severe: frozenset[str] = frozenset({"sev1", "sev2"})
    silent: bool = False

    @property
    def severe_incidents(self) -> tuple[IncidentSeen, ...]:
        """Those that are severe."""
        return tuple(incident for incident in self.incidents if incident.severity in self.severe)

    @property
    def overdue_actions(self) -> tuple[ActionSeen, ...]:
        """Those whose day is over."""
        return tuple(action for action in self.actions if action.due < self.until.date())

    @property
    def budgets(self) -> tuple[SloDay, ...]:
        """The last day of each SLO, by name."""
        newest: dict[str, SloDay] = {}
        for each in sorted(self.slo_days, key=lambda day: day.day):
            newest[each.slo] = each
        return tuple(newest[name] for name in sorted(newest))


@dataclass(frozen=True, slots=True)
class Reading:
    """What a metric came to; None when it is unknown, and then why."""

    value: float | None
    evidence: tuple[EngagementEvidence, ...] = ()
    why_unknown: str = ""


def read(metric: str, seen: Seen) -> Reading:
    """What *metric* came to in what was seen."""
    return _MEASURES[metric](seen)


def measure(rules: Iterable[GroundRule], seen: Callable[[float], Seen]) -> tuple[Measured, ...]:
    """What each rule came to over its own window; *seen* gives what was heard in so many days."""
    made: list[Measured] = []
    for rule in rules:
        reading = read(rule.metric, seen(rule.window_days))
        made.append(Measured(rule.id, reading.value, reading.evidence, reading.why_unknown))
    return tuple(made)


def mean_hours_to_resolve(incidents: Sequence[IncidentSeen]) -> Reading:
    """The mean time from declaration to resolution, in hours."""
    over = [(each.resolved_at - each.declared_at, each) for each in incidents if each.resolved_at]
    if not over:
        return Reading(None, why_unknown="no incident was resolved")
    total = sum((lasted for lasted, _ in over), timedelta())
    return Reading(total / timedelta(hours=1) / len(over), tuple(each.evidence for _, each in over))


def exhausted_in_days(days: Sequence[SloDay]) -> float | None:
    """In how many days one SLO's budget is spent at the rate of these days; None when it is not, or is already.

    A straight line through the first and the last day: what is left, divided by what was spent a day.
    """
    known = [(day.day, day.remaining) for day in sorted(days, key=lambda day: day.day) if day.remaining is not None]
    if len(known) < 2:  # noqa: PLR2004  a line has two ends
        return None
    (first, before), (last, left) = known[0], known[-1]
    spent_a_day = (before - left) / (last - first).days
    return left / spent_a_day if left > 0 and spent_a_day > 0 else None


def compare(before: Seen, after: Seen) -> tuple[Figure, ...]:
    """The time after a hand-back beside as much time before; no figure is weighed against another."""
    compared: list[Figure] = []
    for metric, unit, figure in _COMPARED:
        old, new = figure(before), figure(after)
        compared.append(Figure(metric, unit, old.value, new.value, new.why_unknown or old.why_unknown))
    return tuple(compared)


def _attained(seen: Seen) -> Reading:
    """The share of the days on which SLOs met their targets."""
    known = [day for day in seen.slo_days if day.sli is not None]
    if not known:
        return Reading(None, why_unknown="no SLO was assessed")
    met = sum(day.sli is not None and day.sli >= day.target for day in known)
    return Reading(met / len(known), tuple(day.evidence for day in known))


def _resolved_in(seen: Seen) -> Reading:
    return mean_hours_to_resolve(seen.incidents)


def _incidents_seen(seen: Seen) -> Reading:
    return _counted(seen, seen.incidents)


def _lead_time(seen: Seen) -> Reading:
    if not seen.lead_hours:
        return Reading(None, why_unknown="nobody told of deployments and their commits")
    url = "/v1/deployments?" + "&".join(f"service={service}" for service in seen.services)
    return Reading(median(seen.lead_hours), (EngagementEvidence("", url),))


def _pages_per_shift(seen: Seen) -> Reading:
    if not seen.shifts:
        return _NO_SHIFTS
    return Reading(sum(shift.pages for shift in seen.shifts) / len(seen.shifts), _of(seen.shifts))


def _sre_interrupts(seen: Seen) -> Reading:
    shifts = [shift for shift in seen.shifts if shift.side == "sre" and shift.end > shift.start]
    if not shifts:
        return Reading(None, why_unknown="no shift of SRE ended")
    length = sum((shift.end - shift.start for shift in shifts), timedelta()) / _MINUTE
    return Reading(sum(shift.interrupt_minutes for shift in shifts) / length, _of(shifts))


def _dev_interrupts(seen: Seen) -> Reading:
    if not seen.shifts:
        return _NO_SHIFTS
    total = sum(shift.interrupt_minutes for shift in seen.shifts)
    if not total:
        return Reading(None, why_unknown="no shift had an interrupt, so nobody has a share of them")
    dev = sum(shift.interrupt_minutes for shift in seen.shifts if shift.side == "dev")
    return Reading(dev / total, _of(seen.shifts))


def _developers(seen: Seen) -> Reading:
    counts: dict[str, int] = {}
    for rota in seen.rotas:
        for service in rota.services:
            counts[service] = counts.get(service, 0) + rota.sides.count("dev")
    unheard = [service for service in seen.services if service not in counts]
    if unheard or not seen.services:
        return Reading(None, why_unknown=f"no schedule was heard of for {', '.join(unheard) or 'any service'}")
    evidence = tuple(EngagementEvidence(rota.event, f"/v1/schedules/{rota.schedule}") for rota in seen.rotas)
    return Reading(min(counts[service] for service in seen.services), evidence)


def _severe(seen: Seen) -> Reading:
    return _counted(seen, seen.severe_incidents)


def _overdue(seen: Seen) -> Reading:
    return _counted(seen, seen.overdue_actions)


def _counted(seen: Seen, found: Sequence[IncidentSeen | ActionSeen]) -> Reading:
    """How many there are; none means none only while incidents is heard."""
    if seen.silent and not found:
        return Reading(None, why_unknown=SILENT)
    return Reading(len(found), tuple(each.evidence for each in found))


def _least_budget(seen: Seen) -> Reading:
    known = [(day.remaining, day) for day in seen.budgets if day.remaining is not None]
    if not known:
        return Reading(None, why_unknown="no budget was assessed")
    least, day = min(known, key=lambda pair: pair[0])
    return Reading(least, (day.evidence,))


def _operational(seen: Seen) -> Reading:
    if seen.operational_share is None:
        return Reading(None, why_unknown="nobody recorded operational work; POST /v1/operational-work")
    return Reading(seen.operational_share, (EngagementEvidence("", "/v1/operational-work"),))


def _of(shifts: Iterable[Shift]) -> tuple[EngagementEvidence, ...]:
    return tuple(shift.evidence for shift in shifts)


_NO_SHIFTS: Final = Reading(None, why_unknown="no shift ended")
_MEASURES: Final[Mapping[str, Callable[[Seen], Reading]]] = {
    "pages_per_shift": _pages_per_shift,
    "sre_interrupt_share": _sre_interrupts,
    "dev_interrupt_share": _dev_interrupts,
    "developers_in_rota": _developers,
    "severe_incidents": _severe,
    "overdue_actions": _overdue,
    "least_budget_remaining": _least_budget,
    "operational_share": _operational,
}
_COMPARED: Final[tuple[tuple[str, str, Callable[[Seen], Reading]], ...]] = (
    ("slo_days_met", "share of days", _attained),
    ("incidents", "incidents", _incidents_seen),
    ("severe_incidents", "incidents", _severe),
    ("time_to_resolve", "hours", _resolved_in),
    ("pages_per_shift", "pages", _pages_per_shift),
    ("lead_time", "hours", _lead_time),
)
MEASURED: Final = frozenset(_MEASURES)
