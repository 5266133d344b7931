"""Blue/green: a new generation is filled from position 0 beside the one that serves, then takes its place at once.

The running worker rebuilds what is asked for in `generations`; whoever asks watches the row. A rebuild has no side
effects: it only writes its own table. Its generation's number is its fence: a second try takes the next number, and
what a stalled first one still writes finds its row gone.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection, Mapping, Sequence
from contextlib import aclosing, suppress

from sqlalchemy import Connection, delete, text, update
from sqlalchemy.exc import DBAPIError

from libs.events.backoff import stopped_within
from libs.events.bus import Consumer, Offsets, TopicPartition, events_topic
from libs.events.envelope import Recorded
from libs.events.errors import FencedError, RebuildFailedError, StoreUnavailableError
from libs.events.feeds import BATCH, bus_batches, service_of, store_batch
from libs.events.ids import new_id
from libs.events.ledger import Batch, Ledger, Place
from libs.events.projection import Projection
from libs.events.projector import Projector
from libs.events.resources import Resources
from libs.events.store import Lease
from libs.events.views import (
    Generation,
    Views,
    add_generation,
    drop_tables,
    lock_out_readers,
    read_generations,
    show_generation,
)
from libs.events.views_tables import CHECKPOINTS, DEAD_LETTERS, GENERATIONS

_LOG = logging.getLogger(__name__)

LEASE_S = 15.0
_REPORT_EVERY_S = 0.5
_WATCH_EVERY_S = 0.1
_NOBODY_TAKES_IT_S = 3.0  # then no worker runs, and whoever asked does it
_POLL_S = 0.2
_SWITCH_AGAIN_S = 1.0  # after one that reads did not let through


async def request_rebuild(views: Views, projection: Projection) -> None:
    """Ask a worker of the same code to rebuild *projection*; asking again while one does changes nothing."""
    await views.write(_request, projection)
    views.rebuild_asked.set()


def _request(connection: Connection, projection: Projection) -> None:
    _lock_serving(connection, projection.name)
    known = read_generations(connection, projection.name)
    others = [each for each in known if each.status != "serving"]
    if not any(each.status != "failed" and each.fingerprint == projection.fingerprint for each in others):
        _forget(connection, projection.name, [each.generation for each in others])
        add_generation(connection, projection, max(each.generation for each in known) + 1, "requested")


async def rebuilding(resources: Resources, *projections: Projection) -> AsyncGenerator[Generation]:
    """Rebuild *projections*, by the worker that runs or else here; gives the progress of each until it serves.

    All are asked for before the first is waited for: a worker of another process looks once for all of them.

    Raises:
        RebuildFailedError: An event cannot be applied; the old read model still serves.
    """
    await resources.views.start(projections)
    for projection in projections:
        await request_rebuild(resources.views, projection)
    for projection in sorted(projections, key=lambda each: each.name):  # as the worker goes through them
        async with aclosing(_watching(resources, projection)) as steps:
            async for step in steps:
                yield step


async def _watching(resources: Resources, projection: Projection) -> AsyncGenerator[Generation]:
    """The progress of a rebuild that was asked for; it is done here when nobody takes it."""
    clock = asyncio.get_running_loop().time
    last: Generation | None = None
    moved_at = clock()
    here: asyncio.Task[None] | None = None
    try:
        while True:
            *_, newest = await resources.views.read(read_generations, projection.name)
            if newest.status == "failed":
                raise RebuildFailedError(newest.error)
            yield newest
            if newest.status == "serving":
                return
            if newest != last:
                last, moved_at = newest, clock()
            if here is not None and here.done():
                here = here.result()
            if here is None and clock() - moved_at > _NOBODY_TAKES_IT_S:
                here = asyncio.create_task(_rebuild_unless_led(resources, projection))
            await asyncio.sleep(_WATCH_EVERY_S)
    finally:
        if here is not None:
            here.cancel()
            await asyncio.gather(here, return_exceptions=True)


async def rebuild(resources: Resources, projection: Projection, stop: asyncio.Event) -> None:
    """Fill a new generation of *projection*, and let it serve; until *stop*, which leaves it asked for.

    Raises:
        RebuildFailedError: An event cannot be applied; the old read model still serves.
        FencedError: Another process rebuilds it.
    """
    holder = f"rebuild/{new_id()}"
    lease = await _acquire(resources, projection, holder)
    try:
        generation = await _begin(resources.views, projection)
        try:
            finished = await _Rebuild(resources, projection, generation, holder).run(stop)
        except RebuildFailedError as error:
            _LOG.error("%s", error)
            await _note(resources.views, projection, generation, status="failed", error=str(error))
            raise
        if finished:
            _LOG.info("generation %s of %s serves", generation, projection.name)
            await _drop_old(resources.views, projection)
        else:
            await _note(resources.views, projection, generation, status="requested")
    finally:
        await resources.store.release(lease)


class _Rebuild:
    """One rebuild on its way."""

    def __init__(self, resources: Resources, projection: Projection, generation: int, holder: str) -> None:
        self._resources, self._projection, self._holder = resources, projection, holder
        self._generation = generation
        self._green = Projector(resources.views, projection, generation=generation, strict=True)
        others = [service for service in projection.sources if service != resources.service]
        self._sources: list[_StoreSource | _BusSource] = [_BusSource(resources, others)] if others else []
        if resources.service in projection.sources:
            self._sources.append(_StoreSource(resources))
        self._clock = asyncio.get_running_loop().time
        self._reported_at, self._reported_done = self._clock(), 0

    async def run(self, stop: asyncio.Event) -> bool:
        """Whether it serves now; False if it was stopped before."""
        await self._green.load()
        try:
            for source in self._sources:
                await source.open()
            await self._report()
            while not stop.is_set():
                if not await self._apply_more():
                    await self._report()
                    if await self._switch():
                        return True
                    await stopped_within(stop, _SWITCH_AGAIN_S)
                if self._clock() - self._reported_at > _REPORT_EVERY_S:
                    await self._report()
        finally:
            for source in self._sources:
                await source.close()
        return False

    async def _apply_more(self) -> bool:
        """Apply a batch of every source that has one; whether there was any."""
        found = [batches for source in self._sources if (batches := await source.read())]
        for batches in found:
            await self._green.apply(batches)
        return bool(found)

    async def _switch(self) -> bool:
        """Let the new generation serve, in one transaction in which the old one stands still; False if reads go on."""
        name = self._projection.name
        async with self._resources.views.begin() as run:
            try:
                await run(lock_out_readers)
            except DBAPIError as error:
                _LOG.info("%s is not switched yet, it is read: %s", name, error)
                return False
            blue = await run(self._lock_blue)
            ends = {place: end for source in self._sources for place, end in (await source.ends()).items()}
            with self._green.inside(run):
                while any(
                    self._green.ledger.next(place) < min(held.next, ends.get(place, 0))
                    for place, held in blue.checkpoints.items()
                ):
                    await self._apply_more()
            await run(lambda connection: self._show_green(connection, blue.generation))
        return True

    def _lock_blue(self, connection: Connection) -> Ledger:
        """Where the generation that serves stands; it stays there until the transaction ends."""
        name = self._projection.name
        blue = Ledger(name, _lock_serving(connection, name))
        blue.load(connection)
        return blue

    def _show_green(self, connection: Connection, blue: int) -> None:
        name = self._projection.name
        show_generation(connection, self._projection, self._generation)
        _forget(connection, name, [blue])
        _update(connection, name, self._generation, status="serving")

    async def _report(self) -> None:
        """Say how far it is, and keep the lease."""
        await _acquire(self._resources, self._projection, self._holder)
        ends = {place: end for source in self._sources for place, end in (await source.ends()).items()}
        before = {(self._resources.service, 0): 1}  # positions of a store start at 1
        done = sum(max(self._green.ledger.next(place) - before.get(place, 0), 0) for place in ends)
        total = sum(end - before.get(place, 0) for place, end in ends.items())
        now = self._clock()
        rate = (done - self._reported_done) / max(now - self._reported_at, 0.001)
        self._reported_at, self._reported_done = now, done
        await _note(self._resources.views, self._projection, self._generation, done=done, total=total, per_second=rate)


class _StoreSource:
    """The service's own log, read a page ahead."""

    def __init__(self, resources: Resources) -> None:
        self._store, self._service = resources.store, resources.service
        self._after = 0
        self._page: asyncio.Task[list[Recorded]] | None = None

    async def open(self) -> None:
        """Nothing to do."""

    async def read(self) -> list[Batch]:
        """The next page; nothing when there is none."""
        events = await (self._page or self._store.read(self._after, BATCH))
        self._page = None
        if not events:
            return []
        self._after = events[-1].position
        self._page = asyncio.create_task(self._store.read(self._after, BATCH))
        return [store_batch(self._service, self._store.epoch, events)]

    async def ends(self) -> Mapping[Place, int]:
        """The position after the last."""
        return {(self._service, 0): await self._store.head() + 1}

    async def close(self) -> None:
        """Read no further."""
        if self._page is not None:
            self._page.cancel()
            await asyncio.gather(self._page, return_exceptions=True)


