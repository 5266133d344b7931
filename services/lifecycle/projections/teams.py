"""Every team, by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import msgspec
from sqlalchemy import Boolean, Column, Connection, Text, bindparam, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.team.decider import Ended, Registered
from services.lifecycle.domain.team.events import (
    Event,
    StructureReviewed,
    TeamAbsorbed,
    TeamChanged,
    TeamDissolved,
    TeamMerged,
    TeamRegistered,
    TeamSharded,
)
from services.lifecycle.domain.team.kinds import TeamKind
from services.lifecycle.domain.team.structure import Structure


@dataclass(frozen=True, slots=True)
class TeamFacts:
    """What others ask of a team: what kind it is, who belongs to it, and whether it still lives."""

    name: str
    kind: TeamKind
    members: tuple[str, ...]
    leads: tuple[str, ...]
    product: str
    ended: bool


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("name", Text, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("display_name", Text, nullable=False),
        Column("structure", Json(), nullable=False),
        Column("people", Text, nullable=False),  # |ana|bo|: everybody whom the structure names
        Column("reviewed", Json()),
        Column("shard_of", Text, nullable=False),
        Column("ended", Boolean, nullable=False),
        Column("end", Json()),
        Column("registered_at", Instant(), nullable=False),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: Event, _: Recorded) -> Sequence[Key]:
    return ((event.team,),)


def _registered(_: Row | None, event: TeamRegistered, recorded: Recorded, __: Key) -> Row:
    return {
        "name": event.team,
        "kind": event.kind,
        "display_name": event.display_name,
        **_set_up_as(event.structure),
        "reviewed": None,
        "shard_of": event.shard_of,
        "ended": False,
        "end": None,
        "registered_at": event.at,
        "recorded_at": recorded.recorded_at,
    }


def _changed(row: Row | None, event: TeamChanged, _: Recorded, __: Key) -> Row | None:
    structure = {} if event.structure is None else _set_up_as(event.structure)
    return row and row | {"display_name": event.display_name} | structure


def _set_up(row: Row | None, event: TeamSharded | TeamAbsorbed, _: Recorded, __: Key) -> Row | None:
    return row and row | _set_up_as(event.structure)


def _set_up_as(structure: Structure) -> Row:
    named = (*structure.members, *structure.leads, structure.product, *(duty.holder for duty in structure.duties))
    people = dict.fromkeys(person for person in named if person)
    return {"structure": _plain(structure), "people": f"|{'|'.join(people)}|"}


def _reviewed(row: Row | None, event: StructureReviewed, _: Recorded, __: Key) -> Row | None:
    return row and row | {"reviewed": _plain(event)}


def _ended(row: Row | None, event: TeamMerged | TeamDissolved, _: Recorded, __: Key) -> Row | None:
    return row and row | {"ended": True, "end": _plain(event)}


def _plain(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", msgspec.to_builtins(value))


TEAMS: Final = Projection(
    name="teams",
    columns=_columns,
    events=CONTRACT,
    folds={
        TeamRegistered: Fold(_keys, _registered),
        TeamChanged: Fold(_keys, _changed),
        TeamSharded: Fold(_keys, _set_up),
        TeamAbsorbed: Fold(_keys, _set_up),
        StructureReviewed: Fold(_keys, _reviewed),
        TeamMerged: Fold(_keys, _ended),
        TeamDissolved: Fold(_keys, _ended),
    },
    sources=("lifecycle",),
)


_T: Final = TEAMS.view.c
_TEAM: Final = select(_T.kind, _T.structure, _T.ended).where(_T.name == bindparam("name"))


def team_of(connection: Connection, name: str) -> TeamFacts | None:
    """The team of this name, ended or not; None if there never was one."""
    row = connection.execute(_TEAM, {"name": name}).first()
    if row is None:
        return None
    structure = msgspec.convert(row.structure, Structure)
    return TeamFacts(name, row.kind, structure.members, structure.leads, structure.product, ended=row.ended)


def team_in(row: Mapping[Any, Any]) -> Registered | Ended:
    """A row as the state that its stream folds to."""
    reviewed, end = row["reviewed"], row["end"]
    team = Registered(
        team=row["name"],
        kind=row["kind"],
        display_name=row["display_name"],
        registered_at=row["registered_at"],
        structure=msgspec.convert(row["structure"], Structure),
        reviewed=msgspec.convert(reviewed, StructureReviewed) if reviewed else None,
        shard_of=row["shard_of"],
    )
    if end is None:
        return team
    return Ended(team, msgspec.convert(end, TeamMerged if "into" in end else TeamDissolved))
