"""The worker's reader of measurements: keeps them, and says what they mean.

What is needed to evaluate an SLO stays in memory (`book.py`): it is read when the SLO is first evaluated and follows
the measurements from then on, so a tick reads next to nothing.

Members of the group share the partitions of the topic. A partition's owner alone takes its measurements in and alone
evaluates the SLOs that lie in it; that two processes once believe to own it harms nothing, since buckets move with
the checkpoint and assessments with the version of their stream.
"""

import asyncio
import logging
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Final, TypeVar

from prometheus_client import Counter, Gauge
from sqlalchemy import Connection, select

from libs.events.backoff import PASSING, Backoff, unless_stopped
from libs.events.bus import MEASUREMENTS, BusRecord, Consumer, Offsets, TopicPartition
from libs.events.envelope import Context, Metadata
from libs.events.errors import ConflictError, FencedError
from libs.events.ledger import Checkpoint, Ledger
from libs.events.resources import Resources
from services.slo.config import SloSettings
from services.slo.contract import BUDGET
from services.slo.domain.budget.commands import Assess
from services.slo.domain.budget.decider import Budget
from services.slo.domain.day_sums import MissingDayError
from services.slo.domain.windows import minute_at
from services.slo.evaluation import assessment, complete_composites, excused_too, fill, first_wants, lacking
from services.slo.measurements.book import Book, Promised
from services.slo.measurements.buckets import inputs, journaled, merge, partition_of_slo, read, take_in
from services.slo.measurements.composite_book import CompositeBook, read_into
from services.slo.measurements.retention import kept, longer, prune
from services.slo.measurements.topic import decode
from services.slo.projections.said import said_of
from services.slo.projections.slo_alerts import SLO_ALERTS
from services.slo.projections.slos import SLOS

GROUP: Final = "slo.measurements"
_RECORDS = 10_000  # per transaction
_STEADY_S = 1.0  # data that keeps coming is evaluated this often
_NAMED = 1_000  # more than so many are not named in a query
_AT_ONCE = 64  # appends that wait for one commit
_CATCH_UP_S = 5.0  # for read models; else every stream is read
_ASSESSED = 100  # SLOs, some 5 ms, before others have their turn
_READ = 500  # SLOs that are read at once
_READS = 2  # such questions at a time: one is on its way while the other is unpacked
_COMPOSITES = 50  # that are read at once
_ROWS, _ENTRIES, _MERGE_AFTER_MIN = 256, 30_000, 60  # of a partition's journal, which is then merged
_PRUNE_EVERY = timedelta(hours=1)
T = TypeVar("T")
_ACTOR = Metadata(actor="slo", auth_method="evaluation")
_LOG = logging.getLogger(__name__)

TAKEN = Counter("concordat_measurements_taken", "Measurements kept")
REFUSED = Counter("concordat_measurements_refused", "Records on the measurements topic that hold no measurement")
TOO_LATE = Counter("concordat_measurements_too_late", "Measurements of days whose minutes are no longer kept")
EVALUATION_SECONDS = Gauge("concordat_slo_evaluation_seconds", "How long the last evaluation took")

Records = Mapping[TopicPartition, Sequence[BusRecord]]


