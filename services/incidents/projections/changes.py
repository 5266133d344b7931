"""What was changed, as senders told: deployments and the like, beside incidents."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Column, Text

from libs.events.columns import Instant, Json
from libs.events.projection import Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.change.events import ChangeReported
from services.incidents.projections.folds import opens


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("id", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("integration", "service", "summary")),
        Column("at", Instant(), nullable=False),
        Column("details", Json(), nullable=False),
    )


def _reported(event: ChangeReported) -> Row:
    return {
        "integration": event.integration,
        "service": event.service,
        "summary": event.summary,
        "at": event.at,
        "details": dict(event.details),
    }


CHANGES = Projection(
    name="changes",
    columns=_columns,
    events=CONTRACT,
    folds={ChangeReported: opens(_reported)},
    sources=(SERVICE,),
    indexes=(("service", "at"),),
)
