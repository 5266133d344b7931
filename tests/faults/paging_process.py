"""Incidents as a process of its own, on a data directory, until it is killed; its clock goes so many seconds ahead.

With `deaf` it decides whom to call, and sends nothing.
"""

import asyncio
import sys
from datetime import datetime, timedelta
from pathlib import Path

from libs.events.clock import SystemClock
from services.incidents.paging.sender import Sender
from tests.fixtures.services import Database, running


class Ahead(SystemClock):
    """The machine's clock, set ahead."""

    def __init__(self, seconds: float) -> None:
        self._by = timedelta(seconds=seconds)

    def now(self) -> datetime:
        return super().now() + self._by


async def _nothing(_: Sender, stop: asyncio.Event) -> None:
    await stop.wait()


async def main(data_dir: Path, ahead_s: float, mode: str) -> None:
    if mode == "deaf":
        Sender.run = _nothing
    async with running("incidents", Database("sqlite:", data_dir), clock=Ahead(ahead_s), outbound_private=True) as it:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        if mode == "deaf":
            body = {"title": "Carts fail", "service": "cart-api", "severity": "sev3"}
            await it.call("POST", "/v1/incidents", body, expect=201)
            while (await it.client.get("/v1/incidents/INC-1/escalation")).status_code != 200:
                await asyncio.sleep(0.01)
            sys.stdout.write("decided\n")
            sys.stdout.flush()
        await asyncio.Event().wait()


asyncio.run(main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3]))
