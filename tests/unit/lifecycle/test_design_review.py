"""A design review's rules: every pair of state and verb, and that nobody passes what they wrote or their team owns."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, get_args

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from libs.events.testing import given
from services.lifecycle.contract import DESIGN_REVIEW
from services.lifecycle.domain.design_review.commands import (
    Approve,
    Command,
    Open,
    RequestChanges,
    Revise,
    Submit,
    Withdraw,
)
from services.lifecycle.domain.design_review.decider import ALLOWED, Reviewed, State
from services.lifecycle.domain.design_review.errors import (
    DesignFaultyError,
    DesignReviewError,
    IllegalDesignStepError,
    OutsiderNeededError,
)
from services.lifecycle.domain.design_review.events import (
    Alternative,
    Decision,
    Design,
    DesignApproved,
    DesignGoal,
    Event,
)
from services.lifecycle.domain.errors import RecordedOtherwiseError, UnknownError
from services.lifecycle.domain.service.commands import Actor

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
ANA, EVE, BO, CI = (Actor(name, is_person=name != "ci") for name in ("ana", "eve", "bo", "ci"))
TEAM = frozenset({"ana", "eve"})
DESIGN = Design(
    title="Pay by invoice",
    url="",
    goals=(DesignGoal("pay-later", "within 14 days"),),
    constraints=("no card data",),
    alternatives=(Alternative("ask the provider", "it charges"),),
    decisions=(Decision("a table", "asked often", ("pay-later",)),),
)
OPEN = Open(review="d1", service="checkout-api", owner_team="checkout", design=DESIGN, by=ANA, at=AT)
SUBMIT = Submit(review="d1", by=ANA, at=AT)
APPROVE = Approve(review="d1", insiders=TEAM, by=BO, reason="clear", at=AT)
CHANGES = RequestChanges(review="d1", insiders=TEAM, changes="say what happens at the limit", by=BO, at=AT)
REVISE = Revise(review="d1", design=replace(DESIGN, title="Pay later"), by=ANA, reason="", at=AT)
WITHDRAW = Withdraw(review="d1", by=ANA, reason="off", at=AT)
WAY: dict[State, tuple[Command, ...]] = {
    "draft": (OPEN,),
    "in_review": (OPEN, SUBMIT),
    "changes_requested": (OPEN, SUBMIT, CHANGES),
    "approved": (OPEN, SUBMIT, APPROVE),
    "withdrawn": (OPEN, WITHDRAW),
}
DO: dict[str, Command] = {
    "revise": REVISE,
    "submit": SUBMIT,
    "approve": APPROVE,
    "request-changes": CHANGES,
    "withdraw": WITHDRAW,
}
LEADS = {"submit": "in_review", "approve": "approved", "request-changes": "changes_requested", "withdraw": "withdrawn"}


def after(*commands: Command) -> tuple[Event, ...]:
    past: tuple[Event, ...] = ()
    for command in commands:
        past += DESIGN_REVIEW.decide(command, DESIGN_REVIEW.fold(None, past))
    return past


def state_after(past: tuple[Event, ...]) -> Reviewed:
    state = DESIGN_REVIEW.fold(None, past)
    assert state is not None
    return state


@pytest.mark.parametrize("state", get_args(State))
@pytest.mark.parametrize("verb", DO)
def test_every_verb_leads_where_the_table_says_or_names_the_ones_that_do(state: State, verb: str) -> None:
    past = after(*WAY[state])

    if verb in ALLOWED[state]:
        produced = DESIGN_REVIEW.decide(DO[verb], state_after(past))
        assert state_after(past + produced).state == LEADS.get(verb, state)
    elif LEADS.get(verb) == state:
        given(DESIGN_REVIEW, *past).when(DO[verb]).then()  # it was carried out
    else:
        assert given(DESIGN_REVIEW, *past).when(DO[verb]).refuses(IllegalDesignStepError).allowed == ALLOWED[state]


def test_a_design_is_opened_once_and_what_is_not_there_is_unknown() -> None:
    given(DESIGN_REVIEW, *after(OPEN)).when(replace(OPEN, by=BO)).then()
    given(DESIGN_REVIEW, *after(OPEN)).when(replace(OPEN, service="till-api")).refuses(RecordedOtherwiseError)
    given(DESIGN_REVIEW).when(SUBMIT).refuses(UnknownError)


@pytest.mark.parametrize(
    ("fields", "pointers"),
    [
        ({"goals": (), "decisions": ()}, ["/goals", "/decisions"]),
        ({"constraints": ()}, ["/constraints"]),
        ({"alternatives": ()}, ["/alternatives"]),
        ({"decisions": (Decision("a table", "", ()),)}, ["/decisions/0/serves", "/goals/0"]),
        ({"goals": (*DESIGN.goals, DesignGoal("fast", "in a second"))}, ["/goals/1"]),
    ],
)
def test_what_says_too_little_is_kept_as_a_draft(fields: dict[str, Any], pointers: list[str]) -> None:
    past = after(replace(OPEN, design=replace(DESIGN, **fields)))

    refused = given(DESIGN_REVIEW, *past).when(SUBMIT).refuses(DesignFaultyError)

    assert [fault.pointer for fault in refused.faults] == pointers


@pytest.mark.parametrize("verdict", [APPROVE, CHANGES])
@pytest.mark.parametrize("who", [ANA, EVE, CI])
def test_only_a_person_from_outside_decides(verdict: Approve | RequestChanges, who: Actor) -> None:
    refused = given(DESIGN_REVIEW, *after(OPEN, SUBMIT)).when(replace(verdict, by=who)).refuses(OutsiderNeededError)

    assert refused.who_can == ("a person from outside checkout, not ana",)


def test_where_a_team_names_nobody_whoever_did_not_write_it_decides() -> None:
    past = after(OPEN, SUBMIT)

    given(DESIGN_REVIEW, *past).when(replace(APPROVE, insiders=frozenset(), by=ANA)).refuses(OutsiderNeededError)
    given(DESIGN_REVIEW, *past).when(replace(APPROVE, insiders=frozenset(), by=EVE)).then(
        DesignApproved("d1", "checkout-api", "eve", "clear", AT)
    )


def test_whoever_has_written_a_line_of_it_does_not_approve_it() -> None:
    helped = after(OPEN, SUBMIT, CHANGES, replace(REVISE, by=BO), SUBMIT)

    given(DESIGN_REVIEW, *helped).when(APPROVE).refuses(OutsiderNeededError)


ACTORS = st.sampled_from([ANA, EVE, BO, CI, Actor("cy", is_person=True)])
COMMANDS = st.builds(lambda command, by: replace(command, by=by), st.sampled_from([OPEN, *DO.values()]), ACTORS)


@for_all(st.lists(COMMANDS, max_size=12))
def test_no_sequence_of_commands_lets_a_writer_an_insider_or_a_machine_approve(commands: list[Command]) -> None:
    past: tuple[Event, ...] = ()
    for command in commands:
        try:
            past += DESIGN_REVIEW.decide(command, DESIGN_REVIEW.fold(None, past))
        except (DesignReviewError, UnknownError, RecordedOtherwiseError):
            continue
    state = DESIGN_REVIEW.fold(None, past)

    if state is not None and state.state == "approved":
        assert state.decided is not None
        assert state.decided.by not in {*TEAM, *state.writers, "ci"}
