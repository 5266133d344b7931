"""Both adapters of the port to owners, on the same owner."""

import asyncio
import socket
from collections.abc import AsyncGenerator
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from services.gateway.clients import AsgiOwner, Owner, OwnerRequest, OwnerUnavailableError
from services.gateway.config import GatewaySettings
from services.gateway.http_owner import HttpOwner, open_owners


async def echo(request: Request) -> Response:
    seen = f"{request.method} {request.scope['raw_path'].decode()}?{request.scope['query_string'].decode()}"
    headers = {
        "X-Seen": seen,
        "X-Sent": request.headers.get("x-sent", ""),
        "X-Agent": str("user-agent" in request.headers),
    }
    return Response(await request.body(), 201, headers, "application/problem+json")


async def stream(_: Request) -> Response:
    async def parts():  # noqa: ANN202  bytes, bit by bit
        yield b"one "
        yield b"two"

    return StreamingResponse(parts())


async def moved(_: Request) -> Response:
    return Response(None, 307, {"Location": "/echo/x"})


APP: Any = Starlette(
    routes=[
        Route("/echo/{rest:path}", echo, methods=["GET", "POST", "PATCH", "DELETE"]),
        Route("/stream", stream),
        Route("/moved", moved),
    ]
)


@pytest.fixture(params=["asgi", "http"])
async def owner(request: pytest.FixtureRequest, socket_enabled: None) -> AsyncGenerator[Owner]:
    if request.param == "asgi":
        yield AsgiOwner(APP)
        return
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(APP, log_config=None, lifespan="off"))
    serving = asyncio.create_task(server.serve([listener]))
    owner = HttpOwner(f"http://127.0.0.1:{listener.getsockname()[1]}/", connections=4, connect_timeout_s=1)
    yield owner
    await owner.close()
    server.should_exit = True
    await serving


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
async def test_a_request_arrives_byte_by_byte_and_so_does_the_answer(owner: Owner, method: str) -> None:
    body = b"" if method == "GET" else b'{"a": 1}\xff\x00'
    target = "/echo/a%20b%2Fc:verb?q=%C3%A4&q=+x"
    answer = await owner.send(OwnerRequest(method, target, ((b"x-sent", "\u00e4".encode()),), body))
    assert (answer.status, answer.body) == (201, body)
    assert answer.header(b"x-seen") == f"{method} {target}".encode()
    assert answer.header(b"x-sent") == "\u00e4".encode()
    assert answer.header(b"x-agent") == b"False"
    assert answer.header(b"content-type") == b"application/problem+json"


async def test_an_answer_in_pieces_arrives_whole(owner: Owner) -> None:
    assert (await owner.send(OwnerRequest("GET", "/stream"))).body == b"one two"


async def test_a_redirect_is_an_answer(owner: Owner) -> None:
    answer = await owner.send(OwnerRequest("GET", "/moved"))
    assert (answer.status, answer.header(b"location")) == (307, b"/echo/x")


async def test_requests_at_once_do_not_mix(owner: Owner) -> None:
    bodies = [str(number).encode() for number in range(20)]
    answers = await asyncio.gather(*(owner.send(OwnerRequest("POST", "/echo/x", body=body)) for body in bodies))
    assert [answer.body for answer in answers] == bodies


async def test_nobody_at_the_address_means_that_nothing_was_sent(socket_enabled: None) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    owner = HttpOwner(f"http://127.0.0.1:{port}", connections=1, connect_timeout_s=1)
    with pytest.raises(OwnerUnavailableError) as refusal:
        await owner.send(OwnerRequest("GET", "/"))
    assert not refusal.value.reached
    await owner.close()


async def test_a_connection_cut_before_the_answer_may_have_been_a_request_carried_out(socket_enabled: None) -> None:
    async def cut(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(cut, "127.0.0.1", 0)
    owner = HttpOwner(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", connections=1, connect_timeout_s=1)
    with pytest.raises(OwnerUnavailableError) as refusal:
        await owner.send(OwnerRequest("POST", "/", body=b"{}"))
    assert refusal.value.reached
    await owner.close()
    server.close()
    await server.wait_closed()


async def test_an_app_that_answers_nothing_is_unavailable() -> None:
    async def silent(scope: Any, receive: Any, send: Any) -> None:
        pass

    with pytest.raises(OwnerUnavailableError):
        await AsgiOwner(silent).send(OwnerRequest("GET", "/"))


async def test_the_settings_name_every_owner() -> None:
    async with open_owners(GatewaySettings()) as owners:
        assert sorted(owners) == ["incidents", "lifecycle", "slo"]
