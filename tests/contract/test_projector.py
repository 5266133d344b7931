"""A projector applies each event once, whatever happens between, in every database."""

import asyncio
from dataclasses import replace
from typing import Any

import msgspec
import pytest
from sqlalchemy import text

from libs.events.deadletter import letters, replay
from libs.events.envelope import Recorded
from libs.events.errors import AheadOfLogError, DeadLetterLimitError, FencedError, OtherCodeError, RebuildFailedError
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.projector import DeadLetterLimit, Projector, save_passed
from libs.events.views import Views
from tests.fixtures.shelves import (
    NOON,
    PREFIX,
    ROOMS,
    SERVICE,
    SHELVES,
    BookAdded,
    ShelfBuilt,
    ShelfBurnt,
    batch,
    recorded,
)

A, B = "shelf/a", "shelf/b"
BUILT_A = recorded(1, ShelfBuilt("a", "hall"), A)
BUILT_B = recorded(2, ShelfBuilt("b", "attic"), B)
EMMA = recorded(3, BookAdded("a", "hall", "Emma"), A, 2)
DUNE = recorded(5, BookAdded("a", "hall", "Dune"), A, 3)
ULYSSES = recorded(6, BookAdded("b", "attic", "Ulysses"), B, 2)
UNKNOWN = msgspec.structs.replace(recorded(7, ShelfBuilt("c", "hall"), "shelf/c"), type=f"{PREFIX}.dusted.v1")
POISON = recorded(4, BookAdded("a", "hall", "poison"), A, 3)


async def started(views: Views, projection: Projection = SHELVES, **options: Any) -> Projector:
    await views.start([projection])
    projector = Projector(views, projection, **options)
    await projector.load()
    return projector


async def test_a_batch_becomes_rows_and_a_checkpoint(views: Views) -> None:
    projector = await started(views)
    await projector.apply([batch(BUILT_A, BUILT_B, EMMA)])
    assert await views.dump(SHELVES) == [("a", "hall", ["Emma"], NOON), ("b", "attic", [], NOON)]
    applied = (await views.applied("shelves"))[SERVICE]
    assert (applied.epoch, dict(applied.positions)) == ("first", {0: 3})


async def test_a_row_can_go_and_come_again(views: Views) -> None:
    projector = await started(views)
    await projector.apply([batch(BUILT_A, BUILT_B)])
    await projector.apply([batch(recorded(3, ShelfBurnt("a", "hall"), A), recorded(4, ShelfBurnt("b", "attic"), B))])
    assert await views.dump(SHELVES) == []
    await projector.apply([batch(recorded(5, ShelfBuilt("a", "cellar"), A))])
    assert await views.dump(SHELVES) == [("a", "cellar", [], NOON)]


async def test_several_rows_and_a_composite_key(views: Views) -> None:
    projector = await started(views, ROOMS)
    await projector.apply([batch(BUILT_A, EMMA, DUNE, ULYSSES)])
    assert await views.dump(ROOMS) == [(-1, "all", 3), (0, "attic", 1), (0, "hall", 2)]


async def test_what_was_applied_is_dropped(views: Views) -> None:
    projector = await started(views)
    await projector.apply([batch(BUILT_A, EMMA)])
    await projector.apply([batch(BUILT_A, EMMA, DUNE)])
    await (again := Projector(views, SHELVES)).load()
    await again.apply([batch(BUILT_A, EMMA, DUNE)])
    assert await views.dump(SHELVES) == [("a", "hall", ["Emma", "Dune"], NOON)]


async def test_the_slower_of_two_processes_is_fenced_and_applies_nothing(views: Views) -> None:
    slow, fast = await started(views), await started(views)
    await fast.apply([batch(BUILT_A, EMMA)])
    with pytest.raises(FencedError):
        await slow.apply([batch(BUILT_A)])
    await slow.load()
    await slow.apply([batch(DUNE)])
    assert await views.dump(SHELVES) == [("a", "hall", ["Emma", "Dune"], NOON)]


async def test_members_that_share_partitions_see_each_others_rows(views: Views) -> None:
    one, other = await started(views, ROOMS), await started(views, ROOMS)
    for number in range(1, 11):
        writer = one if number % 2 else other
        event = recorded(number, BookAdded("a", "hall", f"{number}"), A, number)
        await writer.apply([batch(event, partition=number % 2)])
    assert await views.dump(ROOMS) == [(-1, "all", 10), (0, "hall", 10)]


