"""A finding's rules: every pair of state and verb, and that nobody passes their own work."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, get_args

import pytest

from libs.events.testing import given
from services.lifecycle.contract import READINESS_REVIEW
from services.lifecycle.domain.errors import UnknownReferenceError
from services.lifecycle.domain.readiness_review.commands import (
    Command,
    Lapse,
    MoveFinding,
    OpenFinding,
    Reclassify,
    Triage,
    Waive,
    Withdraw,
)
from services.lifecycle.domain.readiness_review.errors import (
    IllegalStepError,
    InvalidDueError,
    NotAllowedError,
    TextMissingError,
    UnknownPartError,
    WaivedTooOftenError,
)
from services.lifecycle.domain.readiness_review.events import Event, FindingState, FindingWaiverExpired
from services.lifecycle.domain.readiness_review.findings import VERBS
from services.lifecycle.domain.readiness_review.rights import Actor
from services.lifecycle.domain.readiness_review.state import Underway
from tests.fixtures.reviews import ANA, AT, BOB, CI, CY, REVIEW_POLICY, after

DAY = timedelta(days=1)
EVE = Actor("eve", is_person=True)
OPEN = OpenFinding(
    review="r1", finding="f1", item="dashboard", title="t", text="x", severity="blocking", source="", by=CY, at=AT
)
TRIAGE = Triage(review="r1", finding="f1", owner="eve", due=date(2026, 12, 4), by=ANA, reason="", at=AT)
RECLASSIFY = Reclassify(review="r1", finding="f1", severity="advisory", by=BOB, reason="rare", at=AT)
WAIVE = Waive(
    review="r1",
    finding="f1",
    control="by hand",
    control_url="https://x.example",
    until=AT + 30 * DAY,
    policy=REVIEW_POLICY,
    by=BOB,
    reason="soon",
    at=AT,
)


def move(step: Any, by: Actor = BOB, **fields: Any) -> MoveFinding:
    told: dict[str, Any] = {"url": "https://git.example/42", "reason": "because", "at": AT}
    return MoveFinding(review="r1", finding="f1", step=step, by=by, **{**told, **fields})


WAY: dict[FindingState, tuple[Command, ...]] = {
    "open": (OPEN,),
    "triaged": (OPEN, TRIAGE),
    "in_progress": (OPEN, TRIAGE, move("start")),
    "fixed": (OPEN, TRIAGE, move("start"), move("fix", EVE)),
    "verified": (OPEN, TRIAGE, move("start"), move("fix", EVE), move("verify")),
    "closed": (OPEN, TRIAGE, move("start"), move("fix", EVE), move("verify"), move("close")),
    "waived": (OPEN, TRIAGE, WAIVE),
    "rejected": (OPEN, TRIAGE, move("reject")),
}
DO: dict[str, Command] = {
    "triage": replace(TRIAGE, owner="ana"),
    "reclassify": RECLASSIFY,
    "waive": WAIVE,
    **{step: move(step) for step in ("start", "fix", "verify", "close", "reject", "reopen")},
}
LEADS = {"triage": "triaged", "waive": "waived", "start": "in_progress", "fix": "fixed", "verify": "verified"} | {
    "close": "closed",
    "reject": "rejected",
    "reopen": "open",
}


def state_after(past: tuple[Event, ...]) -> str:
    state = READINESS_REVIEW.fold(None, past)
    assert isinstance(state, Underway)
    return state.record.findings["f1"].state


@pytest.mark.parametrize("state", get_args(FindingState))
@pytest.mark.parametrize("verb", DO)
def test_every_verb_leads_where_the_table_says_or_names_the_ones_that_do(state: FindingState, verb: str) -> None:
    past = after(*WAY[state])
    assert state_after(past) == state

    if verb in VERBS[state]:
        expected = state if verb == "reclassify" else LEADS[verb]
        assert state_after(after(DO[verb], events=past)) == expected
    elif LEADS.get(verb) == state:
        given(READINESS_REVIEW, *past).when(DO[verb]).then()  # it was carried out
    else:
        refusal = given(READINESS_REVIEW, *past).when(DO[verb]).refuses(IllegalStepError)
        assert refusal.allowed == VERBS[state]


def test_a_finding_that_is_not_there_is_unknown() -> None:
    given(READINESS_REVIEW, *after(OPEN)).when(replace(TRIAGE, finding="f9")).refuses(UnknownPartError)
    given(READINESS_REVIEW, *after()).when(replace(OPEN, item="nothing")).refuses(UnknownReferenceError)


def test_a_review_that_has_ended_takes_no_findings() -> None:
    past = after(Withdraw(review="r1", by=ANA, reason="off", at=AT))

    given(READINESS_REVIEW, *past).when(OPEN).refuses(IllegalStepError)


@pytest.mark.parametrize("who", [ANA, CI, EVE])
def test_a_fix_is_verified_by_a_reviewer(who: Actor) -> None:
    given(READINESS_REVIEW, *after(*WAY["fixed"])).when(move("verify", who)).refuses(NotAllowedError)


def test_nobody_verifies_what_they_own_or_fixed() -> None:
    owned = after(OPEN, replace(TRIAGE, owner="bo"), move("start"), move("fix", EVE))
    fixed = after(OPEN, TRIAGE, move("start"), move("fix", CY))

    assert given(READINESS_REVIEW, *owned).when(move("verify", BOB)).refuses(NotAllowedError).may == ("cy",)
    assert given(READINESS_REVIEW, *fixed).when(move("verify", CY)).refuses(NotAllowedError).may == ("bo",)


@pytest.mark.parametrize("command", [WAIVE, move("reject"), RECLASSIFY])
def test_a_blocking_finding_is_put_aside_by_the_one_who_decides_blockers_unless_it_is_theirs(
    command: Waive | MoveFinding | Reclassify,
) -> None:
    given(READINESS_REVIEW, *after(OPEN)).when(replace(command, by=CY)).refuses(NotAllowedError)
    own = after(OPEN, replace(TRIAGE, owner="bo"))
    given(READINESS_REVIEW, *own).when(command).refuses(NotAllowedError)


def test_any_reviewer_rejects_what_does_not_block() -> None:
    past = after(replace(OPEN, severity="advisory"), move("reject", CY))

    assert state_after(past) == "rejected"


@pytest.mark.parametrize(
    "command",
    [move("fix", url=""), move("reopen", reason=""), move("reject", reason=""), replace(RECLASSIFY, reason="")],
)
def test_what_somebody_will_ask_later_is_said_now(command: Any) -> None:
    state: FindingState = "closed" if getattr(command, "step", "") == "reopen" else "in_progress"

    given(READINESS_REVIEW, *after(*WAY[state])).when(command).refuses(TextMissingError)


@pytest.mark.parametrize("until", [AT, AT - DAY, AT + 91 * DAY])
def test_a_waiver_ends_after_now_and_within_ninety_days(until: Any) -> None:
    given(READINESS_REVIEW, *after(OPEN)).when(replace(WAIVE, until=until)).refuses(InvalidDueError)


def test_a_finding_is_due_today_or_later() -> None:
    given(READINESS_REVIEW, *after(OPEN)).when(replace(TRIAGE, due=date(2026, 11, 20))).refuses(InvalidDueError)


def test_a_waiver_that_is_over_opens_the_finding_and_it_is_renewed_once() -> None:
    over = FindingWaiverExpired("r1", "checkout-api", "f1", WAIVE.until)
    past = after(OPEN, WAIVE)

    given(READINESS_REVIEW, *past).when(Lapse("r1", WAIVE.until - DAY)).then()
    given(READINESS_REVIEW, *past).when(Lapse("r1", WAIVE.until)).then(over)
    again = after(replace(WAIVE, at=WAIVE.until, until=WAIVE.until + DAY), events=(*past, over))
    assert state_after(again) == "waived"
    third = replace(WAIVE, at=WAIVE.until + 2 * DAY, until=WAIVE.until + 3 * DAY)
    past = after(Lapse("r1", WAIVE.until + DAY), events=again)
    given(READINESS_REVIEW, *past).when(third).refuses(WaivedTooOftenError)
