"""All gate evaluations, whole, by service and phase."""

from collections.abc import Sequence
from typing import Any, Final

from msgspec import to_builtins
from sqlalchemy import Boolean, Column, Text

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.evaluation.events import GateEvaluated


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("evaluation", Text, primary_key=True),
        Column("service", Text, nullable=False),
        Column("from_phase", Text, nullable=False),
        Column("phase", Text, nullable=False),
        Column("passed", Boolean, nullable=False),
        Column("policy_version", Text, nullable=False),
        Column("checks", Json(), nullable=False),
        Column("basis", Json(), nullable=False),
        Column("based_on", Text, nullable=False),
        Column("by", Text, nullable=False),
        Column("at", Instant(), nullable=False),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: GateEvaluated, _: Recorded) -> Sequence[Key]:
    return ((event.evaluation,),)


def _evaluated(_: Row | None, event: GateEvaluated, recorded: Recorded, __: Key) -> Row:
    return to_builtins(event) | {"at": event.at, "recorded_at": recorded.recorded_at}


EVALUATIONS: Final = Projection(
    name="evaluations",
    columns=_columns,
    events=CONTRACT,
    folds={GateEvaluated: Fold(_keys, _evaluated)},
    indexes=(("service", "phase"),),
    sources=("lifecycle",),
)
