"""Where a service stands: healthy > at_risk > exhausted > frozen > recovering."""

from dataclasses import replace
from itertools import product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.slo.domain.policy.commands import Observe
from services.slo.domain.policy.document import Number
from services.slo.domain.policy.events import (
    Event,
    PolicyStateChanged,
    ReleasesFrozen,
    ReleasesUnfrozen,
    SpareBudgetFound,
    SpareBudgetGone,
)
from services.slo.domain.policy.standing import Standing, defined, next_standing, to_spare
from tests.fixtures.policy import DOCUMENT, NOW, POLICY, SERVICE, SIGNED, WRITTEN, budgets, state_after

STANDINGS: tuple[Standing, ...] = ("healthy", "at_risk", "exhausted", "frozen", "recovering")
SHARES = st.lists(st.none() | st.floats(0, 3, allow_nan=False), max_size=4)


def _next(held: Standing, *consumed: float | None, in_force: bool = True) -> Standing:
    return next_standing(held, DOCUMENT, budgets(*consumed), in_force=in_force, excused=())


@pytest.mark.parametrize(
    ("held", "consumed", "expected"),
    [
        ("healthy", 0.749, "healthy"),
        ("healthy", 0.75, "at_risk"),
        ("healthy", 1.0, "at_risk"),
        ("healthy", 1.001, "frozen"),
        ("healthy", None, "healthy"),
        ("at_risk", 0.74, "at_risk"),
        ("at_risk", 0.69, "healthy"),
        ("at_risk", 1.001, "frozen"),
        ("at_risk", None, "at_risk"),
        ("exhausted", 1.001, "frozen"),
        ("exhausted", 1.0, "recovering"),
        ("exhausted", 0.1, "healthy"),
        ("exhausted", None, "recovering"),
        ("frozen", 1.001, "frozen"),
        ("frozen", 1.0, "recovering"),
        ("frozen", 0.1, "healthy"),
        ("frozen", None, "recovering"),
        ("recovering", 0.9, "recovering"),
        ("recovering", 0.72, "recovering"),
        ("recovering", 0.69, "healthy"),
        ("recovering", 1.001, "frozen"),
        ("recovering", None, "recovering"),
    ],
)
def test_the_transitions_of_a_signed_policy(held: Standing, consumed: float | None, expected: Standing) -> None:
    assert _next(held, consumed) == expected


@pytest.mark.parametrize("held", STANDINGS)
def test_an_unsigned_policy_stops_at_exhausted(held: Standing) -> None:
    assert _next(held, 1.001, in_force=False) == "exhausted"


@pytest.mark.parametrize("held", STANDINGS)
def test_a_service_without_slos_is_not_held_by_the_past(held: Standing) -> None:
    expected = "recovering" if held in {"exhausted", "frozen"} else held
    assert next_standing(held, DOCUMENT, (), in_force=True, excused=()) == expected


def test_an_undefined_budget_does_not_hide_a_violated_one() -> None:
    assert _next("healthy", None, 1.2) == "frozen"


def test_a_reserve_can_be_asked_for_before_releases_go_on() -> None:
    careful = replace(DOCUMENT, unfreeze_remaining=Number(0.125, "agreed"))
    for held, consumed, expected in (
        ("frozen", 0.95, "frozen"),
        ("frozen", 0.875, "recovering"),
        ("recovering", 0.95, "recovering"),
        ("at_risk", 0.95, "at_risk"),
    ):
        assert next_standing(held, careful, budgets(consumed), in_force=True, excused=()) == expected


@given(held=st.sampled_from(STANDINGS), shares=SHARES, in_force=st.booleans(), excused=st.booleans())
def test_looking_again_at_the_same_budgets_says_nothing_new(
    held: Standing, shares: list[float | None], *, in_force: bool, excused: bool
) -> None:
    seen = budgets(*shares)
    names = {budget.slo for budget in seen} if excused else set[str]()
    once = next_standing(held, DOCUMENT, seen, in_force=in_force, excused=names)
    assert next_standing(once, DOCUMENT, seen, in_force=in_force, excused=names) == once


