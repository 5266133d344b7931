"""F2, the store's part: kill -9 of a process that appends to SQLite; the next start needs no repair."""

import subprocess
import sys
from pathlib import Path
from uuid import UUID

from libs.events.sqlite import SqliteStore
from libs.events.store_contract import request, write
from tests.faults.counting import count

KILLS = 3
ACKNOWLEDGED = 2_000  # event ids read before each kill


async def test_nothing_acknowledged_is_lost_or_doubled(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    acknowledged = [event_id for run in range(KILLS) for event_id in append_until_killed(path, run)]

    store = SqliteStore(path)
    await store.start()
    counted = await count(store, acknowledged)
    await store.append(request(write("after/a", 0)))
    await store.close()

    print(f"F2: {KILLS} kills: {counted}")  # noqa: T201  the test's figures
    assert (counted.lost, counted.doubled, counted.gaps) == (0, 0, 0)


def append_until_killed(path: Path, run: int) -> list[UUID]:
    """The event ids that a process acknowledged before it was killed in the middle of its work."""
    command = [sys.executable, "-m", "tests.faults.appending_process", str(path), str(run)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  our own program
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(ACKNOWLEDGED)]
        process.kill()
        lines += process.stdout.read().splitlines(keepends=True)
    return [UUID(line.strip()) for line in lines if line.endswith("\n")]
