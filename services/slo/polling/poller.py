"""The worker's asker of sources: every minute what is new, beside it what was asked of the past.

One process polls a source at a time, by a lease. It publishes what it read as any sender would, and then saves how far
it is (`polls.py`): a process that dies in between is followed by one that reads the same again.
"""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Final, NamedTuple

from prometheus_client import Counter, Gauge
from sqlalchemy import Connection, select

from libs.events.backoff import PASSING, Backoff, stopped_within, unless_stopped
from libs.events.codec import convert
from libs.events.envelope import Context, Metadata
from libs.events.errors import ConflictError, FencedError
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.events.store import Lease
from services.slo.config import SloSettings
from services.slo.contract import SOURCE
from services.slo.domain.source.commands import NoteFailure, NoteSuccess, Settings
from services.slo.measurements.topic import Measurement, publish
from services.slo.polling.polls import Done, Poll, due, note_poll, save, time_of
from services.slo.projections.sources import SOURCES
from services.slo.prometheus import (
    Fault,
    Query,
    Refused,
    Secrets,
    SourceError,
    Span,
    indicator_of,
    newest,
    read_on,
)

if TYPE_CHECKING:
    from services.slo.prometheus.client import PrometheusSource

LEASE_S: Final = 15.0
_LOOK_EVERY_S: Final = 1.0  # for sources and backfills that are new
_MOST_LABELS: Final = 200
_PROBE: Final = Query("vector(1)", "address")
_ACTOR: Final = Metadata(actor="slo", auth_method="polling")
_LOG = logging.getLogger(__name__)

BUCKETS = Counter("concordat_slo_source_buckets", "Buckets read from a source", ["source"])
FAILURES = Counter("concordat_slo_source_failures", "Reads of a source that gave nothing usable", ["source"])
UP = Gauge("concordat_slo_source_up", "Whether the source gave what it was asked for last", ["source"])
LAG = Gauge("concordat_slo_source_lag_seconds", "Age of the newest minute that was read", ["source"])


class _Source(NamedTuple):
    name: str
    revision: int


class Poller:
    """Polls every source that is defined, until it is stopped."""

    def __init__(self, resources: Resources, settings: SloSettings) -> None:
        self._resources = resources
        self._settings = settings
        self._holder = f"poller/{new_id()}"

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the sources as they are defined, changed and retired; each is polled by a task of its own."""
        following: dict[_Source, asyncio.Event] = {}
        async with asyncio.TaskGroup() as group:
            try:
                while not stop.is_set():
                    wanted = await self._resources.views.read(_wanted)
                    for gone in following.keys() - wanted.keys():
                        following.pop(gone).set()
                    for source in wanted.keys() - following.keys():
                        ends = following[source] = asyncio.Event()
                        group.create_task(self._follow(source, wanted[source], ends))
                    await stopped_within(stop, _LOOK_EVERY_S)
            finally:
                for ends in following.values():
                    ends.set()

    async def _follow(self, source: _Source, settings: Settings, stop: asyncio.Event) -> None:
        """Poll while the lease on *source* is this process's."""
        backoff = Backoff()
        while not stop.is_set():
            lease: Lease | None = None
            try:
                lease = await self._lease(source)
                if lease is not None:
                    await self._poll(source, settings, lease, stop)
                backoff.succeeded()
            except FencedError:
                _LOG.info("another process polls %s now", source.name)
            except SourceError as error:
                await note(self._resources, source.name, error.fault, None, self._resources.clock.now())
            except (*PASSING, ConflictError) as error:
                _LOG.warning("polling of %s waits: %s", source.name, error)
                await backoff.pause(stop)
            finally:
                if lease is not None:
                    with suppress(*PASSING):
                        await self._resources.store.release(lease)
            await stopped_within(stop, LEASE_S / 3)

    async def _lease(self, source: _Source) -> Lease | None:
        resources = self._resources
        return await resources.store.acquire(f"source/{source.name}", self._holder, resources.clock.now(), LEASE_S)

    async def _poll(self, source: _Source, settings: Settings, lease: Lease, stop: asyncio.Event) -> None:
        if not self._settings.may_ask(settings.address):
            raise SourceError(Fault("source-not-allowed", "address", f"{settings.address} is not among the hosts"))
        from services.slo.prometheus.client import open_source  # noqa: PLC0415  httpx, where it is used

        async with open_source(settings, Secrets(self._settings.secrets)) as prometheus:
            turns = Turns(self._resources, source.name, settings, prometheus)
            while not stop.is_set():
                renewed = await self._lease(source)
                if renewed is None or renewed.fence != lease.fence:
                    raise FencedError(lease.name)
                if not await turns.take(stop):
                    await stopped_within(stop, _LOOK_EVERY_S)


