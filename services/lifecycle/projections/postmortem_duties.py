"""Which incidents wait for a postmortem, as the incidents service asks for them, until it is published or excused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Boolean, Column, Date, Text

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry


@dataclass(frozen=True, slots=True)
class PostmortemRequired:
    """What is read when one is due; each reason for it says so anew."""

    incident: str
    number: str
    service: str
    draft_due: date
    publish_due: date
    at: datetime


@dataclass(frozen=True, slots=True)
class PostmortemDrafted:
    """What is read when somebody writes it."""

    postmortem: str
    incident: str


@dataclass(frozen=True, slots=True)
class PostmortemPublished:
    """What is read when everybody may learn from it."""

    incident: str


@dataclass(frozen=True, slots=True)
class PostmortemExcused:
    """What is read when none is needed after all."""

    incident: str


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("incident", Text, primary_key=True),
        Column("number", Text, nullable=False),
        Column("service", Text, nullable=False),
        Column("postmortem", Text, nullable=False),  # empty until it is drafted
        Column("published", Boolean, nullable=False),
        Column("required", Boolean, nullable=False),
        Column("draft_due", Date),
        Column("publish_due", Date),
        Column("at", Instant()),
    )


def _keys(
    event: PostmortemRequired | PostmortemDrafted | PostmortemPublished | PostmortemExcused, _: Recorded
) -> Sequence[Key]:
    return ((event.incident,),)


def _row(row: Row | None, event: PostmortemRequired | PostmortemDrafted | PostmortemPublished) -> Row:
    """What is known so far: a duty and its postmortem are streams of their own, and either may be heard first."""
    return row or {
        "incident": event.incident,
        "number": "",
        "service": "",
        "postmortem": "",
        "published": False,
        "required": False,
        "draft_due": None,
        "publish_due": None,
        "at": None,
    }


def _required(row: Row | None, event: PostmortemRequired, _: Recorded, __: Key) -> Row:
    before = row if row and row["required"] else None
    return _row(row, event) | {
        "number": event.number,
        "service": event.service,
        "required": True,
        "draft_due": min(event.draft_due, before["draft_due"]) if before else event.draft_due,
        "publish_due": min(event.publish_due, before["publish_due"]) if before else event.publish_due,
        "at": before["at"] if before else event.at,
    }


def _drafted(row: Row | None, event: PostmortemDrafted, _: Recorded, __: Key) -> Row:
    return _row(row, event) | {"postmortem": event.postmortem}


def _published(row: Row | None, event: PostmortemPublished, _: Recorded, __: Key) -> Row:
    return _row(row, event) | {"published": True}


def _excused(row: Row | None, _: PostmortemExcused, __: Recorded, ___: Key) -> Row | None:
    return row and row | {"required": False}


_POSTMORTEM: Final = "io.concordat.incidents.postmortem"
POSTMORTEM_DUTIES: Final = Projection(
    name="postmortem_duties",
    columns=_columns,
    events=EventRegistry(
        {
            f"{_POSTMORTEM}.required.v1": PostmortemRequired,
            f"{_POSTMORTEM}.drafted.v1": PostmortemDrafted,
            f"{_POSTMORTEM}.published.v1": PostmortemPublished,
            f"{_POSTMORTEM}.excused.v1": PostmortemExcused,
        }
    ),
    folds={
        PostmortemRequired: Fold(_keys, _required),
        PostmortemDrafted: Fold(_keys, _drafted),
        PostmortemPublished: Fold(_keys, _published),
        PostmortemExcused: Fold(_keys, _excused),
    },
    indexes=(("service",),),
    sources=("incidents",),
    version=2,
)
