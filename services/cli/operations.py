"""What an operator does to logs and read models: every operation is a stream of JSON lines.

A line is `{"progress": {"label", "done", "total"}}`, `{"item": {...}}` or `{"summary": {...}}`. The same lines come
from a server that holds the data directory (`control.py`) and from a command that opened it itself.
"""

import asyncio
import base64
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec

from libs.events.backoff import stopped_within
from libs.events.deadletter import Letter, count_letters, letters
from libs.events.envelope import Recorded
from libs.events.errors import ConflictError, PoisonError, SetupError
from libs.events.ids import new_id
from libs.events.projection import Projection
from libs.events.rebuild import rebuilding
from libs.events.registry import EventRegistry
from libs.events.relay import Relay
from libs.events.resources import Resources
from libs.events.settings import Settings
from libs.events.store import AppendRequest, EventLog, NewEvent, StreamWrite
from libs.events.worker import Worker
from services.cli.errors import USAGE, CliError

Line = dict[str, Any]
Operation = Callable[..., AsyncGenerator[Line]]

_BATCH = 2_000
_EXPORT_FORMAT = 1
_LOOK_EVERY_S = 0.1


@dataclass(frozen=True, slots=True)
class Part:
    """One service as an operator sees it: its settings, adapters and projections, and the worker, which may run."""

    settings: Settings
    resources: Resources
    projections: Sequence[Projection]
    worker: Worker


Platform = Mapping[str, Part]


def operate(platform: Platform, operation: str, arguments: Mapping[str, Any]) -> AsyncGenerator[Line]:
    """The lines of one operation on *platform*.

    Raises:
        CliError: No such operation.
    """
    try:
        run = OPERATIONS[operation]
    except KeyError:
        message = f"this server does not know the operation {operation!r}; use the same version on both sides"
        raise CliError(message, USAGE) from None
    return run(platform, **arguments)


async def events_tail(
    platform: Platform, *, service: str = "", after: int = 0, limit: int = 0, follow: bool = False
) -> AsyncGenerator[Line]:
    """Events in the order of the log, one service after the other; with *follow* also those to come."""
    parts = _chosen(platform, service)
    held = dict.fromkeys(parts, after)
    count = 0
    while True:
        for name, part in parts.items():
            while page := await part.resources.store.read(held[name], _BATCH):
                for recorded in page:
                    yield {"item": _shown(name, recorded)}
                    count += 1
                    if limit and count >= limit:
                        return
                held[name] = page[-1].position
        if not follow:
            return
        waits = [asyncio.ensure_future(p.resources.store.wait(held[n], 1.0)) for n, p in parts.items()]
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        await asyncio.gather(*waits)


async def events_export(platform: Platform, *, file: str, service: str = "") -> AsyncGenerator[Line]:
    """Whole logs as JSON lines, with all that `events import` needs to make the same logs again."""
    count = 0
    with Path(file).open("wb") as out:  # noqa: ASYNC230  a local file, a page at a time
        for name, part in _chosen(platform, service).items():
            store = part.resources.store
            head = await store.head()
            out.write(_json({"service": name, "epoch": store.epoch, "format": _EXPORT_FORMAT, "head": head}))
            async for page in _pages(store):
                out.writelines(map(_exported, page))
                count += len(page)
                yield {"progress": {"label": f"export {name}", "done": page[-1].position, "total": head}}
    yield {"summary": {"exported": count, "file": file}}


async def events_import(platform: Platform, *, file: str) -> AsyncGenerator[Line]:
    """Append what `events export` wrote; events that are there already are passed over, so it may be repeated."""
    imported = known = read = 0
    store: EventLog | None = None
    size = Path(file).stat().st_size  # noqa: ASYNC240  as above
    with Path(file).open("rb") as lines:  # noqa: ASYNC230  as above
        for number, raw in enumerate(lines, 1):
            read += len(raw)
            try:
                line = msgspec.json.decode(raw)
                if "format" in line:
                    store = _only(platform, line["service"]).resources.store
                    continue
                request = _imported(line)
            except (msgspec.MsgspecError, KeyError, TypeError, ValueError) as error:
                message = f"{file}:{number}: not a line of an export ({error}); nothing from here on was imported"
                raise SetupError(message) from error
            if store is None:
                message = f"{file}:{number}: the header line is missing; export again"
                raise SetupError(message)
            try:
                appended = await store.append(request)
            except ConflictError as error:
                message = f"{file}:{number}: {error}; this log has other events there, import into an empty one"
                raise SetupError(message) from error
            known, imported = known + appended.duplicate, imported + (not appended.duplicate)
            if number % _BATCH == 0:
                yield {"progress": {"label": "import", "done": read, "total": size}}
    yield {"summary": {"imported": imported, "already_there": known}}


