"""How events change rows that are keyed by their stream."""

from collections.abc import Callable, Sequence
from typing import Any

from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Row


def opens(row: Callable[[Any], Row]) -> Fold:
    """The event begins the stream's row."""

    def apply(_row: Row | None, event: object, recorded: Recorded, _key: Key) -> Row:
        return {"id": recorded.key, **row(event)}

    return Fold(_stream, apply)


def changes(columns: Callable[[Row, Any], Row]) -> Fold:
    """The event changes some columns of the stream's row."""

    def apply(row: Row | None, event: object, _recorded: Recorded, _key: Key) -> Row | None:
        return None if row is None else {**row, **columns(row, event)}

    return Fold(_stream, apply)


def _stream(_event: object, recorded: Recorded) -> Sequence[Key]:
    return ((recorded.key,),)