class _BusSource:
    """Every partition of other services' topics, from offset 0, without a group."""

    def __init__(self, resources: Resources, services: Sequence[str]) -> None:
        self._bus, self._topics = resources.bus, [events_topic(service) for service in services]
        self._consumer: Consumer
        self._held: dict[TopicPartition, int] = {}
        self._ready: list[list[Batch]] = []

    async def open(self) -> None:
        """Begin at offset 0."""
        await self._bus.ensure_topics(self._topics)
        self._consumer = await self._bus.consumer(self._topics, None, _from_the_start)

    async def read(self) -> list[Batch]:
        """The next records; nothing when there are none."""
        while not self._ready:
            ends = await self._consumer.end_offsets()
            if ends and all(self._held.get(place, 0) >= end for place, end in ends.items()):
                return []
            polled = await self._consumer.poll(timeout_s=_POLL_S, max_records=BATCH)
            self._held |= {place: records[-1].offset + 1 for place, records in polled.items()}
            self._ready = list(bus_batches(polled))
        return self._ready.pop(0)

    async def ends(self) -> Mapping[Place, int]:
        """Per partition, the offset after the last record."""
        ends = await self._consumer.end_offsets()
        return {(service_of(place.topic), place.partition): end for place, end in ends.items()}

    async def close(self) -> None:
        """Read no further."""
        await self._consumer.close()


