"""Which incidents need a postmortem, and until when."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Boolean, Column, Date, Text

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.postmortem_duty.events import DutyStageMet, PostmortemExcused, PostmortemRequired
from services.incidents.projections.folds import changes


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("id", Text, primary_key=True),  # of the incident
        *(Column(name, Text, nullable=False) for name in ("number", "service", "state")),
        Column("why", Json(), nullable=False),
        *(Column(name, Date, nullable=False) for name in ("draft_due", "publish_due", "due")),
        Column("open", Boolean, nullable=False),
        Column("required_at", Instant(), nullable=False),
        Column("policy", Text, nullable=False),
        Column("reason", Text, nullable=False),
    )


def _stream(_event: object, recorded: Recorded) -> Sequence[Key]:
    return ((recorded.key,),)


def _required(row: Row | None, event: PostmortemRequired, _recorded: Recorded, key: Key) -> Row:
    if row is not None and row["state"] != "excused":
        return row | {"why": list(dict.fromkeys([*row["why"], event.why]))}
    return {
        "id": key[0],
        "number": event.number,
        "service": event.service,
        "state": "owed",
        "why": [event.why],
        "draft_due": event.draft_due,
        "publish_due": event.publish_due,
        "due": event.draft_due,
        "open": True,
        "required_at": event.at,
        "policy": event.policy,
        "reason": event.reason,
    }


def _met(row: Row, event: DutyStageMet) -> Row:
    if event.stage == "publish":
        return {"state": "met", "open": False}
    return {"state": "drafted", "due": row["publish_due"]} if row["open"] else {}


POSTMORTEM_DUTIES = Projection(
    name="postmortem_duties",
    columns=_columns,
    events=CONTRACT,
    folds={
        PostmortemRequired: Fold(_stream, _required),
        DutyStageMet: changes(_met),
        PostmortemExcused: changes(lambda _, event: {"state": "excused", "open": False, "reason": event.reason}),
    },
    sources=(SERVICE,),
    indexes=(("service", "id"), ("open", "due")),
)
