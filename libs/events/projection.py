"""What a read model is: a table, and per event type the rows it touches and how each changes.

A projection is a pure function of the log: a fold sees one row and one event, and nothing else. Queries read the
view that bears the projection's name; the rows live in a table per generation (`<name>_g<N>`), so that a rebuild
fills a new one beside the old and switches the view.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

from sqlalchemy import Column, Index, MetaData, Table
from sqlalchemy.schema import CreateTable

from libs.events.envelope import Recorded
from libs.events.full_text import index_words, searched
from libs.events.registry import EventRegistry

Row = dict[str, Any]
Key = tuple[Any, ...]
E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Fold:
    """How one type of event changes the read model.

    Args:
        keys: The primary keys of the rows that the event touches.
        apply: One of those rows (None: absent) after the event; None removes it. Returns a new dict, or the same
            object when nothing changes.
    """

    keys: Callable[[Any, Recorded], Sequence[Key]]
    apply: Callable[[Row | None, Any, Recorded, Key], Row | None]


@dataclass(frozen=True)
class Projection:
    """One read model.

    Args:
        name: Of the view that queries read; unique in the service.
        columns: Makes the columns anew for each generation; at least one is a primary key. Moments are an `Instant`,
            lists and dicts a `Json` (`columns.py`), so that a fold reads what another fold wrote; `Words`
            (`full_text.py`) are found by an index.
        events: Decodes the events that are folded.
        folds: Per event class, what it changes. Types without a fold are skipped.
        sources: The services whose events are folded. The projection's own service is read from its event store,
            the others from the bus; each column is written from one stream category only.
        indexes: Columns to index together, besides the primary key.
        version: Raised when the same events make other rows now: the worker then rebuilds the read model by itself.
            A change of columns or indexes is noticed without it.
    """

    name: str
    columns: Callable[[], Sequence[Column[Any]]]
    events: EventRegistry
    folds: Mapping[type[object], Fold]
    sources: Sequence[str]
    indexes: Sequence[Sequence[str]] = ()
    version: int = 1

    @cached_property
    def view(self) -> Table:
        """What queries select from."""
        return Table(self.name, MetaData(), *self.columns())

    def table(self, generation: int) -> Table:
        """The table that holds the rows of *generation*."""
        if generation not in self._tables:
            name = f"{self.name}_g{generation}"
            indexes = [Index(f"ix_{name}_{'_'.join(columns)}", *columns) for columns in self.indexes]
            table = self._tables[generation] = Table(name, MetaData(), *self.columns(), *indexes)
            index_words(table)
        return self._tables[generation]

    @cached_property
    def fingerprint(self) -> str:
        """Changes with the columns, the indexes and the `version`."""
        shape = [str(CreateTable(self.table(0))), str(self.version), str(sorted(map(str, self.indexes)))]
        shape += searched(self.view)
        return hashlib.sha256("\n".join(shape).encode()).hexdigest()[:16]

    @cached_property
    def _tables(self) -> dict[int, Table]:
        """Those that were asked for: making one takes as long as several statements."""
        return {}
