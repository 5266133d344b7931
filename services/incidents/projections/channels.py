"""Channels that somebody or something said anything of: those of teams, and people's that are switched off."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Connection, Text, select

from libs.events.projection import Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.channel.events import (
    ChannelFact,
    ChannelKind,
    ChannelRemoved,
    ChannelSet,
    ChannelSwitchedOff,
    ChannelSwitchedOn,
)
from services.incidents.projections.folds import opens


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("id", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("person", "team", "kind", "contact", "off")),
    )


def _row(event: ChannelFact, **more: str) -> Row:
    return {"person": event.person, "team": event.team, "kind": event.kind, "contact": "", "off": ""} | more


CHANNELS = Projection(
    name="channels",
    columns=_columns,
    events=CONTRACT,
    folds={
        ChannelSet: opens(lambda event: _row(event, contact=event.contact)),
        ChannelSwitchedOff: opens(lambda event: _row(event, contact=event.contact, off=event.reason or "switched off")),
        ChannelSwitchedOn: opens(lambda event: _row(event, contact=event.contact)),
        ChannelRemoved: opens(_row),
    },
    sources=(SERVICE,),
    indexes=(("person",), ("team",)),
)


def switched_off(connection: Connection, person: str) -> dict[str, str]:
    """Why nothing is sent through channels of *person*, by kind."""
    c = CHANNELS.view.c
    query = select(c.kind, c.off).where(c.person == person, c.off != "")
    return {row.kind: row.off for row in connection.execute(query)}


def team_channels(connection: Connection, team: str) -> list[ChannelKind]:
    """The kinds of channels through which *team* is reached now."""
    c = CHANNELS.view.c
    query = select(c.kind).where(c.team == team, c.contact != "", c.off == "").order_by(c.kind)
    return list(connection.execute(query).scalars())


def channels_of_team(connection: Connection, team: str) -> list[Any]:
    """The rows of the channels of *team*, also of those that are switched off."""
    c = CHANNELS.view.c
    query = select(CHANNELS.view).where(c.team == team, c.contact != "").order_by(c.kind)
    return list(connection.execute(query).mappings())
