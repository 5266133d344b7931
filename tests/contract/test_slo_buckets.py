"""Minute buckets add up alike in memory, in SQLite and in Postgres, however they arrive."""

import random
from collections import defaultdict
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st

from libs.events.migrate import migrate
from libs.events.views import Views, open_views
from services.slo.buckets import METADATA, Inputs, counts, inputs, observed_at, split, take_in
from services.slo.domain.error_budget import Counts
from services.slo.measurements import Measurement

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = int(NOON.timestamp()) // 60


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


async def _take(views: Views, *measurements: Measurement) -> None:
    await views.write(take_in, measurements)


async def _window(views: Views, start: int, stop: int, slo: str = "a") -> Counts:
    return (await views.read(counts, [slo], [range(MINUTE + start, MINUTE + stop)]))[slo][0]


async def test_the_migrations_make_the_tables_that_the_code_uses(views: Views) -> None:
    def missing(connection: object) -> list[object]:
        found = compare_metadata(MigrationContext.configure(connection), METADATA)  # pyright: ignore[reportArgumentType]
        return [change for change in found if not str(change[0]).startswith("remove")]

    assert await views.read(missing) == []


async def test_sources_add_up_and_the_highest_revision_of_each_wins(views: Views) -> None:
    await _take(views, _measured(0, 9, 10), _measured(0, 5, 5, source="eu"))
    await _take(views, _measured(0, 8, 10, revision=2), _measured(0, 0, 5, source="eu", revision=0))
    assert await _window(views, 0, 1) == Counts(13, 15, 1)


async def test_of_equal_revisions_the_last_one_stays(views: Views) -> None:
    await _take(views, _measured(0, 1, 10), _measured(0, 2, 10))
    await _take(views, _measured(0, 3, 10))
    assert await _window(views, 0, 1) == Counts(3, 10, 1)


async def test_a_minute_without_events_is_observed_all_the_same(views: Views) -> None:
    await _take(views, _measured(0, 0, 0))
    assert await _window(views, -5, 5) == Counts(0, 0, 1)


async def test_what_was_taken_in_is_counted(views: Views) -> None:
    await _take(views, _measured(3, 1, 1), _measured(-4, 1, 1), _measured(0, 1, 1, slo="b"))
    await _take(views, _measured(7, 1, 1))
    assert await views.read(inputs, ["a", "b", "c"]) == {
        "a": Inputs(3, MINUTE - 4, MINUTE + 7),
        "b": Inputs(1, MINUTE, MINUTE),
    }
    assert await views.read(observed_at, "a", range(MINUTE - 3, MINUTE + 7)) == (MINUTE + 3, MINUTE + 3)
    assert await views.read(observed_at, "c", range(MINUTE)) is None


@pytest.mark.parametrize("seed", range(3))
async def test_every_window_is_the_sum_of_its_minutes_however_late_they_came(views: Views, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  a test's choice
    held: dict[tuple[str, int, str], Measurement] = {}
    for _ in range(6):
        batch: list[Measurement] = []
        for _ in range(chance.randrange(1, 400)):
            total = chance.randrange(10)
            measurement = Measurement(
                chance.choice("ab"),
                NOON + timedelta(minutes=chance.randrange(-4000, 4000)),
                chance.choice(("push", "eu")),
                chance.randrange(4),
                chance.randint(0, total),
                total,
            )
            batch.append(measurement)
            key = measurement.slo, measurement.minute, measurement.source
            if key not in held or held[key].revision <= measurement.revision:
                held[key] = measurement
        await _take(views, *batch)
    windows = [range(MINUTE + a, MINUTE + b) for a, b in ((-4000, 4000), (-1, 1), (-61, 59), (-1441, 1500), (7, 7))]
    windows += [range(MINUTE + start, MINUTE + start + chance.randrange(5000)) for start in range(-4000, 0, 571)]
    got = await views.read(counts, ["a", "b", "nothing"], windows)
    for slo in ("a", "b", "nothing"):
        assert got[slo] == [_by_hand(held, slo, window) for window in windows]


def _by_hand(held: dict[tuple[str, int, str], Measurement], slo: str, window: range) -> Counts:
    inside = {key: m for key, m in held.items() if key[0] == slo and key[1] in window}
    return Counts(
        sum(m.good for m in inside.values()), sum(m.total for m in inside.values()), len({key[1] for key in inside})
    )


@given(st.integers(0, 10**6), st.integers(0, 10**6))
def test_a_window_is_split_into_a_handful_of_ranges_that_cover_it_once(start: int, length: int) -> None:
    parts = list(split(range(start, start + length)))
    covered: dict[int, int] = defaultdict(int)
    for level, first, stop in parts:
        unit = (1, 60, 1440)[level]
        covered[first * unit] += 1
        covered[stop * unit] -= 1
    edges = {minute: change for minute, change in covered.items() if change}
    assert edges == ({start: 1, start + length: -1} if length else {})
    assert len(parts) <= 5
    assert sum(stop - first for level, first, stop in parts if level < 2) <= 2 * 59 + 2 * 23
