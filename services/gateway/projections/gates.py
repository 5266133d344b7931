"""The newest evaluation of each gate of each service."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Boolean, Column, Connection, RowMapping, Text, bindparam, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry


@dataclass(frozen=True, slots=True)
class Check:
    """What is read of a check."""

    id: str
    result: str
    blocking: bool
    how_to_fix: str = ""


@dataclass(frozen=True, slots=True)
class Evaluated:
    """What is read of an evaluation."""

    evaluation: str
    service: str
    phase: str
    passed: bool
    policy_version: str
    checks: tuple[Check, ...]
    at: datetime


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("service", Text, primary_key=True),
        Column("phase", Text, primary_key=True),
        Column("evaluation", Text, nullable=False),
        Column("passed", Boolean, nullable=False),
        Column("policy_version", Text, nullable=False),
        Column("open_checks", Json(), nullable=False),  # those that do not let the service through
        Column("evaluated_at", Instant(), nullable=False),
    )


def _keys(event: Evaluated, _: Recorded) -> Sequence[Key]:
    return ((event.service, event.phase),)


def _evaluated(row: Row | None, event: Evaluated, _: Recorded, __: Key) -> Row:
    at = event.at
    if row and (row["evaluated_at"], row["evaluation"]) >= (at, event.evaluation):
        return row  # each evaluation is a stream of its own, and streams may overtake each other
    return {
        "service": event.service,
        "phase": event.phase,
        "evaluation": event.evaluation,
        "passed": event.passed,
        "policy_version": event.policy_version,
        "open_checks": [
            {"id": check.id, "result": check.result, "blocking": check.blocking, "how_to_fix": check.how_to_fix}
            for check in event.checks
            if check.result in {"fail", "unknown"}
        ],
        "evaluated_at": at,
    }


GATES: Final = Projection(
    name="gates",
    columns=_columns,
    events=EventRegistry({"io.concordat.lifecycle.gate.evaluated.v1": Evaluated}),
    folds={Evaluated: Fold(_keys, _evaluated)},
    sources=("lifecycle",),
)


_TO_PHASE: Final = select(GATES.view).where(  # made once: making it takes as long as asking
    GATES.view.c.service == bindparam("service"), GATES.view.c.phase == bindparam("phase")
)


def find_gate(connection: Connection, service: str, phase: str) -> RowMapping | None:
    """The newest evaluation of the gate to *phase*, if there was one."""
    return connection.execute(_TO_PHASE, {"service": service, "phase": phase}).mappings().first()
