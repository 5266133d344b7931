"""What other services said happened to a service: one row for each event and service, written once and never changed.

Whatever is counted for two teams (ground rules, packs, a comparison of before and after) is counted here, so that each
figure can name its events. As rows are never changed, `as_of` asks for those recorded until then.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Column, Connection, Text, func, or_, select

from libs.events.clock import SystemClock
from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry
from services.lifecycle.domain.engagement.commands import Measured
from services.lifecycle.domain.engagement.events import Figure
from services.lifecycle.domain.engagement.measures import (
    ActionSeen,
    IncidentSeen,
    Rota,
    Seen,
    Shift,
    compare,
    measure,
)
from services.lifecycle.domain.engagement.policy import EngagementPolicy
from services.lifecycle.domain.engagement.state import Engagement, Watch
from services.lifecycle.projections.deployments import deployed
from services.lifecycle.projections.heard import heard_ago
from services.lifecycle.projections.operational_work import hours_of
from services.lifecycle.projections.slo_days import slo_days_of


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a schedule."""

    person: str
    side: str
    site: str = ""


@dataclass(frozen=True, slots=True)
class Happened:
    """What is read of any event here; what an event does not have stays empty."""

    at: datetime
    service: str = ""
    services: tuple[str, ...] = ()
    incident: str = ""
    number: str = ""
    severity: str = ""
    outage_class: str = ""
    action: str = ""
    title: str = ""
    owner: str = ""
    priority: str = ""
    due: date | None = None
    schedule: str = ""
    side: str = ""
    start: datetime | None = None
    end: datetime | None = None
    pages: int = 0
    interrupt_minutes: float = 0.0
    members: tuple[Member, ...] = ()


_INCIDENT: Final = "io.concordat.incidents.incident."
_SHIFT: Final = "io.concordat.incidents.shift.closed.v1"
_SCHEDULE: Final = "io.concordat.incidents.schedule.changed.v1"
_OPENED: Final = "io.concordat.incidents.action.opened.v1"
_CHANGED: Final = "io.concordat.incidents.action.changed.v1"
_SETTLED: Final = ("io.concordat.incidents.action.completed.v1", "io.concordat.incidents.action.dropped.v1")
_CLASSIFIED: Final = f"{_INCIDENT}classified.v1"
_RESOLVED: Final = f"{_INCIDENT}resolved.v1"
_LASTING: Final = (_SCHEDULE, _OPENED, _CHANGED, *_SETTLED)  # what counts however long ago it was
_TYPES: Final = (
    *(f"{_INCIDENT}{verb}.v1" for verb in ("declared", "acknowledged", "stage-changed", "mitigated", "reopened")),
    f"{_INCIDENT}cancelled.v1",
    f"{_INCIDENT}merged.v1",
    f"{_INCIDENT}severity-changed.v1",
    _RESOLVED,
    _CLASSIFIED,
    _SHIFT,
    *_LASTING,
)


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("event", Text, primary_key=True),
        Column("service", Text, primary_key=True),
        Column("type", Text, nullable=False),
        Column("at", Instant(), nullable=False),
        Column("recorded_at", Instant(), nullable=False),
        Column("data", Json(), nullable=False),
    )


def _keys(event: Happened, recorded: Recorded) -> Sequence[Key]:
    services = dict.fromkeys((*((event.service,) if event.service else ()), *event.services))
    return tuple((str(recorded.event_id), service) for service in services)


def _told(_: Row | None, event: Happened, recorded: Recorded, key: Key) -> Row:
    return {
        "event": key[0],
        "service": key[1],
        "type": recorded.type,
        "at": event.at,
        "recorded_at": recorded.recorded_at,
        "data": msgspec.to_builtins(event),
    }


HAPPENINGS: Final = Projection(
    name="happenings",
    columns=_columns,
    events=EventRegistry(dict.fromkeys(_TYPES, Happened)),
    folds={Happened: Fold(_keys, _told)},
    indexes=(("service", "at"), ("service", "type")),
    sources=("incidents",),
)


def seen(
    connection: Connection,
    services: Iterable[str],
    since: datetime,
    until: datetime,
    *,
    severe: frozenset[str],
    as_of: datetime | None = None,
) -> Seen:
    """What was heard of *services* in (since, until]; with *as_of*, what had been heard until then."""
    wanted = tuple(sorted(services))
    view = HAPPENINGS.view.c
    query = select(HAPPENINGS.view).where(view.service.in_(wanted), view.at <= until)
    query = query.where(or_(view.at > since, view.type.in_(_LASTING)))
    if as_of is not None:
        query = query.where(view.recorded_at <= as_of)
    told = [
        (row["event"], row["service"], row["type"], msgspec.convert(row["data"], Happened))
        for row in connection.execute(query.order_by(view.at, view.event)).mappings()
    ]
    return Seen(
        services=wanted,
        since=since,
        until=until,
        shifts=tuple(_shifts(told)),
        rotas=tuple(_rotas(told, wanted)),
        incidents=tuple(_incidents(told)),
        actions=tuple(_actions(told)),
        slo_days=slo_days_of(connection, wanted, since, min(until, as_of) if as_of else until),
        lead_hours=tuple(
            (each.at - each.committed_at) / timedelta(hours=1)
            for each in deployed(connection, wanted, since, until)
            if each.committed_at
        ),
        severe=severe,
    )


