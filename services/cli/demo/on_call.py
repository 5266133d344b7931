"""Who was on call: a rota of each team, week by week, and what each shift brought."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import chain
from typing import Any, Final, NamedTuple

from services.cli.demo.organisation import (
    DAYS,
    DEVELOPMENT,
    SERVICES,
    TEAMS,
    UNSUPPORTED,
    ServiceOf,
    TeamOf,
)
from services.cli.demo.outages import Outage
from services.cli.demo.world import World
from services.incidents.contract import ON_DUTY, PERSON, ROTATION, SCHEDULE, SHIFT
from services.incidents.domain.duty.commands import Look
from services.incidents.domain.duty.events import Scheduled
from services.incidents.domain.on_call.resolver import resolve
from services.incidents.domain.on_call.roster import Layer, OnCall, Roster, RotationRevision, ScheduleRevision
from services.incidents.domain.on_call.turns import Rota as Turns
from services.incidents.domain.person.commands import Register
from services.incidents.domain.rotation.commands import Define as DefineRotation
from services.incidents.domain.schedule.commands import Change, Define
from services.incidents.domain.shift.commands import Close
from services.incidents.domain.shift.events import ShiftClosed
from services.incidents.on_call.changes import look_at
from services.lifecycle.domain.engagement.measures import Rota, Shift

_ENGAGED: Final = {  # by the SRE team, from the day to the day
    "site-reliability": (
        (60, 442, ("abuse-signals", "abuse-verdicts")),
        (145, DAYS, ("checkout-api", "cart", "product-search")),
    ),
    "data-reliability": ((25, 470, ("batch-pipeline",)), (425, DAYS, ("stream-pipeline",))),
}
_CALLS_BOTH: Final = frozenset({"sev1", "sev2"})  # SRE is called first; for these the developers, too


class _Paged(NamedTuple):
    at: datetime
    minutes: int
    service: str
    severity: str


def rotas(world: World, went_wrong: Sequence[Outage]) -> None:
    """People, a rota and a schedule of each team, and all shifts that are over."""
    for team in TEAMS:
        for person in team.people:
            register = Register(
                person=person,
                team=team.name,
                side=team.kind,
                site=_site(team, person),
                contact=world.id(f"contact of {person}", world.at(0, 9)),
                by=team.lead,
                at=world.at(0, 9),
            )
            world.incidents.tell(PERSON, person, register, at=register.at, by=team.lead)
    pages = [
        _Paged(world.at(each.day, each.minute / 60), each.minutes, each.service.name, each.severity)
        for each in went_wrong
    ]
    for team in TEAMS:
        _rota(world, team, pages)


def _rota(world: World, team: TeamOf, pages: Sequence[_Paged]) -> None:
    zone = team.sites[0][1]
    begun = world.at(min(day for day, _ in _covered(team)), 10)
    monday = begun - timedelta(days=begun.weekday(), hours=begun.hour - 9)
    rota = Turns(zone, "weekly", 1, monday.replace(tzinfo=None), team.people)
    define = DefineRotation(
        rotation=team.name,
        display_name=f"{team.display_name}, week by week",
        rota=rota,
        sides="any",
        people=dict.fromkeys(team.people, team.kind),
        effective_from=begun,
        by=team.lead,
        at=begun,
    )
    world.incidents.tell(ROTATION, team.name, define, at=begun, by=team.lead)
    rotations = {team.name: (RotationRevision(rota, begun),)}
    members = tuple(Scheduled(person, team.kind, _site(team, person)) for person in team.people)
    revisions: list[ScheduleRevision] = []
    for day, services in _covered(team):
        at = world.at(day, 10)
        layers = (Layer("primary", team.name),)
        revisions.append(ScheduleRevision(zone, services, layers, (), "any", (), at))
        told: dict[str, Any] = {
            "display_name": f"{team.display_name} on call",
            "revision": revisions[-1],
            "rotations": rotations,
        }
        command = Change(**told, by=team.lead, at=at) if revisions[1:] else None
        command = command or Define(schedule=team.name, **told, by=team.lead, at=at)
        world.incidents.tell(SCHEDULE, team.name, command, at=at, by=team.lead)
        look = Look(schedule=team.name, services=services, members=members, standing=(), once=(), moved=(), at=at)
        world.incidents.tell(ON_DUTY, team.name, look, at=at, by="timer.schedule-look")
        event = world.incidents.last_id(ON_DUTY, team.name)
        world.rotas[team.name].append((at, Rota(event, team.name, services, tuple(each.side for each in members))))
    roster = Roster(team.name, tuple(revisions), (), rotations)
    for turn in resolve(roster, begun, world.today):
        if begun <= turn.since and turn.until < world.today:
            _close(world, team, turn, revisions, pages)
    again = look_at(team.name, world.today)
    world.incidents.wait_for(again, world.today)


def _covered(team: TeamOf) -> list[tuple[int, tuple[str, ...]]]:
    """The days on which a schedule began to answer for other services, and for which."""
    spans = [*_spans(team)]
    days = sorted({day for begin, end, _ in spans for day in (begin, end) if day < DAYS})
    return [
        (day, tuple(sorted({name for begin, end, names in spans if begin <= day < end for name in names})))
        for day in days
    ]


def _spans(team: TeamOf) -> chain[tuple[int, int, tuple[str, ...]]]:
    engaged = _ENGAGED.get(team.name, ())
    own = (_span(service) for service in SERVICES if service.team == team.name)
    return chain(engaged, (span for span in own if span[0] < span[1]))


def _span(service: ServiceOf) -> tuple[int, int, tuple[str, ...]]:
    """From its development, or its import, until nothing is left of it."""
    begins = service.day_of(DEVELOPMENT) if service.way[0][0] else 0
    return begins, service.day_of(UNSUPPORTED), (service.name,)


def _close(
    world: World, team: TeamOf, turn: OnCall, revisions: Sequence[ScheduleRevision], pages: Sequence[_Paged]
) -> None:
    services = next(each.services for each in reversed(revisions) if each.effective_from <= turn.since)
    called = [
        each
        for each in pages
        if turn.since <= each.at < turn.until and each.service in services and _is_called(world, team, each)
    ]
    closed = ShiftClosed(
        shift=turn.shift,
        schedule=team.name,
        services=services,
        person=turn.person,
        side=team.kind,
        site=_site(team, turn.person),
        start=turn.since,
        end=turn.until,
        pages=len(called),
        incidents=len(called),
        interrupt_minutes=sum(each.minutes for each in called),
        at=turn.until + timedelta(minutes=1),
    )
    world.incidents.tell(SHIFT, turn.shift, Close(closed), at=closed.at, by="timer.schedule-look")
    event = world.incidents.last_id(SHIFT, turn.shift)
    over = Shift(event, team.name, team.kind, turn.since, turn.until, closed.pages, closed.interrupt_minutes)
    for service in services:
        world.shifts[service].append(over)


def _is_called(world: World, team: TeamOf, page: _Paged) -> bool:
    """SRE is called first where a team is engaged; developers then only for what is severe."""
    day = (page.at - world.at(0, 0)).days
    engaged = any(
        begin <= day < end and page.service in names for spans in _ENGAGED.values() for begin, end, names in spans
    )
    return team.kind == "sre" or not engaged or page.severity in _CALLS_BOTH


def _site(team: TeamOf, person: str) -> str:
    """Where somebody sits: the first of a team at its first site, and so on."""
    number = team.people.index(person)
    for name, _, people in team.sites:
        if number < people:
            return name
        number -= people
    return team.sites[-1][0]