@given(held=st.sampled_from(STANDINGS), shares=SHARES, in_force=st.booleans())
def test_releases_are_frozen_exactly_when_a_signed_policy_has_a_budget_exceeded(
    held: Standing, shares: list[float | None], *, in_force: bool
) -> None:
    seen = budgets(*shares)
    exceeded = any(budget.state == "violated" for budget in seen)
    standing = next_standing(held, DOCUMENT, seen, in_force=in_force, excused=())
    assert (standing == "frozen") == (in_force and exceeded)
    assert (standing == "exhausted") == (not in_force and exceeded)


@given(st.sampled_from(STANDINGS), SHARES)
def test_the_order_of_the_slos_does_not_matter(held: Standing, shares: list[float | None]) -> None:
    seen = budgets(*shares)
    there, back = (next_standing(held, DOCUMENT, each, in_force=True, excused=()) for each in (seen, seen[::-1]))
    assert there == back
    assert defined(seen) == defined(seen[::-1])


@settings(max_examples=50)
@given(st.lists(SHARES, max_size=12))
def test_a_history_of_states_is_a_chain_and_freezes_alternate_with_thaws(days: list[list[float | None]]) -> None:
    state, told = state_after(*SIGNED), list[Event]()
    for shares in days:
        events = POLICY.decide(Observe(service=SERVICE, budgets=budgets(*shares), at=NOW), state)
        state = POLICY.fold(state, events)
        told.extend(events)
    moves = [event for event in told if isinstance(event, PolicyStateChanged)]
    assert [move.from_state for move in moves] == ["healthy", *(move.to_state for move in moves)][: len(moves)]
    assert all(move.from_state != move.to_state and move.reason for move in moves)
    freezes = [type(event) for event in told if isinstance(event, (ReleasesFrozen, ReleasesUnfrozen))]
    assert freezes == [(ReleasesFrozen, ReleasesUnfrozen)[number % 2] for number in range(len(freezes))]
    assert (len(freezes) % 2 == 1) == (state is not None and state.record.standing == "frozen")


def test_every_standing_can_be_left_and_reached() -> None:
    shares = (None, 0.1, 0.72, 0.9, 1.2)
    reached = {
        (held, _next(held, share, in_force=in_force))
        for held, share, in_force in product(STANDINGS, shares, (True, False))
    }
    assert {there for _, there in reached} == set(STANDINGS)
    assert {held for held, there in reached if held != there} == set(STANDINGS)


# Budget to spare


def _observed(*past: Event, consumed: float, coverage: float = 1.0) -> tuple[Event, ...]:
    command = Observe(service=SERVICE, budgets=budgets(consumed, coverage=coverage), at=NOW)
    return POLICY.decide(command, state_after(*past))


def test_half_of_every_budget_left_over_a_covered_window_is_budget_to_spare() -> None:
    (found,) = _observed(*SIGNED, consumed=0.5)
    assert isinstance(found, SpareBudgetFound)
    assert (found.slo, found.remaining) == ("availability", 0.5)
    assert "more often" in found.advice
    assert _observed(*SIGNED, found, consumed=0.5) == ()


def test_an_unsigned_policy_says_that_there_is_budget_to_spare_too() -> None:
    assert len(_observed(WRITTEN, consumed=0.1)) == 1


@pytest.mark.parametrize(
    ("consumed", "coverage"), [(0.51, 1.0), (0.1, 0.94)], ids=["too little left", "too little seen"]
)
def test_there_is_no_budget_to_spare_with(consumed: float, coverage: float) -> None:
    assert _observed(*SIGNED, consumed=consumed, coverage=coverage) == ()


def test_spare_budget_is_gone_only_below_the_hysteresis() -> None:
    (found,) = _observed(*SIGNED, consumed=0.5)
    assert _observed(*SIGNED, found, consumed=0.54) == ()
    assert _observed(*SIGNED, found, consumed=0.56) == (SpareBudgetGone(SERVICE, 1, NOW),)


def test_what_is_unknown_is_not_to_spare() -> None:
    assert not to_spare(DOCUMENT, (), held=False)
    assert not to_spare(DOCUMENT, budgets(0.1, None), held=True)
