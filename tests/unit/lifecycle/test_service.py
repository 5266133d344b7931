"""A service's rules: three tests for each command, and every pair of phases."""

from dataclasses import replace
from datetime import timedelta
from itertools import product
from typing import Any

import pytest

from libs.events.testing import given
from services.lifecycle.contract import SERVICE
from services.lifecycle.domain.errors import (
    EvaluationOutdatedError,
    GateNotPassedError,
    GrandfatheringError,
    IllegalTransitionError,
    NameTakenError,
    NotAnApproverError,
    NotARequesterError,
    SecondPersonError,
    ServiceUnsupportedError,
    StillSupportedError,
    TransitionDecidedError,
    TransitionPendingError,
    UnknownError,
)
from services.lifecycle.domain.gates import evaluate, remaining
from services.lifecycle.domain.people import Approvers
from services.lifecycle.domain.phases import TRANSITIONS, Kind, Phase, allowed_from
from services.lifecycle.domain.service.commands import (
    Actor,
    Approve,
    Change,
    Command,
    Decline,
    Decommission,
    Register,
    Transition,
)
from services.lifecycle.domain.service.decider import Awaiting, Decommissioned, Settled, Unsupported
from services.lifecycle.domain.service.events import (
    PhaseChanged,
    ServiceChanged,
    ServiceDecommissioned,
    TransitionApproved,
    TransitionDeclined,
    TransitionRequested,
)
from tests.fixtures.lifecycle import NOW, POLICY, attested_all, facts, open_gate, registered

ANA, BO, ROBOT = Actor("ana", is_person=True), Actor("bo", is_person=True), Actor("ci", is_person=False)
DESIGN, DEVELOPMENT, LIMITED, GENERAL, DEPRECATION, ABANDONED, UNSUPPORTED = Phase
GRACE = POLICY.grandfathering_days.days

REGISTER = Register(
    service="checkout-api",
    display_name="Checkout API",
    owner_team="checkout",
    tier=1,
    phase=DESIGN,
    revives="",
    grace=GRACE,
    grandfathered_until=None,
    by="ana",
    at=NOW,
)
CHANGE = Change(service="checkout-api", display_name=None, owner_team=None, tier=None, at=NOW)


def transition(phase: Phase, to: Phase, **fields: Any) -> Transition:
    command = Transition(
        service="checkout-api",
        transition="t1",
        to=to,
        reason="because",
        needs_approval=frozenset(POLICY.approval.kinds),
        verdict=open_gate(phase, to),
        evaluation="v1",
        by=ANA,
        at=NOW,
    )
    return replace(command, **fields)


def requested(phase: Phase = GENERAL, to: Phase = LIMITED, kind: Kind = Kind.BACKWARD) -> TransitionRequested:
    return TransitionRequested("t1", "checkout-api", phase, to, kind, "because", "v1", "ana", NOW)


def approve(by: Actor = BO, **fields: Any) -> Approve:
    command = Approve(
        service="checkout-api",
        transition="t1",
        reason="agreed",
        verdict=open_gate(GENERAL, LIMITED),
        evaluation="v2",
        by=by,
        at=NOW,
    )
    return replace(command, **fields)


def decline(by: Actor = BO, transition_id: str = "t1") -> Decline:
    return Decline(service="checkout-api", transition=transition_id, reason="too early", by=by, at=NOW)


APPROVED = (
    TransitionApproved("t1", "checkout-api", "agreed", "bo", NOW),
    PhaseChanged("checkout-api", GENERAL, LIMITED, "because", "v2", "ana", NOW, "t1"),
)
DECLINED = TransitionDeclined("t1", "checkout-api", "too early", "bo", NOW)


