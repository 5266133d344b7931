"""F4: many writers over several connections, a third of their requests conflicting, and a reader that tails the log."""

import asyncio
import random
from collections import defaultdict

import pytest

from libs.events.envelope import Recorded
from libs.events.errors import ConflictError
from libs.events.postgres import PostgresStore
from libs.events.store import AppendRequest
from libs.events.store_contract import event, request, write

PROCESSES = 3  # stores of their own, as separate processes have
WRITERS = 16  # of each
REQUESTS = 40  # of each writer
STREAMS = 30  # that all of them share


class Writers:
    """What all writers share: the versions they believe in, and what became of their requests."""

    def __init__(self) -> None:
        self.chance = random.Random(4)  # noqa: S311  the same story each time
        self.versions: dict[str, int] = defaultdict(int)
        self.stored: list[tuple[int, AppendRequest]] = []
        self.conflicts = 0

    async def write(self, store: PostgresStore, name: str) -> None:
        for number in range(REQUESTS):
            own = write(f"own/{name}-{number}", 0, *(event() for _ in range(self.chance.randint(1, 5))))
            streams = {f"shared/{self.chance.randrange(STREAMS)}" for _ in range(self.chance.randint(0, 2))}
            shared = [write(stream, self.versions[stream]) for stream in streams]
            one = request(own, *shared)
            try:
                appended = await store.append(one, deadline_s=60)
            except ConflictError:
                self.conflicts += 1
                for each in shared:
                    self.versions[each.stream] = len(await store.load(each.stream))
            else:
                self.stored.append((appended.position, one))
                for each in shared:
                    self.versions[each.stream] = max(self.versions[each.stream], each.expected + 1)


async def tail(store: PostgresStore, done: asyncio.Event) -> list[Recorded]:
    """Everything, read while it is written."""
    tailed: list[Recorded] = []
    while not done.is_set() or tailed[-1].position < await store.head():
        position = tailed[-1].position if tailed else 0
        await store.wait(position, 0.1)
        tailed += await store.read(position, 50)
    return tailed


@pytest.mark.postgres
async def test_no_request_is_torn_and_the_reader_skips_nothing(postgres_url: str) -> None:
    stores = [PostgresStore(postgres_url) for _ in range(PROCESSES)]
    for store in stores:
        await store.start()
    writers, done = Writers(), asyncio.Event()

    tailing = asyncio.ensure_future(tail(stores[0], done))
    await asyncio.gather(*(writers.write(stores[n % PROCESSES], f"{n}") for n in range(PROCESSES * WRITERS)))
    done.set()
    tailed = await tailing
    everything = await stores[0].read(0, 1_000_000)
    for store in stores:
        await store.close()

    at = {one.position: one.event_id for one in tailed}
    requests = [(last, [new.event_id for each in one.writes for new in each.events]) for last, one in writers.stored]
    torn = sum([at.get(last - len(ids) + 1 + n) for n in range(len(ids))] != ids for last, ids in requests)
    skipped = len(everything) - len(tailed)
    print(  # noqa: T201  the test's figures
        f"F4: {len(requests)} requests stored, {writers.conflicts} conflicts: {torn} torn, {skipped} skipped"
    )
    assert (torn, skipped) == (0, 0)
    assert writers.conflicts > len(requests) / 5
    assert sum(len(ids) for _, ids in requests) == len(everything)
    assert [one.position for one in tailed] == sorted({one.position for one in everything})
