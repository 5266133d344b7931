"""A gateway on memory adapters before tiny owners, which answer what they were asked."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Annotated, Any, cast

import httpx
import pytest
from fastapi import FastAPI, Query
from pydantic import BaseModel, ConfigDict
from starlette.requests import Request
from starlette.responses import Response

from libs.events.bus import events_topic
from libs.events.embedded_log import EmbeddedLog
from libs.events.memory import MemoryStore
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.testing import FrozenClock
from libs.events.views import open_views
from libs.events.worker import Worker
from libs.web import openapi
from libs.web.app import create_service_app
from libs.web.auth import PUBLIC, PrincipalDep, needs
from libs.web.routing import Router
from services.gateway.app import create_app
from services.gateway.auth.admin_key import ensure_admin_key
from services.gateway.clients import AsgiOwner, Owner
from services.gateway.config import GatewaySettings
from services.gateway.contract import CONTRACT
from services.gateway.projections import PROJECTIONS
from services.gateway.worker import create_worker
from tests.fixtures.elsewhere import Elsewhere
from tests.fixtures.event_stream import Open, opener

UNUSED = cast("Any", None)
KEY = "k" * 32
SETTINGS = GatewaySettings(internal_key=KEY, request_bytes=10_000, owner_timeout_s=0.5, stream_keep_alive_s=0.05)


class Thing(BaseModel):
    model_config = ConfigDict(extra="allow")

    name: str = ""


def owner_app(service: str, router: Router, clock: FrozenClock) -> FastAPI:
    """A service that keeps nothing."""
    resources = Resources(service, EventRegistry({}), MemoryStore(clock), UNUSED, UNUSED, clock)
    return create_service_app(resources=resources, title=service, routers=[router], errors={}, settings=SETTINGS)


def lifecycle_routes() -> Any:
    router = Router(prefix="/v1/services", tags=["services"])

    @router.post("", status_code=201, openapi_extra=needs("services.write"))
    async def register_service(body: Thing, request: Request, principal: PrincipalDep) -> Response:
        """Register."""
        return Response(
            await request.body(),
            201,
            {
                "Location": f"/v1/services/{body.name}",
                "ETag": '"1"',
                "Consistency-Token": "token",
                "X-Seen-By": principal.name,
                "X-Seen-Key": request.headers.get("x-api-key", "none"),
                "X-Seen-Idempotency-Key": request.headers.get("idempotency-key", ""),
                "X-Seen-Trace": request.headers["traceparent"],
                "Connection": "keep-alive, X-Hop",
                "X-Hop": "1",
            },
            "application/json",
        )

    @router.get("", openapi_extra=needs("services.read"))
    async def list_services(request: Request, tier: Annotated[list[int] | None, Query()] = None) -> Response:
        """List."""
        return Response(request.scope["query_string"], 200, {"Link": '</v1/services?x>; rel="next"'})

    @router.get("/{service}", openapi_extra=needs("services.read"))
    async def get_service(service: str, as_of: str = "") -> Response:
        """Show."""
        if service == "unknown":
            return Response(b'{"code":"not-found"}', 404, media_type="application/problem+json")
        phase = "active_development" if as_of else "limited_availability"
        body = f'{{"name":"{service}","display_name":"","owner_team":"t","tier":1,"phase":"{phase}"}}'
        return Response(body, 200, {"ETag": '"3"'}, "application/json")

    @router.patch("/{service}", openapi_extra=needs("services.write", if_match=True))
    async def change_service(service: str, request: Request) -> Response:
        """Change."""
        return Response(request.headers["if-match"])

    @router.post("/{service}:transition", openapi_extra=needs("services.write"))
    async def transition_service(service: str) -> dict[str, str]:
        """Move."""
        return {"moved": service}

    @router.get("/{service}/broken", openapi_extra=needs("services.read"))
    async def break_service(service: str) -> Response:
        """Be wrong."""
        raise ZeroDivisionError(service)

    return router


def incidents_routes() -> Any:
    router = Router(tags=["incidents"])

    @router.post("/v2/enqueue", status_code=202, openapi_extra=PUBLIC)
    async def enqueue(request: Request) -> Response:
        """Take an alert from a sender with a key of its own."""
        own = request.headers.get("x-client-authorization", "")
        return Response(await request.body(), 202, {"X-Seen-Authorization": own})

    return router


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
def apps(clock: FrozenClock) -> dict[str, FastAPI]:
    return {
        "lifecycle": owner_app("lifecycle", lifecycle_routes(), clock),
        "slo": owner_app("slo", Router(), clock),
        "incidents": owner_app("incidents", incidents_routes(), clock),
    }


@pytest.fixture
def owners(apps: Mapping[str, FastAPI]) -> dict[str, Owner]:
    return {service: AsgiOwner(app) for service, app in apps.items()}


@pytest.fixture
async def resources(clock: FrozenClock) -> AsyncGenerator[Resources]:
    async with AsyncExitStack() as stack:
        views = await stack.enter_async_context(open_views("memory:"))
        bus = EmbeddedLog(None, clock)
        await bus.start()
        stack.push_async_callback(bus.close)
        await bus.ensure_topics([events_topic(service) for service in ("lifecycle", "slo", "incidents")])
        await views.start(PROJECTIONS)
        yield Resources("gateway", CONTRACT, MemoryStore(clock), views, bus, clock)


@pytest.fixture
def elsewhere(resources: Resources, clock: FrozenClock) -> Elsewhere:
    return Elsewhere(resources.bus, clock)


@pytest.fixture
async def worker(resources: Resources) -> AsyncGenerator[Worker]:
    stop = asyncio.Event()
    worker = create_worker(resources, SETTINGS)
    running = asyncio.create_task(worker.run(stop))
    yield worker
    stop.set()
    await running


@pytest.fixture
def app(resources: Resources, owners: Mapping[str, Owner], apps: Mapping[str, FastAPI]) -> FastAPI:
    documents = {service: openapi.document(app) for service, app in apps.items()}
    return create_app(resources, SETTINGS, owners, documents)


@pytest.fixture
async def admin_key(resources: Resources, tmp_path: Path) -> str:
    return (await ensure_admin_key(resources, tmp_path)).read_text()


@pytest.fixture
async def anonymous(app: FastAPI) -> AsyncGenerator[httpx.AsyncClient]:
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as client:
        yield client


@pytest.fixture
async def client(app: FastAPI, admin_key: str) -> AsyncGenerator[httpx.AsyncClient]:
    transport, headers = httpx.ASGITransport(app), {"X-API-Key": admin_key}
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers) as client:
        yield client


@pytest.fixture
def open_stream(app: FastAPI, admin_key: str) -> Open:
    return opener(app, admin_key)
