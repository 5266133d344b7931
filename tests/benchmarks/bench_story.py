"""What the embedded process holds after the whole story."""

from datetime import UTC, datetime

import httpx
import psutil

from tests.benchmarks.result import Result, below
from tests.benchmarks.servers import Servers
from tests.e2e.story import Teller
from tests.fixtures.servers import ConcordatServer

_MIB = 1024 * 1024


async def run(servers: Servers, *, quick: bool) -> list[Result]:
    """The memory row of the table."""
    server = ConcordatServer(servers.directory / "story")
    server.start()
    try:
        headers = {"X-API-Key": server.api_key}
        async with httpx.AsyncClient(base_url=server.url, headers=headers, timeout=30) as http:
            await Teller(http, datetime.now(UTC).replace(second=0, microsecond=0)).tell()
        held = psutil.Process(server.process.pid if server.process else None).memory_info().rss / _MIB
    finally:
        server.stop()
    return [below("memory of the embedded process after the story", held, "MiB", limit=200)]
