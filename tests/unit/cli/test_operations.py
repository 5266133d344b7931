"""Operations on logs: what goes out comes in again, and every fault is found."""

import json
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from libs.events.bus import Bus
from libs.events.embedded_log import EmbeddedLog
from libs.events.envelope import Context, Metadata
from libs.events.errors import SetupError
from libs.events.memory import MemoryStore
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.settings import Settings
from libs.events.store import AppendRequest, StreamWrite
from libs.events.testing import FrozenClock
from libs.events.views import open_views
from libs.events.worker import Worker
from services.cli.control import ask, control_socket
from services.cli.errors import CliError
from services.cli.operations import Part, Platform, operate

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Counted:
    """An event of a made-up service."""

    number: int


REGISTRY = EventRegistry({"io.concordat.demo.counter.counted.v1": Counted})


@pytest.fixture
async def bus() -> AsyncGenerator[Bus]:
    log = EmbeddedLog(None)
    await log.start()
    yield log
    await log.close()


@pytest.fixture
async def platform(bus: Bus) -> AsyncGenerator[Platform]:
    """A service with three events in two streams."""
    async with open_views("memory:") as views:
        clock = FrozenClock(NOON)
        resources = Resources("demo", REGISTRY, MemoryStore(clock), views, bus, clock)
        for stream, expected, numbers in (("counter/a", 0, (1,)), ("counter/b", 0, (2,)), ("counter/a", 1, (3,))):
            context = Context.of_request(NOON, Metadata(actor="ana"))
            events = resources.handler.encode([Counted(number) for number in numbers], context)
            await resources.store.append(AppendRequest((StreamWrite(stream, expected, events),)))
        yield {"demo": Part(Settings(), resources, (), Worker(resources))}


@pytest.fixture
async def empty(bus: Bus) -> AsyncGenerator[Platform]:
    """The same service without events."""
    async with open_views("memory:") as views:
        clock = FrozenClock(NOON)
        resources = Resources("demo", REGISTRY, MemoryStore(clock), views, bus, clock)
        yield {"demo": Part(Settings(), resources, (), Worker(resources))}


async def lines(platform: Platform, operation: str, **arguments: Any) -> list[dict[str, Any]]:
    return [line async for line in operate(platform, operation, arguments) if "progress" not in line]


async def test_tail_prints_events_in_the_order_of_the_log(platform: Platform) -> None:
    items = [line["item"] for line in await lines(platform, "events tail", limit=2)]

    assert [(item["stream"], item["version"], item["data"]) for item in items] == [
        ("counter/a", 1, {"number": 1}),
        ("counter/b", 1, {"number": 2}),
    ]


async def test_an_exported_log_imported_elsewhere_is_the_same_log(
    platform: Platform, empty: Platform, tmp_path: Path
) -> None:
    file = str(tmp_path / "log.jsonl")
    await lines(platform, "events export", file=file)

    (summary,) = await lines(empty, "events import", file=file)

    assert summary == {"summary": {"imported": 3, "already_there": 0}}
    assert await platform["demo"].resources.store.read(0, 10) == await empty["demo"].resources.store.read(0, 10)


async def test_an_import_may_be_repeated(platform: Platform, tmp_path: Path) -> None:
    file = str(tmp_path / "log.jsonl")
    await lines(platform, "events export", file=file)

    (summary,) = await lines(platform, "events import", file=file)

    assert summary == {"summary": {"imported": 0, "already_there": 3}}


async def test_an_import_into_a_log_with_other_events_is_refused_with_the_line(
    platform: Platform, empty: Platform, tmp_path: Path
) -> None:
    file = tmp_path / "log.jsonl"
    await lines(platform, "events export", file=str(file))
    header, first, *_ = file.read_text(encoding="utf-8").splitlines()
    other = json.loads(first) | {"event_id": "01938000-0000-7000-8000-000000000001"}
    file.write_text("\n".join([header, first, json.dumps(other)]), encoding="utf-8")

    with pytest.raises(SetupError, match=r"log\.jsonl:3: .*other events there"):
        await lines(empty, "events import", file=str(file))


async def test_a_damaged_export_is_refused_with_the_line(empty: Platform, tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_text('{"service": "demo", "format": 1}\n{"position": 1}\n', encoding="utf-8")

    with pytest.raises(SetupError, match=r"log\.jsonl:2: not a line of an export"):
        await lines(empty, "events import", file=str(file))


async def test_a_sound_log_is_verified_without_faults(platform: Platform) -> None:
    assert await lines(platform, "events verify") == [
        {"summary": {"service": "demo", "events": 3, "streams": 2, "faults": 0}}
    ]


async def test_an_event_that_its_class_cannot_read_is_a_fault(platform: Platform) -> None:
    resources = platform["demo"].resources
    context = Context.of_request(NOON, Metadata(actor="ana"))
    (good,) = resources.handler.encode([Counted(4)], context)
    bad = type(good)(good.event_id, good.type, good.occurred_at, b'{"number":"four"}', good.metadata)
    await resources.store.append(AppendRequest((StreamWrite("counter/c", 0, (bad,)),)))

    found, summary = await lines(platform, "events verify")

    assert found["item"]["position"] == 4
    assert "number" in found["item"]["fault"]
    assert summary["summary"]["faults"] == 1


async def test_a_service_that_is_not_there_is_refused_with_those_that_are(platform: Platform) -> None:
    with pytest.raises(CliError, match="no service 'slo' here; there are demo"):
        await lines(platform, "events verify", service="slo")


async def test_a_running_server_answers_the_same_lines_over_its_socket(platform: Platform) -> None:
    async with control_socket(platform) as socket:
        answered = [line async for line in ask(socket, "events verify", {}) if "progress" not in line]

    assert answered == await lines(platform, "events verify")


async def test_what_the_server_refuses_reaches_the_asker(platform: Platform) -> None:
    async with control_socket(platform) as socket:
        with pytest.raises(CliError, match="there are demo") as refused:
            [line async for line in ask(socket, "events verify", {"service": "slo"})]

    assert refused.value.exit_code == 2
