"""The budgeting methods: any window from prefix sums or daily roll-ups equals its definition over raw buckets."""

from fractions import Fraction
from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.slo.domain.adjustments import Excused
from services.slo.domain.error_budget import Target, figures
from services.slo.domain.methods import (
    SCALE,
    Empty,
    Measured,
    Method,
    Ratio,
    Slicing,
    daily,
    ratio,
    rows,
    slices,
    slices_starting_in,
)
from services.slo.domain.series import Buckets, PrefixSums, Series

DAY = 24 * 60
METHODS = st.sampled_from(["occurrences", "timeslices", "ratio-timeslices"])
TARGETS = st.fractions(0, 1, max_denominator=100)
BUCKETS = st.dictionaries(
    st.integers(0, 120), st.integers(0, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
)
WINDOWS = st.tuples(st.integers(0, 130), st.integers(0, 130)).map(lambda w: range(min(w), max(w)))
RANGES = st.lists(st.integers(0, 130), max_size=8, unique=True).map(
    lambda edges: tuple(range(a, b) for a, b in zip(sorted(edges)[::2], sorted(edges)[1::2], strict=False))
)


def by_definition(
    buckets: Buckets, window: range, method: Method, slicing: Slicing, excuses: Excused
) -> Fraction | None:
    removed = {m for each in excuses.removed for m in each}
    forgiven = {m for each in excuses.good for m in each}
    counts = {m: (n if m in forgiven else g, n) for m, (g, n) in buckets.items() if m in window and m not in removed}
    if method == "occurrences":
        total = sum(n for _, n in counts.values())
        return Fraction(sum(g for g, _ in counts.values()), total) if total else None
    ratios: list[Fraction] = []
    for start in range(0, 200, slicing.length_min):
        minutes = range(start, start + slicing.length_min)
        if minutes.start not in window or minutes[-1] not in window:
            continue
        total = sum(counts[m][1] for m in minutes if m in counts)
        if total:
            got = Fraction(sum(counts[m][0] for m in minutes if m in counts), total)
            ratios.append(Fraction(got >= slicing.target) if method == "timeslices" else got)
        elif slicing.empty != "ignore" and not removed.issuperset(minutes):
            ratios.append(Fraction(slicing.empty == "good" or (removed | forgiven).issuperset(minutes)))
    return sum(ratios, Fraction()) / len(ratios) if ratios else None


def exact(sli: Ratio) -> Fraction | None:
    return Fraction(*sli) if sli[1] else None


def close(got: Fraction | None, wanted: Fraction | None) -> bool:
    """Equal, or too high by less than the resolution of a mean of ratios."""
    return got == wanted if got is None or wanted is None else 0 <= got - wanted < Fraction(1, SCALE)


@given(
    BUCKETS, WINDOWS, METHODS, st.integers(1, 9), TARGETS, st.sampled_from(["ignore", "good", "bad"]), RANGES, RANGES
)
def test_any_window_equals_its_definition_over_raw_buckets(  # noqa: PLR0913, PLR0917  all that a figure depends on
    buckets: Buckets,
    window: range,
    method: Method,
    length: int,
    target: Fraction,
    empty: Empty,
    removed: tuple[range, ...],
    good: tuple[range, ...],
) -> None:
    gone = {m for each in removed for m in each}
    excuses = Excused(removed, tuple(range(m, m + 1) for each in good for m in each if m not in gone))
    slicing = Slicing(length, target, empty)
    got = Measured(Series.of(buckets), method, slicing, excuses).sli(window)
    assert close(exact(got), by_definition(buckets, window, method, slicing, excuses))


@given(BUCKETS, METHODS, st.integers(1, 9), st.randoms(use_true_random=False))
def test_any_order_of_arrival_gives_the_same_figures(
    buckets: Buckets, method: Method, length: int, chance: Random
) -> None:
    shuffled = list(buckets.items())
    chance.shuffle(shuffled)
    figures = [
        Measured(Series.of(dict(order)), method, Slicing(length)).sli(range(200))
        for order in (buckets.items(), shuffled)
    ]
    assert figures[0] == figures[1]


@given(
    st.dictionaries(st.integers(0, 4 * DAY), st.just((1, 3)) | st.just((7, 7)) | st.just((0, 0)), max_size=60),
    METHODS,
    st.sampled_from([1, 5, 7, 60, 1000, DAY, 3 * DAY // 2]),
    st.integers(0, 4 * DAY),
    st.integers(0, 4 * DAY),
)
def test_a_window_is_the_roll_ups_of_its_days_and_the_rows_beside_them(
    buckets: Buckets, method: Method, length: int, first: int, stop: int
) -> None:
    window, key_min = range(first, stop), 1 if method == "occurrences" else length
    keys, columns = found = rows(Series.of(buckets), method, Slicing(length))
    wanted, beside = set(slices(window, key_min)), PrefixSums(*found)
    sums = [0] * len(columns)
    days, rolled = daily(found, key_min)
    for place, day in enumerate(days.tolist()):
        held = set(slices_starting_in(range(day, day + 1), key_min))
        if held <= wanted:
            wanted -= held
            sums = [a + int(column[place]) for a, column in zip(sums, rolled, strict=True)]
    for key in wanted.intersection(keys.tolist()):
        sums = [a + b for a, b in zip(sums, beside.over(range(key, key + 1))[1:], strict=True)]
    assert ratio(sums) == Measured(Series.of(buckets), method, Slicing(length)).sli(window)


@given(BUCKETS, st.integers(0, 120), st.tuples(st.integers(0, 9), st.integers(9, 40)), METHODS)
def test_a_late_bucket_replaces_its_slice_in_the_sums(
    buckets: Buckets, minute: int, late: tuple[int, int], method: Method
) -> None:
    slicing = Slicing(7, Fraction(1, 2))

    def sums(of: Buckets) -> list[int]:
        return [int(column.sum()) for column in rows(Series.of(of), method, slicing)[1]]

    around = range(minute // 7 * 7, minute // 7 * 7 + 7)
    after = {**buckets, minute: late}
    old, new = ({m: c for m, c in of.items() if m in around} for of in (buckets, after))
    expected = sums(after)
    assert [a - b + c for a, b, c in zip(sums(buckets), sums(old), sums(new), strict=True)] == expected


def test_the_published_vector() -> None:
    good, total = (2, 10, 12, 13, 13, 12, 13, 13, 12, 11), (4, 10, 12, 13, 14, 15, 14, 13, 12, 11)
    series = Series.of(dict(enumerate(zip(good, total, strict=True))))
    got = {m: exact(Measured(series, m).sli(range(10))) for m in ("occurrences", "timeslices", "ratio-timeslices")}
    assert got == {  # no total has a prime factor above 23, so the mean of ratios is exact as well
        "occurrences": Fraction(111, 118),
        "timeslices": Fraction(6, 10),
        "ratio-timeslices": sum(map(Fraction, good, total), Fraction()) / 10,
    }
    assert [float(f or 0) for f in got.values()] == [pytest.approx(x, abs=1e-6) for x in (0.940678, 0.6, 0.915714)]


@pytest.mark.parametrize("total", [*range(1, 29), 60, 100, 1000, 1440, 3600, 86_400, 10**6, 10**9])
def test_a_ratio_of_a_total_that_people_choose_is_exact(total: int) -> None:
    series = Series.of({0: (1, total)})
    assert exact(Measured(series, "ratio-timeslices").sli(range(1))) == Fraction(1, total)


def test_a_mean_that_equals_the_target_is_not_below_it() -> None:
    """29 does not divide SCALE: each of the two ratios is rounded, up."""
    sli = Measured(Series.of({0: (14, 29), 1: (15, 29)}), "ratio-timeslices").sli(range(2))
    assert figures(Target.of(0.5), *sli).state == "at_risk"


def test_perfect_slices_are_exactly_one_whatever_their_totals() -> None:
    series = Series.of({m: (n, n) for m, n in enumerate((29, 997, 10**9 + 7))})
    assert exact(Measured(series, "ratio-timeslices").sli(range(3))) == 1


@given(st.lists(st.integers(0, 10**18), min_size=2, max_size=2).map(sorted), TARGETS)
def test_counts_of_any_size_stay_exact(counts: list[int], target: Fraction) -> None:
    """Where 64 bits would overflow, Python's integers take over."""
    good, total = counts[0] * 100, counts[1] * 100 + 1
    series = Series.of({0: (good, total), 1: (0, 10**19)})
    assert Measured(series).counts(range(2)).total == total + 10**19
    reached = Measured(series, "timeslices", Slicing(target=target)).sli(range(1))
    assert reached == (int(Fraction(good, total) >= target), 1)
    assert close(exact(Measured(series, "ratio-timeslices").sli(range(1))), Fraction(good, total))


def test_slices_lie_on_a_grid_from_the_epoch_and_open_ones_are_left_out() -> None:
    assert slices(range(7, 17), 5) == range(2, 3)
    assert slices(range(6, 9), 5) == range(2, 1)


def test_nothing_measured_is_undefined() -> None:
    for method in ("occurrences", "timeslices", "ratio-timeslices"):
        assert Measured(Series.of({}), method).sli(range(10))[1] == 0


def test_gaps_in_the_keys_are_no_matter() -> None:
    sums = PrefixSums(np.array([2, 5, 9]), (np.array([1, 10, 100]),))
    assert [sums.over(range(*w)) for w in ((0, 10), (3, 9), (5, 6), (6, 6))] == [(3, 111), (1, 10), (1, 10), (0, 0)]


def test_a_ratio_reads_the_sums_of_any_method() -> None:
    assert ratio((4, 3)) == (3, 4)
    assert ratio((2, 0, 0, 0)) == (0, 2 * SCALE)
