"""A waiver's rules: who may ask, approve, renew and end it, and for how long."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.events.testing import given
from services.lifecycle.contract import WAIVER
from services.lifecycle.domain.errors import NotAnApproverError, UnknownError
from services.lifecycle.domain.people import ANYBODY, Actor, Approvers
from services.lifecycle.domain.waiver.commands import Approve, Command, Expire, Renew, Request, Revoke
from services.lifecycle.domain.waiver.decider import Approved, Over
from services.lifecycle.domain.waiver.errors import (
    ControlMissingError,
    RenewedOftenError,
    SelfApprovalError,
    WaiverError,
    WaiverStateError,
    WaiverTooLongError,
)
from services.lifecycle.domain.waiver.events import (
    Control,
    WaiverApproved,
    WaiverExpired,
    WaiverRenewed,
    WaiverRequested,
    WaiverRevoked,
)
from tests.fixtures.lifecycle import NOW

DAY = timedelta(days=1)
LONGEST = 90 * DAY
ANA, BO, ROBOT = Actor("ana", is_person=True), Actor("bo", is_person=True), Actor("ci", is_person=False)
CONTROL = Control("a cap at the edge", "https://wiki.example/caps", NOW - DAY)
REQUEST = Request(
    waiver="w1",
    service="checkout-api",
    check="load_test",
    risk_owner="cleo",
    reason="the load generator is being replaced",
    control=CONTROL,
    expires_at=NOW + 30 * DAY,
    longest=LONGEST,
    by=ANA,
    at=NOW,
)
REQUESTED = WaiverRequested(
    "w1", "checkout-api", "load_test", "cleo", REQUEST.reason, CONTROL, NOW + 30 * DAY, "ana", NOW
)
APPROVE = Approve(waiver="w1", reason="agreed", approvers=ANYBODY, longest=LONGEST, by=BO, at=NOW)
APPROVED = WaiverApproved("w1", "checkout-api", "load_test", NOW + 30 * DAY, "agreed", "bo", NOW)
LATER = NOW + 29 * DAY
RENEW = Renew(
    waiver="w1",
    expires_at=LATER + 90 * DAY,
    reason="late",
    approvers=ANYBODY,
    longest=LONGEST,
    most=1,
    by=BO,
    at=LATER,
)
RENEWED = WaiverRenewed("w1", "checkout-api", "load_test", LATER + 90 * DAY, "late", "bo", LATER)
REVOKE = Revoke(waiver="w1", reason="the test was run", by=ANA, at=NOW)
REVOKED = WaiverRevoked("w1", "checkout-api", "load_test", "the test was run", "ana", NOW)
EXPIRED = WaiverExpired("w1", "checkout-api", "load_test", NOW + 30 * DAY)


def test_a_waiver_is_asked_for_and_holds_when_another_person_approves() -> None:
    given(WAIVER).when(REQUEST).then(REQUESTED)
    state = given(WAIVER, REQUESTED).when(APPROVE).then(APPROVED)

    assert isinstance(state, Approved)
    assert state.expires_at == NOW + 30 * DAY


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"expires_at": NOW}, WaiverTooLongError),
        ({"expires_at": NOW + LONGEST + timedelta(seconds=1)}, WaiverTooLongError),
        ({"control": replace(CONTROL, implemented_at=NOW + DAY)}, ControlMissingError),
    ],
)
def test_a_waiver_needs_an_end_in_time_and_a_control_that_is_there(
    fields: dict[str, Any], error: type[WaiverError]
) -> None:
    given(WAIVER).when(replace(REQUEST, **fields)).refuses(error)


def test_ninety_days_are_not_too_long() -> None:
    given(WAIVER).when(replace(REQUEST, expires_at=NOW + LONGEST)).then(replace(REQUESTED, expires_at=NOW + LONGEST))


@pytest.mark.parametrize("by", [ANA, ROBOT])
@pytest.mark.parametrize(("past", "command"), [((REQUESTED,), APPROVE), ((REQUESTED, APPROVED), RENEW)])
def test_whoever_asked_never_approves_nor_renews_and_no_machine_does(
    past: tuple[Any, ...], command: Any, by: Actor
) -> None:
    given(WAIVER, *past).when(replace(command, by=by)).refuses(SelfApprovalError)


def test_only_whom_the_policy_names_approves() -> None:
    leads = Approvers(frozenset({"cleo", "dan"}), ("owner_lead", "sre_lead"))

    refusal = given(WAIVER, REQUESTED).when(replace(APPROVE, approvers=leads)).refuses(NotAnApproverError)

    assert "owner_lead or sre_lead: cleo, dan" in str(refusal)
    cleo = Actor("cleo", is_person=True)
    given(WAIVER, REQUESTED).when(replace(APPROVE, approvers=leads, by=cleo)).then(replace(APPROVED, by="cleo"))


def test_what_waited_past_its_end_is_not_approved() -> None:
    given(WAIVER, REQUESTED).when(replace(APPROVE, at=NOW + 30 * DAY)).refuses(WaiverTooLongError)


def test_a_waiver_is_renewed_once_and_from_that_day_at_most_as_long() -> None:
    state = given(WAIVER, REQUESTED, APPROVED).when(RENEW).then(RENEWED)

    assert isinstance(state, Approved)
    assert state.expires_at == LATER + 90 * DAY
    again = replace(RENEW, expires_at=LATER + 80 * DAY)
    given(WAIVER, REQUESTED, APPROVED, RENEWED).when(again).refuses(RenewedOftenError)
    longer = replace(RENEW, expires_at=LATER + 91 * DAY)
    given(WAIVER, REQUESTED, APPROVED).when(longer).refuses(WaiverTooLongError)


def test_what_has_ended_is_not_renewed_even_before_anyone_said_so() -> None:
    late = replace(RENEW, at=NOW + 30 * DAY, expires_at=NOW + 40 * DAY)

    given(WAIVER, REQUESTED, APPROVED).when(late).refuses(WaiverStateError)


@pytest.mark.parametrize("past", [(REQUESTED,), (REQUESTED, APPROVED)])
def test_a_waiver_ends_by_itself_at_its_time_and_not_before(past: tuple[Any, ...]) -> None:
    given(WAIVER, *past).when(Expire("w1", NOW + 30 * DAY - timedelta(seconds=1))).then()
    state = given(WAIVER, *past).when(Expire("w1", NOW + 30 * DAY)).then(EXPIRED)

    assert isinstance(state, Over)
    assert state.status == "expired"


def test_a_renewed_waiver_ends_at_its_new_time() -> None:
    given(WAIVER, REQUESTED, APPROVED, RENEWED).when(Expire("w1", NOW + 30 * DAY)).then()


@pytest.mark.parametrize("past", [(REQUESTED,), (REQUESTED, APPROVED)])
def test_anybody_may_end_it_early(past: tuple[Any, ...]) -> None:
    given(WAIVER, *past).when(REVOKE).then(REVOKED)


@pytest.mark.parametrize(
    ("past", "command"),
    [
        ((REQUESTED, APPROVED), APPROVE),
        ((REQUESTED, REVOKED), REVOKE),
        ((REQUESTED, APPROVED, EXPIRED), REVOKE),
        ((REQUESTED, APPROVED, EXPIRED), Expire("w1", NOW + 30 * DAY)),
    ],
)
def test_what_was_done_before_stays_silent(past: tuple[Any, ...], command: Command) -> None:
    given(WAIVER, *past).when(command).then()


@pytest.mark.parametrize(
    ("past", "command"),
    [
        ((REQUESTED, APPROVED), replace(APPROVE, by=Actor("dan", is_person=True))),
        ((REQUESTED,), RENEW),
        ((REQUESTED, REVOKED), APPROVE),
        ((REQUESTED, APPROVED, EXPIRED), RENEW),
    ],
)
def test_what_its_state_does_not_allow_is_refused(past: tuple[Any, ...], command: Command) -> None:
    given(WAIVER, *past).when(command).refuses(WaiverStateError)


@pytest.mark.parametrize("command", [APPROVE, RENEW, REVOKE, Expire("w1", NOW)])
def test_nothing_can_be_asked_of_a_waiver_that_does_not_exist(command: Command) -> None:
    given(WAIVER).when(command).refuses(UnknownError)