class Collector:
    """Takes measurements in and evaluates the SLOs they belong to, until it is stopped."""

    def __init__(self, resources: Resources, settings: SloSettings) -> None:
        self._resources = resources
        self._settings = settings
        self._ledger = Ledger(GROUP, 0)
        self._said: dict[str, Budget] = {}  # what is known to stand in the streams of owned SLOs
        self._promises: dict[str, Promised] = {}
        self._books: dict[str, Book] = {}
        self._composites: dict[str, CompositeBook] = {}
        self._journaled: dict[int, tuple[int, int, int]] = {}  # rows, measurements, since which minute
        self._tidied_on = self._pruned_at = datetime.min.replace(tzinfo=UTC)
        self._dirty: set[str] = set()
        self._dirty_since = self._ticked_at = float("-inf")

    async def run(self, stop: asyncio.Event) -> None:
        """Work until *stop*; what is in hand is committed first."""
        backoff = Backoff()
        while not stop.is_set():
            try:
                await self._consume(stop, backoff)
            except FencedError as error:
                _LOG.info("%s starts again: %s", GROUP, error)
            except PASSING as error:
                _LOG.warning("%s waits: %s", GROUP, error)
                await backoff.pause(stop)

    async def _consume(self, stop: asyncio.Event, backoff: Backoff) -> None:
        consumer = await self._resources.bus.consumer([MEASUREMENTS], GROUP, self._load)
        self._said.clear()
        self._books.clear()
        self._composites.clear()
        try:
            while not stop.is_set():
                poll = consumer.poll(timeout_s=self._patience_s(), max_records=_RECORDS)
                nothing: Records = {}
                records = await unless_stopped(stop, poll, otherwise=nothing)
                await self._take(records)
                await self._evaluate_if_due(consumer, settled=not records)
                await self._merge_if_due()
                await self._prune_if_due(consumer)
                backoff.succeeded()
        finally:
            await consumer.close()

    async def _load(self, partitions: Collection[TopicPartition]) -> Offsets:
        await self._resources.views.read(self._ledger.load)
        numbers = {each.partition for each in partitions}
        self._books = {slo: book for slo, book in self._books.items() if partition_of_slo(slo) not in numbers}
        self._composites.clear()  # whose components may have been measured elsewhere until now
        self._journaled |= await self._resources.views.read(journaled, numbers)
        return {each: self._ledger.next((GROUP, each.partition)) for each in partitions}

    async def _take(self, records: Records) -> None:
        """Keep the measurements and move the checkpoints, in one transaction."""
        if not records:
            return
        decoded = [decode(record.value) for some in records.values() for record in some]
        measurements = [measurement for measurement in decoded if measurement is not None]
        moves = {
            (GROUP, place.partition): Checkpoint("", some[-1].offset + 1, some[-1].offset)
            for place, some in records.items()
            if some
        }

        def keep(connection: Connection) -> None:
            self._ledger.advance(connection, moves)
            take_in(connection, measurements, now)

        now = self._resources.clock.now()
        await self._resources.views.write_long(keep)
        self._ledger.committed(moves, ())
        TAKEN.inc(len(measurements))
        REFUSED.inc(len(decoded) - len(measurements))
        taken: dict[str, list[tuple[int, str, int, int]]] = defaultdict(list)
        for each in measurements:
            if each.slo in self._books:
                taken[each.slo].append((each.minute, each.source, each.good, each.total))
        for slo, some in taken.items():
            self._books[slo].take_many(some)
        if not self._dirty:
            self._dirty_since = _clock()
        for composite in self._composites.values():
            for slo in composite.keys & taken.keys():
                composite.take_many(slo, taken[slo])
        for place, some in records.items():
            rows, entries, since = self._journaled.get(place.partition, (0, 0, minute_at(now)))
            self._journaled[place.partition] = rows + 1, entries + len(some), since
        self._dirty.update([each.slo for each in measurements])

    def _patience_s(self) -> float:
        """How long to wait for records before something else is due."""
        if self._dirty:
            return self._settings.settle_s
        return min(max(self._ticked_at + self._settings.tick_s - _clock(), 0.0), 1.0)

    async def _evaluate_if_due(self, consumer: Consumer, *, settled: bool) -> None:
        now = _clock()
        if now - self._ticked_at >= self._settings.tick_s:
            self._ticked_at = now
            await self._evaluate(consumer, None)
        elif self._dirty and (settled or now - self._dirty_since >= _STEADY_S):
            await self._evaluate(consumer, self._dirty)

    async def _evaluate(self, consumer: Consumer, slos: Collection[str] | None) -> None:
        """Say what the buckets mean for *slos* (None: all) that this process owns."""
        started = _clock()
        at = self._resources.clock.now()
        owned = {place.partition for place in consumer.assignment()}
        self._dirty = set()
        promises = [each for each in await self._promised(slos) if partition_of_slo(each.slo) in owned]
        self._said = {slo: said for slo, said in self._said.items() if partition_of_slo(slo) in owned}
        await self._recall([promised.slo for promised in promises])
        books = await self._opened([each for each in promises if not each.terms.parts], at)
        incomplete: dict[str, Book] = {}
        for some in _batches(list(books.items()), _ASSESSED):
            news: list[Assess] = []
            for slo, book in some:
                try:
                    assess = assessment(book, at, self._settings.assess_every)
                except MissingDayError:
                    incomplete[slo] = book
                else:
                    if self._is_news(assess):
                        news.append(assess)
            await self._say_all(news)
            await asyncio.sleep(0)
        await self._complete(incomplete, at)
        for some in _batches(list(incomplete.values()), _ASSESSED):
            assessed = [assessment(book, at, self._settings.assess_every) for book in some]
            await self._say_all([assess for assess in assessed if self._is_news(assess)])
        if slos is None:  # what composites are weighed from comes at any time, so they wait for the tick
            composites = await self._assess_composites([each for each in promises if each.terms.parts], owned, at)
            self._tidy([*books.values(), *composites], at)
        EVALUATION_SECONDS.set(_clock() - started)

    async def _promised(self, slos: Collection[str] | None) -> list[Promised]:
        """*slos* as they are defined now (None: all); definitions are read once for each revision."""
        view = SLOS.view.c
        query = select(view.slo, view.revision).where(view.service.is_not(None), view.ended_at.is_(None))
        if slos is not None and len(slos) <= _NAMED:
            query = query.where(view.slo.in_(sorted(slos)))

        def revisions(connection: Connection) -> dict[str, int]:
            return {slo: revision for slo, revision in connection.execute(query) if slos is None or slo in slos}

        def definitions(connection: Connection, slos: Sequence[str]) -> list[Promised]:
            rows = select(SLOS.view).where(view.slo.in_(slos))
            return [Promised.of(row) for row in connection.execute(rows).mappings() if row["definition"]]

        found = await self._resources.views.read_long(revisions)
        known = self._promises
        new = [slo for slo, revision in found.items() if slo not in known or known[slo].revision != revision]
        for some in _batches(new, _READ):
            known.update({each.slo: each for each in await self._resources.views.read_long(definitions, some)})
        if slos is None:
            self._promises = {slo: each for slo, each in known.items() if slo in found}
            self._books = {slo: book for slo, book in self._books.items() if slo in found}
            self._composites = {slo: book for slo, book in self._composites.items() if slo in found}
        held = [known[slo] for slo in found if slo in known]
        promises = await self._resources.views.read_long(excused_too, held)
        known.update({each.slo: each for each in promises})
        return promises

    async def _recall(self, slos: Sequence[str]) -> None:
        """Learn what was said of *slos* before this process had them; of a few, their streams tell."""
        new = [slo for slo in slos if slo not in self._said]
        if len(new) <= _AT_ONCE:
            return
        store, views = self._resources.store, self._resources.views
        head = await store.head()
        waits = (views.wait_applied(p.name, "slo", store.epoch, 0, head, _CATCH_UP_S) for p in (SLOS, SLO_ALERTS))
        if all(await asyncio.gather(*waits)):
            for some in _batches(new, _READ):
                self._said |= await views.read_long(said_of, some)

    async def _opened(self, promises: Collection[Promised], at: datetime) -> dict[str, Book]:
        """The books of *promises*, in memory from now on."""
        new: dict[str, Book] = {}
        for promised in promises:
            book = self._books.get(promised.slo)
            if book is None or not book.holds_for(promised, at):
                new[promised.slo] = Book(promised, at)
        for parts in _batches(list(_by_partition(new)), _READS):
            wants = [first_wants(some, at) for some in parts]
            reads = (self._resources.views.read_long(read, each) for each in wants)
            for some, each, found in zip(parts, wants, await asyncio.gather(*reads), strict=True):
                fill(some, each, found)
                self._books |= some
        return {promised.slo: self._books[promised.slo] for promised in promises}

    async def _assess_composites(
        self, promises: Sequence[Promised], owned: Collection[int], at: datetime
    ) -> list[CompositeBook]:
        """Say what composites come to; what another process takes in is read anew when it changed."""
        views = self._resources.views
        held = [book for each in promises if (book := self._composites.get(each.slo)) is not None]
        elsewhere = {key for book in held for key in book.keys if partition_of_slo(key) not in owned}
        taken = await views.read_long(inputs, elsewhere) if elsewhere else {}
        assessed: list[CompositeBook] = []
        for some in _batches(promises, _COMPOSITES):
            books: list[CompositeBook] = []
            new: list[CompositeBook] = []
            for promised in some:
                book = self._composites.get(promised.slo)
                if book is None or not book.holds_for(promised, at) or book.is_behind(taken, elsewhere):
                    book = self._composites[promised.slo] = CompositeBook(promised, at)
                    new.append(book)
                books.append(book)
            await views.read_long(read_into, [want for book in new for want in book.first_wants(at)])
            await views.read_long(complete_composites, books, at)
            found = await asyncio.to_thread(_assessments, books, at, self._settings.assess_every)
            await self._say_all([assess for assess in found if self._is_news(assess)])
            assessed += books
        return assessed

    async def _complete(self, books: Mapping[str, Book], at: datetime) -> None:
        for some in _by_partition(books):
            while wants := lacking(some, at):
                fill(some, wants, await self._resources.views.read_long(read, wants))

    def _tidy(self, books: Iterable[Book | CompositeBook], at: datetime) -> None:
        """Once a day, forget what no window reaches any more."""
        if at.date() != self._tidied_on.date():
            self._tidied_on = at
            for book in books:
                book.tidy(at)

    async def _merge_if_due(self) -> None:
        """Merge the journal of the partition that needs it most."""
        now = self._resources.clock.now()
        for partition, (rows, entries, since) in self._journaled.items():
            if rows >= _ROWS or entries >= _ENTRIES or minute_at(now) - since >= _MERGE_AFTER_MIN:
                TOO_LATE.inc(await self._resources.views.write_long(merge, partition, now))
                del self._journaled[partition]
                return

    async def _prune_if_due(self, consumer: Consumer) -> None:
        """Every hour, remove what is kept no longer; the owner of the first partition does."""
        now = self._resources.clock.now()
        if now - self._pruned_at < _PRUNE_EVERY or not any(p.partition == 0 for p in consumer.assignment()):
            return
        self._pruned_at = now
        await self._resources.views.write_long(prune, now, kept(self._settings), longer(self._promises.values()))

    async def _say_all(self, news: Sequence[Assess]) -> None:
        for some in _batches(news, _AT_ONCE):
            for done in await asyncio.gather(*map(self._say, some), return_exceptions=True):
                if isinstance(done, ConflictError):
                    _LOG.info("another process says it: %s", done)
                elif done is not None:
                    raise done

    def _is_news(self, assess: Assess) -> bool:
        said = self._said.get(assess.figures.slo)
        return said is None or bool(BUDGET.decide(assess, said))

    async def _say(self, assess: Assess) -> None:
        slo = assess.figures.slo
        context = Context.of_request(assess.at, _ACTOR)
        outcome = await self._resources.handler.handle(BUDGET, slo, assess, context)
        self._said[slo] = outcome.state


def _assessments(books: Sequence[CompositeBook], at: datetime, quiet_for: timedelta) -> list[Assess]:
    """Takes some 0.2 ms for each component."""
    return [assessment(book, at, quiet_for) for book in books]


def _by_partition(books: Mapping[str, Book]) -> Iterator[dict[str, Book]]:
    """*books* in parts that are read at once; those of one partition share its journal."""
    ordered = sorted(books, key=lambda slo: (partition_of_slo(slo), slo))
    for _, slos in groupby(ordered, key=partition_of_slo):
        for some in _batches(list(slos), _READ):
            yield {slo: books[slo] for slo in some}


def _batches(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _clock() -> float:
    return asyncio.get_running_loop().time()
