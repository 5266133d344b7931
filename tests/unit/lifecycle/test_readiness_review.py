"""A readiness review's rules: who may take it where, what blocks, what runs out."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from libs.events.testing import given
from services.lifecycle.contract import READINESS_REVIEW
from services.lifecycle.domain.errors import RecordedOtherwiseError, UnknownError, UnknownReferenceError
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.readiness_review.commands import (
    Collect,
    Command,
    Decline,
    FindingStep,
    Follow,
    Lapse,
    MeetCondition,
    MoveFinding,
    OpenFinding,
    Reclassify,
    ReportMajorChange,
    Supersede,
    Triage,
    Waive,
    Withdraw,
)
from services.lifecycle.domain.readiness_review.errors import (
    AnswerError,
    CannotBeReviewedError,
    ConditionsError,
    IllegalStepError,
    InvalidDueError,
    NotAllowedError,
    NothingAskedError,
    NotReadyError,
    ReviewError,
)
from services.lifecycle.domain.readiness_review.events import (
    ChecklistFixed,
    Condition,
    ConditionOverdue,
    FollowUpBegun,
    FrameworkVersion,
    ItemAnswered,
    ReviewAdvanced,
    ReviewApproved,
    ReviewExpired,
    ReviewRequested,
    ReviewSuperseded,
)
from services.lifecycle.domain.readiness_review.next_steps import next_steps
from services.lifecycle.domain.readiness_review.readiness import readiness
from services.lifecycle.domain.readiness_review.rights import Actor
from services.lifecycle.domain.readiness_review.state import Approved, Ended, Underway, end_of, state_of
from services.lifecycle.domain.review_template.checklist import FrameworkSince
from tests.fixtures.reviews import (
    ANA,
    AT,
    BOB,
    CI,
    CY,
    ITEMS,
    READY,
    REVIEW_POLICY,
    advance,
    after,
    answer,
    approve,
    item,
    opened,
    request,
    said,
)

DAY = timedelta(days=1)
CONDITION = Condition("1", "play it", "ana", date(2026, 12, 4), item="drilled")
FIND = OpenFinding(
    review="r1", finding="f1", item="", title="t", text="x", severity="blocking", source="", by=CY, at=AT
)
CLOSED = Withdraw(review="r1", by=ANA, reason="off", at=AT)
APPROVED = after(approve(), events=READY)


def test_a_review_that_is_asked_for_keeps_its_checklist() -> None:
    requested, fixed = opened()

    assert isinstance(requested, ReviewRequested)
    assert fixed == ChecklistFixed("r1", "checkout-api", ITEMS)


def test_an_id_never_stands_for_another_review() -> None:
    given(READINESS_REVIEW, *opened()).when(request()).refuses(RecordedOtherwiseError)


def test_a_review_that_nobody_asked_for_is_unknown() -> None:
    given(READINESS_REVIEW).when(advance("engagement")).refuses(UnknownError)


def test_what_runs_out_of_no_review_is_nothing() -> None:
    given(READINESS_REVIEW).when(Lapse("r1", AT)).then()


@pytest.mark.parametrize("phase", list(Phase))
def test_a_review_begins_in_any_phase_but_the_last(phase: Phase) -> None:
    when = given(READINESS_REVIEW).when(request(service_phase=phase))

    if phase is Phase.UNSUPPORTED:
        when.refuses(CannotBeReviewedError)
    else:
        assert READINESS_REVIEW.decide(when.command, None)


def test_a_checklist_that_asks_a_small_service_for_nothing_cannot_say_that_it_is_ready() -> None:
    strict = (item("shielded", minimum_tier=1),)

    given(READINESS_REVIEW).when(request(items=strict, tier=2)).refuses(NothingAskedError)
    assert READINESS_REVIEW.decide(request(items=strict, tier=0), None)  # not set counts as the most critical


def test_each_stage_follows_the_one_before_it() -> None:
    step = ReviewAdvanced("r1", "checkout-api", "requested", "engagement", "bo", "", AT)

    past = after(advance("engagement"))

    assert past[-1] == step
    given(READINESS_REVIEW, *past).when(replace(advance("engagement"), checks=())).then()
    refusal = given(READINESS_REVIEW, *past).when(advance("improvements")).refuses(IllegalStepError)
    assert (refusal.state, refusal.allowed[0]) == ("engagement", "analyze")


@pytest.mark.parametrize("who", [ANA, CI, Actor("bo", is_person=False)])
def test_a_step_is_taken_by_a_reviewer_who_is_a_person(who: Actor) -> None:
    given(READINESS_REVIEW, *opened()).when(advance("engagement", who)).refuses(NotAllowedError)


def test_what_the_platform_knows_is_said_once_and_again_when_it_changes() -> None:
    past = after(advance("engagement", passed=False))
    collect = Collect(review="r1", checks=advance("engagement", passed=False).checks, by=CI, at=AT)

    given(READINESS_REVIEW, *past).when(collect).then()
    (changed,) = READINESS_REVIEW.decide(
        replace(collect, checks=advance("engagement").checks), READINESS_REVIEW.fold(None, past)
    )

    assert isinstance(changed, ItemAnswered)
    assert (changed.item, changed.verdict) == ("rolled-back", "met")


def test_what_people_say_not_to_apply_stays_so_whatever_a_check_finds() -> None:
    past = after(answer(said("rolled-back", "not_applicable")))

    given(READINESS_REVIEW, *past).when(Collect(review="r1", checks=advance("engagement").checks, by=CI, at=AT)).then()


@pytest.mark.parametrize(
    ("wrong", "pointer"),
    [
        (said("dashboard", url=""), "/answers/1/url"),
        (said("drilled", note=" "), "/answers/1/note"),
        (said("dashboard", "not_met", note=""), "/answers/1/note"),
        (said("drilled", "not_applicable", note=""), "/answers/1/note"),
        (said("rolled-back"), "/answers/1/item"),
        (said("dashboard", at=AT + DAY), "/answers/1/at"),
    ],
)
def test_an_answer_that_shows_nothing_is_refused_and_the_others_with_it(wrong: Any, pointer: str) -> None:
    refusal = given(READINESS_REVIEW, *opened()).when(answer(said("probed"), wrong)).refuses(AnswerError)

    assert refusal.pointer == pointer


def test_an_answer_to_what_is_not_asked_is_refused() -> None:
    given(READINESS_REVIEW, *opened()).when(answer(said("nothing"))).refuses(UnknownReferenceError)


def test_a_machine_may_show_a_link_and_attests_nothing() -> None:
    given(READINESS_REVIEW, *opened()).when(answer(said("drilled"), by=CI)).refuses(AnswerError)
    assert after(answer(said("dashboard"), by=CI))[-1] != opened()[-1]


def test_the_same_answer_again_stays_silent() -> None:
    given(READINESS_REVIEW, *after(answer(said("dashboard")))).when(answer(said("dashboard"), by=CY)).then()


def test_an_approval_ends_a_year_later() -> None:
    approved = APPROVED[-1]

    assert isinstance(approved, ReviewApproved)
    assert approved.expires_at - approved.at == 365 * DAY
    given(READINESS_REVIEW, *APPROVED).when(approve()).then()


@pytest.mark.parametrize("who", [ANA, CY, CI])
def test_only_who_decides_blockers_approves(who: Actor) -> None:
    given(READINESS_REVIEW, *READY).when(approve(by=who)).refuses(NotAllowedError)


def test_a_blocking_item_keeps_the_review_from_being_approved_unless_it_does_not_apply() -> None:
    past = after(answer(said("dashboard", "not_met")), events=READY)

    refusal = given(READINESS_REVIEW, *past).when(approve()).refuses(NotReadyError)

    assert [each.item for each in refusal.readiness.missing] == ["dashboard"]
    excused = after(answer(said("dashboard", "not_applicable")), events=past)
    assert READINESS_REVIEW.decide(approve(), READINESS_REVIEW.fold(None, excused))


def test_a_service_that_became_more_critical_is_asked_for_more() -> None:
    refusal = given(READINESS_REVIEW, *READY).when(approve(tier=1)).refuses(NotReadyError)

    assert [each.item for each in refusal.readiness.missing] == ["shielded"]


def test_the_checks_are_looked_at_again_in_the_moment_of_approval() -> None:
    given(READINESS_REVIEW, *READY).when(approve(checks=advance("analysis", passed=False).checks)).refuses(
        NotReadyError
    )


@pytest.mark.parametrize(
    ("condition", "error"),
    [
        (None, ConditionsError),
        (replace(CONDITION, item="probed"), ConditionsError),
        (replace(CONDITION, item="nothing"), UnknownReferenceError),
        (replace(CONDITION, finding="nothing"), UnknownReferenceError),
        (replace(CONDITION, due=date(2026, 11, 20)), InvalidDueError),
        (replace(CONDITION, due=date(2027, 3, 1)), InvalidDueError),
    ],
)
def test_what_is_conditional_needs_a_condition_that_somebody_can_meet(
    condition: Condition | None, error: type[Exception]
) -> None:
    past = after(answer(said("drilled", "not_met")), events=READY)

    given(READINESS_REVIEW, *past).when(approve(conditions=(condition,) if condition else ())).refuses(error)
    assert READINESS_REVIEW.decide(approve(conditions=(CONDITION,)), READINESS_REVIEW.fold(None, past))


def test_a_condition_is_overdue_when_its_day_is_over_and_is_said_to_be_so_once() -> None:
    past = after(approve(conditions=(CONDITION,)), events=READY)
    over = end_of(CONDITION.due)
    overdue = ConditionOverdue("r1", "checkout-api", "1", "ana", CONDITION.due, over)

    given(READINESS_REVIEW, *past).when(Lapse("r1", over - timedelta(seconds=1))).then()
    given(READINESS_REVIEW, *past).when(Lapse("r1", over)).then(overdue)
    given(READINESS_REVIEW, *past, overdue).when(Lapse("r1", over)).then()


def test_an_approval_expires_at_its_time_and_not_before() -> None:
    at = AT + 365 * DAY

    given(READINESS_REVIEW, *APPROVED).when(Lapse("r1", at - timedelta(seconds=1))).then()
    (expired,) = READINESS_REVIEW.decide(Lapse("r1", at), READINESS_REVIEW.fold(None, APPROVED))

    assert isinstance(expired, ReviewExpired)
    assert expired.because == "age"
    given(READINESS_REVIEW, *APPROVED, expired).when(Lapse("r1", at + DAY)).then()


def test_a_major_change_ends_an_approval_and_nothing_follows_it() -> None:
    change = ReportMajorChange(review="r1", by=CI, reason="another database", at=AT)
    past = after(change, events=APPROVED)

    given(READINESS_REVIEW, *past).when(change).then()
    given(READINESS_REVIEW, *past).when(Follow(review="r1", to="training", by=BOB, reason="", at=AT)).refuses(
        IllegalStepError
    )
    given(READINESS_REVIEW, *READY).when(change).refuses(IllegalStepError)


def test_what_follows_an_approval_goes_in_its_order() -> None:
    train = Follow(review="r1", to="training", by=CY, reason="", at=AT)

    given(READINESS_REVIEW, *APPROVED).when(train).then(FollowUpBegun("r1", "checkout-api", "training", "cy", "", AT))
    refusal = given(READINESS_REVIEW, *APPROVED).when(replace(train, to="continuous")).refuses(IllegalStepError)
    assert refusal.allowed == ("train",)


def test_a_review_that_is_superseded_lets_nobody_through() -> None:
    over = ReviewSuperseded("r1", "checkout-api", "r2", AT)

    given(READINESS_REVIEW, *APPROVED).when(Supersede("r1", "r2", AT)).then(over)
    given(READINESS_REVIEW, *APPROVED, over).when(Supersede("r1", "r2", AT)).then()
    given(READINESS_REVIEW, *READY).when(Supersede("r1", "r2", AT)).then()


def test_items_that_a_framework_brings_from_a_version_on_are_answered() -> None:
    items = (
        item("traced", satisfied_by=(FrameworkSince("go-service", "2.9"),)),
        item("shed", satisfied_by=(FrameworkSince("go-service", "3"),)),
    )

    past = opened(by=request(model="framework", items=items, frameworks=(FrameworkVersion("go-service", "2.10"),)))

    assert [each.item for each in past if isinstance(each, ItemAnswered)] == ["traced"]


def test_a_delta_review_takes_over_what_still_holds_and_nothing_else() -> None:
    old = after(answer(said("probed", at=AT - 400 * DAY)), FIND, events=READY[:-2])
    old = after(answer(said("dashboard"), said("drilled"), said("shielded")), events=old)
    waived = Reclassify(review="r1", finding="f1", severity="advisory", by=BOB, reason="rare", at=AT)
    old = after(waived, approve(), events=old)
    changed = tuple(replace(each, text="It reads otherwise.") if each.id == "drilled" else each for each in ITEMS)
    previous = READINESS_REVIEW.fold(None, old)

    new = opened(
        by=request(
            review="r2", items=changed, previous=previous, changed=("security_and_data",), finding_ids={"f1": "f2"}
        )
    )

    assert [(each.item, each.carried_from) for each in new if isinstance(each, ItemAnswered)] == [("dashboard", "r1")]
    assert [getattr(each, "carried_from", "") for each in new][-1] == "f1"


def test_next_names_who_must_act_and_keeps_the_order_of_what_builds_on_what() -> None:
    state = READINESS_REVIEW.fold(None, after(advance("engagement", passed=False)))
    assert isinstance(state, Underway)

    steps = next_steps(state, 1, REVIEW_POLICY, AT)

    assert [(step.who, step.verb) for step in steps] == [
        (("bo", "cy"), ":analyze"),
        (("team checkout",), "/answers"),
        (("team checkout",), ":collect"),
        (("team checkout",), "/answers"),
    ]
    assert steps[1].what == "answer 2 blocking items: dashboard, shielded"


def commands() -> st.SearchStrategy[Command]:
    """Anything that anybody may ask of a review, at any time in four years."""
    who = st.sampled_from([ANA, BOB, CY, CI])
    at = st.integers(0, 1400).map(lambda days: AT + days * DAY)
    names = st.sampled_from([each.id for each in ITEMS])
    findings = st.sampled_from(["f1", "f2"])
    severity = st.sampled_from(["blocking", "conditional", "advisory"])
    verdict = st.sampled_from(["met", "not_met", "not_applicable"])
    due = st.integers(0, 80).map(lambda days: AT.date() + days * DAY)
    stages = st.sampled_from(["engagement", "analysis", "improvements"])
    step = st.sampled_from(get_args(FindingStep))
    fixed: dict[str, Any] = {"review": st.just("r1"), "by": who, "reason": st.just("because"), "at": st.just(AT)}
    conditions = st.sampled_from([(), (CONDITION,), (replace(CONDITION, finding="f1"),)])
    return st.one_of(
        st.builds(lambda to, by, ok: advance(to, by, passed=ok), stages, who, st.booleans()),
        st.builds(lambda name, said_, by: answer(said(name, said_), by=by), names, verdict, who),
        st.builds(lambda by, given_: approve(by=by, conditions=given_), who, conditions),
        st.builds(Decline, guidance=st.just("mend it"), **fixed),
        st.builds(Withdraw, **fixed),
        st.builds(ReportMajorChange, **fixed),
        st.builds(Follow, to=st.sampled_from(["training", "onboarding", "continuous"]), **fixed),
        st.builds(MeetCondition, condition=st.just("1"), url=st.just("https://x.example"), **fixed),
        st.builds(Lapse, st.just("r1"), at),
        st.builds(
            lambda finding, severe, by: replace(FIND, finding=finding, severity=severe, by=by), findings, severity, who
        ),
        st.builds(Triage, finding=findings, owner=st.sampled_from(["ana", "bo", "eve"]), due=due, **fixed),
        st.builds(Reclassify, finding=findings, severity=severity, **fixed),
        st.builds(MoveFinding, finding=findings, step=step, url=st.just("https://x.example"), **fixed),
        st.builds(
            Waive,
            finding=findings,
            control=st.just("by hand"),
            control_url=st.just("https://x.example"),
            until=st.integers(1, 90).map(lambda days: AT + days * DAY),
            policy=st.just(REVIEW_POLICY),
            **fixed,
        ),
    )


@settings(max_examples=150, deadline=None)
@for_all(st.lists(commands(), max_size=25), st.booleans())
def test_no_sequence_of_commands_breaks_what_an_approval_means(
    wanted: list[Command],
    ready: bool,  # noqa: FBT001  drawn
) -> None:
    past = READY if ready else opened()
    for command in wanted:
        state = READINESS_REVIEW.fold(None, past)
        assert isinstance(state, Underway | Approved | Ended)
        try:
            events = READINESS_REVIEW.decide(command, state)
        except (ReviewError, UnknownReferenceError):
            continue
        for event in events:
            if isinstance(event, ReviewApproved):
                assert event.by == "bo"
                assert readiness(state.record, Phase.GENERAL_AVAILABILITY, 2).ready
            finding = getattr(event, "finding", None)
            if getattr(event, "to_state", "") == "verified":
                held = state.record.findings[str(finding)]
                assert getattr(event, "by", "") not in {held.owner, held.fixed_by, "ana", "ci"}
        past += events
        after_ = READINESS_REVIEW.fold(None, past)
        assert isinstance(after_, Underway | Approved | Ended)
        if isinstance(state, Ended):
            assert after_ == state
        if state_of(state) == "expired":
            assert state_of(after_) in {"expired", "superseded"}
        assert READINESS_REVIEW.decide(command, after_) == () if events and not isinstance(command, Decline) else True