class Turns:
    """The polling of one source, a turn after the other: all that is new, and a part of each of some backfills."""

    def __init__(self, resources: Resources, source: str, settings: Settings, prometheus: "PrometheusSource") -> None:
        self._resources, self._source, self._settings = resources, source, settings
        self._prometheus = prometheus
        self._failed: dict[tuple[str, str], int] = {}  # at which minute; it is tried again in the next
        self._noted = 0

    async def take(self, stop: asyncio.Event) -> bool:
        """Read what is due; whether anything was."""
        now = self._resources.clock.now()
        end = newest(now, self._settings.settle_s)
        at_once = 2 * self._settings.concurrency  # some wait for the source, some are worked on
        asked = await self._resources.views.read(due, self._source, end)
        polls = [poll for poll in asked if self._failed.get((poll.slo, poll.kind), 0) < end]
        live = [poll for poll in polls if poll.kind == "live"]
        polls = live + [poll for poll in polls if poll.kind == "backfill"][:at_once]
        found: list[Done] = []
        for first in range(0, len(polls), at_once):
            some = await self._read(polls[first : first + at_once], now, end, stop)
            found += some
            if not some or all(done.fault and done.fault.of_source for done in some):
                break  # the others would meet the same
        if live and not stop.is_set():
            await self._tell([done for done in found if done.poll.kind == "live"], now)
        elif end > self._noted and not any(poll.kind == "live" for poll in asked):
            await self._probe(end, now)
        self._noted = end
        return bool(polls)

    async def _read(self, polls: Sequence[Poll], now: datetime, end: int, stop: asyncio.Event) -> list[Done]:
        """The next part of each, published and then saved; nothing when *stop* is set meanwhile."""
        nothing: list[tuple[Done, list[Measurement]]] = []
        revision = int(now.timestamp() * 1_000_000)
        found = await unless_stopped(stop, self._ask_all(polls, revision), otherwise=nothing)
        await publish(self._resources.bus.publisher(), (each for _, some in found for each in some))
        BUCKETS.labels(_label(self._source)).inc(sum(len(some) for _, some in found))
        done = [each for each, _ in found]
        await self._resources.views.write(save, done)
        failed = [each.poll for each in done if each.failed]
        FAILURES.labels(_label(self._source)).inc(len(failed))
        self._failed |= {(poll.slo, poll.kind): end for poll in failed}
        return done

    async def _ask_all(self, polls: Sequence[Poll], revision: int) -> list[tuple[Done, list[Measurement]]]:
        return await asyncio.gather(*(self._ask(poll, revision) for poll in polls))

    async def _ask(self, poll: Poll, revision: int) -> tuple[Done, list[Measurement]]:
        try:
            async for progress, reading in read_on(self._prometheus, indicator_of(poll.sli), poll.progress):
                measurements = list(reading.measurements(poll.slo, self._source, revision))
                return Done(poll, progress, _gathered(reading.refused)), measurements
        except SourceError as error:
            return Done(poll, poll.progress, error.fault), []
        return Done(poll, poll.progress, None), []

    async def _probe(self, end: int, now: datetime) -> None:
        """Ask the source something simple, since no SLO asks it anything."""
        try:
            await self._prometheus.values(_PROBE, Span(end - 1, end))
        except SourceError as error:
            await note(self._resources, self._source, error.fault, None, now)
        else:
            await note(self._resources, self._source, None, end, now)

    async def _tell(self, found: Sequence[Done], now: datetime) -> None:
        """Say how the source is, by what became of the live polls."""
        read = [done.progress.done for done in found if not done.failed]
        fault = next((done.fault for done in found if done.fault), None)
        await note(self._resources, self._source, None if read else fault, max(read, default=None), now)


async def note(resources: Resources, source: str, fault: Fault | None, read_until: int | None, now: datetime) -> None:
    """Keep when *source* was asked, and say if its health changed.

    Args:
        resources: The service's adapters.
        source: Its name.
        fault: Why it gave nothing; None if it did.
        read_until: The minute behind the newest that was read; None if none was.
        now: When it was asked.
    """
    before = await resources.views.write(note_poll, source, now, read_until)
    command: NoteSuccess | NoteFailure
    if fault is not None or read_until is None:
        fault = fault or Fault("source-unavailable", "address", "it gave nothing")
        command = NoteFailure(source, fault.code, fault.place, fault.detail, fault.remedy, before, now)
    else:
        command = NoteSuccess(source, time_of(read_until), now)
        LAG.labels(_label(source)).set((now - command.read_until).total_seconds())
    UP.labels(_label(source)).set(isinstance(command, NoteSuccess))
    await resources.handler.handle(SOURCE, source, command, Context.of_request(now, _ACTOR))


def _gathered(refused: Sequence[Refused]) -> Fault | None:
    if not refused:
        return None
    first, minutes = refused[0], sum(each.minutes for each in refused)
    detail = f"{first.fault.detail} at {time_of(first.first).isoformat()}; so {minutes} min are not counted"
    return Fault(first.fault.code, first.fault.place, detail)


def _wanted(connection: Connection) -> dict[_Source, Settings]:
    found = {_Source(row.source, row.revision): convert(row.settings, Settings) for row in connection.execute(_WANTED)}
    return {source: settings for source, settings in found.items() if settings.kind == "prometheus"}


_S = SOURCES.view.c
_WANTED = select(_S.source, _S.revision, _S.settings).where(_S.state != "retired")


def _label(source: str) -> str:
    """The source in metrics: those beyond a number are one, so that metrics stay bounded."""
    if len(_LABELS) < _MOST_LABELS:
        _LABELS.add(source)
    return source if source in _LABELS else "(other)"


_LABELS: set[str] = set()
