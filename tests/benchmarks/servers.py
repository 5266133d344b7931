"""The servers that benchmarks share: started when the first row asks, stopped at the end of the run."""

import asyncio
import os
import socket
import sys
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import ExitStack, asynccontextmanager, contextmanager
from functools import cached_property
from itertools import count
from pathlib import Path

from deploy.local.kafka import KafkaServer
from deploy.local.postgres import PostgresServer
from tests.benchmarks import load

_ROOT = Path(__file__).parents[2]
_START_WITHIN_S = 180  # a dozen processes, on a busy machine
_STOP_WITHIN_S = 40
_NUMBERS = count(1)


class Servers:
    """A PostgreSQL with its own defaults and a Kafka broker, of this run alone.

    Args:
        directory: Where they keep their data; others may put theirs beside it.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._running = ExitStack()

    @cached_property
    def postgres(self) -> PostgresServer:
        """The PostgreSQL."""
        return self._running.enter_context(PostgresServer(self.directory / "postgres", external=""))

    @cached_property
    def kafka(self) -> KafkaServer:
        """The broker."""
        return self._running.enter_context(KafkaServer(self.directory / "kafka", external="", fast_start=False))

    @contextmanager
    def database(self) -> Iterator[str]:
        """The address of an empty database, dropped at the end."""
        name = f"bench_{next(_NUMBERS)}"
        yield self.postgres.create_database(name)
        self.postgres.drop_database(name)

    def stop(self) -> None:
        """Stop what runs."""
        self._running.close()


@asynccontextmanager
async def process(*arguments: str, env: Mapping[str, str], port: int = 0) -> AsyncGenerator[int]:
    """A Python process that listens and is ready: on the port it prints, or on *port* if that is given."""
    running = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        cwd=_ROOT,
        env=os.environ | env,
        stdout=asyncio.subprocess.DEVNULL if port else asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_START_WITHIN_S):
            if running.stdout is not None:
                port = int(await running.stdout.readline())
            while not await asyncio.to_thread(_is_ready, port):
                await asyncio.sleep(0.02)
        yield port
    finally:
        if running.returncode is None:
            running.terminate()
        async with asyncio.timeout(_STOP_WITHIN_S):
            await running.wait()


def _is_ready(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(load.request("GET", "/readyz", {"Connection": "close"}))
            return b" 503 " not in connection.recv(64)
    except OSError:
        return False
