"""Applies events to a read model: a batch is decoded, folded in memory, and written at once with its checkpoint.

Decode, collect the keys, read the rows that are missing, fold, write the changed rows, move the checkpoint: one
transaction per batch. It is serialised with every other writer of the same rows by the lock of its `generations` row,
so rows may be kept between batches for as long as nobody else has written.
"""

import asyncio
import logging
import sys
from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Any

from sqlalchemy import Connection

from libs.events.collection import no_collection
from libs.events.database import Run, is_unavailable
from libs.events.envelope import Recorded
from libs.events.errors import (
    DeadLetterLimitError,
    FencedError,
    NewerVersionError,
    RebuildFailedError,
    UnknownEventTypeError,
)
from libs.events.ledger import Batch, Checkpoint, Ledger, Place, move_all
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.rows import Rows, rows_of
from libs.events.views import Views

_LOG = logging.getLogger(__name__)
_KEPT_ROWS = 20_000  # between batches; some 10 MB
_SHORT = 100  # events, folded and written within some milliseconds

_UNSEEN = True  # whether a type has a fold is learnt from its first event

_Work = list[tuple[Fold, Any, Recorded, Sequence[Key]]]


class UnappliableError(Exception):
    """An event of a batch cannot be decoded, folded or written; the cause says why."""


class DeadLetterLimit:
    """Stops a consumer that would swallow everything.

    Args:
        run: So many events in a row that cannot be applied are too many.
        ratio: Such a share of all events is too many ...
        after: ... once so many were seen.
    """

    def __init__(self, run: int = 100, ratio: float = 0.1, after: int = 1_000) -> None:
        self._run, self._ratio, self._after = run, ratio, after
        self._seen = self._refused = self._in_a_row = 0

    @classmethod
    def never(cls) -> "DeadLetterLimit":
        """Of one that goes on whatever it refuses."""
        return cls(run=sys.maxsize, after=sys.maxsize)

    def passed(self, events: int) -> None:
        """So many events were applied."""
        if events:
            self._seen, self._in_a_row = self._seen + events, 0

    def refused(self, consumer: str, error: BaseException) -> None:
        """One more could not be.

        Raises:
            DeadLetterLimitError: That is too many.
        """
        self._seen, self._refused, self._in_a_row = self._seen + 1, self._refused + 1, self._in_a_row + 1
        too_often = self._seen >= self._after and self._refused > self._seen * self._ratio
        if self._in_a_row >= self._run or too_often:
            message = (
                f"{consumer} stops: {self._refused} of {self._seen} events could not be applied, {self._in_a_row} in a"
                f" row, the last because of {error!r}; mend the code, then replay the dead letters"
            )
            raise DeadLetterLimitError(message) from error


