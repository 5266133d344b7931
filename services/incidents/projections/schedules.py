"""Rotations and schedules as they are folded from their streams, and who is on call by them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar

import msgspec
from sqlalchemy import Boolean, Column, Connection, Text, select

from libs.events import codec
from libs.events.columns import Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.on_call.resolver import at_moment
from services.incidents.domain.on_call.roster import OnCall, Roster, RotationRevision, from_then_on
from services.incidents.domain.rotation import decider as rotation
from services.incidents.domain.rotation.events import RotationChanged, RotationEnded
from services.incidents.domain.schedule import events as of_schedule
from services.incidents.domain.schedule import state as schedule

S = TypeVar("S")


def _folds(cls: type[S], evolve: Callable[[S | None, Any], S | None], told: Callable[[S, datetime], Row]) -> Fold:
    """The row holds the folded state, so that the rules of the stream are told once."""

    def apply(row: Row | None, event: Any, _: Recorded, key: Key) -> Row | None:  # noqa: ANN401  any of the stream
        before = codec.convert(row["state"], cls) if row else None
        after = evolve(before, event)
        return None if after is None else {"name": key[0], **told(after, event.at), "state": msgspec.to_builtins(after)}

    return Fold(lambda _, recorded: ((recorded.key,),), apply)


def _columns(*names: str) -> Callable[[], Sequence[Column[Any]]]:
    return lambda: (
        Column("name", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in names),
        Column("ended", Boolean, nullable=False),
        Column("state", Json(), nullable=False),
    )


_ROTATION: Final = _folds(
    rotation.Known,
    rotation.evolve,
    lambda it, _: {
        "participants": _words(name for each in it.revisions for name in each.rota.participants),
        "ended": it.ended,
    },
)
_SCHEDULE: Final = _folds(
    schedule.Known,
    schedule.evolve,
    lambda it, at: {
        "services": _words(name for each in from_then_on(it.revisions, at) for name in each.services),
        "rotations": _words(it.layered),
        "stand_ins": _words(each.person for each in it.overrides if each.person),
        "token": it.token,
        "ended": it.ended,
    },
)


def _words(names: Any) -> str:  # noqa: ANN401  any names
    """Looked for with the blanks around a name."""
    return f" {' '.join(sorted(set(names)))} "


ROTATIONS: Final = Projection(
    name="rotations",
    columns=_columns("participants"),
    events=CONTRACT,
    folds={RotationChanged: _ROTATION, RotationEnded: _ROTATION},
    sources=(SERVICE,),
)
SCHEDULES: Final = Projection(
    name="schedules",
    columns=_columns("services", "rotations", "stand_ins", "token"),
    events=CONTRACT,
    folds={
        of_schedule.ScheduleDefined: _SCHEDULE,
        of_schedule.ScheduleEnded: _SCHEDULE,
        of_schedule.OverrideDecided: _SCHEDULE,
        of_schedule.OverrideCancelled: _SCHEDULE,
        of_schedule.SwapOffered: _SCHEDULE,
        of_schedule.SwapTaken: _SCHEDULE,
        of_schedule.SwapApproved: _SCHEDULE,
        of_schedule.SwapDeclined: _SCHEDULE,
        of_schedule.TokenRenewed: _SCHEDULE,
    },
    sources=(SERVICE,),
    indexes=(("token",),),
    version=2,
)
_R, _S = ROTATIONS.view.c, SCHEDULES.view.c


def schedule_of(connection: Connection, name: str) -> schedule.Known | None:
    """A schedule; None when it was never defined."""
    state = connection.execute(select(_S.state).where(_S.name == name)).scalar_one_or_none()
    return None if state is None else codec.convert(state, schedule.Known)


def roster_of(connection: Connection, name: str) -> Roster | None:
    """All from which it follows who is on call by a schedule; None when it was never defined."""
    known = schedule_of(connection, name)
    return None if known is None else known.roster(revisions_of(connection, known.layered))


def revisions_of(connection: Connection, names: set[str]) -> dict[str, tuple[RotationRevision, ...]]:
    """What rotations were, are and will be."""
    rows = connection.execute(select(_R.name, _R.state).where(_R.name.in_(names)))
    return {name: codec.convert(state, rotation.Known).revisions for name, state in rows}


def rosters_beside(connection: Connection, roster: Roster) -> list[Roster]:
    """The other schedules that share a service or a person with what *roster* was, is or will be."""
    services = {service for revision in roster.revisions for service in revision.services}
    people = roster.people
    shared = {name for name, words in connection.execute(select(_R.name, _R.participants)) if people & {*words.split()}}
    names = [
        name
        for name, covers, layered, stand_ins in connection.execute(
            select(_S.name, _S.services, _S.rotations, _S.stand_ins).where(_S.name != roster.schedule).order_by(_S.name)
        )
        if services & {*covers.split()} or shared & {*layered.split()} or people & {*stand_ins.split()}
    ]
    return [found for name in names if (found := roster_of(connection, name)) is not None]


def on_call(connection: Connection, name: str, at: datetime) -> tuple[OnCall, ...]:
    """Who is on call by a schedule at a moment; nobody where there is no such schedule."""
    roster = roster_of(connection, name)
    return () if roster is None else at_moment(roster, at)


def schedules_of_service(connection: Connection, service: str) -> list[str]:
    """The schedules that answer for *service*, or will."""
    query = select(_S.name).where(_S.services.contains(f" {service} "), ~_S.ended)  # a name has nothing to escape
    return list(connection.execute(query.order_by(_S.name)).scalars())


def schedules_with(connection: Connection, rotation: str, now: datetime) -> list[str]:
    """The schedules that have not ended, and of which *rotation* is a layer, or will be."""
    query = select(_S.name, _S.state).where(_S.rotations.contains(f" {rotation} "), ~_S.ended)
    return [
        name
        for name, state in connection.execute(query.order_by(_S.name))
        for revisions in (from_then_on(codec.convert(state, schedule.Known).revisions, now),)
        if any(layer.rotation == rotation for each in revisions for layer in each.layers)
    ]


def schedules_naming(connection: Connection, rotation: str) -> list[str]:
    """The schedules that ever named *rotation*."""
    query = select(_S.name).where(_S.rotations.contains(f" {rotation} "))
    return list(connection.execute(query.order_by(_S.name)).scalars())


def stands_in(connection: Connection, person: str, now: datetime) -> list[str]:
    """The schedules by which *person* is on call, or will be, because somebody decided it."""
    query = select(_S.name, _S.state).where(_S.stand_ins.contains(f" {person} "), ~_S.ended)
    return [
        name
        for name, state in connection.execute(query.order_by(_S.name))
        if any(it.person == person and it.end > now for it in codec.convert(state, schedule.Known).overrides)
    ]


def rotations_with(connection: Connection, person: str, now: datetime) -> list[str]:
    """The rotations that have not ended and in which *person* takes turns, or will."""
    query = select(_R.name, _R.state).where(_R.participants.contains(f" {person} "), ~_R.ended)
    return [
        name
        for name, state in connection.execute(query.order_by(_R.name))
        for revisions in (from_then_on(codec.convert(state, rotation.Known).revisions, now),)
        if any(person in each.rota.participants for each in revisions)
    ]
