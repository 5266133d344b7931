"""The processes whose HTTP is measured: `python -m tests.benchmarks.http_process ROLE`, as `_ROLES` names them.

Each prints its port once it listens. `owner` is the lifecycle service with one route more, which only parses and
answers: the reference that a command is measured beside; `slo` is the same for measurements, `on-call` answers
who is on call by one schedule. `httpx-gateway` forwards
as the gateway does, with httpx.
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta
from functools import partial
from importlib import import_module

import uvicorn
import uvloop
from fastapi import FastAPI, Request
from starlette.responses import Response

from libs.events.codec import encode
from libs.events.envelope import Context, Metadata
from libs.events.handler import Effects
from libs.events.ids import new_id
from libs.events.store import AppendRequest, NewEvent, Reservation, StreamWrite
from libs.web.auth import PUBLIC, needs
from libs.web.routing import Router
from libs.web.server import DrainingServer, serve_app
from services.cli.wiring import open_parts, settings_of

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
_say_port = partial(print, flush=True)


async def owner() -> None:
    """Lifecycle, and the reference beside it."""
    schemas = import_module("services.lifecycle.api.teams.team_schemas")
    reference = Router(prefix="/v1/reference")

    async def parse_and_answer(body: schemas.RegisterTeam) -> Response:
        shown = {"name": body.name, "kind": body.kind, "display_name": body.display_name or body.name}
        headers = {"Location": f"/v1/teams/{body.name}", "ETag": '"1"'}
        return Response(encode(shown), 201, headers, "application/json")

    reference.add_api_route("/teams", parse_and_answer, methods=["POST"], openapi_extra=needs("teams.write"))
    await _serve_beside("lifecycle", reference)


async def slo() -> None:
    """The API that takes measurements, and the reference beside it."""
    schemas = import_module("services.slo.api.schemas")
    reference = Router(prefix="/v1/reference")

    async def parse_and_answer(body: schemas.Buckets) -> Response:
        return Response(encode({"accepted": len(body.buckets)}), 202, media_type="application/json")

    reference.add_api_route(
        "/measurements", parse_and_answer, methods=["POST"], openapi_extra=needs("measurements.write")
    )
    await _serve_beside("slo", reference)


async def incidents(routing_key: str) -> None:
    """The API that takes alerts, with one sender; and a route that only appends an event, ready as it came."""
    commands = import_module("services.incidents.domain.integration.commands")
    profile = import_module("services.incidents.domain.integration.events").Profile("checkout-api")
    keys, contract = import_module("services.incidents.senders.keys"), import_module("services.incidents.contract")
    reference = Router(prefix="/v2")

    async def append(request: Request) -> Response:
        event = NewEvent(new_id(), "io.concordat.incidents.alert.triggered.v1", AT, await request.body(), b"{}")
        write = StreamWrite(f"alert/{event.event_id}", 0, (event,))
        await request.app.state.resources.store.append(AppendRequest((write,)))
        return Response(b'{"status":"success"}', 202, media_type="application/json")

    reference.add_api_route("/reference", append, methods=["POST"], openapi_extra=PUBLIC)
    async with open_parts(["incidents"]) as parts:
        resources = parts["incidents"].resources
        await resources.views.start(parts["incidents"].projections)
        add = commands.Add(
            integration="bench",
            kind="pagerduty",
            profile=profile,
            key_hash=keys.hash_of(routing_key),
            by="bench",
            at=AT,
        )
        held = Reservation(keys.KEY, add.key_hash, "integration/bench")
        context = Context.of_request(AT, Metadata("bench"))
        await resources.handler.handle(contract.INTEGRATION, "bench", add, context, effects=Effects(reserve=(held,)))
        app = import_module("services.incidents.app").create_app(resources, settings_of("incidents"))
        app.router.routes[:0] = reference.routes
        await serve_app(app, "127.0.0.1", 0, on_ready=_say_port)


async def on_call() -> None:
    """The API that says who is on call, with one schedule, half a year old."""
    define = import_module("tests.benchmarks.bench_on_call").define
    async with open_parts(["incidents"]) as parts:
        resources = parts["incidents"].resources
        await resources.views.start(parts["incidents"].projections)
        today = resources.clock.now().replace(hour=0, minute=0, second=0, microsecond=0)
        await define(resources, today - timedelta(days=182))
        app = import_module("services.incidents.app").create_app(resources, settings_of("incidents"))
        await serve_app(app, "127.0.0.1", 0, on_ready=_say_port)


async def gateway() -> None:
    """The gateway, forwarding to the owners that its settings name."""
    http_owner, app = import_module("services.gateway.http_owner"), import_module("services.gateway.app")
    settings = settings_of("gateway")
    async with open_parts(["gateway"]) as parts, http_owner.open_owners(settings) as owners:
        resources = parts["gateway"].resources
        await resources.views.start(parts["gateway"].projections)
        await import_module("services.gateway.auth.admin_key").ensure_admin_key(resources, settings.data_dir)
        await serve_app(app.create_app(resources, settings, owners), "127.0.0.1", 0, on_ready=_say_port)


async def httpx_gateway(url: str) -> None:
    """Forwards to *url* with httpx and does nothing else: no keys, no scopes, no second try."""
    import httpx  # noqa: PLC0415  only here

    app = FastAPI()
    async with httpx.AsyncClient(base_url=url, limits=httpx.Limits(max_connections=100)) as client:

        @app.post("/{path:path}")
        async def forward(path: str, request: Request) -> Response:
            headers = {name: value for name, value in request.headers.items() if name not in {"host", "content-length"}}
            answer = await client.post(f"/{path}", content=await request.body(), headers=headers)
            return Response(answer.content, answer.status_code, media_type=answer.headers["content-type"])

        await _serve_plain(app)


async def bare() -> None:
    """FastAPI and uvicorn with nothing of ours, to see how long they take to start."""
    app = FastAPI()

    @app.get("/livez")
    async def livez() -> str:
        return "ok"

    await _serve_plain(app)


async def _serve_beside(service: str, reference: Router) -> None:
    async with open_parts([service]) as parts:
        resources = parts[service].resources
        await resources.views.start(parts[service].projections)
        app: FastAPI = import_module(f"services.{service}.app").create_app(resources, settings_of(service))
        app.router.routes[:0] = reference.routes
        await serve_app(app, "127.0.0.1", 0, on_ready=_say_port)


async def _serve_plain(app: FastAPI) -> None:
    config = uvicorn.Config(app, port=0, log_config=None, access_log=False)
    await DrainingServer(config, asyncio.Event(), _say_port).serve()


_ROLES = {
    "owner": owner,
    "slo": slo,
    "incidents": incidents,
    "on-call": on_call,
    "gateway": gateway,
    "httpx-gateway": httpx_gateway,
    "bare": bare,
}

if __name__ == "__main__":
    uvloop.run(_ROLES[sys.argv[1]](*sys.argv[2:]))