async def events_verify(platform: Platform, *, service: str = "") -> AsyncGenerator[Line]:
    """Check versions, positions, recording times and the schema of every event; an item per fault."""
    for name, part in _chosen(platform, service).items():
        store = part.resources.store
        head, faults, count = await store.head(), 0, 0
        versions: dict[str, int] = {}
        before: Recorded | None = None
        async for page in _pages(store):
            for recorded in page:
                for fault in _faults(part.resources.registry, recorded, before, versions.get(recorded.stream, 0)):
                    faults += 1
                    yield {"item": {"service": name, "position": recorded.position, "fault": fault}}
                versions[recorded.stream] = recorded.version
                before = recorded
            count += len(page)
            yield {"progress": {"label": f"verify {name}", "done": page[-1].position, "total": head}}
        yield {"summary": {"service": name, "events": count, "streams": len(versions), "faults": faults}}


async def events_republish(platform: Platform, *, start: int, service: str = "") -> AsyncGenerator[Line]:
    """Publish again what lies at position *start* or behind it, by the relay that leads or else here."""
    for name, part in _chosen(platform, service).items():
        store, stop = part.resources.store, asyncio.Event()
        relay, head = Relay(part.resources, f"republish/{new_id()}"), await store.head()
        again = await relay.republish(start)
        relaying = asyncio.create_task(relay.run(stop))
        try:
            while (position := await store.relayed()) < head:
                yield {"progress": {"label": f"republish {name}", "done": again - (head - position), "total": again}}
                await stopped_within(stop, _LOOK_EVERY_S)
        finally:
            stop.set()
            await relaying
        yield {"summary": {"service": name, "positions_published_again": again}}


async def projections_list(platform: Platform, *, service: str = "", digest: bool = False) -> AsyncGenerator[Line]:
    """An item per read model; with *digest* a hash of its rows, to compare before and after a rebuild."""
    for name, part in _chosen(platform, service).items():
        views = part.resources.views
        await views.start(part.projections)
        dead = await count_letters(views)
        serving = {each.projection: each for each in await views.generations() if each.status == "serving"}
        head = await part.resources.store.head()
        for projection in part.projections:
            own = (await views.applied(projection.name)).get(name)
            item: Line = {
                "projection": f"{name}.{projection.name}",
                "generation": serving[projection.name].generation,
                "sources": list(projection.sources),
                "lag": head - max(own.positions.values(), default=0) if own else None,
                "dead_letters": dead.get(projection.name, 0),
                "error": serving[projection.name].error,
            }
            if digest:
                item["digest"] = await views.digest(projection)
            yield {"item": item}


async def projections_rebuild(platform: Platform, *, name: str, service: str = "") -> AsyncGenerator[Line]:
    """Make one read model (`service.projection`, or its name alone where only one has it) anew, or `all`."""
    chosen = {
        owner: [each for each in part.projections if name in {"all", each.name, f"{owner}.{each.name}"}]
        for owner, part in _chosen(platform, service).items()
    }
    count = sum(map(len, chosen.values()))
    if not count or (count > 1 and name != "all"):
        known = ", ".join(f"{owner}.{each.name}" for owner, part in platform.items() for each in part.projections)
        message = f"{name!r} names {count} read models; there are {known}"
        raise CliError(message, USAGE)
    for owner, projections in chosen.items():
        async for step in rebuilding(platform[owner].resources, *projections):
            label = f"{owner}.{step.projection}"
            progress = {"label": label, "done": step.done, "total": step.total, "per_second": round(step.per_second)}
            yield {"progress": progress}
            if step.status == "serving":
                yield {"summary": {"projection": label, "serves_generation": step.generation}}


