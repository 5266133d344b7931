"""Which teams there are, as lifecycle says: policies and channels belong to these only."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Text, select

from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry


@dataclass(frozen=True, slots=True)
class TeamRegistered:
    """What we read of `team.registered`."""

    team: str


@dataclass(frozen=True, slots=True)
class TeamMerged:
    """What we read of `team.merged`: it ended."""

    team: str


@dataclass(frozen=True, slots=True)
class TeamDissolved:
    """What we read of `team.dissolved`: likewise."""

    team: str


def knows_team(connection: Connection, team: str) -> bool:
    """Whether there is such a team now."""
    c = KNOWN_TEAMS.view.c
    return connection.execute(select(c.team).where(c.team == team, c.active)).first() is not None


def _columns() -> Sequence[Column[Any]]:
    return Column("team", Text, primary_key=True), Column("active", Boolean, nullable=False)


def _keys(event: TeamRegistered | TeamMerged | TeamDissolved, _: Recorded) -> Sequence[Key]:
    return ((event.team,),)


def _row(*, active: bool) -> Fold:
    def apply(_row: Row | None, event: Any, _recorded: Recorded, _key: Key) -> Row:  # noqa: ANN401  any of them
        return {"team": event.team, "active": active}

    return Fold(_keys, apply)


KNOWN_TEAMS = Projection(
    name="known_teams",
    columns=_columns,
    events=EventRegistry(
        {
            "io.concordat.lifecycle.team.registered.v1": TeamRegistered,
            "io.concordat.lifecycle.team.merged.v1": TeamMerged,
            "io.concordat.lifecycle.team.dissolved.v1": TeamDissolved,
        }
    ),
    folds={TeamRegistered: _row(active=True), TeamMerged: _row(active=False), TeamDissolved: _row(active=False)},
    sources=("lifecycle",),
)