class TestRegister:
    def test_a_service_starts_in_the_first_phase(self) -> None:
        state = given(SERVICE).when(REGISTER).then(registered(at=NOW))

        assert isinstance(state, Settled)
        assert state.profile.phase is DESIGN
        assert state.profile.grandfathered is None

    def test_an_import_at_a_later_phase_is_grandfathered_for_as_long_as_the_policy_says(self) -> None:
        given(SERVICE).when(replace(REGISTER, phase=GENERAL)).then(
            registered(GENERAL, at=NOW, grandfathered_until=NOW + GRACE)
        )

    def test_an_import_may_ask_for_less_grace(self) -> None:
        until = NOW + timedelta(days=10)

        given(SERVICE).when(replace(REGISTER, phase=GENERAL, grandfathered_until=until)).then(
            registered(GENERAL, at=NOW, grandfathered_until=until)
        )

    @pytest.mark.parametrize(
        ("phase", "until"), [(GENERAL, NOW + GRACE + timedelta(seconds=1)), (DESIGN, NOW + timedelta(days=1))]
    )
    def test_no_more_grace_is_given_than_there_is_need_for(self, phase: Phase, until: Any) -> None:
        given(SERVICE).when(replace(REGISTER, phase=phase, grandfathered_until=until)).refuses(GrandfatheringError)

    def test_an_import_in_the_last_phase_is_at_its_end(self) -> None:
        state = given(SERVICE, registered(UNSUPPORTED)).state

        assert isinstance(state, Unsupported)

    def test_a_name_is_never_given_twice(self) -> None:
        given(SERVICE, registered()).when(REGISTER).refuses(NameTakenError)


class TestChange:
    def test_what_is_left_out_stays(self) -> None:
        changed = ServiceChanged("checkout-api", "Checkout API", "checkout", 2, NOW)

        given(SERVICE, registered()).when(replace(CHANGE, tier=2)).then(changed)

    def test_owner_and_tier_can_be_unset(self) -> None:
        changed = ServiceChanged("checkout-api", "Checkout API", "", 0, NOW)

        given(SERVICE, registered()).when(replace(CHANGE, owner_team="", tier=0)).then(changed)

    def test_the_same_values_change_nothing(self) -> None:
        given(SERVICE, registered()).when(replace(CHANGE, owner_team="checkout", tier=1)).then()

    def test_a_pending_transition_survives_a_change(self) -> None:
        changed = ServiceChanged("checkout-api", "Till API", "checkout", 1, NOW)

        state = given(SERVICE, registered(GENERAL), requested()).when(replace(CHANGE, display_name="Till API"))

        assert isinstance(state.then(changed), Awaiting)

    def test_a_service_at_its_end_does_not_change(self) -> None:
        given(SERVICE, registered(UNSUPPORTED)).when(replace(CHANGE, tier=2)).refuses(ServiceUnsupportedError)


