"""All evidence, by service."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, RowMapping, Text, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.evidence.events import EvidenceRecorded


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("evidence", Text, primary_key=True),
        Column("service", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("at", Instant(), nullable=False),
        Column("url", Text, nullable=False),
        Column("by", Text, nullable=False),
        Column("recorded", Instant(), nullable=False),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: EvidenceRecorded, _: Recorded) -> Sequence[Key]:
    return ((event.evidence,),)


def _recorded(_: Row | None, event: EvidenceRecorded, recorded: Recorded, __: Key) -> Row:
    return {
        "evidence": event.evidence,
        "service": event.service,
        "kind": event.kind,
        "at": event.at,
        "url": event.url,
        "by": event.by,
        "recorded": event.recorded,
        "recorded_at": recorded.recorded_at,
    }


EVIDENCE: Final = Projection(
    name="evidence",
    columns=_columns,
    events=CONTRACT,
    folds={EvidenceRecorded: Fold(_keys, _recorded)},
    indexes=(("service", "at"),),
    sources=("lifecycle",),
)


def latest_evidence(connection: Connection, service: str) -> dict[str, EvidenceRecorded]:
    """Per kind, the evidence of what was done last for *service*."""
    view = EVIDENCE.view
    query = select(view).where(view.c.service == service).order_by(view.c.at, view.c.evidence)
    rows = connection.execute(query).mappings()
    return {row["kind"]: evidence_of(row) for row in rows}


def evidence_of(row: RowMapping) -> EvidenceRecorded:
    """A row as the event it was made of."""
    return EvidenceRecorded(
        row["evidence"], row["service"], row["kind"], row["at"], row["url"], row["by"], row["recorded"]
    )
