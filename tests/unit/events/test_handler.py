"""A command on one aggregate, through every way it can go."""

import asyncio
import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.events.decider import Decider
from libs.events.envelope import Context, Metadata
from libs.events.errors import ConflictError, RefusedError, ReservedError
from libs.events.handler import CommandHandler, Effects, Outcome
from libs.events.memory import MemoryStore
from libs.events.registry import EventRegistry
from libs.events.store import Answer, Appended, AppendRequest, IdempotencyKey, Reservation, Timer
from libs.events.testing import FrozenClock

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
KEY = IdempotencyKey("ana", "POST /v1/doors", "k", "hash")


@dataclass(frozen=True)
class Opened:
    """The door is open."""

    by: str


@dataclass(frozen=True)
class Closed:
    """The door is closed again."""

    by: str


class StillOpenError(Exception):
    """It cannot be removed."""


def decide(command: str, state: str) -> tuple[Opened | Closed, ...]:
    """Open, close, or fail to remove."""
    match command, state:
        case "open", "closed":
            return (Opened("ana"),)
        case "close", "open":
            return (Closed("ana"),)
        case "slam", _:
            return (Opened("bo"), Closed("bo"))
        case "remove", "open":
            raise StillOpenError
        case _:
            return ()


DOOR = Decider("door", "closed", decide, lambda _, event: "open" if isinstance(event, Opened) else "closed")
REGISTRY = EventRegistry(published={"test.door.opened.v1": Opened}, internal={"test.door.closed.v1": Closed})


def context() -> Context:
    return Context.of_request(NOW, Metadata(actor="ana"))


class CountingStore(MemoryStore):
    """Counts what is asked of it."""

    def __init__(self) -> None:
        super().__init__(FrozenClock(NOW))
        self.loads = 0
        self.appends = 0

    async def load(self, stream: str, **options: object) -> list[object]:  # type: ignore[override]
        self.loads += 1
        return await super().load(stream, **options)  # type: ignore[arg-type]

    async def append(self, request: AppendRequest, *, deadline_s: float = 5.0) -> Appended:
        self.appends += 1
        return await super().append(request, deadline_s=deadline_s)


@pytest.fixture
def store() -> CountingStore:
    return CountingStore()


@pytest.fixture
def handler(store: CountingStore) -> CommandHandler:
    return CommandHandler(store, REGISTRY)


async def test_a_command_becomes_events_with_time_actor_and_wire_name(
    store: CountingStore, handler: CommandHandler
) -> None:
    circumstances = context()
    outcome = await handler.handle(DOOR, "a", "open", circumstances)

    (recorded,) = await store.read(0, 10)
    assert outcome == Outcome("door/a", "open", 1, (Opened("ana"),), 1, 0)
    assert (recorded.type, recorded.occurred_at, recorded.data) == ("test.door.opened.v1", NOW, b'{"by":"ana"}')
    assert recorded.meta == Metadata(actor="ana")
    assert recorded.event_id == circumstances.event_id(0)


async def test_the_published_position_is_that_of_the_last_event_that_leaves(handler: CommandHandler) -> None:
    slammed = await handler.handle(DOOR, "a", "slam", context())
    assert (slammed.position, slammed.published) == (2, 1)

    await handler.handle(DOOR, "b", "open", context())
    closed = await handler.handle(DOOR, "b", "close", context())
    assert (closed.position, closed.published) == (4, 0)


async def test_a_new_stream_and_a_kept_state_need_no_load(store: CountingStore, handler: CommandHandler) -> None:
    for command in ("open", "close", "open"):
        await handler.handle(DOOR, "a", command, context())

    assert (store.loads, store.appends) == (0, 3)


async def test_a_stale_kept_state_is_noticed_by_the_append(store: CountingStore, handler: CommandHandler) -> None:
    await handler.handle(DOOR, "a", "open", context())
    other = CommandHandler(store, REGISTRY)
    await other.handle(DOOR, "a", "close", context())
    await other.handle(DOOR, "a", "open", context())

    outcome = await handler.handle(DOOR, "a", "close", context())

    assert (outcome.version, outcome.state) == (4, "closed")


async def test_a_stale_kept_state_neither_refuses_nor_stays_silent(
    store: CountingStore, handler: CommandHandler
) -> None:
    await handler.handle(DOOR, "a", "open", context())
    await CommandHandler(store, REGISTRY).handle(DOOR, "a", "close", context())

    assert (await handler.handle(DOOR, "a", "remove", context())).version == 2

    await CommandHandler(store, REGISTRY).handle(DOOR, "a", "open", context())
    with pytest.raises(StillOpenError):
        await handler.handle(DOOR, "a", "remove", context())
    await CommandHandler(store, REGISTRY).handle(DOOR, "a", "close", context())
    assert (await handler.handle(DOOR, "a", "open", context())).version == 5


async def test_of_two_that_race_the_second_decides_anew(store: CountingStore) -> None:
    handlers = [CommandHandler(store, REGISTRY) for _ in range(2)]
    outcomes = await asyncio.gather(*(each.handle(DOOR, "a", "open", context()) for each in handlers))

    assert sorted(len(outcome.events) for outcome in outcomes) == [0, 1]
    assert len(await store.read(0, 10)) == 1


