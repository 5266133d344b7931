"""Composite SLOs: weights, missing components, nesting."""

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.slo.domain.adjustments import Excused
from services.slo.domain.composite import (
    Component,
    Composite,
    Missing,
    Part,
    asked,
    composed,
    composite_sli,
    leaves_of,
    order,
    spent_by,
    weighed,
)
from services.slo.domain.error_budget import Target, figures
from services.slo.domain.errors import CompositeCycleError, InvalidWeightError
from services.slo.domain.methods import Measured, Slicing
from services.slo.domain.series import Buckets, Series

RATIOS = st.integers(0, 10**6).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
WEIGHTS = st.fractions(min_value=Fraction(1, 100), max_value=100)


def part(good: int, total: int, weight: int = 1, *, missing: Missing = "ignore", missing_min: int = 0) -> Component:
    return Component(f"{good}/{total}", Fraction(weight), (good, total), 60, missing_min, missing)


def test_components_count_by_their_weight() -> None:
    assert composite_sli([part(1, 2, 3), part(1, 1, 1)]) == (5, 8)


@given(RATIOS, WEIGHTS)
def test_a_composite_of_one_component_is_that_component(sli: tuple[int, int], weight: Fraction) -> None:
    target = Target.of("0.99")
    composite = composite_sli([Component("only", weight, sli, 60)])
    assert figures(target, *composite) == figures(target, *sli)


@given(st.lists(st.tuples(RATIOS, WEIGHTS), min_size=1))
def test_what_components_take_off_adds_up(parts: list[tuple[tuple[int, int], Fraction]]) -> None:
    components = [Component(str(i), weight, sli, 60) for i, (sli, weight) in enumerate(parts)]
    good, total = composite_sli(components)
    assert sum(spent_by(components)) == (1 - Fraction(good, total) if total else 0)


def test_an_inner_composite_is_a_component_as_any_other() -> None:
    inner = composite_sli([part(1, 2), part(1, 1)])
    assert composite_sli([part(*inner), part(1, 1)]) == (7, 8)


@pytest.mark.parametrize(("missing", "sli"), [("ignore", (1, 1)), ("good", (1, 1)), ("bad", (1, 2))])
def test_a_component_without_any_data_counts_as_the_policy_says(missing: Missing, sli: tuple[int, int]) -> None:
    assert composite_sli([part(9, 9), part(0, 0, missing=missing, missing_min=60)]) == sli


@pytest.mark.parametrize(("missing", "sli"), [("ignore", (9, 10)), ("good", (37, 40)), ("bad", (27, 40))])
def test_missing_minutes_weigh_as_much_as_the_traffic_they_would_have_had(
    missing: Missing, sli: tuple[int, int]
) -> None:
    """20 minutes missing beside 60 observed."""
    assert composite_sli([part(9, 10, missing=missing, missing_min=20)]) == sli


def test_within_the_delay_nothing_is_missing_yet() -> None:
    assert composite_sli([part(9, 10, missing="bad")]) == (9, 10)


def test_if_nothing_is_known_the_composite_is_undefined() -> None:
    assert composite_sli([part(0, 0), part(0, 0)]) == composite_sli([]) == (0, 0)


def test_a_weight_must_weigh_something() -> None:
    with pytest.raises(InvalidWeightError, match="'1/1' is 0; it must be above 0"):
        part(1, 1, 0)


def test_composites_come_after_what_they_contain() -> None:
    assert order({"shop": ["pay", "cart"], "pay": ["card", "bank"]}) == ("pay", "shop")


@pytest.mark.parametrize(
    ("components", "cycle"),
    [({"a": ["a"]}, "a contains a"), ({"a": ["b", "x"], "b": ["c"], "c": ["a"]}, "a contains b contains c contains a")],
)
def test_a_composite_that_would_contain_itself_is_refused(components: dict[str, list[str]], cycle: str) -> None:
    with pytest.raises(CompositeCycleError) as error:
        order(components)
    names = set(cycle.split(" contains "))
    assert set(error.value.cycle) == names
    assert error.value.cycle[0] == error.value.cycle[-1]
    assert all(b in components[a] for a, b in zip(error.value.cycle, error.value.cycle[1:], strict=False))


# What follows compares a composite with a count, minute by minute, over what was measured.

SPAN = 24  # minutes
FAR = 2**53
SLICING = Slicing(3, Fraction(3, 4))
COUNTS = st.integers(0, 4).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
LEAVES = st.builds(
    Part,
    name=st.just("leaf"),
    key=st.sampled_from("abc"),
    weight=WEIGHTS,
    missing=st.sampled_from(["good", "bad", "ignore"]),
    delay_min=st.integers(0, 6),
    method=st.sampled_from(["occurrences", "timeslices"]),
    slicing=st.just(SLICING),
)


def inner(parts: list[Part], weight: Fraction, missing: Missing) -> Part:
    return Part("inner", "inner", weight, missing, parts=tuple(parts))


PARTS = st.lists(
    st.recursive(
        LEAVES,
        lambda part: st.builds(
            inner, st.lists(part, min_size=1, max_size=3), WEIGHTS, st.sampled_from(["good", "bad", "ignore"])
        ),
        max_leaves=4,
    ),
    min_size=1,
    max_size=3,
)
MEASURED = st.fixed_dictionaries({key: st.dictionaries(st.integers(0, SPAN - 1), COUNTS) for key in "abc"})
RANGES = st.tuples(st.integers(0, SPAN), st.integers(0, SPAN)).map(lambda ends: range(min(ends), max(ends)))


def excused(cut: int, removed: range, good: range) -> Excused:
    """What is removed lies before *cut*, what is forgiven behind it."""
    before, behind = range(removed.start, min(removed.stop, cut)), range(max(good.start, cut), good.stop)
    return Excused((before,) if before else (), (behind,) if behind else ())


