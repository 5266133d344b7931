import asyncio

import pytest

from libs.events.backoff import unless_stopped


async def nothing(seconds: float) -> str:
    await asyncio.sleep(seconds)
    return "done"


async def fails() -> str:
    raise TimeoutError


async def test_what_ends_by_itself_gives_its_result() -> None:
    assert await unless_stopped(asyncio.Event(), nothing(0), otherwise="stopped") == "done"


async def test_a_stop_ends_every_wait_at_once() -> None:
    stop = asyncio.Event()
    waits = [asyncio.create_task(unless_stopped(stop, nothing(60), otherwise="stopped")) for _ in range(3)]
    await asyncio.sleep(0)
    stop.set()
    async with asyncio.timeout(5):
        assert await asyncio.gather(*waits) == ["stopped"] * 3


async def test_a_wait_that_begins_after_the_stop_ends_too() -> None:
    stop = asyncio.Event()
    stop.set()
    async with asyncio.timeout(5):
        assert await unless_stopped(stop, nothing(60), otherwise="stopped") == "stopped"


async def test_a_timeout_of_the_work_is_the_callers() -> None:
    with pytest.raises(TimeoutError):
        await unless_stopped(asyncio.Event(), fails(), otherwise="stopped")


async def test_whoever_is_cancelled_is_cancelled_and_not_stopped() -> None:
    waiting = asyncio.create_task(unless_stopped(asyncio.Event(), nothing(60), otherwise="stopped"))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