async def test_partitions_of_one_batch_move_together(views: Views) -> None:
    projector = await started(views)
    await projector.apply([batch(BUILT_A, EMMA, partition=3), batch(BUILT_B, ULYSSES, partition=7)])
    applied = (await views.applied("shelves"))[SERVICE]
    assert dict(applied.positions) == {3: 3, 7: 6}


async def test_unknown_types_are_skipped(views: Views) -> None:
    projector = await started(views)
    stranger = msgspec.structs.replace(EMMA, type="io.concordat.library.cat.adopted.v1")
    await projector.apply([batch(BUILT_A, stranger)])
    assert await views.dump(SHELVES) == [("a", "hall", [], NOON)]


async def positions(views: Views) -> dict[int, int]:
    applied = (await views.applied("shelves")).get(SERVICE)
    return dict(applied.positions) if applied else {}


async def test_events_that_change_nothing_pass_at_once_and_are_saved_later(views: Views) -> None:
    projector = await started(views, saved_later=True)
    await projector.apply([batch(BUILT_A)])
    await projector.apply([batch(UNKNOWN)])
    assert (projector.ledger.next((SERVICE, 0)), await positions(views)) == (UNKNOWN.position + 1, {0: 1})
    assert await views.wait_applied("shelves", SERVICE, "first", 0, UNKNOWN.position, 0)
    await projector.save()
    assert await positions(views) == {0: UNKNOWN.position}


async def test_what_only_passed_is_saved_with_the_next_rows(views: Views) -> None:
    projector = await started(views, saved_later=True)
    await projector.apply([batch(UNKNOWN)])
    await projector.apply([batch(msgspec.structs.replace(BUILT_A, position=9))])
    assert await positions(views) == {0: 9}


async def test_what_only_passed_is_forgotten_when_another_process_went_on(views: Views) -> None:
    stalled, other = await started(views, saved_later=True), await started(views)
    await stalled.apply([batch(UNKNOWN)])
    await other.apply([batch(UNKNOWN, msgspec.structs.replace(BUILT_A, position=9))])
    await stalled.save()
    with pytest.raises(FencedError):
        await stalled.apply([batch(msgspec.structs.replace(BUILT_B, position=10))])
    assert await views.dump(SHELVES) == [("a", "hall", [], NOON)]


async def test_what_several_only_passed_is_saved_at_once_unless_another_process_went_on(views: Views) -> None:
    kept, stalled = await started(views, saved_later=True), await started(views, ROOMS, saved_later=True)
    other = await started(views, ROOMS)
    for each in (kept, stalled):
        await each.apply([batch(BUILT_A)])
    await other.load()
    await other.apply([batch(msgspec.structs.replace(UNKNOWN, position=8))])
    for each in (kept, stalled):
        await each.apply([batch(UNKNOWN)])
    await save_passed(views, [kept, stalled])
    assert (kept.fenced, stalled.fenced) == (False, True)
    assert await positions(views) == {0: UNKNOWN.position}
    await save_passed(views, [kept, stalled])
    assert kept.passes([batch(msgspec.structs.replace(UNKNOWN, position=9))])
    assert not stalled.passes([batch(msgspec.structs.replace(UNKNOWN, position=9))])
    assert not kept.passes([batch(msgspec.structs.replace(BUILT_B, position=10))])


async def test_what_was_passed_already_leaves_nothing_to_save(views: Views) -> None:
    projector = await started(views, saved_later=True)
    await projector.apply([batch(BUILT_A)])
    await projector.apply([batch(UNKNOWN)])
    await save_passed(views, [projector])
    await projector.apply([batch(UNKNOWN)])
    await save_passed(views, [projector])
    assert await positions(views) == {0: UNKNOWN.position}


