"""A command that asks something of several aggregates is stored as one, or not at all."""

from dataclasses import dataclass
from datetime import UTC, datetime

import pytest

from libs.events.decider import Decider
from libs.events.envelope import Context, Metadata
from libs.events.errors import ConflictError
from libs.events.handler import CommandHandler, Effects, Step
from libs.events.memory import MemoryStore
from libs.events.registry import EventRegistry
from libs.events.store import Reservation

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Moved:
    """An amount was put on or taken from an account."""

    amount: int


class EmptyAccountError(Exception):
    """There is not enough to take."""


def decide(command: int, state: int) -> tuple[Moved, ...]:
    """The move, unless it is nothing or too much."""
    if state + command < 0:
        raise EmptyAccountError
    return (Moved(command),) if command else ()


ACCOUNT = Decider("account", 0, decide, lambda state, event: state + event.amount)
REGISTRY = EventRegistry(published={"test.account.moved.v1": Moved})


def context() -> Context:
    return Context.of_request(NOW, Metadata(actor="ana"))


async def test_both_aggregates_change_in_one_transaction() -> None:
    store = MemoryStore()
    handler = CommandHandler(store, REGISTRY)

    outcome = await handler.handle(ACCOUNT, "a", 5, context(), also=(Step(ACCOUNT, "b", 7),))

    assert (outcome.stream, outcome.state, outcome.version, outcome.position, outcome.published) == (
        "account/a",
        5,
        1,
        2,
        1,
    )
    assert [(r.stream, r.version) for r in await store.read(0, 10)] == [("account/a", 1), ("account/b", 1)]
    assert (await handler.load(ACCOUNT, "b")).state == 7


async def test_nothing_is_stored_when_the_second_refuses() -> None:
    store = MemoryStore()
    handler = CommandHandler(store, REGISTRY)

    with pytest.raises(EmptyAccountError):
        await handler.handle(ACCOUNT, "a", 5, context(), also=(Step(ACCOUNT, "b", -7),))

    assert await store.head() == 0


async def test_the_second_is_asked_even_when_the_first_stays_silent() -> None:
    store = MemoryStore()
    handler = CommandHandler(store, REGISTRY)

    await handler.handle(ACCOUNT, "a", 0, context(), also=(Step(ACCOUNT, "b", 7),))

    assert [r.stream for r in await store.read(0, 10)] == ["account/b"]


async def test_what_the_second_lets_happen_without_an_event_is_asked_again_when_it_has_moved() -> None:
    store = MemoryStore()
    handler, other = CommandHandler(store, REGISTRY), CommandHandler(store, REGISTRY)
    await other.handle(ACCOUNT, "b", 1, context())
    recorded = store._streams["account/b"].pop()
    seen: list[int] = []

    def look(_: int, state: int) -> tuple[Moved, ...]:
        if not seen:
            store._streams["account/b"].append(recorded)  # another process, between this one's load and append
        seen.append(state)
        return ()

    await handler.handle(ACCOUNT, "a", 5, context(), also=(Step(Decider("account", 0, look, ACCOUNT.evolve), "b", 0),))

    assert seen == [0, 1]
    assert [stored.stream for stored in await store.read(0, 10)] == ["account/b", "account/a"]


async def test_a_lost_race_on_the_second_is_decided_again() -> None:
    store = MemoryStore()
    handler, other = CommandHandler(store, REGISTRY), CommandHandler(store, REGISTRY)
    raced = False

    def race(command: int, state: int) -> tuple[Moved, ...]:
        nonlocal raced
        if not raced:
            raced = True
            store._streams["account/b"].append(recorded)  # another process, between this one's load and append
        return decide(command, state)

    await other.handle(ACCOUNT, "b", 1, context())
    recorded = store._streams["account/b"].pop()

    racing = Decider("account", 0, race, ACCOUNT.evolve)
    await handler.handle(ACCOUNT, "a", 5, context(), expected=0, also=(Step(racing, "b", 7),))

    assert (await other.load(ACCOUNT, "b")).state == 8


async def test_a_stale_if_match_of_the_first_is_a_conflict() -> None:
    handler = CommandHandler(MemoryStore(), REGISTRY)

    with pytest.raises(ConflictError):
        await handler.handle(ACCOUNT, "a", 5, context(), expected=3, also=(Step(ACCOUNT, "b", 7),))


async def test_each_step_brings_its_own_reservations() -> None:
    store = MemoryStore()
    handler = CommandHandler(store, REGISTRY)
    first, second = Reservation("n", "1", "account/a"), Reservation("n", "2", "account/b")

    await handler.handle(
        ACCOUNT,
        "a",
        5,
        context(),
        effects=Effects(reserve=(first,)),
        also=(Step(ACCOUNT, "b", 7, lambda state, _: Effects(reserve=(second,) if state == 7 else ())),),
    )

    assert [await store.holder("n", "1"), await store.holder("n", "2")] == ["account/a", "account/b"]


async def test_what_a_command_was_worked_out_from_must_stand_as_it_was_read() -> None:
    handler = CommandHandler(MemoryStore(), REGISTRY)
    await handler.handle(ACCOUNT, "a", 5, context())
    await handler.handle(ACCOUNT, "read", 1, context())

    seen, gone = (Step(ACCOUNT, "read", None, expected=version) for version in (1, 0))
    assert (await handler.handle(ACCOUNT, "a", 5, context(), also=(seen,))).version == 2
    with pytest.raises(ConflictError):
        await handler.handle(ACCOUNT, "a", 5, context(), also=(gone,))

    assert [(await handler.load(ACCOUNT, name)).version for name in ("a", "read")] == [2, 1]
