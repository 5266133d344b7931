"""Measurements are kept and summed up alike in memory, in SQLite and in Postgres, however they arrive."""

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, select
from sqlalchemy import text as sql

from libs.events.migrate import migrate
from libs.events.views import Views, open_views
from services.slo.domain.adjustments import Adjustment, excused
from services.slo.domain.assessment import Terms, assess
from services.slo.domain.burn_rate import default_tiers, length_min
from services.slo.domain.composite import Composite, Part, composed, leaves_of
from services.slo.domain.error_budget import Target
from services.slo.domain.methods import DEFAULT_SLICING, Measured, Method, Missing, Slicing
from services.slo.domain.openslo.promise import minutes as length
from services.slo.domain.series import Series
from services.slo.domain.windows import Calendar, Rolling, Window
from services.slo.evaluation import (
    BURN_WINDOWS,
    assessment,
    complete_composites,
    fill,
    first_wants,
    lacking,
    status_of,
)
from services.slo.measurements.book import Book, Promised
from services.slo.measurements.buckets import (
    INPUTS,
    METADATA,
    MINUTES,
    Inputs,
    inputs,
    journaled,
    merge,
    minutes,
    partition_of_slo,
    read,
    take_in,
)
from services.slo.measurements.composite_book import CompositeBook, read_into
from services.slo.measurements.retention import Kept, longer, prune, warnings
from services.slo.measurements.series_reader import read_events
from services.slo.measurements.topic import Measurement

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = int(NOON.timestamp()) // 60
DAY = 24 * 60
QUIET = timedelta(minutes=1)
Held = dict[tuple[str, int, str], Measurement]


def promise(
    window: Window | str,
    method: Method = "occurrences",
    slicing: Slicing = DEFAULT_SLICING,
    adjustments: tuple[Adjustment, ...] = (),
    target: str = "0.9",
    slo: str = "a",
) -> Promised:
    """A promise with default tiers."""
    window = Rolling(length(window)) if isinstance(window, str) else window
    terms = Terms(Target.of(target), window, method, slicing)
    tiers = default_tiers(length_min(window), terms.target)[0]
    return Promised(slo, "s", 1, "w", terms, tiers, adjustments)


PROMISES = (
    promise("2d"),
    promise("7d", adjustments=(Adjustment("remove", NOON - timedelta(hours=30), timedelta(hours=9)),)),
    promise(
        "7d",
        adjustments=(Adjustment("count_as_good", NOON - timedelta(days=9), timedelta(minutes=95), rrule="FREQ=DAILY"),),
    ),
    promise("7d", "timeslices", Slicing(5, Fraction(1, 2))),
    promise("3d", "timeslices", Slicing(7, Fraction(1, 2))),
    promise("7d", "ratio-timeslices", Slicing(60)),
    promise("7d", "ratio-timeslices", Slicing(2000)),
    promise(Calendar(1, "w", datetime(2026, 1, 5), "Europe/Berlin")),  # noqa: DTZ001
    promise(
        Calendar(1, "M", datetime(2026, 1, 1), "Asia/Kathmandu"),  # noqa: DTZ001
        "timeslices",
        Slicing(15, Fraction(1, 2)),
    ),
)


