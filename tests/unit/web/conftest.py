"""A tiny service for the tests of the HTTP edge: counters that can be opened and raised."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Path, Query
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Column, Integer, String, insert, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.decider import Decider
from libs.events.handler import Loaded, Outcome
from libs.events.memory import MemoryStore
from libs.events.projection import Projection
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.settings import Settings
from libs.events.store import Answer
from libs.events.testing import FrozenClock
from libs.events.views import Views, open_views
from libs.web import etag
from libs.web.app import ResourcesDep, create_service_app
from libs.web.auth import PUBLIC, PrincipalDep, needs
from libs.web.calls import CallDep
from libs.web.consistency import fresh
from libs.web.internal_auth import Principal, sign
from libs.web.pagination import Page, PageDep
from libs.web.problems import ErrorKind, responses
from libs.web.routing import Router

KEY = "k" * 64
ANA = Principal("ana", "person", frozenset({"counters.read", "counters.write"}), "api-key", "key-1")


@dataclass(frozen=True, slots=True)
class Open:
    """Start counting."""


@dataclass(frozen=True, slots=True)
class Raise:
    """Count on."""

    by: int


@dataclass(frozen=True, slots=True)
class CounterOpened:
    """There is a counter."""

    name: str


@dataclass(frozen=True, slots=True)
class CounterRaised:
    """It counted."""

    by: int


class NoCounterError(Exception):
    """There is no such counter."""


class FullError(Exception):
    """It counts to ten only."""

    left: int = 0


def decide(command: Open | Raise, state: int | None) -> tuple[CounterOpened | CounterRaised, ...]:
    match state, command:
        case None, Open():
            return (CounterOpened("counter"),)
        case None, Raise():
            raise NoCounterError("there is no such counter; open it first")
        case int(), Open():
            return ()
        case int(), Raise(by=by) if state + by > 10:
            error = FullError("it counts to ten")
            error.left = 10 - state
            raise error
        case int(), Raise(by=by):
            return (CounterRaised(by),)


def evolve(state: int | None, event: CounterOpened | CounterRaised) -> int | None:
    return 0 if isinstance(event, CounterOpened) else (state or 0) + event.by


COUNTER: Decider[Any, int | None, Any] = Decider("counter", None, decide, evolve)
CONTRACT = EventRegistry(
    published={"io.concordat.demo.counter.raised.v1": CounterRaised},
    internal={"io.concordat.demo.counter.opened.v1": CounterOpened},
)
COUNTERS = Projection(
    name="counters",
    columns=lambda: [Column("name", String, primary_key=True), Column("size", Integer, nullable=False)],
    events=CONTRACT,
    folds={},
    sources=["demo", "other"],
)
ERRORS = {
    NoCounterError: ErrorKind(404, "not-found", "There is no such counter"),
    FullError: ErrorKind(409, "full", "The counter is full", extra=lambda error: {"left": error.left}),
}


class OpenBody(BaseModel):
    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"name": "errors"}]})

    name: str = Field(pattern="^[a-z]+$")
    note: str = ""


class RaiseBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    by: int


router = Router(prefix="/v1/counters", tags=["counters"])


def shown(outcome: Outcome[int | None] | Loaded[int | None]) -> Mapping[str, object]:
    return {"name": outcome.stream.partition("/")[2], "value": outcome.state}


@router.post("", status_code=201, openapi_extra=needs("counters.write"), responses=responses(409))
async def open_counter(body: OpenBody, call: CallDep) -> Response:
    """Open a counter."""
    return await call.handle(COUNTER, body.name, Open(), body=shown, status=201, location=f"/v1/counters/{body.name}")


@router.get("", openapi_extra=needs("counters.read"), dependencies=[fresh(COUNTERS)])
async def list_counters(
    resources: ResourcesDep, page: PageDep, size: Annotated[list[int] | None, Query()] = None
) -> Page[dict[str, Any]]:
    """List the counters."""
    view = COUNTERS.view
    query = select(view)
    if size:
        query = query.where(view.c.size.in_(size))
    orders = {"name": view.c.name, "size": view.c.size}
    return await resources.views.read(page.fetch, query, key=view.c.name, orders=orders, item=_item)


def _item(row: Any) -> dict[str, Any]:
    return {"name": row["name"], "size": row["size"]}


@router.get("/{name}", openapi_extra=needs("counters.read"), responses=responses(404))
async def get_counter(name: Annotated[str, Path()], resources: ResourcesDep, request: Request) -> Response:
    """Read a counter."""
    loaded = await resources.handler.load(COUNTER, name)
    if loaded.state is None:
        raise NoCounterError
    return etag.answer(request, shown(loaded), version=loaded.version)


@router.post("/{name}:raise", openapi_extra=needs("counters.write"), responses=responses(404, 409))
async def raise_counter(name: str, body: RaiseBody, call: CallDep) -> Response:
    """Count on."""
    return await call.handle(COUNTER, name, Raise(body.by), body=shown)


@router.patch("/{name}", openapi_extra=needs("counters.write", if_match=True), responses=responses(404))
async def change_counter(name: str, body: RaiseBody, call: CallDep) -> Response:
    """Count on from what is known."""
    return await call.handle(COUNTER, name, Raise(body.by), body=shown)


@router.get("/broken/defect", openapi_extra=needs("counters.read"))
async def defect() -> Response:
    """Be wrong."""
    raise ZeroDivisionError


@router.get("/me/name", openapi_extra=needs("counters.read"))
async def me(principal: PrincipalDep) -> dict[str, str]:
    """Say who asks."""
    return {"name": principal.name}


@router.get("/open/door", openapi_extra=PUBLIC)
async def door() -> dict[str, bool]:
    """Let anybody in."""
    return {"open": True}


@router.post("/batch/run", openapi_extra=needs("counters.write"))
async def batch(call: CallDep, request_body: dict[str, int]) -> Response:
    """Work outside of one aggregate."""
    RUNS.append(request_body)

    async def work() -> Answer:
        return Answer(202, b'{"accepted":true}')

    return await call.run(work)


RUNS: list[dict[str, int]] = []


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
async def views() -> AsyncGenerator[Views]:
    async with open_views("memory:") as views:
        await views.start([COUNTERS])
        rows = [{"name": f"c{number:02}", "size": number % 3 + 1} for number in range(25)]
        await views.write(lambda connection: connection.execute(insert(COUNTERS.table(1)), rows))
        yield views


@pytest.fixture
def resources(clock: FrozenClock, views: Views) -> Resources:
    return Resources("demo", CONTRACT, MemoryStore(clock), views, NoBus(), clock)


class NoBus:
    """Nothing here publishes."""


@pytest.fixture
def app(resources: Resources) -> FastAPI:
    settings = Settings(internal_key=KEY, request_bytes=10_000)
    return create_service_app(resources=resources, title="Demo", routers=[router], errors=ERRORS, settings=settings)


@pytest.fixture
async def client(app: FastAPI, clock: FrozenClock) -> AsyncGenerator[httpx.AsyncClient]:
    token = sign(ANA, "demo", KEY, now_s=clock.now().timestamp())
    transport = httpx.ASGITransport(app)
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://demo", headers=headers) as client:
        yield client
