"""Which alerts page nobody, until when, and why."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Text, select

from libs.events.columns import Instant, Json
from libs.events.projection import Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.silence.events import SilenceEnded, SilenceMade
from services.incidents.projections.folds import changes, opens


@dataclass(frozen=True, slots=True)
class ActiveSilence:
    """A silence that covers what it matches now."""

    silence: str
    matchers: tuple[str, ...]
    until: datetime
    by: str
    reason: str


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("id", Text, primary_key=True),
        Column("matchers", Json(), nullable=False),
        *(Column(name, Instant(), nullable=False) for name in ("since", "until")),
        *(Column(name, Text, nullable=False) for name in ("by", "reason")),
        Column("made_at", Instant(), nullable=False),
        Column("ended_at", Instant()),
        Column("ended_by", Text, nullable=False),
    )


def _made(event: SilenceMade) -> Row:
    return {
        "matchers": list(event.matchers),
        "since": event.since,
        "until": event.until,
        "by": event.by,
        "reason": event.reason,
        "made_at": event.at,
        "ended_at": None,
        "ended_by": "",
    }


SILENCES = Projection(
    name="silences",
    columns=_columns,
    events=CONTRACT,
    folds={
        SilenceMade: opens(_made),
        SilenceEnded: changes(lambda _, event: {"ended_at": event.at, "ended_by": event.by}),
    },
    sources=(SERVICE,),
    indexes=(("until",),),
)


def active_silences(connection: Connection, at: datetime) -> list[ActiveSilence]:
    """Those that cover something at a time, the one that lasts longest first."""
    c = SILENCES.view.c
    query = select(c.id, c.matchers, c.until, c.by, c.reason).where(c.since <= at, c.until > at, c.ended_at.is_(None))
    rows = connection.execute(query.order_by(c.until.desc(), c.id))
    return [ActiveSilence(row.id, tuple(row.matchers), row.until, row.by, row.reason) for row in rows]
