"""What every store does, as tests: an adapter's test class inherits `StoreContract` and brings its `store`."""

import asyncio
import time
from collections.abc import Awaitable, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import TypeVar
from uuid import UUID

import pytest

from libs.events.envelope import Recorded
from libs.events.errors import (
    ConflictError,
    FencedError,
    KeyInFlightError,
    KeyReusedError,
    RefusedError,
    ReservedError,
)
from libs.events.ids import new_id
from libs.events.store import (
    MAX_EVENT_BYTES,
    Answer,
    AppendRequest,
    IdempotencyKey,
    NewEvent,
    Reservation,
    Store,
    StoredAnswer,
    StreamWrite,
    Timer,
)
from libs.events.testing import FrozenClock

T = TypeVar("T")

START = datetime(2026, 11, 21, 10, tzinfo=UTC)
HOUR_S = 3600
KEY = IdempotencyKey("ana", "POST /v1/things", "k-1", "hash")
ANSWER = Answer(201, b'{"name":"\xc3\xa9"}\x00', {"ETag": '"1"'})


def event(data: bytes = b'{"n":1}', *, kind: str = "io.concordat.test.thing.done.v1") -> NewEvent:
    """An event with an id of its own."""
    return NewEvent(new_id(), kind, START, data, b'{"actor":"ana"}')


def write(stream: str, expected: int, *events: NewEvent) -> StreamWrite:
    """Events for a stream; one if none are given."""
    return StreamWrite(stream, expected, events or (event(),))


def request(*writes: StreamWrite) -> AppendRequest:
    """A request of events alone."""
    return AppendRequest(writes)


def keyed(*writes: StreamWrite, answer: Answer = ANSWER, key: IdempotencyKey = KEY) -> AppendRequest:
    """A request that keeps an answer."""
    return AppendRequest(writes, idempotency=key, answer=answer)


async def all_of(awaitables: Sequence[Awaitable[T]]) -> list[T | BaseException]:
    """What became of things done at once."""
    return await asyncio.gather(*awaitables, return_exceptions=True)


def contents(recorded: Sequence[Recorded]) -> list[tuple[str, int]]:
    """Streams and versions, in the order of the log."""
    return [(one.stream, one.version) for one in recorded]


