"""The transition table, pair by pair."""

from itertools import product

import pytest

from services.lifecycle.domain.phases import REINSTATEMENT, TRANSITIONS, Kind, Phase, allowed_from, gates_between

FORWARD = {(1, 2), (2, 3), (3, 4), (4, 5), (5, 6), (6, 7)}
SKIPS = {(5, 7), (4, 6), (1, 7), (2, 7), (3, 7), (2, 4)}
BACKWARD = {(2, 1), (3, 2), (4, 3), (5, 4), (6, 5), (6, 4)}
PHASES = list(Phase)


@pytest.mark.parametrize(("before", "after"), list(product(PHASES, PHASES)))
def test_each_pair_of_phases_is_legal_exactly_as_the_table_says(before: Phase, after: Phase) -> None:
    pair = (before.number, after.number)
    kinds = {Kind.FORWARD: FORWARD, Kind.SKIP: SKIPS, Kind.BACKWARD: BACKWARD}
    expected = next((kind for kind, pairs in kinds.items() if pair in pairs), None)

    move = TRANSITIONS.get((before, after))

    assert expected == (move and move.kind)


def test_phases_are_numbered_from_one_in_the_order_of_life() -> None:
    assert [phase.number for phase in PHASES] == [1, 2, 3, 4, 5, 6, 7]


def test_nothing_leads_out_of_the_last_phase() -> None:
    assert allowed_from(Phase.UNSUPPORTED) == {}


def test_leaving_a_phase_out_passes_both_gates() -> None:
    gates = gates_between(Phase.ACTIVE_DEVELOPMENT, Phase.GENERAL_AVAILABILITY)

    assert gates == ("limited_availability", "general_availability")


def test_moving_back_passes_no_gate_except_from_abandoned_to_general_availability() -> None:
    gates = {pair: move.gates for pair, move in TRANSITIONS.items() if move.kind is Kind.BACKWARD and move.gates}

    assert gates == {(Phase.ABANDONED, Phase.GENERAL_AVAILABILITY): (REINSTATEMENT,)}


def test_the_gate_of_a_later_phase_can_be_read_from_far_away() -> None:
    gates = gates_between(Phase.ARCHITECTURE_AND_DESIGN, Phase.GENERAL_AVAILABILITY)

    assert gates == ("general_availability",)
