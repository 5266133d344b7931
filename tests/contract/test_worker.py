"""A worker keeps read models, reactions and timers going, on one embedded log, with any database of read models."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from libs.events.bus import events_topic
from libs.events.cloudevents import to_record
from libs.events.deadletter import letters
from libs.events.decider import Decider
from libs.events.embedded_log import EmbeddedLog
from libs.events.envelope import Context, Recorded
from libs.events.errors import ConflictError, SetupError, StoreUnavailableError
from libs.events.memory import MemoryStore
from libs.events.projection import Fold, Projection, Row
from libs.events.reactor import Reaction, Reactor
from libs.events.rebuild import rebuilding, request_rebuild
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.store import AppendRequest, Timer
from libs.events.testing import FrozenClock
from libs.events.views import Views, read_generations
from libs.events.worker import Worker
from tests.fixtures.shelves import (
    LIBRARY,
    NOON,
    PREFIX,
    SERVICE,
    SHELVES,
    BookAdded,
    ShelfBuilt,
    new_event,
    put,
    recorded,
)


@dataclass(frozen=True, slots=True)
class Read:
    title: str


READER = EventRegistry({"io.concordat.reader.book.read.v1": Read})
READING: Decider[str, tuple[str, ...], Read] = Decider(
    "reading", (), lambda title, state: () if title in state else (Read(title),), lambda state, e: (*state, e.title)
)


@pytest.fixture
async def bus() -> AsyncIterator[EmbeddedLog]:
    bus = EmbeddedLog(None)
    await bus.start()
    yield bus
    await bus.close()


@pytest.fixture
def library(bus: EmbeddedLog, views: Views) -> Resources:
    return Resources(SERVICE, LIBRARY, MemoryStore(), views, bus, FrozenClock())


@pytest.fixture
def reader(bus: EmbeddedLog, views: Views) -> Resources:
    return Resources("reader", READER, MemoryStore(), views, bus, FrozenClock())


@asynccontextmanager
async def running(*workers: Worker) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as group:
        for worker in workers:
            group.create_task(worker.run(stop))
        try:
            await until(lambda: all_ready(workers))
            yield
        finally:
            stop.set()


async def until(condition: Callable[[], Awaitable[bool]], within_s: float = 20) -> None:
    async with asyncio.timeout(within_s):
        while not await condition():
            await asyncio.sleep(0.01)


def reading(reader: Resources, act: Callable[[BookAdded], None] = lambda _: None) -> Reaction:
    async def read(event: BookAdded, _: Recorded, context: Context) -> None:
        act(event)
        await reader.handler.handle(READING, event.shelf, event.title, context)

    return Reaction("reads what is added", SERVICE, LIBRARY, {BookAdded: read})


async def titles(reader: Resources, shelf: str) -> tuple[str, ...]:
    return (await reader.handler.load(READING, shelf)).state


async def test_a_projection_of_the_own_store_follows_it(library: Resources) -> None:
    worker = Worker(library, projections=[SHELVES], relay=False)
    async with running(worker):
        await put(library.store, ShelfBuilt("a", "hall"), BookAdded("a", "hall", "Emma"))
        assert await library.views.wait_applied("shelves", SERVICE, library.store.epoch, 0, 2, timeout_s=20)
        assert await library.views.dump(SHELVES) == [("a", "hall", ["Emma"], NOON)]
        assert worker.ready


async def test_a_projection_of_another_service_follows_the_bus(library: Resources, reader: Resources) -> None:
    foreign = replace(SHELVES, name="foreign")
    async with running(Worker(library), Worker(reader, projections=[foreign])):
        await put(library.store, *(ShelfBuilt(f"s{n}", "hall") for n in range(30)))
        await until(lambda: has_rows(reader, foreign, 30))


async def test_two_workers_share_the_partitions_and_apply_each_event_once(
    library: Resources, reader: Resources
) -> None:
    foreign = replace(SHELVES, name="foreign")
    async with running(Worker(library), Worker(reader, projections=[foreign]), Worker(reader, projections=[foreign])):
        for number in range(40):
            await put(library.store, ShelfBuilt(f"s{number}", "hall"), BookAdded(f"s{number}", "hall", "Emma"))
        await until(lambda: all_books(reader, foreign, 40))


async def test_read_models_that_share_a_feed_follow_both_logs(library: Resources, reader: Resources) -> None:
    foreign = [replace(SHELVES, name=name) for name in ("foreign", "elsewhere")]
    own = [SHELVES, replace(SHELVES, name="own")]
    async with running(Worker(library, projections=own), Worker(reader, projections=foreign)):
        await put(library.store, *(ShelfBuilt(f"s{n}", "hall") for n in range(30)))
        for resources, projections in ((library, own), (reader, foreign)):
            for projection in projections:
                await until(lambda r=resources, p=projection: has_rows(r, p, 30))


async def test_who_reads_nothing_of_an_event_counts_as_gone_on_behind_it(library: Resources) -> None:
    built = replace(SHELVES, name="built", folds={ShelfBuilt: SHELVES.folds[ShelfBuilt]})
    async with running(Worker(library, projections=[SHELVES, built], relay=False)):
        for title in ("Emma", "Dune", "Ulysses"):
            await put(library.store, BookAdded("a", "hall", title))
        assert await library.views.wait_applied("built", SERVICE, library.store.epoch, 0, 3, timeout_s=20)
        await until(lambda: is_saved(library, built, 3))


async def test_a_read_model_at_a_standstill_keeps_no_other_waiting(library: Resources) -> None:
    other = replace(SHELVES, name="other")
    async with running(Worker(library, projections=[SHELVES, other], relay=False)):
        await put(library.store, ShelfBuilt("a", "hall"))
        await until(lambda: has_rows(library, SHELVES, 1))

    def refuse(*_: object) -> Row:
        raise ValueError

    broken = replace(SHELVES, version=2, folds=SHELVES.folds | {ShelfBuilt: Fold(lambda e, _: [(e.shelf,)], refuse)})
    stop = asyncio.Event()
    running_on = asyncio.create_task(Worker(library, projections=[broken, other], relay=False).run(stop))
    await put(library.store, ShelfBuilt("b", "hall"))
    await until(lambda: has_rows(library, other, 2))
    assert len(await library.views.dump(SHELVES)) == 1
    stop.set()
    await running_on


async def test_a_read_model_far_behind_is_fed_alone_and_the_others_do_not_wait(
    library: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.events.together.BATCH", 5)
    others = [SHELVES, replace(SHELVES, name="other")]
    async with running(Worker(library, projections=others, relay=False)):
        await put(library.store, *(ShelfBuilt(f"s{n}", "hall") for n in range(30)))
        await until(lambda: has_rows(library, others[1], 30))
    late = replace(SHELVES, name="late")
    worker = Worker(library, projections=[*others, late], relay=False)
    async with running(worker):
        await until(lambda: has_rows(library, late, 30))
        assert {task.get_name() for task in asyncio.all_tasks()} >= {f"{SERVICE} late", f"{SERVICE} read models"}
        await put(library.store, ShelfBuilt("new", "hall"))
        for projection in (*others, late):
            await until(lambda p=projection: has_rows(library, p, 31))


async def test_a_read_model_of_other_code_is_rebuilt_at_the_start(library: Resources) -> None:
    async with running(Worker(library, projections=[SHELVES], relay=False)):
        await put(library.store, ShelfBuilt("a", "hall"), BookAdded("a", "hall", "Emma"))
        assert await library.views.wait_applied("shelves", SERVICE, library.store.epoch, 0, 2, timeout_s=20)
    louder = replace(SHELVES, version=2, folds=SHELVES.folds | {BookAdded: Fold(lambda e, _: [(e.shelf,)], shout)})
    worker = Worker(library, projections=[louder], relay=False)
    async with running(worker):
        await until(lambda: first_books(library, ["EMMA"]))
        await put(library.store, BookAdded("a", "hall", "Dune"))
        await until(lambda: first_books(library, ["EMMA", "DUNE"]))
        assert worker.ready


async def test_code_rebuilds_what_the_same_code_asked_for_while_older_and_newer_run_side_by_side(
    library: Resources,
) -> None:
    louder = replace(SHELVES, version=2, folds=SHELVES.folds | {BookAdded: Fold(lambda e, _: [(e.shelf,)], shout)})
    later = replace(SHELVES, name="later")  # which a worker looks at last
    async with running(Worker(library, projections=[SHELVES, later], relay=False)):
        await put(library.store, ShelfBuilt("a", "hall"), BookAdded("a", "hall", "Emma"))
        await until(lambda: first_books(library, ["Emma"]))

        await request_rebuild(library.views, louder)
        assert [each.status async for each in rebuilding(library, later)][-1] == "serving"
        serving, asked = await library.views.read(read_generations, "shelves")
        assert (serving.generation, asked.status) == (1, "requested")

        assert [each.status async for each in rebuilding(library, SHELVES)][-1] == "serving"
    async with running(Worker(library, projections=[louder, later], relay=False)):
        await until(lambda: first_books(library, ["EMMA"]))


async def test_the_running_worker_rebuilds_what_is_asked_for(library: Resources, reader: Resources) -> None:
    foreign = replace(SHELVES, name="foreign")
    async with running(Worker(library, projections=[SHELVES]), Worker(reader, projections=[foreign])):
        for number in range(20):
            await put(library.store, ShelfBuilt(f"s{number}", "hall"), BookAdded(f"s{number}", "hall", "Emma"))
        await until(lambda: all_books(reader, foreign, 20))
        await until(lambda: all_books(library, SHELVES, 20))
        for resources, projection in ((library, SHELVES), (reader, foreign)):
            before = await resources.views.digest(projection)
            seen = [each async for each in rebuilding(resources, projection)]
            assert (seen[-1].status, seen[-1].generation) == ("serving", 2)
            assert await resources.views.digest(projection) == before
        await put(library.store, BookAdded("s1", "hall", "Dune"))
        await until(lambda: all_books(reader, foreign, 21))
        await until(lambda: all_books(library, SHELVES, 21))


async def test_after_a_rebuild_events_that_change_nothing_count_as_applied(
    library: Resources, reader: Resources
) -> None:
    """Readers in other processes see the checkpoint of the generation that serves, and wait for it."""
    foreign = replace(SHELVES, name="foreign", folds={ShelfBuilt: SHELVES.folds[ShelfBuilt]})
    own = replace(foreign, name="own")
    async with running(Worker(library, projections=[own]), Worker(reader, projections=[foreign])):
        await put(library.store, ShelfBuilt("a", "hall"))
        await until(lambda: has_rows(reader, foreign, 1))
        await until(lambda: has_rows(library, own, 1))
        for resources, projection in ((library, own), (reader, foreign)):
            assert [each.status async for each in rebuilding(resources, projection)][-1] == "serving"
        await put(library.store, BookAdded("a", "hall", "Emma"))
        await until(lambda: is_saved(reader, foreign, 2))
        await until(lambda: is_saved(library, own, 2))


async def test_a_reaction_sends_a_command(library: Resources, reader: Resources) -> None:
    async with running(Worker(library), Worker(reader, reactions=[reading(reader)])):
        await put(library.store, BookAdded("a", "hall", "Emma"), BookAdded("a", "hall", "Dune"))
        await until(lambda: has_read(reader, ("Emma", "Dune")))
    (event, _) = await reader.store.load("reading/a")
    assert (event.meta.actor, event.meta.auth_method) == ("reads what is added", "reaction")


async def test_a_redelivered_event_acts_once(library: Resources, reader: Resources) -> None:
    event = recorded(1, BookAdded("a", "hall", "Emma"), "shelf/a")
    topic = events_topic(SERVICE)
    await library.bus.ensure_topics([topic])
    record = to_record(event, topic.name, SERVICE, "first")
    last = to_record(recorded(2, BookAdded("a", "hall", "Dune"), "shelf/a", 2), topic.name, SERVICE, "first")
    acted: list[str] = []
    async with running(Worker(reader, reactions=[reading(reader, lambda e: acted.append(e.title))])):
        await library.bus.publisher().publish([record, record, record, last])
        await until(lambda: has_read(reader, ("Emma", "Dune")))
    assert acted[-2:] == ["Emma", "Dune"]
    assert len(await reader.store.load("reading/a")) == 2


async def test_a_reaction_is_repeated_while_a_store_is_away(library: Resources, reader: Resources) -> None:
    failures = iter([StoreUnavailableError("away"), StoreUnavailableError("away")])

    def fail_twice(_: BookAdded) -> None:
        for failure in failures:
            raise failure

    async with running(Worker(library), Worker(reader, reactions=[reading(reader, fail_twice)])):
        await put(library.store, BookAdded("a", "hall", "Emma"))
        await until(lambda: has_read(reader, ("Emma",)))
    assert await letters(reader.views) == []


async def test_an_event_that_cannot_be_acted_on_parks_its_stream_until_a_replay(
    library: Resources, reader: Resources
) -> None:
    broken = [True]

    def refuse(event: BookAdded) -> None:
        if event.title == "poison" and broken:
            raise ValueError(event.title)

    worker = Worker(reader, reactions=[reading(reader, refuse)])
    async with running(Worker(library), worker):
        await put(library.store, BookAdded("a", "hall", "Emma"), BookAdded("a", "hall", "poison"))
        await put(library.store, BookAdded("a", "hall", "Dune"), BookAdded("b", "hall", "Ulysses"))
        await until(lambda: has_letters(reader, 2))
        await until(lambda: has_read(reader, ("Ulysses",), shelf="b"))
        assert await titles(reader, "a") == ("Emma",)
        broken.clear()
        assert [each.error async for each in worker.replay()] == ["", ""]
        await put(library.store, BookAdded("a", "hall", "Ilias"))
        await until(lambda: has_read(reader, ("Emma", "poison", "Dune", "Ilias")))
        assert await letters(reader.views) == []


async def test_a_follower_acts_on_streams_side_by_side_and_on_each_in_its_order(library: Resources) -> None:
    reached, read = asyncio.Event(), list[str]()

    async def read_slowly(event: BookAdded, _: Recorded, __: Context) -> None:
        if event.shelf == "b":
            reached.set()
        await reached.wait()  # for what comes later in the log
        read.append(event.title)

    reaction = Reaction("reads", SERVICE, LIBRARY, {BookAdded: read_slowly})
    await put(library.store, BookAdded("a", "hall", "Emma"), BookAdded("a", "hall", "Dune"))
    await put(library.store, BookAdded("b", "hall", "Ulysses"), BookAdded("a", "hall", "Ilias"))

    async def all_read() -> bool:
        return len(read) == 4

    async with running(Worker(library, followers=[Reactor(library, [reaction], follows="reading")], relay=False)):
        await until(all_read)
    assert [title for title in read if title != "Ulysses"] == ["Emma", "Dune", "Ilias"]


async def test_of_what_is_acted_on_together_only_what_cannot_be_acted_on_waits(
    library: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("libs.events.worker._MEASURE_EVERY_S", 0.02)
    broken, read, told = [True], set[str](), list[str]()

    async def read_all(heard: Sequence[tuple[BookAdded, Recorded]]) -> None:
        titles = {event.title for event, _ in heard}
        if broken and any(title.startswith("poison") for title in titles):
            raise ValueError(titles)
        read.update(titles)

    async def tell(recorded: Recorded, error: Exception) -> None:
        told.append(f"{recorded.stream}: {error!r}")

    added = EventRegistry({f"{PREFIX}.book.added.v1": BookAdded})
    reaction = Reaction("reads", SERVICE, added, together=read_all)
    worker = Worker(library, followers=[Reactor(library, [reaction], follows="reading", refused=tell)], relay=False)

    async def settled() -> bool:
        return (worker.figures.lag, worker.figures.dead_letters) == ({("reading", SERVICE): 0}, {"reading": 3})

    await put(library.store, *(BookAdded(f"s{number}", "hall", f"book {number}") for number in range(9)))
    await put(library.store, BookAdded("s3", "hall", "poison 3"), BookAdded("s7", "hall", "poison 7"))
    await put(library.store, BookAdded("s3", "hall", "Emma"), ShelfBuilt("s7", "hall"), BookAdded("s8", "hall", "Dune"))
    async with running(worker):
        await until(settled)
        assert read == {"Dune", *(f"book {number}" for number in range(9))}
        assert told == [f"shelf/s{number}: ValueError({{'poison {number}'}})" for number in (3, 7)]
        assert [(each.stream, each.parked) for each in await letters(library.views)] == [
            ("shelf/s3", False),
            ("shelf/s7", False),
            ("shelf/s3", True),
        ]
        broken.clear()
        assert [each.error async for each in worker.replay()] == [""] * 3
        assert read >= {"poison 3", "poison 7", "Emma"}


async def test_streams_that_waited_for_a_newer_version_go_on_after_the_update(library: Resources) -> None:
    newer = EventRegistry({f"{PREFIX}.shelf.built.v1": ShelfBuilt, f"{PREFIX}.book.added.v2": BookAdded})
    async with running(Worker(library, projections=[SHELVES], relay=False)):
        await put(library.store, ShelfBuilt("a", "hall"))
        await put(library.store, new_event(BookAdded("a", "hall", "Emma"), newer), stream="shelf/a")
        await until(lambda: has_letters(library, 1))
    updated = replace(SHELVES, events=newer)
    async with running(Worker(library, projections=[updated], relay=False)):
        await until(lambda: first_books(library, ["Emma"]))
        assert await letters(library.views) == []


async def test_a_newer_version_of_what_a_reaction_does_not_act_on_is_none_of_its_business(library: Resources) -> None:
    read: list[str] = []

    async def note(event: BookAdded, _: Recorded, __: Context) -> None:
        read.append(event.title)

    async def all_read() -> bool:
        return read == ["Emma"]

    newer = EventRegistry({f"{PREFIX}.shelf.built.v2": ShelfBuilt, f"{PREFIX}.book.added.v1": BookAdded})
    await put(library.store, new_event(ShelfBuilt("a", "hall"), newer), stream="shelf/a")
    await put(library.store, BookAdded("a", "hall", "Emma"))
    reaction = Reaction("reads", SERVICE, LIBRARY, {BookAdded: note})
    async with running(Worker(library, followers=[Reactor(library, [reaction], follows="reading")], relay=False)):
        await until(all_read)
    assert await letters(library.views) == []


async def test_timers_fire_once_they_are_due(library: Resources) -> None:
    clock = library.clock
    assert isinstance(clock, FrozenClock)
    due_at = clock.now() + timedelta(minutes=5)
    await library.store.append(AppendRequest(schedule=(Timer("remind/a", due_at, "remind"),)))
    fired: list[tuple[str, str]] = []

    async def remind(timer: Timer, context: Context) -> None:
        fired.append((timer.key, str(context.event_id(0))))

    async with running(Worker(library, timers=[{"remind": remind}], relay=False)):
        assert fired == []
        clock.advance(timedelta(minutes=6))
        await until(lambda: nothing_due(library))
    assert [key for key, _ in fired] == ["remind/a"]


async def test_a_failing_timer_stays_and_the_others_go_on(library: Resources) -> None:
    now = library.clock.now()
    await library.store.append(
        AppendRequest(schedule=(Timer("bad", now, "explode"), Timer("good", now + timedelta(0), "remind")))
    )
    fired: list[str] = []

    async def remind(timer: Timer, _: Context) -> None:
        fired.append(timer.key)

    async def explode(_timer: Timer, _: Context) -> None:
        raise ValueError

    async with running(Worker(library, timers=[{"remind": remind, "explode": explode}], relay=False)):
        await until(lambda: only_due(library, ["bad"]))
    assert fired == ["good"]


async def test_a_timer_that_lost_a_race_is_tried_again_soon_and_the_others_go_on(library: Resources) -> None:
    now = library.clock.now()
    await library.store.append(AppendRequest(schedule=(Timer("lost", now, "remind"), Timer("won", now, "remind"))))
    races = [ConflictError("book/a", 1, 2)] * 2
    fired: list[str] = []

    async def remind(timer: Timer, _: Context) -> None:
        if timer.key == "lost" and races:
            raise races.pop()
        fired.append(timer.key)

    async with running(Worker(library, timers=[{"remind": remind}], relay=False)):
        await until(lambda: nothing_due(library))
    assert fired == ["won", "lost"]


async def test_a_line_of_timers_that_waits_holds_no_other_up_and_goes_on_in_its_order(library: Resources) -> None:
    now, step = library.clock.now(), timedelta(microseconds=1)
    slow = tuple(Timer(f"{number}", now - step * (400 - number), "look") for number in range(300))
    await library.store.append(
        AppendRequest(schedule=(*slow, Timer("behind", now, "again"), Timer("urgent", now, "call")))
    )
    fired: list[str] = []
    called = asyncio.Event()
    failures = [StoreUnavailableError("a read model is behind")] * 2

    async def look(timer: Timer, _: Context) -> None:
        await called.wait()  # all 300 wait for the one that comes after them
        if failures:
            raise failures.pop()
        fired.append(timer.key)

    async def call(timer: Timer, _: Context) -> None:
        called.set()

    lines = [{"look": look, "again": look}, {"call": call}]
    async with running(Worker(library, timers=lines, relay=False)):
        await until(lambda: nothing_due(library))
    assert fired == [*(timer.key for timer in slow), "behind"]


async def test_a_sink_that_fails_is_started_again_and_what_cannot_be_mended_ends_the_process(
    library: Resources,
) -> None:
    starts: list[int] = []

    async def sink(_: asyncio.Event) -> None:
        starts.append(len(starts))
        if len(starts) == 1:
            raise ValueError
        raise SetupError("the topic is not ours")

    with pytest.raises(ExceptionGroup) as raised:
        await Worker(library, sinks=[sink], relay=False).run(asyncio.Event())
    assert [str(each) for each in raised.value.exceptions] == ["the topic is not ours"]
    assert starts == [0, 1]


async def test_figures_say_how_it_is_doing(library: Resources, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("libs.events.worker._MEASURE_EVERY_S", 0.02)
    await put(library.store, ShelfBuilt("a", "hall"), BookAdded("a", "hall", "poison"))
    worker = Worker(library, projections=[SHELVES])

    async def settled() -> bool:
        figures = worker.figures
        return (figures.lag, figures.relay_lag, figures.dead_letters) == (
            {("shelves", SERVICE): 0},
            0,
            {"shelves": 1},
        )

    async with running(worker):
        await until(settled)


async def all_ready(workers: Sequence[Worker]) -> bool:
    return all(worker.ready for worker in workers)


async def is_saved(resources: Resources, projection: Projection, position: int) -> bool:
    applied = (await resources.views.applied(projection.name)).get(SERVICE)
    return applied is not None and position in applied.positions.values()


async def has_rows(resources: Resources, projection: Projection, count: int) -> bool:
    return len(await resources.views.dump(projection)) == count


async def all_books(resources: Resources, projection: Projection, count: int) -> bool:
    return sum(len(row[2]) for row in await resources.views.dump(projection)) == count


async def first_books(resources: Resources, books: list[str]) -> bool:
    rows = await resources.views.dump(SHELVES)
    return bool(rows) and rows[0][2] == books


async def has_read(resources: Resources, books: tuple[str, ...], shelf: str = "a") -> bool:
    return await titles(resources, shelf) == books


async def has_letters(resources: Resources, count: int) -> bool:
    return len(await letters(resources.views)) == count


async def nothing_due(resources: Resources) -> bool:
    return await resources.store.due(resources.clock.now(), 10) == []


async def only_due(resources: Resources, keys: list[str]) -> bool:
    return [timer.key for timer in await resources.store.due(resources.clock.now(), 10)] == keys


def shout(row: Row | None, event: BookAdded, *_: object) -> Row:
    assert row is not None
    return row | {"books": [*row["books"], event.title.upper()]}
