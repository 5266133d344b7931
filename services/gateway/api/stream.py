"""Events as they happen: server-sent events, read from the log itself at the offsets that the reader brings."""

import asyncio
from collections.abc import AsyncGenerator, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

import msgspec
from fastapi import Depends, Header, Query
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from libs.events.bus import BusRecord, Consumer, TopicPartition
from libs.events.errors import EventsError
from libs.web.app import ResourcesDep
from libs.web.auth import PrincipalDep, needs
from libs.web.health import DrainingDep
from libs.web.problems import Problem, responses
from libs.web.routing import Router
from services.gateway.api import cursor
from services.gateway.api.dependencies import KeysDep, SettingsDep
from services.gateway.auth.keys import ApiKeys

router = Router(prefix="/v1", tags=["events"])

_RETRY_MS: Final = 1000
_AT_ONCE: Final = 500  # records per poll
_START: Final = "start"
_AROUND: Final = frozenset(  # what an incident's timeline tells of other services
    (
        "io.concordat.lifecycle.deployment.recorded.v1",
        "io.concordat.lifecycle.deployment.rolled-back.v1",
        "io.concordat.slo.budget.assessed.v1",
    )
)

After = Annotated[str, Query(description="The id of the last event that was seen, or `start` for everything.")]
LastEventId = Annotated[str, Header(description="As `after`; browsers send it when they come back.")]


@dataclass(slots=True)
class Wanted:
    """Which events a reader wants; empty: all.

    Args:
        types: Their types.
        services: Whom they are about.
        family: What their types begin with.
        incident: Which incident they tell of.
        around: Services of which deployments and error budgets are told beside that; those that it affects.
    """

    types: Collection[str] = ()
    services: Collection[str] = ()
    family: str = ""
    incident: str = ""
    around: Collection[str] = ()

    def takes(self, record: BusRecord) -> bool:
        """Whether *record* is one of them; it may say that the incident affects other services from then on."""
        kind = _attribute(record, "ce_type")
        if self.around and kind in _AROUND:
            return _ABOUT.decode(record.value).service in self.around
        if (self.types and kind not in self.types) or not kind.startswith(self.family):
            return False
        if not self.services and not self.incident:
            return True
        about = _ABOUT.decode(record.value)
        if (self.services and about.service not in self.services) or self.incident not in {"", about.incident}:
            return False
        if self.incident and kind == _IMPACT_CHANGED:
            affected = _IMPACT.decode(record.value).affected
            self.around = {about.service, *(each.service for each in affected)}
        return True


class _About(msgspec.Struct):
    service: str = ""
    incident: str = ""


class _Impact(msgspec.Struct):
    affected: list[_About]


_ABOUT: Final = msgspec.json.Decoder(_About)
_IMPACT: Final = msgspec.json.Decoder(_Impact)
_IMPACT_CHANGED: Final = "io.concordat.incidents.incident.impact-changed.v1"


@dataclass(slots=True)
class Reader:
    """A reader of the log and where it stands."""

    consumer: Consumer
    offsets: dict[TopicPartition, int]


async def open_reader(
    request: Request,
    resources: ResourcesDep,
    settings: SettingsDep,
    after: After = "",
    last_event_id: LastEventId = "",
) -> AsyncGenerator[Reader]:
    """A reader at the place that the request names; gone when the answer ends."""
    came = last_event_id or after  # a browser that comes back still has the first `after` in its address
    known = cursor.start() if came == _START else cursor.decode(came) if came else {}
    app = request.app
    if app.state.streams >= settings.streams:
        detail = f"this process has {settings.streams} open streams; try again in a moment"
        raise Problem(503, "too-many-streams", "There are too many streams", detail, headers={"Retry-After": "5"})
    app.state.streams += 1
    try:

        async def load(partitions: Collection[TopicPartition]) -> dict[TopicPartition, int]:
            return {partition: known[partition] for partition in partitions if partition in known}

        consumer = await resources.bus.consumer(cursor.TOPICS, None, load)
        try:
            ends = await consumer.end_offsets()
            if any(offset > ends.get(place, 0) for place, offset in known.items()):
                raise _cursor_gone()
            missing = {place: end for place, end in ends.items() if place not in known}
            await consumer.seek(missing)  # so that every id names a place in every partition
            yield Reader(consumer, known | missing)
        finally:
            await consumer.close()
    finally:
        app.state.streams -= 1


