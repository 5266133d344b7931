"""The event stream: nothing missed, nothing told twice, and an end when it is time."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from libs.events.testing import FrozenClock
from services.gateway.api import cursor
from tests.fixtures.elsewhere import Elsewhere
from tests.fixtures.event_stream import Open
from tests.fixtures.services import eventually


async def test_a_reader_hears_what_happens_from_now_on(open_stream: Open, elsewhere: Elsewhere) -> None:
    await elsewhere.register("before")
    async with open_stream() as stream:
        await elsewhere.register("after")
        event = await stream.event()
    assert event["data"]["service"] == "after"


async def test_an_event_is_a_cloudevent(open_stream: Open, elsewhere: Elsewhere) -> None:
    async with open_stream() as stream:
        await elsewhere.register("checkout-api")
        event = await stream.event()
    assert {name: event[name] for name in ("specversion", "type", "source", "subject", "time", "actor")} == {
        "specversion": "1.0",
        "type": "io.concordat.lifecycle.service.registered.v1",
        "source": "/concordat/lifecycle",
        "subject": "service/checkout-api",
        "time": "2026-11-21T10:00:00Z",
        "actor": "ana",
    }


@pytest.mark.parametrize("how", ["Last-Event-ID", "after"])
async def test_a_reader_that_comes_back_misses_nothing_and_hears_nothing_twice(
    open_stream: Open, elsewhere: Elsewhere, how: str
) -> None:
    async with open_stream() as stream:
        for number in range(5):
            await elsewhere.register(f"s{number}")
        heard = [(await stream.event())["data"]["service"] for _ in range(3)]
    await elsewhere.register("s5")
    back = (
        open_stream(last_event_id=stream.last_id) if how == "Last-Event-ID" else open_stream(f"after={stream.last_id}")
    )
    async with back as stream:
        await elsewhere.register("s6")
        heard += [(await stream.event())["data"]["service"] for _ in range(4)]
    assert sorted(heard) == [f"s{number}" for number in range(7)]


async def test_a_reader_that_heard_nothing_can_come_back_too(open_stream: Open, elsewhere: Elsewhere) -> None:
    await elsewhere.register("before")
    async with open_stream() as stream:
        while not stream.last_id:
            stream._text += (await stream._sent.get())["body"]
            stream._read(stream._text.partition(b"\n\n")[0].decode())
    await elsewhere.register("meanwhile")
    async with open_stream(last_event_id=stream.last_id) as stream:
        assert (await stream.event())["data"]["service"] == "meanwhile"


async def test_the_last_id_goes_before_the_address(open_stream: Open, elsewhere: Elsewhere) -> None:
    async with open_stream("after=start") as stream:
        await elsewhere.register("s0")
        await stream.event()
    await elsewhere.register("s1")
    async with open_stream("after=start", last_event_id=stream.last_id) as stream:
        assert (await stream.event())["data"]["service"] == "s1"


async def test_everything_can_be_heard_from_the_start(open_stream: Open, elsewhere: Elsewhere) -> None:
    for number in range(3):
        await elsewhere.register(f"s{number}")
    async with open_stream("after=start") as stream:
        assert sorted([(await stream.event())["data"]["service"] for _ in range(3)]) == ["s0", "s1", "s2"]


@pytest.mark.parametrize(
    "query",
    ["type=io.concordat.lifecycle.team.registered.v1", "service=checkout-api", "service=checkout-api&service=other"],
)
async def test_filters_leave_out_the_rest(open_stream: Open, elsewhere: Elsewhere, query: str) -> None:
    async with open_stream(query) as stream:
        await elsewhere.register("ignored")
        if "type" in query:
            await elsewhere.tell("team/a", "lifecycle.team.registered", team="wanted")
            assert (await stream.event())["data"]["team"] == "wanted"
        else:
            await elsewhere.register("checkout-api")
            assert (await stream.event())["data"]["service"] == "checkout-api"


async def test_a_quiet_stream_says_that_it_lives(open_stream: Open) -> None:
    async with open_stream() as stream:
        reading = asyncio.create_task(stream.event())

        async def lives() -> bool:
            return stream.comments >= 2

        await eventually(lives)
        assert not reading.done()
        reading.cancel()


async def test_a_stream_ends_when_the_process_drains(open_stream: Open, app: FastAPI) -> None:
    async with open_stream() as stream:
        app.state.health.draining.set()
        assert await stream.event() is None


async def test_a_stream_ends_when_its_key_does(open_stream: Open, client: httpx.AsyncClient) -> None:
    body = {"owner": "ci", "owner_kind": "machine", "scopes": ["events.read"]}
    made = (await client.post("/v1/api-keys", json=body)).json()
    async with open_stream(x_api_key=made["key"]) as stream:
        await client.delete(f"/v1/api-keys/{made['id']}")
        assert await stream.event() is None


async def test_a_reader_that_leaves_makes_room(open_stream: Open, app: FastAPI, client: httpx.AsyncClient) -> None:
    async with open_stream(), open_stream():
        assert app.state.streams == 2
    assert app.state.streams == 0


async def test_too_many_streams_are_refused(client: httpx.AsyncClient, app: FastAPI) -> None:
    app.state.streams = 100
    answer = await client.get("/v1/events/stream")
    assert (answer.status_code, answer.json()["code"]) == (503, "too-many-streams")
    assert answer.headers["Retry-After"]


@pytest.mark.parametrize(
    "after",
    ["garbage!", "AAAA", "gA", cursor.encode({}) + "A", "0", "%C3%A4", "gaNzbG-TAQID", "gatub3RoaW5nzw" * 50],
)
async def test_a_cursor_that_is_none_is_refused(client: httpx.AsyncClient, after: str) -> None:
    if after == "gA":  # msgpack of no service at all: read from where everything ends
        assert cursor.decode(after) == {}
        return
    answer = await client.get(f"/v1/events/stream?after={after}")
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-cursor")


async def test_a_cursor_beyond_the_log_is_refused(client: httpx.AsyncClient) -> None:
    ahead = cursor.encode(dict.fromkeys(cursor.start(), 1))
    answer = await client.get(f"/v1/events/stream?after={ahead}")
    assert (answer.status_code, answer.json()["code"]) == (409, "cursor-gone")


async def test_a_busy_stream_ends_with_its_key_too(
    open_stream: Open, client: httpx.AsyncClient, elsewhere: Elsewhere
) -> None:
    body = {"owner": "ci", "owner_kind": "machine", "scopes": ["events.read"]}
    made = (await client.post("/v1/api-keys", json=body)).json()
    async with open_stream(x_api_key=made["key"]) as stream:
        await client.delete(f"/v1/api-keys/{made['id']}")
        number = 0
        while await stream.event() is not None:
            number += 1
            await elsewhere.register(f"s{number}")


def test_a_cursor_survives_its_text() -> None:
    offsets = {place: number * 10**6 for number, place in enumerate(cursor.start())}
    assert cursor.decode(cursor.encode(offsets)) == offsets
    assert len(cursor.encode(offsets)) < 300


async def test_two_streams_do_not_share_their_place(
    open_stream: Open, elsewhere: Elsewhere, clock: FrozenClock
) -> None:
    async with open_stream() as one, open_stream() as other:
        await elsewhere.register("s0")
        assert (await one.event())["data"]["service"] == "s0"
        assert (await other.event())["data"]["service"] == "s0"
