"""`concordat demo load`: the history into the logs of an installation of its own."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from datetime import UTC, datetime, timedelta
from itertools import chain, islice
from typing import Any, Final

from libs.events import relay, timers
from libs.events.bus import MEASUREMENTS
from libs.events.errors import ConflictError, ReservedError
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.events.store import AppendRequest, EventLog, Lease, Store
from services.cli.demo.chronicle import Chronicle, event_id
from services.cli.demo.history import FIRST, history
from services.cli.demo.minutes import minutes
from services.cli.demo.organisation import DAYS
from services.cli.demo.reliability import WINDOW_DAYS, measured
from services.cli.demo.world import World
from services.cli.errors import NO, CliError

Line = dict[str, Any]

_AT_ONCE: Final = 250  # requests in one transaction of the log
_DAYS_AT_ONCE: Final = 7  # of one service: some 10,000 records
_AS_LONG_AS_IT_TAKES_S: Final = 120.0


async def load(services: Mapping[str, Resources], *, seed: int, until: str = "") -> AsyncGenerator[Line]:
    """Write what is not there yet; the lines say how far it is, the summary what was done.

    Args:
        services: Those whose logs are within reach.
        seed: What the history follows from.
        until: The day after its last; today unless given, or what an earlier load began with.

    Raises:
        CliError: A log holds something else.
    """
    now = next(iter(services.values())).clock.now().astimezone(UTC)
    midnight = await today(services, seed, until, now)
    yield {"progress": {"label": "history", "done": 0, "total": 1}}
    world = await asyncio.to_thread(history, seed, midnight)
    yield {"progress": {"label": "history", "done": 1, "total": 1}}
    async with aclosing(write(services, world, now)) as lines:
        async for line in lines:
            yield line


async def write(
    services: Mapping[str, Resources], world: World, now: datetime, measured_days: int = WINDOW_DAYS
) -> AsyncGenerator[Line]:
    """Write what of *world* is not there yet, with measurements of so many days.

    While it is written nothing is published and no timer fires, so that nothing reacts to half a history.

    Raises:
        CliError: A log holds something else.
    """
    chronicles = {name: each for name, each in world.chronicles.items() if name in services}
    done = {"events": 0, "already_there": 0, "minutes_measured": 0}
    for name, chronicle in chronicles.items():
        await _only_ours(name, services[name].store, chronicle.requests())
    async with _alone([services[name] for name in chronicles]):
        for name, chronicle in chronicles.items():
            if name == "slo" and not await services[name].store.load(chronicle.last_stream):
                async for line in _measure(services[name], world, now, measured_days):
                    done["minutes_measured"] += line.pop("sent")
                    yield line
            async for line in _append(name, services[name].store, chronicle):
                for what, how_many in line.pop("kept").items():
                    done[what] += how_many
                yield line
    yield {"summary": {**world.figures, **done}}


async def _append(name: str, store: EventLog, chronicle: Chronicle) -> AsyncIterator[Line]:
    done, total = 0, chronicle.events
    for batch in _batches(chronicle.requests()):
        try:
            new = await asyncio.gather(*(store.append(each, deadline_s=_AS_LONG_AS_IT_TAKES_S) for each in batch))
        except (ConflictError, ReservedError) as error:
            message = f"{name}: {error}; the demo needs an installation of its own: name another --data-dir"
            raise CliError(message, NO) from error
        kept = {"events": 0, "already_there": 0}
        for request, appended in zip(batch, new, strict=True):
            kept["already_there" if appended.duplicate else "events"] += sum(len(w.events) for w in request.writes)
        done += sum(kept.values())
        yield {"progress": {"label": f"events of {name}", "done": done, "total": total}, "kept": kept}


async def today(services: Mapping[str, Resources], seed: int, until: str, now: datetime) -> datetime:
    """Midnight of the day after the history: what was asked for, else what an earlier load began with, else today."""
    if until:
        try:
            return datetime.fromisoformat(until).replace(tzinfo=UTC)
        except ValueError as error:
            message = f"--until is {until!r}; write a day like 2026-11-21"
            raise CliError(message, NO) from error
    if "lifecycle" in services:
        stream, hour = FIRST
        found = await services["lifecycle"].store.load(stream)
        if found and found[0].event_id == event_id(seed, stream, 1):
            return found[0].occurred_at + timedelta(days=DAYS, hours=-hour)
    return now.replace(hour=0, minute=0, second=0, microsecond=0)


async def _only_ours(name: str, store: EventLog, requests: Iterable[AppendRequest]) -> None:
    """Refuse a log that holds anything that is not this demo's."""
    first = next(iter(requests)).writes[0]
    if not await store.head():
        return
    found = await store.load(first.stream)
    if not found or found[0].event_id != first.events[0].event_id:
        message = (
            f"the log of {name} holds something else already, and the past can only be written before it: load the"
            " demo into an installation of its own (another --data-dir), or with the --seed of the demo that is there"
        )
        raise CliError(message, NO)


async def _measure(slo: Resources, world: World, now: datetime, days: int) -> AsyncIterator[Line]:
    """Publish the minutes; whoever sends them again changes nothing."""
    await slo.bus.ensure_topics([MEASUREMENTS])
    publisher, lists, done = slo.bus.publisher(), minutes(world, now, days), 0
    while records := await asyncio.to_thread(_some, lists):
        await publisher.publish(list(chain.from_iterable(records)), deadline_s=_AS_LONG_AS_IT_TAKES_S)
        done += len(records)
        progress = {"label": "measurements", "done": done, "total": len(measured()) * (days + 1)}
        yield {"progress": progress, "sent": sum(map(len, records))}


def _some(lists: Iterator[list[Any]]) -> list[list[Any]]:
    return list(islice(lists, _DAYS_AT_ONCE))


def _batches(requests: Iterator[AppendRequest]) -> Iterator[list[AppendRequest]]:
    """Requests that fit into one transaction in their order: none touches what another does."""
    batch: list[AppendRequest] = []
    touched: set[object] = set()
    for request in requests:
        touches = {write.stream for write in request.writes} | {
            (name.scope, name.key) for name in (*request.reserve, *request.release)
        }
        if len(batch) == _AT_ONCE or touched & touches or not request.writes:
            yield batch
            batch, touched = [], set()
        batch.append(request)
        touched |= touches
    yield batch


@asynccontextmanager
async def _alone(services: Iterable[Resources]) -> AsyncGenerator[None]:
    """Hold the roles of relay and timers, so that nothing reacts before everything is written."""
    held: list[tuple[Store, Lease]] = []
    try:
        for each in services:
            when_all_are_over = each.clock.now() + timedelta(seconds=2 * max(relay.LEASE_S, timers.LEASE_S))
            for role in (relay.LEASE, timers.LEASE):
                holder = f"demo/{new_id()}"
                lease = await each.store.acquire(role, holder, when_all_are_over, _AS_LONG_AS_IT_TAKES_S)
                if lease is not None:
                    held.append((each.store, lease))
        yield
    finally:
        for store, lease in held:
            await store.release(lease)