STREAMED: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}}
}


@router.get(
    "/events/stream",
    response_class=StreamingResponse,
    openapi_extra=needs("events.read"),
    responses=STREAMED | responses(409),
)
async def stream_events(  # noqa: PLR0913  each is a part of one request
    reader: Annotated[Reader, Depends(open_reader)],
    keys: KeysDep,
    principal: PrincipalDep,
    settings: SettingsDep,
    draining: DrainingDep,
    types: Annotated[list[str] | None, Query(alias="type", description="Repeated: any of them.")] = None,
    services: Annotated[list[str] | None, Query(alias="service", description="Repeated: any of them.")] = None,
) -> Response:
    """Stream events as CloudEvents; come back with the last id, and nothing is missed or told twice."""
    wanted = Wanted(frozenset(types or ()), frozenset(services or ()))
    return streamed(tell(reader, wanted, keys, principal.client, draining, settings.stream_keep_alive_s))


def streamed(told: AsyncGenerator[bytes]) -> Response:
    """The answer whose text is *told* while it happens."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(told, media_type="text/event-stream", headers=headers)


async def tell(
    reader: Reader,
    wanted: Wanted,
    keys: ApiKeys,
    key_id: str,
    draining: asyncio.Event,
    keep_alive_s: float,
) -> AsyncGenerator[bytes]:
    """The text of a stream; ends when the process drains, the key is over, or the log cannot be read.

    An id without data moves the reader's place and tells it nothing: the first gives a place to a reader that has
    seen no event yet, and those of quiet times bring a reader with filters past what it does not want.
    """
    yield b"retry: %d\n%s" % (_RETRY_MS, _place(reader))
    drained = asyncio.ensure_future(draining.wait())
    clock = asyncio.get_running_loop().time
    due = clock() + keep_alive_s
    try:
        while not draining.is_set():
            left = max(due - clock(), 0)
            polled = asyncio.ensure_future(reader.consumer.poll(timeout_s=left, max_records=_AT_ONCE))
            try:
                await asyncio.wait((polled, drained), return_when=asyncio.FIRST_COMPLETED)
            finally:
                polled.cancel()  # the reader is gone, or the process ends; done is done
            if not polled.done():
                return
            told = b"".join(_events(polled.result(), reader, wanted))
            if clock() >= due:
                due = clock() + keep_alive_s
                if not await keys.in_use(key_id):
                    return
                told = told or b": keep-alive\n" + _place(reader)
            if told:
                yield told
    except EventsError:
        return  # the reader comes back with its last id
    finally:
        drained.cancel()


def _events(polled: Mapping[TopicPartition, list[BusRecord]], reader: Reader, wanted: Wanted) -> Iterator[bytes]:
    for place, records in polled.items():
        for record in records:
            reader.offsets[place] = record.offset + 1
            if wanted.takes(record):
                yield _event(record, reader)


def _event(record: BusRecord, reader: Reader) -> bytes:
    attributes = {name.removeprefix("ce_"): value.decode() for name, value in record.headers if name.startswith("ce_")}
    attributes["datacontenttype"] = "application/json"
    body = msgspec.json.encode({**attributes, "data": msgspec.Raw(record.value)})
    return b"event: %s\ndata: %s\n%s" % (attributes["type"].encode(), body, _place(reader))


def _place(reader: Reader) -> bytes:
    return b"id: %s\n\n" % cursor.encode(reader.offsets).encode()


def _cursor_gone() -> Problem:
    detail = "the log was made anew since; start again without a cursor, or with 'start'"
    return Problem(409, "cursor-gone", "The cursor's log is gone", detail)


def _attribute(record: BusRecord, name: str) -> str:
    return next((value.decode() for key, value in record.headers if key == name), "")
