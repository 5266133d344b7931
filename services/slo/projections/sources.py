"""Every source of measurements, with what was said last about its health."""

from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Column, Integer, Text

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.slo.contract import CONTRACT
from services.slo.domain.source.events import SourceDefined, SourceFailed, SourceRetired, SourceWorked

_NO_FAULT: Final[Row] = {"code": "", "place": "", "detail": "", "remedy": ""}


def _columns() -> tuple[Column[Any], ...]:
    return (
        Column("source", Text, primary_key=True),
        Column("revision", Integer),
        Column("settings", Json()),
        Column("defined_at", Instant()),
        Column("state", Text),  # unknown, working, failing, retired
        Column("since", Instant()),
        Column("code", Text),
        Column("place", Text),
        Column("detail", Text),
        Column("remedy", Text),
    )


def _defined(_: Row | None, event: SourceDefined, __: Recorded, ___: Key) -> Row:
    told: Row = {"source": event.source, "revision": event.revision, "settings": asdict(event.settings)}
    return told | {"defined_at": event.at, "state": "unknown", "since": event.at} | _NO_FAULT


def _failed(row: Row | None, event: SourceFailed, _: Recorded, __: Key) -> Row | None:
    if row is None:
        return None
    since = row["since"] if row["state"] == "failing" else event.at
    return row | {"state": "failing", "since": since} | {name: getattr(event, name) for name in _NO_FAULT}


def _worked(row: Row | None, event: SourceWorked, _: Recorded, __: Key) -> Row | None:
    return None if row is None else row | {"state": "working", "since": event.at} | _NO_FAULT


def _retired(row: Row | None, event: SourceRetired, _: Recorded, __: Key) -> Row | None:
    return None if row is None else row | {"state": "retired", "since": event.at} | _NO_FAULT


SOURCES: Final = Projection(
    name="sources",
    columns=_columns,
    events=CONTRACT,
    folds={
        SourceDefined: Fold(keys=lambda event, _: [(event.source,)], apply=_defined),
        SourceFailed: Fold(keys=lambda event, _: [(event.source,)], apply=_failed),
        SourceWorked: Fold(keys=lambda event, _: [(event.source,)], apply=_worked),
        SourceRetired: Fold(keys=lambda event, _: [(event.source,)], apply=_retired),
    },
    sources=("slo",),
)
