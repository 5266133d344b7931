"""Relays the lamps' log until it is told to end, and has a fault between an acknowledgement and saving the position.

Arguments: database, Kafka, service, how many seconds its clock is ahead, at which save the fault comes, and which one:
`die` (kill -9 of itself) or `hold` (it says so, and goes on at the next line of input).
"""

import asyncio
import os
import signal
import sys
from datetime import datetime, timedelta

from libs.events.clock import SystemClock
from libs.events.errors import FencedError
from libs.events.kafka import KafkaBus
from libs.events.postgres import PostgresStore
from libs.events.relay import Relay
from libs.events.store import Lease
from tests.fixtures.relays import lamps


class Ahead(SystemClock):
    """A clock that thinks it is later."""

    def __init__(self, seconds: float) -> None:
        self._by = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._by


class FaultyStore(PostgresStore):
    """Fails at one save."""

    def __init__(self, url: str, at: int, fault: str) -> None:
        super().__init__(url)
        self._left, self._fault = at, fault

    async def save_relayed(self, lease: Lease, held: int, position: int) -> None:
        self._left -= 1
        if self._left == 0 and self._fault == "die":
            os.kill(os.getpid(), signal.SIGKILL)
        if self._left == 0:
            print("holding", flush=True)  # noqa: T201  the test reads it
            await asyncio.to_thread(sys.stdin.readline)
        try:
            await super().save_relayed(lease, held, position)
        except FencedError:
            print("fenced", flush=True)  # noqa: T201  as above
            raise


async def main(url: str, servers: str, service: str, ahead_s: str, at: str, fault: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    store, bus = FaultyStore(url, int(at), fault), KafkaBus(servers)
    await store.start()
    async with lamps(store, bus, Ahead(float(ahead_s)), service) as resources:
        await Relay(resources, f"process {os.getpid()}").run(stop)
    await bus.close()
    await store.close()


asyncio.run(main(*sys.argv[1:]))
