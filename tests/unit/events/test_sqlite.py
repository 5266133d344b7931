import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from libs.events.errors import SetupError, StorageFullError
from libs.events.sqlite import SqliteStore
from libs.events.store_contract import event, request, write


async def test_events_and_epoch_survive_a_restart(tmp_path: Path) -> None:
    first = SqliteStore(tmp_path / "sub" / "events.db")
    await first.start()
    await first.append(request(write("thing/a", 0)))
    await first.close()

    second = SqliteStore(tmp_path / "sub" / "events.db")
    await second.start()
    assert len(await second.load("thing/a")) == 1
    assert second.epoch == first.epoch
    await second.close()


async def refusal(path: Path) -> str:
    store = SqliteStore(path)
    try:
        with pytest.raises(SetupError) as caught:
            await store.start()
    finally:
        await store.close()
    return str(caught.value)


async def test_a_file_of_a_newer_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version = 99")

    assert "newer version" in await refusal(path)


async def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    path.write_bytes(b"not a database at all" * 1000)

    assert "restore it from a backup" in await refusal(path)


async def test_a_file_that_is_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    store = SqliteStore(path)
    await store.start()
    await store.append(request(*(write(f"thing/{n}", 0, event(b'"' + b"x" * 3000 + b'"')) for n in range(50))))
    await store.close()
    content = bytearray(path.read_bytes())
    content[20_000:60_000] = b"\xff" * 40_000
    path.write_bytes(content)

    assert "restore it from a backup" in await refusal(path)


async def test_a_file_of_something_else_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "events.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE events (x)")

    assert "cannot be used" in await refusal(path)


async def test_a_full_disk_is_named_and_reads_go_on(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "events.db")
    await store.start()
    await store.append(request(write("thing/a", 0)))
    await store._write("PRAGMA max_page_count = 40")
    big = b'"' + b"x" * 500_000 + b'"'
    with pytest.raises(StorageFullError, match="make room"):
        await store.append(request(write("thing/b", 0, event(big))))

    assert len(await store.read(0, 10)) == 1
    await store._write("PRAGMA max_page_count = 1000000")
    await store.append(request(write("thing/b", 0, event(big))))
    await store.close()


async def test_events_in_the_file_cannot_be_changed(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path / "events.db")
    await store.start()
    await store.append(request(write("thing/a", 0)))
    await store.close()

    with closing(sqlite3.connect(tmp_path / "events.db")) as database:
        for forbidden in ("UPDATE events SET version = 2", "DELETE FROM events"):
            with pytest.raises(sqlite3.IntegrityError, match="events are never"):
                database.execute(forbidden)
