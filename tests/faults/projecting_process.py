"""A member of a group that counts added books, until it is told to end; it says what it does with each batch.

Arguments: database, Kafka, the service whose events are read, at which batch a fault comes, and which one: `stall`
(SIGSTOP of itself with the batch in hand), `die` (kill -9 of itself) or `none`.
"""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence

from libs.events.errors import FencedError
from libs.events.feeds import BusFeed
from libs.events.kafka import KafkaBus
from libs.events.ledger import Batch
from libs.events.projection import Projection
from libs.events.projector import Projector
from libs.events.views import Views, open_views
from tests.fixtures.shelves import tallies

SESSION_S = 6.0  # the shortest that a broker allows by default
BATCH = 200

FAULTS = {"stall": signal.SIGSTOP, "die": signal.SIGKILL}


class FaultyProjector(Projector):
    """Has a fault with a batch in hand; says so, and what becomes of its batches."""

    def __init__(self, views: Views, projection: Projection, at: int, fault: str) -> None:
        super().__init__(views, projection)
        self._left, self._fault = at, fault

    async def apply(self, batches: Sequence[Batch]) -> None:
        self._left -= 1
        if self._left == 0 and self._fault in FAULTS:
            print("in hand", flush=True)  # noqa: T201  the test reads it
            os.kill(os.getpid(), FAULTS[self._fault])
        try:
            await super().apply(batches)
        except FencedError:
            print("fenced", flush=True)  # noqa: T201  as above
            raise
        print("applied", flush=True)  # noqa: T201  as above


async def main(url: str, servers: str, service: str, at: str, fault: str) -> None:
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    bus = KafkaBus(servers, session_s=SESSION_S)
    async with open_views(url) as views:
        await views.start([tallies(service)])
        projector = FaultyProjector(views, tallies(service), int(at), fault)
        await BusFeed(projector, bus, [service], "reader.tallies", BATCH).run(stop)
    await bus.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
