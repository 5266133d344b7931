"""What the parts of the history share: the calendar, chance, ids, and what has happened so far."""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any, Final, TypeVar

from libs.events.ids import derived_id
from services.cli.demo.agenda import Agenda
from services.cli.demo.chronicle import Chronicle, event_id
from services.cli.demo.organisation import DAYS, SERVICES, TEAMS
from services.incidents.contract import CONTRACT as INCIDENTS
from services.lifecycle.config import LifecycleSettings, load_policies
from services.lifecycle.contract import CONTRACT as LIFECYCLE
from services.lifecycle.domain.engagement.measures import ActionSeen, IncidentSeen, Rota, Seen, Shift, SloDay
from services.lifecycle.domain.gathering.pack import Released
from services.lifecycle.domain.risk_register.arithmetic import Took
from services.slo.contract import CONTRACT as SLO

T = TypeVar("T")

_SEVERE: Final = frozenset({"sev1", "sev2"})


@dataclass(frozen=True, slots=True)
class Delivery:
    """A deployment to production, and the hours from its newest commit."""

    service: str
    released: Released
    lead_hours: float


@dataclass(frozen=True, slots=True)
class Owed:
    """An action of a postmortem, when it was opened, and when it was done, if it was."""

    action: ActionSeen
    opened: datetime
    done: datetime | None


@dataclass(frozen=True, slots=True)
class Week:
    """What the hours of an SRE team went into until that day."""

    team: str
    until: date
    operational: float
    total: float


@dataclass(frozen=True, slots=True)
class Understood:
    """An incident whose cause was found, and how long it took."""

    at: datetime
    service: str
    incident: str
    cause: str
    took: Took
    by: str


@dataclass
class World:
    """The organisation, as far as its history is told.

    Args:
        seed: What chance follows from.
        today: Midnight, at which the history ends.
        slo_days: How the objectives of each service stood, day by day.
        incidents_seen: In the order of time.
        owed: What followed from postmortems.
        deliveries: Of each service, in the order of time.
        weeks: Of SRE teams.
        understood: Incidents, by their causes.
        shifts: Those that are over, of each service.
        rotas: How each schedule stood, from when on.
    """

    seed: int
    today: datetime
    slo_days: dict[str, list[SloDay]] = field(default_factory=lambda: defaultdict[str, list[SloDay]](list))
    incidents_seen: list[IncidentSeen] = field(default_factory=list[IncidentSeen])
    owed: list[Owed] = field(default_factory=list[Owed])
    deliveries: dict[str, list[Delivery]] = field(default_factory=lambda: defaultdict[str, list[Delivery]](list))
    weeks: list[Week] = field(default_factory=list[Week])
    understood: list[Understood] = field(default_factory=list[Understood])
    shifts: dict[str, list[Shift]] = field(default_factory=lambda: defaultdict[str, list[Shift]](list))
    rotas: dict[str, list[tuple[datetime, Rota]]] = field(
        default_factory=lambda: defaultdict[str, list[tuple[datetime, Rota]]](list)
    )

    def __post_init__(self) -> None:
        self.policies = load_policies(LifecycleSettings())
        self.gates, self.terms = self.policies.gates, self.policies.engagements
        self.agenda = Agenda()
        self.lifecycle = Chronicle(LIFECYCLE, self.seed)
        self.slo = Chronicle(SLO, self.seed)
        self.incidents = Chronicle(INCIDENTS, self.seed)

    @property
    def chronicles(self) -> Mapping[str, Chronicle]:
        """What happened, by service; the objectives come last, with all that they rest on."""
        return {"lifecycle": self.lifecycle, "incidents": self.incidents, "slo": self.slo}

    @property
    def figures(self) -> Mapping[str, int]:
        """How much of an organisation it is."""
        engagements = self.lifecycle.count("engagement")
        return {"teams": len(TEAMS), "services": len(SERVICES), "engagements": engagements, "days": DAYS}

    def at(self, day: float, hour: float = 9) -> datetime:
        """That hour of that day of the history."""
        return self.today + timedelta(days=day - DAYS, hours=hour)

    def is_weekend(self, day: int) -> bool:
        """Whether few people work, and few customers come."""
        return self.at(day).weekday() >= 5  # noqa: PLR2004  Saturday

    def chance(self, about: str) -> Random:
        """What falls to *about*, and to nothing else."""
        return Random(f"{self.seed}/{about}")  # noqa: S311  a history, no secret

    def id(self, about: str, at: datetime) -> str:
        """The id of what is called *about*; sorts by time like those that the services give."""
        return str(derived_id(at, event_id(self.seed, about, 0), "demo", 0))

    def seen(self, team: str, services: Sequence[str], since: datetime, until: datetime) -> Seen:
        """What a pack about *services* would have shown; *team* is the one whose hours count."""
        weeks = [week for week in self.weeks if week.team == team and since.date() < week.until <= until.date()]
        worked = sum(week.total for week in weeks)
        return Seen(
            services=tuple(services),
            since=since,
            until=until,
            shifts=self._shifts(services, since, until),
            rotas=self._rotas(services, until),
            incidents=tuple(
                each for each in self.incidents_seen if each.service in services and since < each.declared_at <= until
            ),
            actions=tuple(
                owed.action
                for owed in self.owed
                if owed.action.service in services and owed.opened <= until and (owed.done is None or owed.done > until)
            ),
            slo_days=tuple(
                day
                for service in services
                for day in _between(self.slo_days[service], since.date(), until.date(), lambda each: each.day)
            ),
            lead_hours=tuple(each.lead_hours for each in self.delivered(services, since, until)),
            operational_share=sum(week.operational for week in weeks) / worked if worked else None,
            severe=_SEVERE,
        )

    def _shifts(self, services: Sequence[str], since: datetime, until: datetime) -> tuple[Shift, ...]:
        """Each once, however many of *services* it was for."""
        ended = (each for service in services for each in self.shifts[service] if since < each.end <= until)
        return tuple({each.event: each for each in ended}.values())

    def _rotas(self, services: Sequence[str], until: datetime) -> tuple[Rota, ...]:
        """How each schedule stood at last."""
        told = [[rota for since, rota in stood if since <= until] for stood in self.rotas.values()]
        return tuple(known[-1] for known in told if known and {*known[-1].services} & {*services})

    def delivered(self, services: Sequence[str], since: datetime, until: datetime) -> list[Delivery]:
        """What went to production in that time."""
        return [
            each
            for service in services
            for each in _between(self.deliveries[service], since, until, lambda each: each.released.at)
        ]


def _between(told: Sequence[T], since: Any, until: Any, when: Callable[[T], Any]) -> Sequence[T]:  # noqa: ANN401
    """What was told in (since, until]; it is in the order of time."""
    return told[bisect_right(told, since, key=when) : bisect_right(told, until, key=when)]
