"""What `concordat incidents watch` reads of a stream, and how a line of it looks."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from services.cli.errors import CliError
from services.cli.watching import as_text, events_of, happened

NOTED = {
    "type": "io.concordat.incidents.incident.noted.v1",
    "time": "2026-11-21T10:00:00Z",
    "data": {"number": "INC-1", "severity": "sev2", "service": "checkout-api", "text": "roll back"},
}


def gateway() -> FastAPI:
    """Streams one event behind the place that was named, with what quiet times hold."""
    app = FastAPI()

    @app.get("/stream")
    async def stream(request: Request) -> Response:
        async def told() -> AsyncIterator[str]:
            yield f"retry: 1000\nid: {request.headers.get('Last-Event-ID', 'start')}\n\n"
            yield f": keep-alive\n\nevent: noted\ndata: {json.dumps(NOTED)}\nid: 2\n\n"

        return StreamingResponse(told(), media_type="text/event-stream")

    @app.get("/gone")
    async def gone() -> Response:
        return JSONResponse({"code": "not-found", "detail": "nothing was heard of it"}, 404)

    return app


async def test_a_stream_is_read_block_by_block_from_where_it_stopped() -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway()), base_url="http://gateway") as client:
        heard = [each async for each in events_of(client, "/stream", "1")]

    assert [place for place, _ in heard] == ["1", "1", "2"]
    assert [event for _, event in heard if event] == [NOTED]


async def test_a_refusal_says_why() -> None:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gateway()), base_url="http://gateway") as client:
        with pytest.raises(CliError, match="404 not-found: nothing was heard of it"):
            _ = [each async for each in events_of(client, "/gone", "")]


def test_a_line_tells_of_a_deployment_what_was_deployed() -> None:
    deployed = {"service": "checkout-api", "version": "1.42.0", "deployment": "run-1"}
    event = {"type": "io.concordat.lifecycle.deployment.recorded.v1", "time": NOTED["time"], "data": deployed}
    assert happened(event)["what"] == "deployment recorded: 1.42.0"


@pytest.mark.parametrize(
    ("kind", "data", "what"),
    [
        ("impact-changed", {"affected": [{"service": "a"}, {"service": "b"}]}, "impact-changed: a, b"),
        ("linked", {"relation": "caused_by", "other_number": "INC-2"}, "linked: caused_by INC-2"),
        ("merged", {"into_number": "INC-2", "alerts": ["x"]}, "merged: INC-2"),
        ("alert-joined", {"summary": "slow", "alert": "a", "others": ["b"]}, "alert-joined: slow"),
    ],
)
def test_a_line_says_what_changed(kind: str, data: dict[str, Any], what: str) -> None:
    event = {"type": f"io.concordat.incidents.incident.{kind}.v1", "time": NOTED["time"], "data": data}
    assert happened(event)["what"] == what


def test_a_line_says_when_which_where_and_what() -> None:
    line = as_text(happened(NOTED))
    assert line.split() == ["2026-11-21T10:00:00Z", "INC-1", "sev2", "checkout-api", "noted:", "roll", "back"]
