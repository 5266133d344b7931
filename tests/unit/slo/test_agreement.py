"""An SLO's revision: proposed by one, agreed by development, SRE and product."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

import pytest

from libs.events import codec
from libs.events.decider import Decider
from libs.events.testing import given
from services.slo.domain.agreement.commands import Agree, Command, Decline, Expire, Propose, Withdraw
from services.slo.domain.agreement.decider import (
    Agreement,
    Open,
    Settled,
    agreed_document,
    decide,
    evolve,
    expires,
)
from services.slo.domain.agreement.errors import (
    ExpiryPassedError,
    NoProposalError,
    NoSignersError,
    NotTheProposerError,
    ProposalClosedError,
    ProposalExpiredError,
    ProposalTakenError,
)
from services.slo.domain.agreement.events import (
    Event,
    RevisionAgreed,
    RevisionDeclined,
    RevisionExpired,
    RevisionProposed,
    RevisionSuperseded,
    RevisionWithdrawn,
    SideAgreed,
)
from services.slo.domain.signing import SIDES, Actor, MachineSignsError, NotASignerError, SignedOtherwiseError, Signers

AGREEMENT: Decider[Command, Agreement, Event] = Decider("agreement", None, decide, evolve)
NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
UNTIL = NOW + timedelta(days=14)
SLO = "checkout-availability"
ANA, BO, DAN, EVE = (Actor(name, is_person=True) for name in ("ana", "bo", "dan", "eve"))
ROBOT = Actor("ci", is_person=False)
SIGNERS = Signers(development=("ana", "eve"), sre=("bo",), product=("dan", "eve"))
DOCUMENT: dict[str, object] = {"kind": "SLO", "spec": {"objectives": [{"target": 0.995}]}}

PROPOSE = Propose(
    slo=SLO,
    proposal="p1",
    base_revision=3,
    document=DOCUMENT,
    what_if="/v1/slos/checkout-availability:what-if",
    signers=SIGNERS,
    reason="nobody notices 99.9 %",
    by="ana",
    expires=UNTIL,
    at=NOW,
)
AGREE = Agree(slo=SLO, proposal="p1", side="development", reason="we will act on it", by=ANA, at=NOW)
DECLINE = Decline(slo=SLO, proposal="p1", side="product", reason="users do notice", by=DAN, at=NOW)
WITHDRAW = Withdraw(slo=SLO, proposal="p1", reason="on second thought", by="ana", at=NOW)
EXPIRE = Expire(slo=SLO, proposal="p1", at=UNTIL)

PROPOSED = RevisionProposed(
    slo=SLO,
    proposal="p1",
    base_revision=3,
    document=DOCUMENT,
    what_if="/v1/slos/checkout-availability:what-if",
    signers=SIGNERS,
    missing=SIDES,
    supersedes="",
    reason="nobody notices 99.9 %",
    by="ana",
    expires=UNTIL,
    at=NOW,
)
BY_DEV = SideAgreed(SLO, "p1", "development", ("sre", "product"), "we will act on it", "ana", NOW)
BY_SRE = SideAgreed(SLO, "p1", "sre", ("product",), "defensible", "bo", NOW)
BY_PRODUCT = SideAgreed(SLO, "p1", "product", (), "good enough", "dan", NOW)
AGREED = RevisionAgreed(SLO, "p1", 3, DOCUMENT, "ana", "bo", "dan", "nobody notices 99.9 %", "ana", NOW)
ALL = (PROPOSED, BY_DEV, BY_SRE, BY_PRODUCT, AGREED)
DECLINED = RevisionDeclined(SLO, "p1", "product", "users do notice", "dan", NOW)
EXPIRED = RevisionExpired(SLO, "p1", ("product",), "lapsed without product (dan or eve)", UNTIL)


def test_a_proposal_waits_for_all_three_sides_also_for_the_proposers_own() -> None:
    state = given(AGREEMENT).when(PROPOSE).then(PROPOSED)
    assert isinstance(state, Open)
    assert state.missing == ("development", "sre", "product")
    assert state.waiting_for == "development (ana or eve) and sre (bo) and product (dan or eve)"
    assert expires(state) == UNTIL


def test_the_same_proposal_is_made_once() -> None:
    given(AGREEMENT, PROPOSED).when(replace(PROPOSE, at=UNTIL)).then()
    given(AGREEMENT, *ALL).when(PROPOSE).then()
    given(AGREEMENT, PROPOSED).when(replace(PROPOSE, document={})).refuses(ProposalTakenError)


def test_a_proposal_needs_somebody_to_sign_for_each_side_and_time_to_do_so() -> None:
    refusal = given(AGREEMENT).when(replace(PROPOSE, signers=replace(SIGNERS, product=()))).refuses(NoSignersError)
    assert refusal.side == "product"
    given(AGREEMENT).when(replace(PROPOSE, expires=NOW)).refuses(ExpiryPassedError)


def test_each_side_that_agrees_says_who_is_missing() -> None:
    given(AGREEMENT, PROPOSED).when(AGREE).then(BY_DEV)
    state = given(AGREEMENT, PROPOSED, BY_DEV).when(replace(AGREE, side="sre", reason="defensible", by=BO)).then(BY_SRE)
    assert isinstance(state, Open)
    assert state.waiting_for == "product (dan or eve)"


def test_the_third_side_puts_it_into_effect() -> None:
    last = replace(AGREE, side="product", reason="good enough", by=DAN)
    state = given(AGREEMENT, PROPOSED, BY_DEV, BY_SRE).when(last).then(BY_PRODUCT, AGREED)
    assert isinstance(state, Settled)
    assert agreed_document(state) == DOCUMENT
    assert expires(state) is None


@pytest.mark.parametrize("order", [*permutations([("development", ANA), ("sre", BO), ("product", DAN)])])
def test_the_order_of_the_sides_does_not_matter(order: Any) -> None:
    state = AGREEMENT.fold(None, [PROPOSED])
    for number, (side, by) in enumerate(order):
        events = decide(replace(AGREE, side=side, by=by), state)
        state = AGREEMENT.fold(state, events)
        assert len(events) == (2 if number == 2 else 1)
    assert isinstance(state, Settled)
    assert [ended.end for ended in state.past] == ["agreed"]


def test_a_side_agrees_once() -> None:
    given(AGREEMENT, PROPOSED, BY_DEV).when(AGREE).then()
    given(AGREEMENT, PROPOSED, BY_DEV).when(replace(AGREE, by=EVE)).then()
    given(AGREEMENT, *ALL).when(AGREE).then()


def test_only_people_named_for_a_side_agree_for_it() -> None:
    refusal = given(AGREEMENT, PROPOSED).when(replace(AGREE, side="sre")).refuses(NotASignerError)
    assert refusal.may == ("bo",)
    given(AGREEMENT, PROPOSED).when(replace(AGREE, by=ROBOT)).refuses(MachineSignsError)


def test_nobody_agrees_for_two_sides() -> None:
    by_eve = replace(BY_DEV, by="eve")
    refusal = (
        given(AGREEMENT, PROPOSED, by_eve).when(replace(AGREE, side="product", by=EVE)).refuses(SignedOtherwiseError)
    )
    assert str(refusal) == "eve signed for development already and cannot stand for two sides; dan can"


def test_nobody_agrees_to_what_is_not_proposed() -> None:
    commands: list[Command] = [AGREE, DECLINE, WITHDRAW, EXPIRE]
    for command in commands:
        given(AGREEMENT).when(command).refuses(NoProposalError)
        given(AGREEMENT, PROPOSED).when(replace(command, proposal="p9")).refuses(NoProposalError)


def test_any_one_side_can_decline_even_after_it_agreed() -> None:
    state = given(AGREEMENT, PROPOSED, BY_DEV).when(DECLINE).then(DECLINED)
    assert isinstance(state, Settled)
    assert agreed_document(state) is None
    by_ana = replace(DECLINE, side="development", by=ANA)
    given(AGREEMENT, PROPOSED, BY_DEV).when(by_ana).then(replace(DECLINED, side="development", by="ana"))
    given(AGREEMENT, PROPOSED).when(replace(DECLINE, by=BO)).refuses(NotASignerError)


def test_what_was_declined_is_not_agreed_any_more() -> None:
    refusal = given(AGREEMENT, PROPOSED, DECLINED).when(AGREE).refuses(ProposalClosedError)
    assert str(refusal) == "proposal 'p1' was declined; propose anew"
    given(AGREEMENT, PROPOSED, DECLINED).when(DECLINE).then()
    given(AGREEMENT, *ALL).when(DECLINE).refuses(ProposalClosedError)


def test_who_proposed_it_can_take_it_back_and_nobody_else() -> None:
    withdrawn = RevisionWithdrawn(SLO, "p1", "on second thought", "ana", NOW)
    given(AGREEMENT, PROPOSED).when(WITHDRAW).then(withdrawn)
    given(AGREEMENT, PROPOSED, withdrawn).when(WITHDRAW).then()
    given(AGREEMENT, PROPOSED).when(replace(WITHDRAW, by="bo")).refuses(NotTheProposerError)


def test_a_newer_proposal_supersedes_the_open_one_and_its_signatures() -> None:
    second = replace(PROPOSE, proposal="p2", document={"kind": "SLO"}, reason="better", by="bo")
    state = (
        given(AGREEMENT, PROPOSED, BY_DEV)
        .when(second)
        .then(
            RevisionSuperseded(SLO, "p1", "p2", "better", "bo", NOW),
            replace(PROPOSED, proposal="p2", document={"kind": "SLO"}, reason="better", by="bo", supersedes="p1"),
        )
    )
    assert isinstance(state, Open)
    assert state.missing == SIDES
    refusal = given(AGREEMENT, PROPOSED, *decide(second, Open(PROPOSED))).when(AGREE).refuses(ProposalClosedError)
    assert str(refusal) == "proposal 'p1' was superseded; proposal 'p2' is open, read that"


def test_a_proposal_after_one_that_ended_supersedes_nothing() -> None:
    second = replace(PROPOSE, proposal="p2")
    state = given(AGREEMENT, *ALL).when(second).then(replace(PROPOSED, proposal="p2"))
    assert agreed_document(state) == DOCUMENT


def test_a_proposal_lapses_at_its_date_and_says_who_was_missing() -> None:
    past = (PROPOSED, BY_DEV, BY_SRE)
    given(AGREEMENT, *past).when(EXPIRE).then(EXPIRED)
    given(AGREEMENT, *past).when(replace(EXPIRE, at=UNTIL - timedelta(microseconds=1))).then()
    given(AGREEMENT, *past, EXPIRED).when(EXPIRE).then()
    given(AGREEMENT, *ALL).when(EXPIRE).then()


def test_nobody_agrees_after_the_date_even_if_nobody_said_yet_that_it_lapsed() -> None:
    refusal = (
        given(AGREEMENT, PROPOSED, BY_DEV, BY_SRE)
        .when(replace(AGREE, side="product", by=DAN, at=UNTIL))
        .refuses(ProposalExpiredError)
    )
    assert "without product (dan or eve)" in str(refusal)
    given(AGREEMENT, PROPOSED).when(replace(DECLINE, at=UNTIL)).refuses(ProposalExpiredError)


@pytest.mark.parametrize("event", [*ALL, DECLINED, EXPIRED], ids=lambda event: type(event).__name__)
def test_every_event_survives_being_written_and_read(event: Event) -> None:
    assert codec.decoder(type(event)).decode(codec.encode(event)) == event
    assert {"at", "reason"} <= {field.name for field in fields(event)}