async def letters_list(platform: Platform, *, service: str = "") -> AsyncGenerator[Line]:
    """An item per event that was not applied, and per event that waits behind one."""
    for name, part in _chosen(platform, service).items():
        for letter in await letters(part.resources.views):
            yield {"item": {"service": name} | _letter(letter)}


async def letters_replay(platform: Platform, *, stream: str = "", service: str = "") -> AsyncGenerator[Line]:
    """Apply dead letters again, per stream from the oldest on until one stays dead."""
    applied = remaining = 0
    for name, part in _chosen(platform, service).items():
        async for replayed in part.worker.replay(stream=stream):
            applied += not replayed.error
            yield {"item": {"service": name} | _letter(replayed.letter) | {"error": replayed.error}}
        remaining += len(await letters(part.resources.views, stream=stream))
    yield {"summary": {"applied": applied, "remaining": remaining}}


async def demo_load(platform: Platform, *, seed: int, until: str = "") -> AsyncGenerator[Line]:
    """Write the history of a realistic organisation."""
    from services.cli.demo.load import load  # noqa: PLC0415  the rules of all services, only here

    async with aclosing(
        load({name: part.resources for name, part in platform.items()}, seed=seed, until=until)
    ) as lines:
        async for line in lines:
            yield line


def _letter(letter: Letter) -> Line:
    return {
        "consumer": letter.consumer,
        "stream": letter.stream,
        "type": letter.type,
        "event": str(letter.event.event_id),
        "parked": letter.parked,
        "error": letter.error,
    }


def _faults(registry: EventRegistry, recorded: Recorded, before: Recorded | None, version: int) -> list[str]:
    faults: list[str] = []
    if recorded.version != version + 1:
        faults.append(f"{recorded.stream} goes from version {version} to {recorded.version}")
    if before and recorded.position <= before.position:
        faults.append(f"position {recorded.position} does not rise above {before.position}")
    if before and recorded.recorded_at < before.recorded_at:
        faults.append(f"recorded at {recorded.recorded_at}, before its predecessor's {before.recorded_at}")
    try:
        registry.decode(recorded)
    except PoisonError as error:
        faults.append(str(error))
    return faults


async def _pages(store: EventLog) -> AsyncGenerator[list[Recorded]]:
    after = 0
    while page := await store.read(after, _BATCH):
        yield page
        after = page[-1].position


def _chosen(platform: Platform, service: str) -> Platform:
    return {service: _only(platform, service)} if service else platform


def _only(platform: Platform, service: str) -> Part:
    try:
        return platform[service]
    except KeyError:
        message = f"no service {service!r} here; there are {', '.join(platform)}"
        raise CliError(message, USAGE) from None


def _shown(service: str, recorded: Recorded) -> Line:
    return {
        "service": service,
        "position": recorded.position,
        "stream": recorded.stream,
        "version": recorded.version,
        "type": recorded.type,
        "id": str(recorded.event_id),
        "occurred_at": recorded.occurred_at.isoformat(),
        "recorded_at": recorded.recorded_at.isoformat(),
        "actor": recorded.meta.actor,
        "data": msgspec.json.decode(recorded.data),
    }


def _exported(recorded: Recorded) -> bytes:
    line = msgspec.structs.asdict(recorded)
    for field in ("data", "metadata"):  # byte for byte, whatever wrote them
        line[field] = base64.b64encode(line[field]).decode()
    return _json(line)


def _imported(line: Line) -> AppendRequest:
    event = NewEvent(
        event_id=UUID(line["event_id"]),
        type=line["type"],
        occurred_at=datetime.fromisoformat(line["occurred_at"]),
        data=base64.b64decode(line["data"]),
        metadata=base64.b64decode(line["metadata"]),
    )
    write = StreamWrite(line["stream"], line["version"] - 1, (event,))
    return AppendRequest(writes=(write,), recorded_at=datetime.fromisoformat(line["recorded_at"]))


def _json(line: Line) -> bytes:
    return msgspec.json.encode(line) + b"\n"


OPERATIONS: Mapping[str, Operation] = {
    "events tail": events_tail,
    "events export": events_export,
    "events import": events_import,
    "events verify": events_verify,
    "events republish": events_republish,
    "projections list": projections_list,
    "projections rebuild": projections_rebuild,
    "dead-letters list": letters_list,
    "dead-letters replay": letters_replay,
    "demo load": demo_load,
}
