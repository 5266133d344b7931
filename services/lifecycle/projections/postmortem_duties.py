"""Which incidents wait for a postmortem, as the incidents service asks for them, until it is published or excused."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Column, Date, Text

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
class PostmortemSettled:
    """What is read when nothing is owed any more."""

    incident: str


class PostmortemPublished(PostmortemSettled):
    """Everybody may learn from it."""


class PostmortemExcused(PostmortemSettled):
    """None is needed after all."""


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("incident", Text, primary_key=True),
        Column("number", Text, nullable=False),
        Column("service", Text, nullable=False),
        Column("postmortem", Text, nullable=False),  # empty until it is drafted
        Column("draft_due", Date, nullable=False),
        Column("publish_due", Date, nullable=False),
        Column("at", Instant(), nullable=False),
    )


def _keys(event: PostmortemRequired | PostmortemDrafted | PostmortemSettled, _: Recorded) -> Sequence[Key]:
    return ((event.incident,),)


def _required(row: Row | None, event: PostmortemRequired, _: Recorded, __: Key) -> Row:
    return {
        "incident": event.incident,
        "number": event.number,
        "service": event.service,
        "postmortem": row["postmortem"] if row else "",
        "draft_due": min(event.draft_due, row["draft_due"]) if row else event.draft_due,
        "publish_due": min(event.publish_due, row["publish_due"]) if row else event.publish_due,
        "at": row["at"] if row else event.at,
    }


def _drafted(row: Row | None, event: PostmortemDrafted, _: Recorded, __: Key) -> Row | None:
    return row and row | {"postmortem": event.postmortem}


def _settled(_: Row | None, __: PostmortemSettled, ___: Recorded, ____: Key) -> None:
    return None


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
        PostmortemPublished: Fold(_keys, _settled),
        PostmortemExcused: Fold(_keys, _settled),
    },
    indexes=(("service",),),
    sources=("incidents",),
)