def shifts_of(
    connection: Connection, services: Iterable[str], since: datetime, until: datetime, as_of: datetime | None = None
) -> list[tuple[datetime, Shift]]:
    """The shifts of *services* that closed in (since, until], each once, and when; *as_of*: as heard until then."""
    view = HAPPENINGS.view.c
    query = select(view.event, view.service, view.type, view.data).where(
        view.service.in_(tuple(services)), view.type == _SHIFT, view.at > since, view.at <= until
    )
    if as_of is not None:
        query = query.where(view.recorded_at <= as_of)
    rows = connection.execute(query.order_by(view.at, view.event)).all()
    told = [(row.event, row.service, row.type, msgspec.convert(row.data, Happened)) for row in rows]
    closed = {event: said.at for event, _, _, said in told}
    return [(closed[shift.event], shift) for shift in _shifts(told)]


_Told = tuple[str, str, str, Happened]


def _shifts(told: Iterable[_Told]) -> Iterable[Shift]:
    found: dict[str, Shift] = {}
    for event, _, kind, said in told:
        if kind == _SHIFT and said.start and said.end:
            found[event] = Shift(
                event, said.schedule, said.side, said.start, said.end, said.pages, said.interrupt_minutes
            )
    return found.values()


def _rotas(told: Iterable[_Told], services: Sequence[str]) -> Iterable[Rota]:
    found: dict[str, Rota] = {}
    for event, _, kind, said in told:
        if kind == _SCHEDULE:
            sides = tuple(member.side for member in said.members)
            found[said.schedule] = Rota(
                event, said.schedule, tuple(each for each in said.services if each in services), sides
            )
    return found.values()


def _incidents(told: Iterable[_Told]) -> Iterable[IncidentSeen]:
    found: dict[str, IncidentSeen] = {}
    for event, service, kind, said in told:
        if not kind.startswith(_INCIDENT):
            continue
        if kind.endswith(("cancelled.v1", "merged.v1")):
            found.pop(said.incident, None)
        elif kind.endswith("declared.v1"):
            found[said.incident] = IncidentSeen(event, said.number, service, said.severity, said.at)
        elif (before := found.get(said.incident)) is not None:
            found[said.incident] = IncidentSeen(
                before.event,
                before.number,
                service,
                min(before.severity, said.severity or before.severity),  # sev1 is the worst
                before.declared_at,
                said.at if kind == _RESOLVED else None if kind.endswith("reopened.v1") else before.resolved_at,
                said.outage_class or before.cause,
            )
    return found.values()


def _actions(told: Iterable[_Told]) -> Iterable[ActionSeen]:
    found: dict[str, ActionSeen] = {}
    for event, service, kind, said in told:
        if kind == _OPENED and said.due:
            found[said.action] = ActionSeen(
                event, said.action, service, said.title, said.owner, said.priority, said.due
            )
        elif kind == _CHANGED and said.due and (before := found.get(said.action)) is not None:
            found[said.action] = ActionSeen(
                before.event, said.action, service, said.title, said.owner, said.priority, said.due
            )
        elif kind in _SETTLED:
            found.pop(said.action, None)
    return found.values()


def before_and_after(connection: Connection, watch: Watch, policy: EngagementPolicy) -> tuple[Figure, ...]:
    """How the time of *watch* compares with as much time before it, as far as it has been heard of.

    That there was no incident is known only while incidents is heard, and of a time in which it told anything at all.
    """
    length, severe = watch.until - watch.since, frozenset(policy.severe)
    silent = is_silent(connection, policy)
    first = connection.execute(select(func.min(HAPPENINGS.view.c.at))).scalar_one()

    def window(since: datetime, until: datetime) -> Seen:
        heard = seen(connection, watch.services, since, until, severe=severe)
        return replace(heard, silent=silent or first is None or first >= until)

    return compare(window(watch.since - length, watch.since), window(watch.since, watch.until))


def is_silent(connection: Connection, policy: EngagementPolicy) -> bool:
    """Whether incidents was not heard for so long that to hear of no incident and no action says nothing."""
    ago = heard_ago(connection, [HAPPENINGS.name], SystemClock().now()).get("incidents")
    return ago is None or ago > timedelta(minutes=policy.feed_fresh_minutes.value)


def measured_for(
    connection: Connection, state: Engagement, at: datetime, policy: EngagementPolicy, *, as_of: datetime | None = None
) -> tuple[Measured, ...]:
    """What the ground rules of an engagement come to at *at*, each over its own window."""
    severe, silent = frozenset(policy.severe), as_of is None and is_silent(connection, policy)

    def window(days: float) -> Seen:
        since = at - timedelta(days=days)
        heard = seen(connection, state.services, since, at, severe=severe, as_of=as_of)
        hours = hours_of(connection, since.date(), at.date(), teams=(state.sre_team,))
        return replace(heard, operational_share=hours.share, silent=silent)

    return measure(state.rules, window)
