"""Rebuilds the tallies of a log, slowly, and says how far it is. Argument: the database."""

import asyncio
import sys

from libs.events import rebuild
from libs.events.clock import SystemClock
from libs.events.embedded_log import EmbeddedLog
from libs.events.postgres import PostgresStore
from libs.events.rebuild import rebuilding
from libs.events.resources import Resources
from libs.events.views import open_views
from tests.fixtures.shelves import LIBRARY, SERVICE, tallies

LEASE_S = 2.0


async def main(url: str) -> None:
    rebuild.LEASE_S, rebuild.BATCH, rebuild._NOBODY_TAKES_IT_S, rebuild._REPORT_EVERY_S = LEASE_S, 50, 0.0, 0.0
    store = PostgresStore(url)
    await store.start()
    async with open_views(url) as views:
        library = Resources(SERVICE, LIBRARY, store, views, EmbeddedLog(None), SystemClock())
        async for generation in rebuilding(library, tallies(SERVICE)):
            print(generation.status, generation.done, flush=True)  # noqa: T201  the test reads it


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
