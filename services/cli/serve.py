"""The embedded installation: four apps and four workers in one process, on one data directory."""

import asyncio
import ctypes
import gc
import secrets
import sys
import warnings
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from pydantic.warnings import UnsupportedFieldAttributeWarning
from starlette.types import Receive, Scope, Send

from libs.events.clock import Clock
from libs.events.worker import Worker
from libs.web.metrics import WORKERS
from libs.web.server import serve_app
from services.cli.control import control_socket
from services.cli.data_directory import DataDirectory
from services.cli.operations import Part
from services.cli.wiring import OWNERS, SERVICES, open_parts, settings_of
from services.gateway.auth.admin_key import ensure_admin_key
from services.gateway.clients import AsgiOwner


@dataclass(frozen=True, slots=True)
class Embedded:
    """A running installation.

    Args:
        gateway: The app that everyone talks to.
        parts: Each service's adapters and projections, and its worker, which runs.
        whole: Done when the apps of all owners are made.
    """

    gateway: FastAPI
    parts: Mapping[str, Part]
    whole: "asyncio.Task[None]"


@asynccontextmanager
async def embedded(clock: Clock | None = None, **overrides: object) -> AsyncGenerator[Embedded]:
    """All four services in this process, their workers running, the gateway's app ready to be served or called.

    Args:
        clock: Another clock than the machine's.
        overrides: Settings above those of the environment.
    """
    # FastAPI silences it while it makes a route, which fails now and then where another thread does so too.
    warnings.filterwarnings("ignore", category=UnsupportedFieldAttributeWarning)
    overrides = {"internal_key": secrets.token_urlsafe(48)} | overrides
    async with open_parts(SERVICES, clock, **overrides) as parts:
        apps = {service: AppOnTheWay(service, parts[service]) for service in OWNERS}
        owners = {service: AsgiOwner(app, app.made) for service, app in apps.items()}
        gateway = import_module("services.gateway.app").create_app(
            parts["gateway"].resources, parts["gateway"].settings, owners
        )
        async with running({service: part.worker for service, part in parts.items()}), making(apps.values()) as whole:
            yield Embedded(gateway, parts, whole)


class AppOnTheWay:
    """The app of a service, made while the gateway answers already: routes take a third of the time of a start."""

    def __init__(self, service: str, part: Part) -> None:
        self._service, self._part = service, part
        self._app: asyncio.Future[FastAPI] = asyncio.get_running_loop().create_future()

    async def make(self) -> None:
        """Make it, beside all else that goes on."""
        self._app.set_result(await asyncio.to_thread(self._make))

    def _make(self) -> FastAPI:
        module = import_module(f"services.{self._service}.app")
        app: FastAPI = module.create_app(self._part.resources, self._part.settings)
        return app

    async def made(self) -> FastAPI:
        """The app, once it is made."""
        return await asyncio.shield(self._app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, once it is made."""
        await (await self.made())(scope, receive, send)


@asynccontextmanager
async def making(apps: Iterable[AppOnTheWay]) -> "AsyncGenerator[asyncio.Task[None]]":
    """*apps* are made one after the other; a fault ends the context."""

    async def make() -> None:
        for app in apps:
            await app.make()

    async with asyncio.TaskGroup() as group:
        yield group.create_task(make(), name="apps")


@asynccontextmanager
async def running(workers: Mapping[str, Worker]) -> AsyncGenerator[None]:
    """*workers* run until the context ends; a fatal error of one of them ends the context."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for service, worker in workers.items():
            WORKERS.watch(worker)
            group.create_task(worker.run(stop), name=f"{service}-worker")
        try:
            yield
        finally:
            stop.set()


# Threads wait for the disk, and hold an event up as long as they must wait for the interpreter afterwards.
_SWITCH_THREADS_EVERY_S = 0.0005

# glibc keeps a heap for each thread, and of what a large request has freed as much as it likes.
_M_TRIM_THRESHOLD, _M_ARENA_MAX = -1, -8
_KEEP_FREE_BYTES = 128 * 1024


async def serve(host: str, port: int, data_dir: Path | None) -> None:
    """Run the embedded installation until a signal ends it."""
    sys.setswitchinterval(_SWITCH_THREADS_EVERY_S)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # glibc's alone
        mallopt(_M_ARENA_MAX, 1)
        mallopt(_M_TRIM_THRESHOLD, _KEEP_FREE_BYTES)
    folder = settings_of("gateway", data_dir=data_dir).data_dir
    directory = DataDirectory(folder)
    with directory.hold():
        async with (
            embedded(
                data_dir=folder, database_url="sqlite:", kafka_bootstrap_servers="", **where_links_lead(host, port)
            ) as installation,
            control_socket(installation.parts) as control,
        ):
            key = await ensure_admin_key(installation.parts["gateway"].resources, folder)
            directory.announce(control)
            installation.whole.add_done_callback(lambda _: gc.freeze())  # see `serve_app`

            def tell(listening: int) -> None:
                url = f"http://{host}:{listening}"
                sys.stdout.write(
                    f"Concordat listens on {url}\n"
                    f"  its key is in {key}; try\n"
                    f'  curl -H "X-API-Key: $(cat {key})" {url}/v1/overview\n'
                )
                sys.stdout.flush()

            await serve_app(installation.gateway, host, port, on_ready=tell)


def where_links_lead(host: str, port: int) -> dict[str, Any]:
    """The setting by which links in messages lead to where this listens; nothing, where a setting says otherwise."""
    said = "public_url" in settings_of("incidents").model_fields_set
    return {} if said or not port else {"public_url": f"http://{host}:{port}"}