class BusyStore(MemoryStore):
    """Lets everybody decide before anything is stored."""

    async def append(self, request: AppendRequest, *, deadline_s: float = 5.0) -> Appended:
        await asyncio.sleep(0)
        return await super().append(request, deadline_s=deadline_s)


async def test_of_many_that_race_each_has_its_turn() -> None:
    store = BusyStore(FrozenClock(NOW))
    handler = CommandHandler(store, REGISTRY)
    await asyncio.gather(*(handler.handle(DOOR, "a", "slam", context()) for _ in range(40)))

    assert len(await store.read(0, 100)) == 80


class OutrunStore(MemoryStore):
    """Another process is first with the next so many commands."""

    outrun = 0

    async def append(self, request: AppendRequest, *, deadline_s: float = 5.0) -> Appended:
        left, self.outrun = self.outrun, 0
        if left:
            await CommandHandler(self, REGISTRY).handle(DOOR, "a", "slam", context())
            self.outrun = left - 1
        return await super().append(request, deadline_s=deadline_s)


async def test_who_loses_again_and_again_to_another_process_wins_when_that_is_done() -> None:
    store = OutrunStore(FrozenClock(NOW))
    store.outrun = 40
    outcome = await CommandHandler(store, REGISTRY).handle(DOOR, "a", "slam", context())

    assert outcome.version == 82


async def test_who_expects_another_version_is_a_conflict(store: CountingStore, handler: CommandHandler) -> None:
    await handler.handle(DOOR, "a", "open", context())
    for expected in (0, 2):
        with pytest.raises(ConflictError):
            await handler.handle(DOOR, "a", "close", context(), expected=expected)

    await CommandHandler(store, REGISTRY).handle(DOOR, "a", "close", context())
    with pytest.raises(ConflictError):  # though the kept state is at 1
        await handler.handle(DOOR, "a", "close", context(), expected=1)
    assert (await handler.handle(DOOR, "a", "open", context(), expected=2)).version == 3


async def test_a_repeated_context_is_recognised(store: CountingStore, handler: CommandHandler) -> None:
    circumstances = context()
    first = await handler.handle(DOOR, "a", "slam", circumstances)
    again = await handler.handle(DOOR, "a", "slam", circumstances)

    assert (again.events, again.version, again.position) == ((), 2, first.position)
    assert len(await store.read(0, 10)) == 2


async def test_effects_are_stored_with_the_events_or_not_at_all(store: CountingStore, handler: CommandHandler) -> None:
    timer = Timer("t", NOW, "remind")

    def effects(state: str, events: tuple[Opened | Closed, ...]) -> Effects:
        return Effects(reserve=(Reservation("room", state, "door/a"),), schedule=(timer,) * len(events))

    await handler.handle(DOOR, "a", "open", context(), effects=effects)
    assert await store.holder("room", "open") == "door/a"
    assert await store.due(NOW, 10) == [timer]

    theirs = Effects(reserve=(Reservation("room", "open", "door/b"),))
    with pytest.raises(ReservedError):
        await handler.handle(DOOR, "b", "open", context(), effects=theirs)
    assert (await handler.load(DOOR, "b")).version == 0


async def test_the_answer_is_kept_under_the_key_even_of_a_silent_command(
    store: CountingStore, handler: CommandHandler
) -> None:
    def answer(outcome: Outcome[str]) -> Answer:
        return Answer(200, outcome.state.encode())

    await store.begin(KEY, NOW)
    await handler.handle(DOOR, "a", "close", context(), idempotency=KEY, answer=answer)

    kept = await store.begin(KEY, NOW)
    assert kept is not None
    assert kept.answer == Answer(200, b"closed")


async def test_a_silent_command_stores_nothing(store: CountingStore, handler: CommandHandler) -> None:
    outcome = await handler.handle(DOOR, "a", "close", context())

    assert (outcome.events, outcome.version, store.appends) == ((), 0, 0)


async def test_as_of_shows_the_past_and_keeps_nothing(store: CountingStore, handler: CommandHandler) -> None:
    await handler.handle(DOOR, "a", "open", context())

    assert (await handler.load(DOOR, "a", as_of=NOW - timedelta(seconds=1))).state == "closed"
    assert (await handler.load(DOOR, "a")).state == "open"


@pytest.mark.parametrize("by", [None, math.inf, 3])
async def test_what_could_not_be_read_again_is_refused(handler: CommandHandler, store: CountingStore, by: Any) -> None:
    odd = Decider("door", "closed", lambda _, __: (Opened(by),), lambda state, _: state)
    with pytest.raises(RefusedError, match=r"Expected `str`, got .* at `\$.by`"):
        await handler.handle(odd, "a", "open", context())
    assert await store.read(0, 1) == []


async def test_text_that_is_no_text_is_refused(handler: CommandHandler) -> None:
    odd = Decider("door", "closed", lambda command, _: (Opened(command),), lambda state, _: state)
    with pytest.raises(RefusedError, match="lone surrogate"):
        await handler.handle(odd, "a", "\ud800", context())