class TestTransition:
    @pytest.mark.parametrize(("phase", "to"), [pair for pair in product(Phase, Phase) if pair[0] is not pair[1]])
    def test_every_pair_of_phases_is_refused_moved_or_asked_for(self, phase: Phase, to: Phase) -> None:
        when = given(SERVICE, registered(phase)).when(transition(phase, to))
        move = TRANSITIONS.get((phase, to))

        match move and move.kind:
            case None:
                assert when.refuses(IllegalTransitionError).allowed == allowed_from(phase)
            case Kind.FORWARD:
                state = when.then(PhaseChanged("checkout-api", phase, to, "because", "v1", "ana", NOW))
                assert isinstance(state, Unsupported if to is UNSUPPORTED else Settled)
                assert state.profile.phase is to
            case Kind.SKIP | Kind.BACKWARD as kind:
                state = when.then(requested(phase, to, kind))
                assert isinstance(state, Awaiting)
                assert state.profile.phase is phase

    @pytest.mark.parametrize("phase", list(Phase))
    def test_a_service_that_is_there_already_stays(self, phase: Phase) -> None:
        given(SERVICE, registered(phase)).when(transition(phase, phase)).then()

    def test_a_closed_gate_is_refused_with_the_checks_that_keep_it_closed(self) -> None:
        closed = evaluate(POLICY, attested_all(LIMITED, slos=()), GENERAL, NOW)

        refusal = given(SERVICE, registered(LIMITED)).when(transition(LIMITED, GENERAL, verdict=closed))

        failed = refusal.refuses(GateNotPassedError).verdict.failed
        assert [check.id for check in failed] == ["slo_met_with_coverage", "error_budget_left_and_no_freeze"]

    def test_a_skip_passes_its_gates_before_anyone_is_asked(self) -> None:
        closed = evaluate(POLICY, facts(DEVELOPMENT), GENERAL, NOW)

        given(SERVICE, registered(DEVELOPMENT)).when(transition(DEVELOPMENT, GENERAL, verdict=closed)).refuses(
            GateNotPassedError
        )

    def test_a_verdict_for_another_phase_is_refused(self) -> None:
        command = transition(LIMITED, GENERAL, verdict=open_gate(DEVELOPMENT, LIMITED))

        given(SERVICE, registered(LIMITED)).when(command).refuses(EvaluationOutdatedError)

    def test_without_a_need_for_approval_a_step_back_happens_at_once(self) -> None:
        command = transition(GENERAL, LIMITED, needs_approval=frozenset[Kind](), evaluation="")

        given(SERVICE, registered(GENERAL)).when(command).then(
            PhaseChanged("checkout-api", GENERAL, LIMITED, "because", "", "ana", NOW)
        )

    def test_a_stay_never_begins_before_the_last_one_whatever_the_clock_says(self) -> None:
        ahead = NOW + timedelta(hours=1)

        given(SERVICE, registered(LIMITED, at=ahead)).when(transition(LIMITED, GENERAL)).then(
            PhaseChanged("checkout-api", LIMITED, GENERAL, "because", "v1", "ana", ahead)
        )

    def test_asking_again_for_what_is_pending_stays_silent(self) -> None:
        given(SERVICE, registered(GENERAL), requested()).when(transition(GENERAL, LIMITED, transition="t2")).then()

    def test_where_teams_name_their_people_one_of_them_asks_for_what_is_approved(self) -> None:
        people = Approvers(frozenset({"bo"}), ("owner_member",))

        refusal = given(SERVICE, registered(GENERAL)).when(transition(GENERAL, LIMITED, requesters=people))

        assert refusal.refuses(NotARequesterError).people == ("bo",)
        given(SERVICE, registered(LIMITED)).when(transition(LIMITED, GENERAL, requesters=people)).then(
            PhaseChanged("checkout-api", LIMITED, GENERAL, "because", "v1", "ana", NOW)
        )

    @pytest.mark.parametrize(
        "command", [transition(GENERAL, LIMITED, by=BO), transition(GENERAL, DEPRECATION)], ids=["by-bo", "elsewhere"]
    )
    def test_only_one_transition_waits_at_a_time(self, command: Transition) -> None:
        refusal = given(SERVICE, registered(GENERAL), requested()).when(command).refuses(TransitionPendingError)

        assert refusal.transition == "t1"


class TestApprove:
    def test_another_person_lets_it_happen(self) -> None:
        state = given(SERVICE, registered(GENERAL), requested()).when(approve()).then(*APPROVED)

        assert isinstance(state, Settled)
        assert state.profile.phase is LIMITED
        assert [(decided.decision, decided.by) for decided in state.profile.decided] == [("approved", "bo")]

    @pytest.mark.parametrize("by", [ANA, ROBOT])
    def test_neither_the_one_who_asked_nor_a_machine_is_the_second_person(self, by: Actor) -> None:
        given(SERVICE, registered(GENERAL), requested()).when(approve(by)).refuses(SecondPersonError)

    def test_where_the_policy_names_approvers_one_of_them_approves(self) -> None:
        leads = Approvers(frozenset({"cleo"}), ("owner_lead",))

        refusal = given(SERVICE, registered(GENERAL), requested()).when(approve(approvers=leads))

        assert refusal.refuses(NotAnApproverError).people == ("cleo",)

    def test_the_gates_must_still_be_open(self) -> None:
        closed = evaluate(POLICY, facts(DEVELOPMENT), GENERAL, NOW)

        given(SERVICE, registered(DEVELOPMENT), requested(DEVELOPMENT, GENERAL, Kind.SKIP)).when(
            approve(verdict=closed)
        ).refuses(GateNotPassedError)

    def test_approving_again_stays_silent(self) -> None:
        given(SERVICE, registered(GENERAL), requested(), *APPROVED).when(approve()).then()

    def test_what_was_declined_cannot_be_approved(self) -> None:
        given(SERVICE, registered(GENERAL), requested(), DECLINED).when(approve()).refuses(TransitionDecidedError)