async def test_what_is_loaded_or_goes_on_elsewhere_while_it_is_to_be_saved_waits_for_the_next_time(
    views: Views,
) -> None:
    loaded, moved = await started(views, saved_later=True), await started(views, ROOMS, saved_later=True)
    for each in (loaded, moved):
        await each.apply([batch(BUILT_A, EMMA)])
        await each.apply([batch(UNKNOWN)])
        await each.turn.acquire()
    first = [asyncio.create_task(loaded.load()), asyncio.create_task(moved.apply([batch(UNKNOWN, partition=1)]))]
    await asyncio.sleep(0)  # both wait for their turn
    for each in (loaded, moved):
        each.turn.release()

    await save_passed(views, [loaded, moved])

    await asyncio.gather(*first)
    await save_passed(views, [loaded, moved])
    assert (await views.applied("rooms"))[SERVICE].positions == {0: 7, 1: 7}


async def test_a_poison_event_parks_its_stream_and_no_other(views: Views) -> None:
    projector = await started(views)
    await projector.apply([batch(BUILT_A, BUILT_B, EMMA, POISON, DUNE, ULYSSES)])
    assert await views.dump(SHELVES) == [("a", "hall", ["Emma"], NOON), ("b", "attic", ["Ulysses"], NOON)]
    found = await letters(views, "shelves")
    assert [(each.offset, each.parked, each.error) for each in found] == [
        (4, False, "ValueError('this book cannot be read')"),
        (5, True, ""),
    ]
    assert found[0].event == POISON


@pytest.mark.parametrize("place", [0, 2, 4])
async def test_poison_may_stand_at_the_start_in_the_middle_or_at_the_end(views: Views, place: int) -> None:
    projector = await started(views, ROOMS)
    events = [recorded(n, BookAdded("a", "hall", f"{n}"), f"shelf/{n}") for n in range(1, 6)]
    events[place] = broken = msgspec.structs.replace(events[place], data=b'{"shelf": 1}')
    await projector.apply([batch(*events)])
    assert await views.dump(ROOMS) == [(-1, "all", 4), (0, "hall", 4)]
    assert [each.stream for each in await letters(views)] == [broken.stream]


async def test_what_the_database_refuses_is_poison_too(views: Views) -> None:
    nameless = replace(
        SHELVES,
        folds={ShelfBuilt: Fold(lambda e, _: [(e.shelf,)], build_without_room)},
    )
    projector = await started(views, nameless)
    await projector.apply([batch(BUILT_A, BUILT_B)])
    assert [each.stream for each in await letters(views)] == [A]
    assert await views.dump(SHELVES) == [("b", "attic", [], NOON)]


async def test_a_newer_version_parks_the_stream(views: Views) -> None:
    projector = await started(views, limit=DeadLetterLimit(run=1))
    newer = msgspec.structs.replace(EMMA, type=f"{PREFIX}.book.added.v2")
    await projector.apply([batch(BUILT_A, newer, DUNE)])
    assert await views.dump(SHELVES) == [("a", "hall", [], NOON)]
    assert [each.parked for each in await letters(views)] == [False, True]


async def test_a_limit_stops_a_projector_that_would_swallow_everything(views: Views) -> None:
    projector = await started(views, limit=DeadLetterLimit(run=3))
    orphans = [recorded(n, BookAdded(f"{n}", "hall", "x"), f"shelf/{n}") for n in range(1, 6)]
    with pytest.raises(DeadLetterLimitError, match="3 of 3 events could not be applied"):
        await projector.apply([batch(*orphans)])
    assert len(await letters(views)) == 2
    assert (await views.applied("shelves"))[SERVICE].positions == {0: 2}


async def test_a_limit_on_the_ratio(views: Views) -> None:
    projector = await started(views, limit=DeadLetterLimit(ratio=0.2, after=10))
    await projector.apply([batch(BUILT_A)])
    good = [recorded(n, BookAdded("a", "hall", "x"), A) for n in range(2, 9)]
    bad = [recorded(n, BookAdded(f"{n}", "hall", "x"), f"shelf/{n}") for n in range(9, 12)]
    with pytest.raises(DeadLetterLimitError, match="3 of 11"):
        await projector.apply([batch(*good, *bad)])


async def test_a_strict_projector_stops_at_poison(views: Views) -> None:
    projector = await started(views, strict=True)
    with pytest.raises(RebuildFailedError, match="position 4 of library"):
        await projector.apply([batch(BUILT_A, EMMA, POISON, DUNE)])
    assert await letters(views) == []