class StoreContract:
    """A subclass brings the fixture `store`: empty, started, its clock the fixture `clock`."""

    @pytest.fixture
    def clock(self) -> FrozenClock:
        return FrozenClock(START)

    async def test_a_new_log_is_empty(self, store: Store) -> None:
        assert (await store.head(), await store.read(0, 10), await store.load("thing/a")) == (0, [], [])
        assert await store.holder("name", "a") is None

    async def test_an_epoch_begins_with_the_time_so_that_a_later_one_is_higher(self, store: Store) -> None:
        began_s = (UUID(store.epoch).int >> 80) / 1000
        assert abs(time.time() - began_s) < HOUR_S

    async def test_what_is_appended_is_read_back_as_it_was(self, store: Store, clock: FrozenClock) -> None:
        at = datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=timezone(timedelta(hours=2)))
        new = NewEvent(new_id(), "io.concordat.test.thing.done.v1", at, '{"t":"é\\u001f"}'.encode(), b'{"actor":"ana"}')

        appended = await store.append(request(write("thing/a", 0, new)))

        expected = Recorded(
            appended.position, "thing/a", 1, new.type, new.event_id, at, clock.now(), new.data, new.metadata
        )
        assert await store.load("thing/a") == [expected]
        assert await store.read(0, 10) == [expected]
        assert await store.head() == appended.position
        assert appended.recorded_at == clock.now()
        assert not appended.duplicate

    async def test_versions_count_from_one_in_each_stream(self, store: Store) -> None:
        await store.append(request(write("thing/a", 0, event(), event()), write("thing/b", 0)))
        await store.append(request(write("thing/a", 2)))

        assert contents(await store.read(0, 10)) == [("thing/a", 1), ("thing/a", 2), ("thing/b", 1), ("thing/a", 3)]
        assert contents(await store.load("thing/a", after=1)) == [("thing/a", 2), ("thing/a", 3)]

    async def test_a_stream_elsewhere_than_expected_is_a_conflict(self, store: Store) -> None:
        await store.append(request(write("thing/a", 0, event(), event())))

        for expected in (0, 1, 3):
            with pytest.raises(ConflictError) as caught:
                await store.append(request(write("thing/a", expected)))
            assert (caught.value.stream, caught.value.expected, caught.value.actual) == ("thing/a", expected, 2)
        with pytest.raises(ConflictError):
            await store.append(request(write("thing/absent", 1)))

    async def test_a_write_without_events_asks_that_its_stream_has_not_moved(self, store: Store) -> None:
        await store.append(request(write("thing/a", 0)))
        asked = StreamWrite("thing/a", 1, ())

        appended = await store.append(request(write("thing/b", 0), asked))
        await store.append(request(write("thing/a", 1)))

        assert appended.position == 2
        with pytest.raises(ConflictError):
            await store.append(request(write("thing/c", 0), asked))
        assert contents(await store.read(0, 10)) == [("thing/a", 1), ("thing/b", 1), ("thing/a", 2)]

    async def test_a_conflict_on_one_stream_stores_none_of_the_request(self, store: Store) -> None:
        await store.append(request(write("thing/a", 0)))

        with pytest.raises(ConflictError):
            await store.append(request(write("thing/b", 0), write("thing/a", 0)))

        assert contents(await store.read(0, 10)) == [("thing/a", 1)]

    async def test_a_write_without_events_only_checks_the_version(self, store: Store) -> None:
        await store.append(request(write("thing/a", 0)))

        await store.append(request(write("thing/b", 0), StreamWrite("thing/a", 1, ())))
        with pytest.raises(ConflictError):
            await store.append(request(write("thing/c", 0), StreamWrite("thing/a", 0, ())))

        assert contents(await store.read(0, 10)) == [("thing/a", 1), ("thing/b", 1)]

    async def test_of_many_at_once_each_is_judged_alone_and_stored_whole(self, store: Store) -> None:
        await store.append(request(*(write(f"taken/{n}", 0) for n in range(20))))
        before = await store.head()
        requests = [
            request(
                write(f"thing/{n}", 0, *(event() for _ in range(n % 4 + 1))),
                write(f"other/{n}", 0),
                *([write(f"taken/{n}", 0)] if n % 3 == 0 else []),
            )
            for n in range(60)
        ]

        results = await all_of([store.append(one) for one in requests])

        stored = await store.read(before, 1000)
        positions = [one.position for one in stored]
        assert positions == sorted(set(positions))
        for number, (one, result) in enumerate(zip(requests, results, strict=True)):
            if number % 3 == 0 and number < 20:
                assert isinstance(result, ConflictError)
                assert await store.load(f"thing/{number}") == []
                continue
            assert not isinstance(result, BaseException)
            whole = [r for r in stored if result.position - sum(len(w.events) for w in one.writes) < r.position]
            whole = [r for r in whole if r.position <= result.position]
            assert contents(whole) == [(w.stream, v) for w in one.writes for v in range(1, len(w.events) + 1)]
            assert {r.recorded_at for r in whole} == {result.recorded_at}

    async def test_of_many_who_race_on_one_stream_one_wins(self, store: Store) -> None:
        results = await all_of([store.append(request(write("thing/a", 0))) for _ in range(30)])

        assert sum(isinstance(result, ConflictError) for result in results) == 29
        assert contents(await store.read(0, 10)) == [("thing/a", 1)]

    async def test_requests_that_follow_each_other_on_one_stream_keep_their_order(self, store: Store) -> None:
        results = await all_of([store.append(request(write("thing/a", n))) for n in range(20)])

        assert not [result for result in results if isinstance(result, BaseException)]
        assert [one.version for one in await store.load("thing/a")] == list(range(1, 21))

    async def test_reading_goes_on_from_a_position_in_steps(self, store: Store) -> None:
        await store.append(request(*(write(f"thing/{n}", 0) for n in range(5))))

        first = await store.read(0, 2)
        rest = await store.read(first[-1].position, 10)

        assert contents([*first, *rest]) == [(f"thing/{n}", 1) for n in range(5)]
        assert rest[-1].position == await store.head()

    async def test_recording_time_never_goes_back(self, store: Store, clock: FrozenClock) -> None:
        await store.append(request(write("thing/a", 0)))
        clock.advance(timedelta(hours=-1))
        appended = await store.append(request(write("thing/a", 1)))

        assert appended.recorded_at == START
        assert [one.recorded_at for one in await store.load("thing/a")] == [START, START]

    async def test_an_import_keeps_its_recording_time_but_stays_in_order(self, store: Store) -> None:
        old = START - timedelta(days=300)
        times = (old, old + timedelta(days=1), old - timedelta(days=1))
        for n, recorded_at in enumerate(times):
            await store.append(AppendRequest((write("thing/a", n),), recorded_at=recorded_at))

        assert [one.recorded_at for one in await store.load("thing/a")] == [old, times[1], times[1]]

    async def test_as_of_shows_what_was_recorded_until_then(self, store: Store, clock: FrozenClock) -> None:
        await store.append(request(write("thing/a", 0)))
        clock.advance(timedelta(minutes=1))
        await store.append(request(write("thing/a", 1)))

        assert len(await store.load("thing/a", as_of=START)) == 1
        assert len(await store.load("thing/a", as_of=START - timedelta(microseconds=1))) == 0
        assert len(await store.load("thing/a", after=1, as_of=clock.now())) == 1

    async def test_the_same_event_ids_are_stored_once(self, store: Store) -> None:
        first = request(write("thing/a", 0, event(), event()))
        appended = await store.append(first)
        await store.append(request(write("thing/b", 0)))

        again = await store.append(first)
        moved = await store.append(request(write("thing/a", 2, *first.writes[0].events)))

        for duplicate in (again, moved):
            assert duplicate.duplicate
            assert (duplicate.position, duplicate.recorded_at) == (appended.position, appended.recorded_at)
        assert contents(await store.read(0, 10)) == [("thing/a", 1), ("thing/a", 2), ("thing/b", 1)]

    async def test_a_duplicate_changes_nothing_else(self, store: Store) -> None:
        same = event()
        await store.append(request(write("thing/a", 0, same)))

        await store.append(
            AppendRequest(
                (write("thing/a", 1, same),),
                reserve=(Reservation("name", "a", "thing/a"),),
                schedule=(Timer("t", START, "remind"),),
            )
        )

        assert await store.holder("name", "a") is None
        assert await store.due(START, 10) == []

    async def test_the_same_request_twice_at_once_is_stored_once(self, store: Store) -> None:
        same = event()
        results = await all_of(
            [
                *(store.append(request(write("thing/a", 0, same))) for _ in range(5)),
                store.append(request(write("thing/other", 0, same))),
            ]
        )

        assert not [result for result in results if isinstance(result, BaseException)]
        assert contents(await store.read(0, 10)) == [("thing/a", 1)]

    @pytest.mark.parametrize(
        "data",
        [
            pytest.param(b'"' + b"x" * MAX_EVENT_BYTES + b'"', id="too large"),
            pytest.param(b'"\\u0000"', id="NUL"),
            pytest.param(b'"\\\\\\u0000"', id="NUL behind a backslash"),
            pytest.param(b'"\\ud800"', id="lone surrogate"),
        ],
    )
    async def test_what_can_never_be_stored_is_refused_and_spoils_nothing(self, store: Store, data: bytes) -> None:
        results = await all_of(
            [
                store.append(request(write("thing/a", 0))),
                store.append(request(write("thing/bad", 0, event(data)))),
                store.append(request(write("thing/b", 0))),
            ]
        )

        assert [type(result) for result in results if isinstance(result, BaseException)] == [RefusedError]
        assert contents(await store.read(0, 10)) == [("thing/a", 1), ("thing/b", 1)]

    @pytest.mark.parametrize("name", ["a\0b", "a\ud800"], ids=["NUL", "lone surrogate"])
    async def test_names_no_database_keeps_are_refused(self, store: Store, name: str) -> None:
        for refused in (
            request(write(f"thing/{name}", 0)),
            AppendRequest(reserve=(Reservation("name", name, "thing/a"),)),
            AppendRequest(schedule=(Timer(name, START, "remind"),)),
            keyed(key=IdempotencyKey("ana", "r", name, "h")),
        ):
            with pytest.raises(RefusedError):
                await store.append(refused)

    async def test_a_stream_may_be_named_once_per_request(self, store: Store) -> None:
        with pytest.raises(RefusedError):
            await store.append(request(write("thing/a", 0), write("thing/a", 1)))

    async def test_large_and_odd_data_is_kept(self, store: Store) -> None:
        large = b'"' + b"x" * (MAX_EVENT_BYTES - 100) + b'"'
        for n, data in enumerate([large, b'"\\\\u0000"', '"\U0001f9ea"'.encode(), b'"\\ud83e\\uddea"', b'"\\u001f"']):
            await store.append(request(write(f"thing/{n}", 0, event(data))))
            assert (await store.load(f"thing/{n}"))[0].data == data

    async def test_waiting_ends_as_soon_as_there_is_an_event(self, store: Store) -> None:
        assert not await store.wait(0, 0.01)
        waiting = asyncio.ensure_future(store.wait(0, 30))
        await asyncio.sleep(0)

        appended = await store.append(request(write("thing/a", 0)))

        assert await waiting
        assert await store.wait(0, 30)
        assert not await store.wait(appended.position, 0.01)

    async def test_a_name_has_one_holder_at_a_time(self, store: Store) -> None:
        mine, theirs = Reservation("name", "x", "thing/a"), Reservation("name", "x", "thing/b")
        await store.append(AppendRequest((write("thing/a", 0),), reserve=(mine,)))
        assert await store.holder("name", "x") == "thing/a"

        with pytest.raises(ReservedError) as caught:
            await store.append(AppendRequest((write("thing/b", 0),), reserve=(theirs,)))
        assert (caught.value.scope, caught.value.key, caught.value.holder) == ("name", "x", "thing/a")
        assert await store.load("thing/b") == []

        await store.append(AppendRequest((write("thing/a", 1),), reserve=(mine,)))
        await store.append(AppendRequest(release=(theirs,)))
        assert await store.holder("name", "x") == "thing/a"
        await store.append(AppendRequest((write("thing/a", 2),), release=(mine,)))
        await store.append(AppendRequest((write("thing/b", 0),), reserve=(theirs,)))
        assert await store.holder("name", "x") == "thing/b"

    async def test_of_many_who_want_a_name_one_gets_it(self, store: Store) -> None:
        results = await all_of(
            [
                store.append(
                    AppendRequest((write(f"thing/{n}", 0),), reserve=(Reservation("name", "x", f"thing/{n}"),))
                )
                for n in range(20)
            ]
        )

        assert sum(isinstance(result, ReservedError) for result in results) == 19
        (stored,) = await store.read(0, 10)
        assert await store.holder("name", "x") == stored.stream

    async def test_the_first_with_a_key_runs_and_others_get_its_answer(self, store: Store) -> None:
        assert await store.begin(KEY, START) is None
        with pytest.raises(KeyInFlightError):
            await store.begin(KEY, START)

        appended = await store.append(keyed(write("thing/a", 0)))

        assert await store.begin(KEY, START) == StoredAnswer(ANSWER, appended.position)

    async def test_a_key_belongs_to_one_payload(self, store: Store) -> None:
        other = IdempotencyKey(KEY.principal, KEY.route, KEY.key, "other")
        await store.begin(KEY, START)
        with pytest.raises(KeyReusedError):
            await store.begin(other, START)
        await store.append(keyed(write("thing/a", 0)))
        with pytest.raises(KeyReusedError):
            await store.begin(other, START)

    async def test_of_callers_at_once_with_one_key_one_is_the_first(self, store: Store) -> None:
        others = [IdempotencyKey("ana", KEY.route, f"other-{number}", "other") for number in range(20)]
        results = await all_of([store.begin(key, START) for key in (KEY, KEY, KEY, *others)])
        assert sum(isinstance(result, KeyInFlightError) for result in results[:3]) == 2
        assert results.count(None) == 21

    async def test_keys_of_other_principals_and_routes_are_others(self, store: Store) -> None:
        await store.begin(KEY, START)
        assert await store.begin(IdempotencyKey("bo", KEY.route, KEY.key, "other"), START) is None
        assert await store.begin(IdempotencyKey("ana", "PUT /v1/things", KEY.key, "other"), START) is None

    async def test_an_answer_is_kept_without_events_too(self, store: Store) -> None:
        await store.append(request(write("thing/a", 0)))
        await store.begin(KEY, START)
        await store.append(keyed())

        assert await store.begin(KEY, START) == StoredAnswer(ANSWER, await store.head())

    async def test_an_abandoned_key_is_free_again_but_a_kept_answer_stays(self, store: Store) -> None:
        await store.begin(KEY, START)
        await store.abandon(KEY)
        assert await store.begin(KEY, START) is None

        appended = await store.append(keyed(write("thing/a", 0)))
        await store.abandon(KEY)
        assert await store.begin(KEY, START) == StoredAnswer(ANSWER, appended.position)

    async def test_a_refused_request_keeps_no_answer(self, store: Store) -> None:
        await store.append(request(write("thing/a", 0)))
        await store.begin(KEY, START)
        with pytest.raises(ConflictError):
            await store.append(keyed(write("thing/a", 0)))
        with pytest.raises(KeyInFlightError):
            await store.begin(KEY, START)

    async def test_a_key_stores_events_once_even_if_its_first_caller_was_given_up(
        self, store: Store, clock: FrozenClock
    ) -> None:
        await store.begin(KEY, START)
        assert await store.begin(KEY, clock.advance(timedelta(minutes=1))) is None  # the first counts as dead

        await store.append(keyed(write("thing/a", 0)))
        with pytest.raises(KeyInFlightError):
            await store.append(keyed(write("thing/b", 0)))

        assert contents(await store.read(0, 10)) == [("thing/a", 1)]

    async def test_an_answer_is_kept_for_a_day(self, store: Store, clock: FrozenClock) -> None:
        await store.begin(KEY, START)
        await store.append(keyed(write("thing/a", 0)))

        assert await store.begin(KEY, clock.advance(timedelta(hours=24, seconds=-1))) is not None
        assert await store.begin(KEY, clock.advance(timedelta(seconds=1))) is None
        await store.append(keyed(write("thing/b", 0)))

    async def test_timers_fall_due_in_order(self, store: Store) -> None:
        late, soon = Timer("late", START + timedelta(hours=2), "remind"), Timer("soon", START, "remind", b'{"n":1}')
        await store.append(AppendRequest((write("thing/a", 0),), schedule=(late, soon)))

        assert await store.due(START - timedelta(microseconds=1), 10) == []
        assert await store.due(START, 10) == [soon]
        assert await store.due(START + timedelta(hours=2), 10) == [soon, late]
        assert await store.due(START + timedelta(hours=2), 1) == [soon]
        assert await store.due(START + timedelta(hours=2), 10, without=["look", "call"]) == [soon, late]
        assert await store.due(START + timedelta(hours=2), 10, without=["look", "remind"]) == []

    async def test_a_timer_is_replaced_cancelled_or_done(self, store: Store) -> None:
        first, second = Timer("t", START, "remind"), Timer("t", START + timedelta(hours=1), "remind")
        await store.append(AppendRequest(schedule=(first,)))
        await store.append(AppendRequest(schedule=(second,)))
        await store.done(first)  # carried out, but set anew meanwhile
        assert await store.due(START + timedelta(hours=1), 10) == [second]

        await store.append(AppendRequest(cancel=("t", "unknown")))
        assert await store.due(START + timedelta(hours=1), 10) == []
        await store.append(AppendRequest(schedule=(first,), cancel=("t",)))
        await store.done(first)
        assert await store.due(START + timedelta(hours=1), 10) == []

    async def test_a_refused_request_sets_no_timer(self, store: Store) -> None:
        with pytest.raises(ConflictError):
            await store.append(AppendRequest((write("thing/a", 3),), schedule=(Timer("t", START, "remind"),)))
        assert await store.due(START, 10) == []

    async def test_a_role_has_one_holder_until_its_time_is_over(self, store: Store) -> None:
        mine = await store.acquire("relay", "one", START, 10)
        assert mine is not None
        assert await store.acquire("relay", "two", START + timedelta(seconds=9), 10) is None
        renewed = await store.acquire("relay", "one", START + timedelta(seconds=9), 10)
        assert renewed is not None
        assert (renewed.fence, renewed.until) == (mine.fence, START + timedelta(seconds=19))

        theirs = await store.acquire("relay", "two", START + timedelta(seconds=19), 10)
        assert theirs is not None
        assert theirs.fence > mine.fence
        assert await store.acquire("relay", "one", START + timedelta(seconds=20), 10) is None

    async def test_a_holder_that_lost_its_role_comes_back_with_a_new_fence(self, store: Store) -> None:
        mine = await store.acquire("relay", "one", START, 10)
        again = await store.acquire("relay", "one", START + timedelta(seconds=11), 10)
        assert mine is not None
        assert again is not None
        assert again.fence > mine.fence

    async def test_a_role_that_was_taken_before_the_clock_was_set_back_is_free(self, store: Store) -> None:
        theirs = await store.acquire("timers", "one", START + timedelta(seconds=30), 10)
        assert theirs is not None
        assert await store.acquire("timers", "two", START, 10) is None, "clocks may be apart a little"

        mine = await store.acquire("timers", "two", START - timedelta(hours=1), 10)

        assert mine is not None
        assert mine.fence > theirs.fence
        assert await store.acquire("timers", "one", START - timedelta(hours=1), 10) is None

    async def test_a_released_role_is_free_at_once_but_only_its_holder_releases(self, store: Store) -> None:
        mine = await store.acquire("relay", "one", START, 10)
        assert mine is not None
        await store.release(mine)
        theirs = await store.acquire("relay", "two", START, 10)
        assert theirs is not None
        await store.release(mine)
        assert await store.acquire("relay", "one", START, 10) is None

    async def test_the_relayed_position_moves_for_the_holder_that_knows_it(self, store: Store) -> None:
        mine = await store.acquire("relay", "one", START, 10)
        assert mine is not None
        assert await store.relayed() == 0
        await store.save_relayed(mine, 0, 5)
        with pytest.raises(FencedError):
            await store.save_relayed(mine, 0, 7)

        theirs = await store.acquire("relay", "two", START + timedelta(seconds=10), 10)
        assert theirs is not None
        with pytest.raises(FencedError):
            await store.save_relayed(mine, 5, 9)
        await store.save_relayed(theirs, 5, 8)
        assert await store.relayed() == 8
