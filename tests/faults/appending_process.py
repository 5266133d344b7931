"""Appends to an SQLite store for ever, and says on standard output which event ids were acknowledged."""

import asyncio
import sys
from pathlib import Path

from libs.events.sqlite import SqliteStore
from libs.events.store_contract import event, request, write

WRITERS = 32


async def main(path: Path, run: str) -> None:
    store = SqliteStore(path)
    await store.start()

    async def writer(number: int) -> None:
        version = 0
        while True:
            new = [event() for _ in range(number % 3 + 1)]
            await store.append(request(write(f"thing/{run}-{number}", version, *new)))
            version += len(new)
            sys.stdout.write("".join(f"{one.event_id}\n" for one in new))
            sys.stdout.flush()

    await asyncio.gather(*(writer(number) for number in range(WRITERS)))


asyncio.run(main(Path(sys.argv[1]), sys.argv[2]))