async def test_a_replay_heals_the_stream_after_the_fix(views: Views) -> None:
    projector = await started(views)
    await projector.apply([batch(BUILT_A, EMMA, POISON, DUNE)])
    mended = replace(SHELVES, folds=SHELVES.folds | {BookAdded: Fold(lambda e, _: [(e.shelf,)], add_anything)})
    repairer = await started(views, mended)
    replayed = [each async for each in replay(views, "shelves", A, repairer.replay)]
    assert [each.error for each in replayed] == ["", ""]
    assert await views.dump(SHELVES) == [("a", "hall", ["Emma", "poison", "Dune"], NOON)]
    assert await letters(views) == []
    with pytest.raises(FencedError):  # the running projector hears that the stream is free
        await projector.apply([batch(recorded(7, BookAdded("a", "hall", "Ilias"), A, 5))])
    await projector.load()
    await projector.apply([batch(recorded(7, BookAdded("a", "hall", "Ilias"), A, 5))])
    assert await views.dump(SHELVES) == [("a", "hall", ["Emma", "poison", "Dune", "Ilias"], NOON)]


async def test_a_replay_without_a_fix_changes_nothing(views: Views) -> None:
    projector = await started(views)
    await projector.apply([batch(BUILT_A, EMMA, POISON, DUNE)])
    replayed = [each async for each in replay(views, "shelves", A, (await started(views)).replay)]
    assert [each.error for each in replayed] == ["ValueError('this book cannot be read')"]
    assert [each.offset for each in await letters(views)] == [4, 5]
    assert await views.dump(SHELVES) == [("a", "hall", ["Emma"], NOON)]


async def test_a_restored_log_that_lost_nothing_applied_goes_on(views: Views) -> None:
    projector = await started(views)
    await projector.apply([batch(BUILT_A, EMMA)])
    await projector.apply([batch(DUNE, epoch="second")])
    assert (await views.applied("shelves"))[SERVICE].epoch == "second"


async def test_a_projector_ahead_of_a_restored_log_says_so(views: Views) -> None:
    projector = await started(views)
    await projector.apply([batch(BUILT_A, EMMA)])
    other = recorded(2, BookAdded("a", "hall", "Another past"), A, 2)
    with pytest.raises(AheadOfLogError, match="concordat projections rebuild shelves"):
        await projector.apply([batch(other, epoch="second")])
    assert await views.dump(SHELVES) == [("a", "hall", ["Emma"], NOON)]


async def test_rows_of_other_code_are_left_alone(views: Views) -> None:
    await views.start([SHELVES])
    with pytest.raises(OtherCodeError, match="shelves waits for a rebuild"):
        await Projector(views, replace(SHELVES, version=2)).load()


async def test_a_waiting_reader_wakes_when_the_position_is_applied(views: Views) -> None:
    projector = await started(views)
    waiting = asyncio.create_task(views.wait_applied("shelves", SERVICE, "first", 0, 3, timeout_s=20))
    await projector.apply([batch(BUILT_A, EMMA)])
    assert await waiting
    assert not await views.wait_applied("shelves", SERVICE, "first", 0, 4, timeout_s=0.01)
    assert not await views.wait_applied("shelves", SERVICE, "another", 0, 3, timeout_s=0.01)


async def test_a_failure_at_the_commit_leaves_neither_rows_nor_checkpoint(views: Views) -> None:
    projector = await started(views)
    await projector.apply([batch(BUILT_A)])
    await views.write(lambda connection: connection.execute(text("ALTER TABLE checkpoints RENAME TO hidden")))
    with pytest.raises(Exception, match="checkpoints"):
        await projector.apply([batch(EMMA)])
    await views.write(lambda connection: connection.execute(text("ALTER TABLE hidden RENAME TO checkpoints")))
    assert await views.dump(SHELVES) == [("a", "hall", [], NOON)]
    await projector.load()
    await projector.apply([batch(EMMA, DUNE)])
    assert await views.dump(SHELVES) == [("a", "hall", ["Emma", "Dune"], NOON)]


def add_anything(row: Row | None, event: BookAdded, *_: object) -> Row:
    assert row is not None
    return row | {"books": [*row["books"], event.title]}


def build_without_room(_row: Row | None, event: ShelfBuilt, recorded: Recorded, _key: Key) -> Row:
    room = None if event.shelf == "a" else event.room
    return {"shelf": event.shelf, "room": room, "books": [], "since": recorded.occurred_at}