class Projector:
    """Keeps one generation of a projection in step with the logs.

    Args:
        views: Where the rows are.
        projection: What to fold.
        generation: Which table; None for the one that serves.
        strict: Stop at an event that cannot be applied (a rebuild) instead of putting it aside.
        limit: How many dead letters are too many.
        saved_later: Events that change no row only pass; somebody calls `save` soon.

    Attributes:
        ledger: Where it stands.
        loaded: It has read where it stands.
        turn: Held by whoever changes it.
        fenced: It does not stand there any more: to be loaded again before events are read on.
    """

    def __init__(
        self,
        views: Views,
        projection: Projection,
        *,
        generation: int | None = None,
        strict: bool = False,
        limit: DeadLetterLimit | None = None,
        saved_later: bool = False,
    ) -> None:
        self.projection = projection
        self.ledger = Ledger(projection.name, generation or 0)
        self.loaded = False
        self.fenced = False
        self._views = views
        self._inside: Run | None = None
        self.turn = asyncio.Lock()  # several feeds, one ledger
        self._follows_serving = generation is None
        self._strict = strict
        self._saved_later = saved_later
        self._limit = limit or DeadLetterLimit()
        self._table: Rows | None = None
        self._width = len(projection.view.columns)
        self._blank: Row = {column.name: None for column in projection.view.columns}
        self._folds: dict[str, Fold | None] = {}
        self._kept: dict[Key, Row | None] = {}
        self._all_kept = False  # what is not kept is not there: nothing to ask the database for

    @property
    def name(self) -> str:
        """Names its checkpoints."""
        return self.projection.name

    @property
    def sources(self) -> Sequence[str]:
        """Whose events it reads."""
        return self.projection.sources

    async def load(self) -> None:
        """Read where the projection stands.

        Raises:
            OtherCodeError: The rows that serve come from other code.
        """
        async with self.turn:
            generation = None if self._follows_serving else self.ledger.generation
            self.ledger = await self._views.ledger(self.projection, generation)
            self._table = None
            self._kept = {}
            self._all_kept = not self.ledger.checkpoints
            self.loaded, self.fenced = True, False

    @property
    def _rows(self) -> Rows:
        """Those of the generation, made for the first event that changes one."""
        if self._table is None:
            self._table = rows_of(self.projection.table(self.ledger.generation), self._views.dialect)
        return self._table

    async def apply(self, batches: Sequence[Batch]) -> None:
        """Apply *batches*, each of another partition, in one transaction.

        An event that cannot be applied becomes a dead letter, and later events of its stream wait behind it.

        Raises:
            FencedError: Another process went on in the meantime; load, and read from there.
            StoreUnavailableError: The database is away.
            StandstillError: Going on would be wrong.
        """
        with no_collection():
            async with self.turn:
                await self._apply(batches)

    def passes(self, batches: Sequence[Batch]) -> bool:
        """Go on behind *batches* if it is plain that they change nothing; whether it did."""
        if self.turn.locked() or self.fenced or self.ledger.parked:
            return False
        held = self.ledger.checkpoints
        if any(batch.place not in held or held[batch.place].epoch != batch.epoch for batch in batches):
            return False
        if any(self._folds.get(recorded.type, _UNSEEN) for batch in batches for recorded in batch.events):
            return False
        self._pass(self.ledger.moves(batches))
        return True

    @contextmanager
    def inside(self, transaction: Run) -> Generator[None]:
        """Whatever is applied belongs to *transaction*; if that fails, load again."""
        self._inside = transaction
        try:
            yield
        finally:
            self._inside = None

    async def _apply(self, batches: Sequence[Batch]) -> None:
        """Apply *batches*, or ever smaller parts of them, until the event is found that cannot be applied."""
        try:
            await self._transact(batches)
        except UnappliableError as error:
            smaller = batches if len(batches) > 1 else batches[0].halves()
            for batch in smaller:
                await self._apply([batch])
            if not smaller:
                await self._refuse(batches[0], error.__cause__ or error)

    async def replay(self, letter: Batch) -> None:
        """Apply the event of a dead letter, and take the letter away.

        Raises:
            UnappliableError: It still cannot be applied.
        """
        work = self._decode(letter.events)

        def change(connection: Connection) -> None:
            self.ledger.remove_letter(connection, letter)
            self._fold(connection, work)

        await self._change(change)

    async def _transact(self, batches: Sequence[Batch]) -> None:
        """One transaction: rows, parked events, checkpoints."""
        fresh = [self.ledger.fresh(batch) for batch in batches]
        able, waiting = self._without_parked(fresh)
        work = self._decode(able[0].events if len(able) == 1 else [r for batch in able for r in batch.events])
        moves = self.ledger.moves(fresh)
        if self._saved_later and not work and not any(batch.events for batch in waiting):
            self._pass(moves)
            return
        moves = self.ledger.unsaved() | moves

        def change(connection: Connection) -> None:
            self._fold(connection, work)
            for batch in waiting:
                self.ledger.keep_letters(connection, batch, "")
            self.ledger.advance(connection, moves)

        await self._change(change, long=len(work) > _SHORT)
        self._committed(moves)
        self._limit.passed(len(work))

    async def save(self) -> None:
        """Write the checkpoints that `apply` has only passed.

        Raises:
            StoreUnavailableError: The database is away.
        """
        async with self.turn:
            moves = self.ledger.unsaved()
            if not moves:
                return
            try:
                await self._change(lambda connection: self.ledger.advance(connection, moves))
            except FencedError:  # another process went on, or another generation serves
                self.saved(fenced=True)
            else:
                self.saved(fenced=False)

    def saved(self, *, fenced: bool) -> None:
        """What was passed stands in the database now; or not, because another process or generation went on."""
        if fenced:
            self.ledger.forget_passed()
            self.fenced = True
        else:
            self.ledger.committed(self.ledger.unsaved(), ())

    async def _refuse(self, batch: Batch, error: BaseException) -> None:
        """Put the only event of *batch* aside, and its stream on hold."""
        recorded = batch.events[0]
        where = f"{recorded.type} at position {recorded.position} of {batch.service} ({recorded.stream})"
        if self._strict:
            message = f"{self.name} cannot apply {where}: {error!r}; the old read model still serves"
            raise RebuildFailedError(message) from error
        if not isinstance(error, NewerVersionError):  # those wait for an update: no fault of this code
            self._limit.refused(self.name, error)
        moves = self.ledger.unsaved() | self.ledger.moves([batch])

        def change(connection: Connection) -> None:
            self.ledger.keep_letters(connection, batch, repr(error))
            self.ledger.advance(connection, moves)

        await self._change(change)
        _LOG.error("%s cannot apply %s, which is a dead letter now: %r", self.name, where, error)
        self._committed(moves, [(batch.service, recorded.stream)])

    async def _change(self, change: Callable[[Connection], None], *, long: bool = False) -> None:
        """A transaction in which nobody else writes these rows; rows are kept only while that stays so."""

        def alone(connection: Connection) -> None:
            if not self.ledger.lock(connection):
                self._forget_rows()
            change(connection)

        try:
            await (self._inside or (self._views.write_long if long else self._views.write))(alone)
        except BaseException:
            self._forget_rows()
            raise

    def _forget_rows(self) -> None:
        self._kept, self._all_kept = {}, False

    def _pass(self, moves: Mapping[Place, Checkpoint]) -> None:
        self.ledger.passed(moves)
        self._views.moved(self.name, moves)

    def _committed(self, moves: Mapping[Place, Checkpoint], parked: Iterable[tuple[str, str]] = ()) -> None:
        self.ledger.committed(moves, parked)
        if self._follows_serving:
            self._views.moved(self.name, moves)

    def _without_parked(self, batches: Sequence[Batch]) -> tuple[Sequence[Batch], Sequence[Batch]]:
        """The events that may be applied, and those that wait behind a dead letter of their stream."""
        parked = self.ledger.parked
        if not parked:
            return batches, ()
        return (
            [batch.only(lambda r, s=batch.service: (s, r.stream) not in parked) for batch in batches],
            [batch.only(lambda r, s=batch.service: (s, r.stream) in parked) for batch in batches],
        )

    def _decode(self, events: Iterable[Recorded]) -> _Work:
        """Each event that changes rows, with its fold and the keys of the rows.

        Raises:
            UnappliableError: One cannot be decoded, or its keys cannot be told.
        """
        decode = self.projection.events.decode
        folds = self._folds
        work: _Work = []
        try:
            for recorded in events:
                fold = folds.get(recorded.type)
                if fold is None:
                    fold = self._pass_over(recorded)
                    if fold is None:
                        continue
                event = decode(recorded)
                work.append((fold, event, recorded, fold.keys(event, recorded)))
        except Exception as error:
            raise UnappliableError from error
        return work

    def _pass_over(self, recorded: Recorded) -> Fold | None:
        """Learn whether the type of an event is unknown or has no fold; the fold, if it has one."""
        name = recorded.type
        if name not in self._folds:
            try:
                event = self.projection.events.decode(recorded)
            except UnknownEventTypeError:
                self._folds[name] = None
            else:
                self._folds[name] = self.projection.folds.get(type(event))
        return self._folds[name]

    def _fold(self, connection: Connection, work: _Work) -> None:
        """Change the rows as *work* says."""
        rows = self._kept
        missing = list({key: None for _, _, _, keys in work for key in keys if key not in rows})
        try:
            if missing:
                rows |= dict.fromkeys(missing)
                if not self._all_kept:
                    rows |= self._rows.select(connection, missing)
            changed = self._folded(work, rows)
            if changed:
                self._rows.write(
                    connection,
                    [row for key, was in changed.items() if not was and (row := rows[key]) is not None],
                    [row for key, was in changed.items() if was and (row := rows[key]) is not None],
                    [key for key, was in changed.items() if was and rows[key] is None],
                )
        except Exception as error:
            if is_unavailable(error):
                raise
            raise UnappliableError from error
        if len(rows) > _KEPT_ROWS:
            self._all_kept = False
            self._kept = {key: rows[key] for key in changed} if len(changed) <= _KEPT_ROWS else {}

    def _folded(self, work: _Work, rows: dict[Key, Row | None]) -> dict[Key, bool]:
        """Fold *work* into *rows*; the keys of those that changed, and whether they were there before."""
        changed: dict[Key, bool] = {}
        width, blank = self._width, self._blank
        for fold, event, recorded, keys in work:
            apply = fold.apply
            for key in keys:
                old = rows[key]
                new = apply(old, event, recorded, key)
                if new is not old:
                    if new is not None and len(new) != width:
                        new = blank | new
                        if len(new) != width:
                            message = f"{self.name} has no columns {sorted(new.keys() - blank.keys())}"
                            raise KeyError(message)
                    rows[key] = new
                    if key not in changed:
                        changed[key] = old is not None
        return changed


async def save_passed(views: Views, projectors: Sequence[Projector]) -> None:
    """As `Projector.save` for all of *projectors*, in one statement; who is at work saves its own with its rows.

    Raises:
        StoreUnavailableError: The database is away.
    """
    idle = [each for each in projectors if each.ledger.has_passed and not each.turn.locked()]
    for new in [each for each in idle if not each.ledger.begun]:
        await new.save()
    async with AsyncExitStack() as turns:
        waiting = [each for each in idle if each.ledger.has_passed and not each.turn.locked()]
        for each in waiting:
            await turns.enter_async_context(each.turn)
        # whoever had the turn before may have loaded it, or gone on into a partition that has no row yet
        ready = [each for each in waiting if each.ledger.has_passed and each.ledger.begun]
        if ready:
            fenced = await views.write(move_all, [each.ledger for each in ready])
            for each in ready:
                each.saved(fenced=each.name in fenced)