EXCUSED = st.builds(excused, st.integers(0, SPAN), RANGES, RANGES)


def counted(part: Part, buckets: Buckets, excuses: Excused, window: range) -> Fraction | None:
    """The SLI of one component, by looking at every minute."""
    removed, forgiven = ({m for r in found for m in r} for found in (excuses.removed, excuses.good))
    seen = {m: (n if m in forgiven else g, n) for m, (g, n) in buckets.items() if m not in removed}
    inside = {m: seen[m] for m in window if m in seen}
    if part.method == "occurrences":
        good, total = (sum(column) for column in zip((0, 0), *inside.values(), strict=True))
    else:
        slices = [
            [inside[m] for m in range(first, first + 3) if m in inside]
            for first in range(0, SPAN, 3)
            if first in window and first + 2 in window
        ]
        sums = [tuple(map(sum, zip((0, 0), *each, strict=True))) for each in slices]
        total = sum(n > 0 for _, n in sums)
        good = sum(n > 0 and Fraction(g, n) >= Fraction(3, 4) for g, n in sums)
    first = min(buckets, default=FAR)
    recent = range(window.stop - part.delay_min, window.stop)
    silent = not any(m in seen for m in recent)
    missing = [
        m
        for m in window
        if m not in seen
        and m not in removed | forgiven
        and (m >= first or first >= window.stop)
        and (silent or m not in recent)
    ]
    sli = Fraction(good, total) if total else None
    if part.missing == "ignore" or not missing:
        return sli
    observed = len(inside) if total else 0
    value = (sli or Fraction()) * observed + (len(missing) if part.missing == "good" else 0)
    return value / (observed + len(missing))


def mean(parts: Any, measured: dict[str, Buckets], excuses: Excused, window: range) -> Fraction | None:
    values: list[tuple[Fraction, Fraction]] = []
    for part in parts:
        if part.parts:
            value = mean(part.parts, measured, excuses, window)
            if value is None and part.missing != "ignore" and window:
                value = Fraction(part.missing == "good")
        else:
            value = counted(part, measured[part.key], excuses, window)
        if value is not None:
            values.append((part.weight, value))
    whole = sum((w for w, _ in values), Fraction())
    return sum((w * v for w, v in values), Fraction()) / whole if values else None


def made(parts: list[Part], measured: dict[str, Buckets], excuses: Excused) -> Composite:
    return composed(
        parts,
        [
            (
                Measured(Series.of(measured[path[-1].key]), path[-1].method, path[-1].slicing, excuses),
                min(measured[path[-1].key], default=FAR),
            )
            for path in leaves_of(parts)
        ],
    )


@given(PARTS, MEASURED, EXCUSED, RANGES)
def test_a_composite_is_the_weighed_mean_of_what_every_minute_of_its_components_says(
    parts: list[Part], measured: dict[str, Buckets], excuses: Excused, window: range
) -> None:
    good, total = made(parts, measured, excuses).sli(window)
    assert (Fraction(good, total) if total else None) == mean(parts, measured, excuses, window)


@given(PARTS, MEASURED, EXCUSED, RANGES)
def test_counts_and_expected_minutes_are_those_of_each_component_once(
    parts: list[Part], measured: dict[str, Buckets], excuses: Excused, window: range
) -> None:
    keys = {path[-1].key for path in leaves_of(parts)}
    removed = {m for each in excuses.removed for m in each}
    composite = made(parts, measured, excuses)
    seen = [measured[key][m] for key in keys for m in window if m in measured[key] and m not in removed]
    counts = composite.counts(window)
    assert (counts.total, counts.observed) == (sum(n for _, n in seen), len(seen))
    assert composite.expected(window) == len(keys) * len([m for m in window if m not in removed])


@given(PARTS, MEASURED, EXCUSED, RANGES)
def test_what_measured_components_lack_by_their_shares_is_what_the_composite_lacks_but_for_missing_minutes(
    parts: list[Part], measured: dict[str, Buckets], excuses: Excused, window: range
) -> None:
    composite = made(parts, measured, excuses)
    good, total = composite.sli(window)
    lacking = Fraction()
    for _, tally, share in weighed(composite, window):
        reached, of = tally.sli(window)
        lacking += share * (1 - Fraction(reached, of))
    lost = 1 - Fraction(good, total) if total else Fraction()
    never_bad = all(part.missing != "bad" for path in leaves_of(parts) for part in path)
    assert lacking == lost if never_bad else lacking <= lost


@given(LEAVES, EXCUSED, RANGES)
def test_a_component_is_asked_about_every_range_that_it_says_it_will_be(
    part: Part, excuses: Excused, window: range
) -> None:
    class Asked(Measured):
        """Notes the windows."""

        def counts(self, window: range) -> Any:
            windows.append(window)
            return super().counts(window)

    windows: list[range] = []
    composed([part], [(Asked(Series.of({}), part.method, part.slicing, excuses), FAR)]).sli(window)
    edges = {edge for each in asked(part, excuses, [window]) for edge in (each.start, each.stop)}
    assert {edge for each in windows if each for edge in (each.start, each.stop)} <= edges


def test_a_component_that_is_doubted_counts_as_good_but_one_that_nothing_is_known_of_is_left_out() -> None:
    bad, unknown = Part("bad", "a", Fraction(1)), Part("unknown", "b", Fraction(1))
    composite = made([bad, unknown], {"a": {0: (0, 1)}, "b": {}}, Excused())
    assert composite.sli(range(1)) == (0, 1)
    assert composite.doubting(lambda _: True).sli(range(1)) == (1, 1)
    assert composite.doubting(lambda leaf: leaf.part is unknown).sli(range(1)) == (0, 1)