class TestDecline:
    def test_anyone_may_decline_and_the_service_stays(self) -> None:
        state = given(SERVICE, registered(GENERAL), requested()).when(decline()).then(DECLINED)

        assert isinstance(state, Settled)
        assert state.profile.phase is GENERAL

    def test_the_one_who_asked_may_take_it_back(self) -> None:
        given(SERVICE, registered(GENERAL), requested()).when(decline(ANA)).then(replace(DECLINED, by="ana"))

    def test_declining_again_stays_silent(self) -> None:
        given(SERVICE, registered(GENERAL), requested(), DECLINED).when(decline()).then()

    def test_what_was_approved_cannot_be_declined(self) -> None:
        given(SERVICE, registered(GENERAL), requested(), *APPROVED).when(decline()).refuses(TransitionDecidedError)

    def test_another_transition_is_not_the_pending_one(self) -> None:
        given(SERVICE, registered(GENERAL), requested()).when(decline(transition_id="t9")).refuses(UnknownError)


def decommission(**left: Any) -> Decommission:
    known = attested_all(UNSUPPORTED, slos=(), phase_since=NOW - timedelta(days=9), **left)
    return Decommission(
        service="checkout-api",
        reason="gone",
        verdict=remaining(POLICY, known, NOW),
        evaluation="v3",
        by="ana",
        at=NOW,
    )


GONE = ServiceDecommissioned("checkout-api", "gone", "v3", "ana", NOW)


class TestDecommission:
    def test_an_unsupported_service_of_which_nothing_is_left_is_decommissioned(self) -> None:
        state = given(SERVICE, registered(UNSUPPORTED)).when(decommission()).then(GONE)

        assert isinstance(state, Decommissioned)
        assert state.profile.phase is UNSUPPORTED

    def test_what_is_left_is_named(self) -> None:
        when = given(SERVICE, registered(UNSUPPORTED)).when(decommission(dependents=("till-api",)))

        assert [check.id for check in when.refuses(GateNotPassedError).verdict.failed] == ["no_references"]

    def test_a_service_that_is_supported_is_not_decommissioned(self) -> None:
        given(SERVICE, registered(ABANDONED)).when(decommission()).refuses(StillSupportedError)

    def test_again_stays_silent(self) -> None:
        given(SERVICE, registered(UNSUPPORTED), GONE).when(decommission()).then()

    def test_nothing_more_happens_to_it(self) -> None:
        gone = given(SERVICE, registered(UNSUPPORTED), GONE)

        gone.when(CHANGE).refuses(ServiceUnsupportedError)
        gone.when(REGISTER).refuses(NameTakenError)
        for phase in set(Phase) - {UNSUPPORTED}:
            gone.when(transition(UNSUPPORTED, phase)).refuses(IllegalTransitionError)


@pytest.mark.parametrize("command", [CHANGE, transition(DESIGN, DEVELOPMENT), approve(), decline(), decommission()])
def test_nothing_can_be_asked_of_a_service_that_does_not_exist(command: Command) -> None:
    given(SERVICE).when(command).refuses(UnknownError)


def test_the_way_through_the_phases_is_kept_with_who_and_why() -> None:
    moved = PhaseChanged("checkout-api", DESIGN, DEVELOPMENT, "design approved", "v1", "bo", NOW)

    state = given(SERVICE, registered(), moved).state

    assert isinstance(state, Settled)
    stays = [(stay.phase, stay.by, stay.reason, stay.evaluation) for stay in state.profile.stays]
    assert stays == [(DESIGN, "ana", "registered", ""), (DEVELOPMENT, "bo", "design approved", "v1")]
