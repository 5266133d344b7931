"""All evidence, by service."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, RowMapping, Text, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.evidence.events import EvidenceRecorded
from services.lifecycle.projections.by_service import ByService


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("evidence", Text, primary_key=True),
        Column("service", Text, nullable=False),
        Column("kind", Text, nullable=False),
        Column("at", Instant(), nullable=False),
        Column("url", Text, nullable=False),
        Column("by", Text, nullable=False),
        Column("recorded", Instant(), nullable=False),
        Column("outcome", Text, nullable=False),
        Column("figures", Json(), nullable=False),
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
        "outcome": event.outcome,
        "figures": event.figures,
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


_VIEW: Final = EVIDENCE.view
_IN_ORDER: Final = ByService.of(select(_VIEW).order_by(_VIEW.c.at, _VIEW.c.evidence), _VIEW.c.service)


def latest_evidence(connection: Connection, service: str) -> dict[str, EvidenceRecorded]:
    """Per kind, the evidence of what was done last for *service*."""
    return latest_of_each(connection, service).get(service, {})


def latest_of_each(connection: Connection, *services: str) -> dict[str, dict[str, EvidenceRecorded]]:
    """Per service and kind, the evidence of what was done last; of all services when none is named."""
    found: dict[str, dict[str, EvidenceRecorded]] = {}
    for row in _IN_ORDER.rows(connection, services):
        found.setdefault(row["service"], {})[row["kind"]] = evidence_of(row)
    return found


def evidence_of(row: RowMapping) -> EvidenceRecorded:
    """A row as the event it was made of."""
    return EvidenceRecorded(
        row["evidence"],
        row["service"],
        row["kind"],
        row["at"],
        row["url"],
        row["by"],
        row["recorded"],
        row["outcome"],
        row["figures"],
    )
