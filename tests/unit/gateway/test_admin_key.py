"""The first key, on disk and in the log."""

import asyncio
from pathlib import Path
from typing import Any, cast

import pytest

from libs.events.errors import SetupError
from libs.events.memory import MemoryStore
from libs.events.resources import Resources
from libs.events.testing import FrozenClock
from services.gateway.auth.admin_key import ensure_admin_key
from services.gateway.auth.keys import ApiKeys
from services.gateway.auth.secrets import new_key
from services.gateway.contract import CONTRACT

UNUSED = cast("Any", None)


def fresh() -> Resources:
    clock = FrozenClock()
    return Resources("gateway", CONTRACT, MemoryStore(clock), views=UNUSED, bus=UNUSED, clock=clock)


def keys(resources: Resources) -> ApiKeys:
    return ApiKeys(resources.handler, resources.clock, refresh_s=5)


async def test_the_first_start_writes_a_key_that_may_do_everything(tmp_path: Path) -> None:
    resources = fresh()
    path = await ensure_admin_key(resources, tmp_path / "data")
    assert path.stat().st_mode & 0o777 == 0o600
    principal = await keys(resources).authenticate(path.read_text())
    assert principal.may("api-keys.write")
    assert [file.name for file in path.parent.iterdir()] == ["admin.key"]


async def test_the_second_start_changes_nothing(tmp_path: Path) -> None:
    resources = fresh()
    first = (await ensure_admin_key(resources, tmp_path)).read_text()
    second = (await ensure_admin_key(resources, tmp_path)).read_text()
    assert second == first
    assert await resources.store.head() == 1


async def test_a_key_whose_event_was_never_stored_is_made_valid(tmp_path: Path) -> None:
    path = await ensure_admin_key(fresh(), tmp_path)  # killed after the file, before the event
    resources = fresh()
    await ensure_admin_key(resources, tmp_path)
    assert await keys(resources).authenticate(path.read_text())


async def test_starts_at_once_agree_on_one_key(tmp_path: Path) -> None:
    resources = fresh()
    await asyncio.gather(*(ensure_admin_key(resources, tmp_path) for _ in range(5)))
    assert await resources.store.head() == 1
    assert await keys(resources).authenticate((tmp_path / "admin.key").read_text())


@pytest.mark.parametrize("content", ["", "hello", "\xff"])
async def test_a_file_that_holds_no_key_stops_the_start_with_its_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "admin.key").write_bytes(content.encode("latin-1"))
    with pytest.raises(SetupError, match=r"admin\.key"):
        await ensure_admin_key(fresh(), tmp_path)


async def test_a_file_with_another_secret_of_a_known_key_stops_the_start(tmp_path: Path) -> None:
    resources = fresh()
    path = await ensure_admin_key(resources, tmp_path)
    path.write_text(str(new_key(path.read_text().split("_")[1])))
    with pytest.raises(SetupError, match="another secret"):
        await ensure_admin_key(resources, tmp_path)


async def test_a_folder_that_cannot_be_written_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match="cannot be"):
        await ensure_admin_key(fresh(), tmp_path / "file")
