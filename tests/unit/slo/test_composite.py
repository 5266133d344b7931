"""Composite SLOs: weights, missing components, nesting."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.slo.domain.composite import Component, Missing, composite_sli, order, spent_by
from services.slo.domain.error_budget import Target, figures
from services.slo.domain.errors import CompositeCycleError, InvalidWeightError

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
