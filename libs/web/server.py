"""One server per process, which ends without cutting a request: streams first, then what runs, then the pools."""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import partial
from socket import socket
from types import FrameType

import uvicorn
from fastapi import FastAPI

from libs.events.resources import Resources
from libs.events.worker import Worker
from libs.web import health, metrics
from libs.web.health import Health
from libs.web.tracing import exported_traces

GRACE_S = 20  # what requests in flight may still take; Kubernetes gives the whole process 45 s
_LEAVE_S = 0.4  # while each answer closes its connection, so that no client is caught with a request under way
_LATE_S = 2.0  # at most, for connections made just before the door closed; idle ones are closed then
_LOOK_EVERY_S = 0.02
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class DrainingServer(uvicorn.Server):
    """A server that, told to end, lets its clients leave before it shuts its doors."""

    def __init__(
        self, config: uvicorn.Config, draining: asyncio.Event, on_ready: Callable[[int], None] | None = None
    ) -> None:
        super().__init__(config)
        self._draining, self._on_ready = draining, on_ready

    async def startup(self, sockets: list[socket] | None = None) -> None:
        """Listen, then say so."""
        await super().startup(sockets)
        if self._on_ready is not None:
            self._on_ready(self.servers[0].sockets[0].getsockname()[1])

    @contextmanager
    def capture_signals(self) -> Generator[None]:
        """Signals end the server and nothing else: uvicorn would raise them again, and no pool would be closed."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in _SIGNALS:
                loop.remove_signal_handler(number)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """The first signal drains, another SIGINT ends at once."""
        self._draining.set()
        super().handle_exit(sig, frame)

    async def shutdown(self, sockets: list[socket] | None = None) -> None:
        """Let clients leave, close the doors, finish what runs."""
        self._draining.set()
        if not self.force_exit:
            await asyncio.sleep(_LEAVE_S)
            doors = [socket(fileno=os.dup(each.fileno())) for server in self.servers for each in server.sockets]
            for server in self.servers:
                server.close()
            for door in doors:
                await self._let_in_who_waits(door)
            clock = asyncio.get_running_loop().time
            deadline = clock() + _LATE_S
            while self.server_state.connections and clock() < deadline:  # noqa: ASYNC110  uvicorn has no event for it
                await asyncio.sleep(_LOOK_EVERY_S)  # each leaves with its next answer
        await super().shutdown(sockets)

    async def _let_in_who_waits(self, door: socket) -> None:
        """Serve the connections that the kernel has answered already: closing the door on them would cut a request."""
        door.setblocking(False)  # noqa: FBT003  its only parameter
        door.listen(0)
        waiting: list[socket] = []
        with door, suppress(BlockingIOError):
            while True:
                waiting.append(door.accept()[0])
        protocol = partial(
            self.config.http_protocol_class,
            config=self.config,
            server_state=self.server_state,
            app_state=self.lifespan.state,
        )
        for connection in waiting:
            await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)


async def serve_app(app: FastAPI, host: str, port: int, *, on_ready: Callable[[int], None] | None = None) -> None:
    """Serve *app* until SIGINT or SIGTERM; returns when every request has its answer.

    Args:
        app: Made by `create_service_app`.
        host: Address to listen on.
        port: Port to listen on; 0 takes a free one.
        on_ready: Told the port once it listens.
    """
    endpoint: str = app.state.settings.otlp_endpoint
    with exported_traces(endpoint, app.state.resources.service):
        await _serve(app, host, port, on_ready)


async def serve_worker(worker: Worker, resources: Resources, host: str, port: int) -> None:
    """Run *worker*, with probes and metrics beside it, until SIGINT or SIGTERM."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    app.state.resources, app.state.health = resources, Health(started=lambda: worker.ready)
    metrics.WORKERS.watch(worker)
    app.include_router(health.router)
    app.include_router(metrics.router)
    async with asyncio.TaskGroup() as group:
        group.create_task(worker.run(app.state.health.draining))
        await _serve(app, host, port)  # a worker that fails ends it, through the group


async def _serve(app: FastAPI, host: str, port: int, on_ready: Callable[[int], None] | None = None) -> None:
    state: Health = app.state.health
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,  # nothing here asks for the client's address
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=75,
    )
    # What was made until now stays; walking it again and again took a third of the time of a command.
    gc.freeze()
    gc.set_threshold(10_000, 20, 50)
    gc.enable()  # whoever starts may have switched it off
    await DrainingServer(config, state.draining, on_ready).serve()
