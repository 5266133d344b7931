"""Engagements between an SRE team and a development team: how they work together, and where that stands."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, RowMapping, Text, bindparam, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry


@dataclass(frozen=True, slots=True)
class Activated:
    """What is read when it begins."""

    engagement: str
    model: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ModelChanged:
    """What is read when the teams work together in another way."""

    engagement: str
    to_model: str


@dataclass(frozen=True, slots=True)
class HandbackStarted:
    """What is read when the services are to be given to another team."""

    engagement: str
    receiver: str


@dataclass(frozen=True, slots=True)
class HandbackGivenUp:
    """What is read when they stay."""

    engagement: str


_Event = Activated | ModelChanged | HandbackStarted | HandbackGivenUp


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("engagement", Text, primary_key=True),
        Column("model", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("receiver", Text),
        Column("since", Instant(), nullable=False),
    )


def _keys(event: _Event, _: Recorded) -> Sequence[Key]:
    return ((event.engagement,),)


def _activated(_: Row | None, event: Activated, __: Recorded, ___: Key) -> Row:
    told = {"engagement": event.engagement, "model": event.model, "since": event.at}
    return told | {"state": "active", "receiver": None}


def _model_changed(row: Row | None, event: ModelChanged, _: Recorded, __: Key) -> Row | None:
    return row and row | {"model": event.to_model}


def _started(row: Row | None, event: HandbackStarted, _: Recorded, __: Key) -> Row | None:
    return row and row | {"state": "handback_pending", "receiver": event.receiver}


def _given_up(row: Row | None, _: HandbackGivenUp, __: Recorded, ___: Key) -> Row | None:
    return row and row | {"state": "active", "receiver": None}


ENGAGEMENTS: Final = Projection(
    name="engagements",
    columns=_columns,
    events=EventRegistry(
        {
            "io.concordat.lifecycle.engagement.activated.v1": Activated,
            "io.concordat.lifecycle.engagement.model-changed.v1": ModelChanged,
            "io.concordat.lifecycle.engagement.handback-started.v1": HandbackStarted,
            "io.concordat.lifecycle.engagement.handback-given-up.v1": HandbackGivenUp,
        }
    ),
    folds={
        Activated: Fold(_keys, _activated),
        ModelChanged: Fold(_keys, _model_changed),
        HandbackStarted: Fold(_keys, _started),
        HandbackGivenUp: Fold(_keys, _given_up),
    },
    sources=("lifecycle",),
)


_BY_ID: Final = select(ENGAGEMENTS.view).where(ENGAGEMENTS.view.c.engagement == bindparam("engagement"))  # made once


def find_engagement(connection: Connection, engagement: str) -> RowMapping | None:
    """How the engagement stands that a service is part of."""
    return connection.execute(_BY_ID, {"engagement": engagement}).mappings().first()