async def _from_the_start(partitions: Collection[TopicPartition]) -> Offsets:
    return dict.fromkeys(partitions, 0)


async def _rebuild_unless_led(resources: Resources, projection: Projection) -> None:
    """Rebuild here, unless somebody else does; how it ends stands in its row."""
    with suppress(FencedError, RebuildFailedError):
        await rebuild(resources, projection, asyncio.Event())


async def _acquire(resources: Resources, projection: Projection, holder: str) -> Lease:
    """Take or keep the lease on the rebuild of *projection*."""
    name = f"rebuild/{projection.name}"
    lease = await resources.store.acquire(name, holder, resources.clock.now(), LEASE_S)
    if lease is None:
        message = f"{projection.name} is rebuilt by another process"
        raise FencedError(message)
    return lease


async def _begin(views: Views, projection: Projection) -> int:
    """Make an empty generation; what an earlier try left is gone."""

    def begin(connection: Connection) -> int:
        name = projection.name
        serving = _lock_serving(connection, name)
        known = read_generations(connection, name)
        newest = known[-1]
        number = newest.generation + (0 if newest.status == "requested" else 1)
        _forget(connection, name, [each.generation for each in known if each.generation != serving])
        drop_tables(connection, projection, keep=[serving])
        add_generation(connection, projection, number, "building")
        return number

    return await views.write(begin)


async def _drop_old(views: Views, projection: Projection) -> None:
    """Drop the table that served before; if readers hold it too long, the next rebuild does."""

    def drop(connection: Connection) -> None:
        if views.is_postgres:
            connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        keep = [each.generation for each in read_generations(connection, projection.name)]
        drop_tables(connection, projection, keep)

    try:
        await views.write(drop)
    except StoreUnavailableError as error:
        _LOG.warning("the old table of %s stays for now: %s", projection.name, error)


def _lock_serving(connection: Connection, name: str) -> int:
    """The number of the generation that serves; whoever writes it waits until the transaction ends."""
    locked = connection.execute(_LOCK_SERVING, {"name": name})
    return locked.scalar_one()


def _forget(connection: Connection, name: str, generations: Sequence[int]) -> None:
    """Delete what is known of *generations*; whoever still fills one is fenced."""
    for table, consumer in ((GENERATIONS, "projection"), (CHECKPOINTS, "consumer"), (DEAD_LETTERS, "consumer")):
        connection.execute(delete(table).where(table.c[consumer] == name, table.c.generation.in_(generations)))


async def _note(views: Views, projection: Projection, generation: int, **values: object) -> None:
    await views.write(_update, projection.name, generation, **values)


def _update(connection: Connection, name: str, generation: int, **values: object) -> None:
    g = GENERATIONS.c
    connection.execute(update(GENERATIONS).where(g.projection == name, g.generation == generation).values(**values))


_LOCK_SERVING = text(
    "UPDATE generations SET writes = writes + 1 WHERE projection = :name AND status = 'serving' RETURNING generation"
)