@pytest.fixture(params=["memory", "sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def views(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Views]:
    urls = {"memory": lambda: "memory:", "sqlite": lambda: f"sqlite:///{tmp_path / 'views.sqlite'}"}
    url = urls.get(request.param, lambda: request.getfixturevalue("empty_postgres_url"))()
    async with open_views(url) as views:
        await views.write_long(migrate, "slo")
        yield views


def _measured(
    offset: int, good: int, total: int, *, slo: str = "a", source: str = "push", revision: int = 1
) -> Measurement:
    return Measurement(slo, NOON + timedelta(minutes=offset), source, revision, good, total)


async def _take(views: Views, *measurements: Measurement, at: datetime = NOON) -> None:
    await views.write(take_in, measurements, at)


async def _merge(views: Views, slo: str = "a", at: datetime = NOON) -> int:
    return await views.write_long(merge, partition_of_slo(slo), at)


async def _kept(views: Views, slo: str = "a") -> dict[int, tuple[int, int]]:
    """The minutes of *slo*, counted from NOON."""
    found: Series = await views.read(minutes, slo, range(MINUTE - 100 * DAY, MINUTE + 100 * DAY))
    columns = (found.minute - MINUTE).tolist(), found.good.tolist(), found.total.tolist()
    return {minute: (good, total) for minute, good, total in zip(*columns, strict=True)}


async def test_the_migrations_make_the_tables_that_the_code_uses(views: Views) -> None:
    def missing(connection: object) -> list[object]:
        found = compare_metadata(MigrationContext.configure(connection), METADATA)  # pyright: ignore[reportArgumentType]
        return [change for change in found if not str(change[0]).startswith("remove")]

    assert await views.read(missing) == []


@pytest.mark.parametrize("merged", [False, True], ids=["journaled", "merged"])
async def test_sources_add_up_and_the_highest_revision_of_each_wins(views: Views, merged: bool) -> None:  # noqa: FBT001
    await _take(views, _measured(0, 9, 10), _measured(0, 5, 5, source="eu"))
    if merged:
        await _merge(views)
    await _take(views, _measured(0, 8, 10, revision=2), _measured(0, 0, 5, source="eu", revision=0))
    assert await _kept(views) == {0: (13, 15)}


@pytest.mark.parametrize("merged", [False, True], ids=["journaled", "merged"])
async def test_of_equal_revisions_the_last_one_stays(views: Views, merged: bool) -> None:  # noqa: FBT001
    await _take(views, _measured(0, 1, 10), _measured(0, 2, 10))
    if merged:
        await _merge(views)
    await _take(views, _measured(0, 3, 10))
    assert await _kept(views) == {0: (3, 10)}


async def test_a_minute_without_events_is_observed_all_the_same(views: Views) -> None:
    await _take(views, _measured(0, 0, 0))
    assert await _kept(views) == {0: (0, 0)}
    found = await views.read(status_of, PROMISES[0], NOON + timedelta(minutes=1))
    assert (found.figures.coverage, found.figures.sli) == (1 / (2 * DAY), None)


async def test_numbers_as_large_as_they_may_be_are_kept(views: Views) -> None:
    await _take(views, _measured(0, 2**40 - 1, 2**40, revision=2**53), _measured(1, 0, 2**40, revision=-(2**53)))
    await _merge(views)
    assert await _kept(views) == {0: (2**40 - 1, 2**40), 1: (0, 2**40)}


async def test_what_was_taken_in_is_counted_before_and_after_it_is_merged(views: Views) -> None:
    await _take(views, _measured(3, 1, 1), _measured(-4, 1, 1), _measured(0, 1, 1, slo="b"))
    await _merge(views)
    await _take(views, _measured(7, 1, 1))
    expected = {"a": Inputs(3, MINUTE - 4, MINUTE + 7), "b": Inputs(1, MINUTE, MINUTE)}
    assert await views.read(inputs, ["a", "b", "c"]) == expected
    await _merge(views)
    await _merge(views, "b")
    assert await views.read(inputs, ["a", "b", "c"]) == expected
    assert await views.read(journaled, [partition_of_slo("a"), partition_of_slo("b")]) == {}


@pytest.mark.parametrize(
    "promised",
    PROMISES,
    ids=lambda each: f"{each.terms.method}-{each.terms.slicing.length_min}-{each.period_min // DAY}d",
)
@pytest.mark.parametrize("seed", range(2))
async def test_figures_equal_a_count_over_all_minutes_however_they_came(
    views: Views, promised: Promised, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311  a test's choice
    held: Held = {}
    at = NOON - timedelta(days=2)
    book = Book(promised, at)
    await _complete(views, {"a": book}, at, first=True)
    latest = MINUTE - 2 * DAY
    for _ in range(7):
        at += timedelta(seconds=chance.randrange(8 * 60 * 60))
        batch = list(_batch(chance, held, latest, int(at.timestamp()) // 60))
        latest = max([latest, *(each.minute for each in batch)])
        await _take(views, *batch)
        book.take_many([(each.minute, each.source, each.good, each.total) for each in batch if each.slo == "a"])
        if chance.random() < 0.4:
            await _merge(views)
        if chance.random() < 0.3:
            book.tidy(at)
        if not book.holds_for(promised, at):
            book = Book(promised, at)
            await _complete(views, {"a": book}, at, first=True)
        await _complete(views, {"a": book}, at)
        measured = _by_hand(held, promised, at)
        expected = assess(measured, promised.terms, at)
        found = await views.read(status_of, promised, at)
        assert book.assess(at) == expected
        assert assessment(book, at, QUIET).figures == found.figures
        assert (found.figures.sli, found.figures.good, found.figures.coverage) == (
            expected.figures.sli,
            expected.counts.good,
            expected.coverage,
        )
        for text, span in BURN_WINDOWS.items():
            stop = -(-int(at.timestamp() * 1e6) // 60_000_000)
            good, total = measured.sli(range(stop - span, stop))
            assert found.burn_rates[text] == (None if total == 0 else (total - good) * 10 / total), text


def _composite(missing: Missing = "bad") -> Promised:
    """Of `a`, sliced, and of a composite of `b` and again `a`; with time excused of the whole and of `a`."""
    again = Part("a", "a", Fraction(3), "good", 45)
    parts = (
        Part("a", "a", Fraction(2), missing, 30, "timeslices", Slicing(5, Fraction(1, 2))),
        Part("in", "in", Fraction(1), missing, 10, parts=(Part("b", "b", Fraction(1), missing, 20), again)),
    )
    plain = promise("3d")
    morning = Adjustment("remove", NOON - timedelta(days=1, hours=3), timedelta(hours=2))
    nightly = Adjustment("count_as_good", NOON.replace(day=1, hour=1), timedelta(hours=1), "UTC", "FREQ=DAILY")
    return replace(
        plain,
        slo="all",
        terms=replace(plain.terms, parts=parts),
        adjustments=(morning,),
        of_parts=(("a", (nightly,)),),
    )


@pytest.mark.parametrize("missing", ["bad", "ignore"])
@pytest.mark.parametrize("seed", range(2))
async def test_a_composites_figures_equal_a_count_over_all_minutes_however_they_came(
    views: Views, missing: Missing, seed: int
) -> None:
    chance, promised = random.Random(seed), _composite(missing)  # noqa: S311  a test's choice
    held: Held = {}
    at = NOON - timedelta(days=2)
    book = CompositeBook(promised, at)
    await views.read(read_into, book.first_wants(at))
    latest = MINUTE - 2 * DAY
    for _ in range(7):
        at += timedelta(seconds=chance.randrange(8 * 60 * 60))
        batch = list(_batch(chance, held, latest, int(at.timestamp()) // 60))
        latest = max([latest, *(each.minute for each in batch)])
        await _take(views, *batch)
        for slo in book.keys:
            of_slo = [(each.minute, each.source, each.good, each.total) for each in batch if each.slo == slo]
            book.take_many(slo, of_slo)
        if chance.random() < 0.4:
            await _merge(views, chance.choice("ab"))
        if chance.random() < 0.3:
            book.tidy(at)
        if not book.holds_for(promised, at):
            book = CompositeBook(promised, at)
            await views.read(read_into, book.first_wants(at))
        await views.read(complete_composites, [book], at)
        measured = _composite_by_hand(held, promised, at)
        expected = assess(measured, promised.terms, at)
        found = await views.read(status_of, promised, at)
        assert book.assess(at) == expected
        assert assessment(book, at, QUIET).figures == found.figures
        assert (found.figures.sli, found.figures.good) == (expected.figures.sli, expected.counts.good)
        for text, span in BURN_WINDOWS.items():
            stop = -(-int(at.timestamp() * 1e6) // 60_000_000)
            good, total = measured.sli(range(stop - span, stop))
            assert found.burn_rates[text] == (None if total == 0 else (total - good) * 10 / total), text


def _composite_by_hand(held: Held, promised: Promised, at: datetime) -> Composite:
    """What everything that was *held* amounts to, of all components."""
    measured: list[tuple[Measured, int]] = []
    for path in leaves_of(promised.terms.parts):
        leaf = path[-1]
        of_leaf = [each for name, some in promised.of_parts if name == leaf.key for each in some]
        terms = replace(promised.terms, method=leaf.method, slicing=leaf.slicing, parts=())
        alone = replace(promised, slo=leaf.key, terms=terms, adjustments=(*promised.adjustments, *of_leaf), of_parts=())
        first = min((each.minute for each in held.values() if each.slo == leaf.key), default=2**53)
        measured.append((_by_hand(held, alone, at), first))
    return composed(promised.terms.parts, measured)


def _batch(chance: random.Random, held: Held, latest: int, now: int) -> Sequence[Measurement]:
    """Measurements of the last days in any order, or those that just followed; noted in *held*."""
    batch: list[Measurement] = []
    live = chance.random() < 0.5
    for number in range(chance.randrange(1, 12 if live else 900)):
        total = chance.randrange(10)
        minute = min(latest + number // 2, now) if live else now - chance.randrange(10 * DAY)
        measurement = Measurement(
            chance.choice("aaab"),
            datetime.fromtimestamp(minute * 60, UTC),
            chance.choice(("push", "eu")),
            chance.randrange(4),
            chance.randint(0, total),
            total,
        )
        batch.append(measurement)
        key = measurement.slo, measurement.minute, measurement.source
        if key not in held or held[key].revision <= measurement.revision:
            held[key] = measurement
    return batch


def _by_hand(held: Held, promised: Promised, at: datetime) -> Measured:
    buckets: dict[int, tuple[int, int]] = {}
    for (slo, minute, _), each in held.items():
        if slo == promised.slo:
            good, total = buckets.get(minute, (0, 0))
            buckets[minute] = good + each.good, total + each.total
    excuses = excused(promised.adjustments, at - timedelta(days=60), at + timedelta(days=60))
    return Measured(Series.of(buckets), promised.terms.method, promised.terms.slicing, excuses)


async def _complete(views: Views, books: dict[str, Book], at: datetime, *, first: bool = False) -> None:
    if first:
        wants = first_wants(books, at)
        fill(books, wants, await views.read_long(read, wants))
    while wants := lacking(books, at):
        fill(books, wants, await views.read_long(read, wants))


async def test_alert_conditions_are_judged_where_the_data_ends(views: Views) -> None:
    promised = promise("28d", target="0.99")
    await _take(views, *(_measured(-80 + minute, 500, 1000) for minute in range(60)))
    book = Book(promised, NOON)
    await _complete(views, {"a": book}, NOON, first=True)
    assert {reading.verdict for reading in assessment(book, NOON, QUIET).readings if reading.tier.long_min == 60} == {
        "burning"
    }


KEEPS = Kept(8, 400)


async def test_minutes_are_removed_when_they_are_old_and_hours_stay(views: Views) -> None:
    await _take(views, *(_measured(-9 * DAY + minute, 1, 2) for minute in range(180)), _measured(0, 1, 1))
    await _merge(views)
    assert await views.write(prune, NOON, KEEPS, {}) == 0  # they have only just arrived
    later = NOON + timedelta(days=8, minutes=1)
    assert await views.write(prune, later, KEEPS, {}) == 1
    assert list(await _kept(views)) == [0]
    whole = promise("28d")
    assert (await views.read(status_of, whole, later)).figures.total == 361


async def test_a_window_that_begins_where_only_hours_are_kept_begins_at_the_next_full_hour(views: Views) -> None:
    await _take(views, *(_measured(-20 * DAY + minute, 1, 2) for minute in range(180)))
    await _merge(views)
    await views.write(prune, NOON + timedelta(days=9), KEEPS, {})
    promised = promise("2d")
    end = NOON - timedelta(days=18)
    assert (await views.read(status_of, promised, end)).figures.total == 360
    assert (await views.read(status_of, promised, end + timedelta(minutes=1))).figures.total == 240
    assert (await views.read(status_of, promised, end + timedelta(hours=1))).figures.total == 240
    cut = await views.read(status_of, promised, end - timedelta(days=2) + timedelta(minutes=61))
    assert (cut.figures.total, cut.figures.sli) == (120, 0.5)


async def test_events_whose_minutes_were_removed_stand_at_the_start_of_their_hour(views: Views) -> None:
    await _take(views, *(_measured(-20 * DAY + minute, 1, 2) for minute in range(90)), _measured(0, 5, 6))
    await _merge(views)
    await views.write(prune, NOON + timedelta(days=9), KEEPS, {})
    found = await views.read(read_events, "a", range(MINUTE - 28 * DAY, MINUTE + 1))
    assert [minute - MINUTE for minute in found.minute.tolist()] == [-20 * DAY, -20 * DAY + 60, 0]
    assert (found.good.tolist(), found.total.tolist()) == ([60, 30, 5], [120, 60, 6])


@pytest.mark.parametrize("merged", [False, True], ids=["journaled", "merged"])
async def test_what_comes_after_its_minutes_were_removed_is_too_late(views: Views, merged: bool) -> None:  # noqa: FBT001
    await _take(views, _measured(-20 * DAY, 1, 2))
    await _merge(views)
    await views.write(prune, NOON + timedelta(days=9), KEEPS, {})
    await _take(views, _measured(-20 * DAY, 2, 2, revision=2), _measured(-19 * DAY, 3, 3))
    if merged:
        assert await _merge(views) == 1
    promised = promise("28d")
    figures = (await views.read(status_of, promised, NOON)).figures
    assert (figures.good, figures.total, figures.input_version) == (4, 5, 3)


async def test_hours_are_removed_when_they_are_older_still(views: Views) -> None:
    await _take(views, _measured(-9 * DAY, 1, 2))
    await _merge(views)
    await views.write(prune, NOON + timedelta(days=440), KEEPS, {})
    promised = promise("28d")
    assert (await views.read(status_of, promised, NOON)).figures.total == 0


async def test_what_arrived_lately_is_kept_however_long_ago_it_was_measured(views: Views) -> None:
    long_ago = NOON - timedelta(days=4000)
    await _take(views, _measured(-4000 * DAY, 1, 2), _measured(-4001 * DAY, 1, 2))
    await _merge(views)
    await views.write(prune, NOON + timedelta(days=1), KEEPS, {})
    assert (await views.read(status_of, promise("28d"), long_ago + timedelta(hours=1))).figures.total == 4


async def test_methods_that_slice_keep_their_minutes_as_long_as_the_window(views: Views) -> None:
    slicing = promise("28d", "timeslices", Slicing(5))
    await _take(views, *(_measured(-9 * DAY, 1, 1, slo=slo) for slo in "ab"))
    for slo in "ab":
        await _merge(views, slo)
    await views.write(prune, NOON + timedelta(days=9), KEEPS, longer([slicing]))

    def left(connection: Connection) -> Sequence[str]:
        return connection.execute(select(MINUTES.c.slo)).scalars().all()

    assert await views.read(left) == ["a"]
    assert longer([_composite(), promise("28d", slo="b")]) == {"a": 8}  # a composite needs what its components do


def test_a_window_longer_than_what_is_kept_is_warned_of() -> None:
    assert warnings(promise("7d"), KEEPS) == []
    (rounded,) = warnings(promise("28d"), KEEPS)
    assert "begin at a full hour" in rounded
    (less,) = warnings(promise("366d"), Kept(8, 365))
    assert "figures will be of less" in less


async def test_measurements_of_the_first_version_are_moved(views: Views) -> None:
    def first_version(connection: Connection) -> None:
        for table in ("slo_journal", "slo_minute_blocks", "slo_hour_blocks"):
            connection.execute(sql(f"DROP TABLE {table}"))
        for name in ("slo_hours", "slo_days"):
            connection.execute(sql(f"CREATE TABLE {name} (slo TEXT)"))
        connection.execute(
            sql("CREATE TABLE slo_minutes (slo TEXT, minute INT, source TEXT, revision INT, good INT, total INT)")
        )
        old = [("a", MINUTE, "push", 7, 1, 2), ("a", MINUTE, "eu", 1, 3, 4), ("a", MINUTE + 2 * DAY, "push", 1, 5, 6)]
        for row in old:
            connection.execute(sql(f"INSERT INTO slo_minutes VALUES {row}"))  # noqa: S608  a test's own
        connection.execute(sql(f"INSERT INTO slo_inputs VALUES ('a', 9, {MINUTE}, {MINUTE + 2 * DAY})"))  # noqa: S608
        connection.execute(sql("UPDATE alembic_version SET version_num = '2026_11_21_0004'"))

    await views.write_long(first_version)
    await views.write_long(migrate, "slo")
    assert await _kept(views) == {0: (4, 6), 2 * DAY: (5, 6)}
    assert await views.read(inputs, ["a"]) == {"a": Inputs(9, MINUTE, MINUTE + 2 * DAY)}
    await _take(views, _measured(0, 0, 2, revision=6))
    assert (await _kept(views))[0] == (4, 6)  # revisions are moved too


async def test_two_that_merge_the_same_journal_count_it_once(views: Views) -> None:
    await _take(views, _measured(0, 1, 1))
    await _merge(views)
    await _merge(views)

    def version(connection: Connection) -> int:
        return connection.execute(select(INPUTS.c.version)).scalar_one()

    assert await views.read(version) == 1
