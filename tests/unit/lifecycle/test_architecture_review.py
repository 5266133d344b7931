"""An architecture review's rules, what it brings to light, and the life of architecture findings."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, get_args

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from libs.events.testing import given
from services.lifecycle.config import LifecycleSettings, load_catalogs, load_policies
from services.lifecycle.contract import ARCHITECTURE, ARCHITECTURE_REVIEW
from services.lifecycle.domain.architecture.commands import Discover, Discovery, GoOn, Lapse
from services.lifecycle.domain.architecture.decider import settled_at
from services.lifecycle.domain.architecture_review.commands import Command, Hold, Prepare, Sign, Withdraw
from services.lifecycle.domain.architecture_review.decider import ALLOWED, State
from services.lifecycle.domain.architecture_review.discoveries import discoveries
from services.lifecycle.domain.architecture_review.errors import (
    ArchitectureReviewError,
    IllegalArchitectureStepError,
    MinutesFaultyError,
    SignatureError,
)
from services.lifecycle.domain.architecture_review.events import (
    AntipatternFound,
    ArchitectureReviewConcluded,
    ArchitectureReviewHeld,
    ArchitectureReviewSigned,
    Component,
    Event,
    Minutes,
    Participant,
    PreRead,
)
from services.lifecycle.domain.catalogs import UnknownEntryError
from services.lifecycle.domain.errors import RecordedOtherwiseError, UnknownError
from services.lifecycle.domain.readiness_review.commands import MoveFinding, Reclassify, Triage, Waive
from services.lifecycle.domain.readiness_review.errors import NotAllowedError
from services.lifecycle.domain.readiness_review.events import FindingEvent, FindingWaiverExpired
from services.lifecycle.domain.service.commands import Actor
from tests.fixtures.reviews import REVIEW_POLICY

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
DAY = timedelta(days=1)
POLICY = load_policies(LifecycleSettings()).architecture
CATALOGS = load_catalogs()
ANA, EVE, BO, CY, CI = (Actor(name, is_person=name != "ci") for name in ("ana", "eve", "bo", "cy", "ci"))
TEAM = frozenset({"ana", "eve"})
DB = Component(name="orders-db", criticality="critical", redundancy=0, failure_domains=("zone-a",), note="")
MINUTES = Minutes(
    held_at=AT,
    participants=(Participant("ana", "dev"), Participant("eve", "dev"), Participant("bo", "sre")),
    components=(DB,),
    patterns=(),
    antipatterns=(),
    decisions=("a second database",),
)
PREPARE = Prepare(
    review="a1",
    service="checkout-api",
    owner_team="checkout",
    title="Checkout",
    pre_read=PreRead("https://wiki.example/7", AT - 2 * DAY),
    by=ANA,
    at=AT,
)
HOLD = Hold(review="a1", minutes=MINUTES, insiders=TEAM, policy=POLICY, by=ANA, at=AT)
SIGN_DEV = Sign(review="a1", side="dev", by=EVE, at=AT)
SIGN_SRE = Sign(review="a1", side="sre", by=BO, at=AT)
WITHDRAW = Withdraw(review="a1", by=ANA, reason="off", at=AT)
WAY: dict[State, tuple[Command, ...]] = {
    "prepared": (PREPARE,),
    "held": (PREPARE, HOLD),
    "signed": (PREPARE, HOLD, SIGN_DEV, SIGN_SRE),
    "withdrawn": (PREPARE, WITHDRAW),
}
OTHERWISE = replace(HOLD, minutes=replace(MINUTES, decisions=("a third one",)))


def after(*commands: Command) -> tuple[Event, ...]:
    past: tuple[Event, ...] = ()
    for command in commands:
        past += ARCHITECTURE_REVIEW.decide(command, ARCHITECTURE_REVIEW.fold(None, past))
    return past


@pytest.mark.parametrize("state", get_args(State))
@pytest.mark.parametrize(("verb", "command"), [("hold", OTHERWISE), ("sign", SIGN_SRE), ("withdraw", WITHDRAW)])
def test_every_verb_is_possible_where_the_table_says_or_names_those_that_are(
    state: State, verb: str, command: Command
) -> None:
    past = after(*WAY[state])

    if verb in ALLOWED[state]:
        assert ARCHITECTURE_REVIEW.decide(command, ARCHITECTURE_REVIEW.fold(None, past))
    elif (state, verb) in {("signed", "sign"), ("withdrawn", "withdraw")}:
        given(ARCHITECTURE_REVIEW, *past).when(command).then()
    else:
        refused = given(ARCHITECTURE_REVIEW, *past).when(command).refuses(IllegalArchitectureStepError)
        assert refused.allowed == ALLOWED[state]


def test_what_was_decided_holds_when_both_sides_have_signed() -> None:
    given(ARCHITECTURE_REVIEW, *after(PREPARE, HOLD)).when(SIGN_DEV).then(
        ArchitectureReviewSigned("a1", "checkout-api", "dev", "eve", AT)
    )
    given(ARCHITECTURE_REVIEW, *after(PREPARE, HOLD, SIGN_DEV)).when(SIGN_SRE).then(
        ArchitectureReviewSigned("a1", "checkout-api", "sre", "bo", AT),
        ArchitectureReviewConcluded("a1", "checkout-api", ("a second database",), AT),
    )
    given(ARCHITECTURE_REVIEW, *after(PREPARE, HOLD, SIGN_DEV)).when(replace(SIGN_DEV, by=ANA)).then()


def test_a_correction_takes_the_signatures_away() -> None:
    past = after(PREPARE, HOLD, SIGN_DEV)

    state = (
        given(ARCHITECTURE_REVIEW, *past)
        .when(OTHERWISE)
        .then(ArchitectureReviewHeld("a1", "checkout-api", OTHERWISE.minutes, "ana", AT))
    )

    assert state is not None
    assert state.missing == ("dev", "sre")
    given(ARCHITECTURE_REVIEW, *past).when(HOLD).then()  # the same again corrects nothing


@pytest.mark.parametrize(("who", "side"), [(CY, "sre"), (ANA, "sre"), (CI, "sre"), (BO, "dev")])
def test_only_a_person_who_was_there_for_a_side_signs_for_it(who: Actor, side: Any) -> None:
    refused = (
        given(ARCHITECTURE_REVIEW, *after(PREPARE, HOLD))
        .when(Sign(review="a1", side=side, by=who, at=AT))
        .refuses(SignatureError)
    )

    assert refused.who_can == (("bo",) if side == "sre" else ("ana", "eve"))


def test_people_can_read_up_on_it_a_day_before() -> None:
    past = after(replace(PREPARE, pre_read=PreRead("https://x.example", AT - DAY)))
    late = after(replace(PREPARE, pre_read=PreRead("https://x.example", AT - timedelta(hours=23))))

    given(ARCHITECTURE_REVIEW, *past).when(HOLD).then(ArchitectureReviewHeld("a1", "checkout-api", MINUTES, "ana", AT))
    refused = given(ARCHITECTURE_REVIEW, *late).when(HOLD).refuses(MinutesFaultyError)

    assert refused.faults[0].pointer == "/held_at"


def test_a_review_is_prepared_once_and_nobody_can_have_read_tomorrow() -> None:
    given(ARCHITECTURE_REVIEW, *after(PREPARE)).when(replace(PREPARE, by=BO, at=AT + DAY)).then()
    given(ARCHITECTURE_REVIEW, *after(PREPARE)).when(replace(PREPARE, title="x")).refuses(RecordedOtherwiseError)
    given(ARCHITECTURE_REVIEW).when(HOLD).refuses(UnknownError)
    tomorrow = replace(PREPARE, pre_read=PreRead("https://x.example", AT + DAY))
    given(ARCHITECTURE_REVIEW).when(tomorrow).refuses(MinutesFaultyError)


BY = st.sampled_from([ANA, EVE, BO, CY, CI])
STEPS = st.builds(
    lambda command, by: replace(command, by=by),
    st.sampled_from([PREPARE, HOLD, OTHERWISE, SIGN_DEV, SIGN_SRE, WITHDRAW]),
    BY,
)


@for_all(st.lists(STEPS, max_size=12))
def test_no_sequence_of_commands_signs_without_two_people_of_both_sides(commands: list[Command]) -> None:
    past: tuple[Event, ...] = ()
    for command in commands:
        try:
            past += ARCHITECTURE_REVIEW.decide(command, ARCHITECTURE_REVIEW.fold(None, past))
        except (ArchitectureReviewError, UnknownError):
            continue
    state = ARCHITECTURE_REVIEW.fold(None, past)

    if state is not None and state.state == "signed":
        signed = {side: each.by for side, each in (state.signed or {}).items()}
        assert set(signed) == {"dev", "sre"}
        assert signed["dev"] in TEAM
        assert signed["sre"] == "bo"


def found(*components: Component, antipatterns: tuple[AntipatternFound, ...] = ()) -> list[tuple[str, str, str]]:
    ids = count()
    minutes = replace(MINUTES, components=components, antipatterns=antipatterns)
    return [
        (each.item, each.title, each.severity)
        for each in discoveries("a1", minutes, POLICY, CATALOGS, lambda: f"f{next(ids)}")
    ]


@pytest.mark.parametrize(
    ("fields", "item"),
    [
        ({}, "single-point-of-failure"),
        ({"redundancy": 1}, "redundancy-in-one-failure-domain"),
        ({"redundancy": 1, "failure_domains": ("a", "a")}, "redundancy-in-one-failure-domain"),
        ({"redundancy": 1, "failure_domains": ("a", "b")}, None),
        ({"redundancy": 1, "failure_domains": ()}, None),  # nobody said where it runs
        ({"criticality": "important"}, None),
    ],
)
def test_a_critical_component_that_can_be_lost_at_once_is_a_finding(fields: dict[str, Any], item: str | None) -> None:
    assert [each[0] for each in found(replace(DB, **fields))] == ([item] if item else [])


def test_an_antipattern_is_a_finding_named_from_the_catalogue() -> None:
    seen = AntipatternFound("retry-storm", "checkout > payments", "advisory", "")

    assert found(antipatterns=(seen,)) == [("retry-storm", "Retry storm: checkout > payments", "advisory")]
    with pytest.raises(UnknownEntryError) as refused:
        found(antipatterns=(seen, replace(seen, antipattern="retry-strom")))
    assert (refused.value.pointer, refused.value.nearest[0]) == ("/antipatterns/1/antipattern", "retry-storm")


DISCOVERY = Discovery(
    finding="f1", item="retry-storm", title="Retry storm came back", text="x", severity="blocking", source="incidents"
)
DISCOVER = Discover(service="checkout-api", review="", discoveries=(DISCOVERY,), by="lifecycle", at=AT)


def step(command: Triage | Reclassify | MoveFinding | Waive) -> GoOn:
    return GoOn(service="checkout-api", step=command, owner_team="checkout", insiders=TEAM)


def move(verb: Any, by: Actor) -> GoOn:
    url = "https://git.example/42"
    return step(MoveFinding(review="", finding="f1", step=verb, url=url, by=by, reason="because", at=AT))


TRIAGE = step(Triage(review="", finding="f1", owner="eve", due=date(2026, 12, 4), by=ANA, reason="", at=AT))
WAIVE = step(
    Waive(
        review="",
        finding="f1",
        control="by hand",
        control_url="https://x.example",
        until=AT + 30 * DAY,
        policy=REVIEW_POLICY,
        by=BO,
        reason="soon",
        at=AT,
    )
)


def known(*commands: Any) -> tuple[FindingEvent, ...]:
    past: tuple[FindingEvent, ...] = ()
    for command in (DISCOVER, *commands):
        past += ARCHITECTURE.decide(command, ARCHITECTURE.fold({}, past))
    return past


def test_of_the_same_there_is_one_finding_until_it_is_dealt_with() -> None:
    again = replace(DISCOVER, discoveries=(replace(DISCOVERY, finding="f2"), replace(DISCOVERY, finding="f3")))
    given(ARCHITECTURE, *known()).when(again).then()
    given(ARCHITECTURE, *known(WAIVE)).when(again).then()  # people know, and live with it for a while

    reopened = given(ARCHITECTURE, *known(move("reject", BO))).when(again)

    events = ARCHITECTURE.decide(reopened.command, reopened.given.state)
    assert [event.finding for event in events] == ["f2"]
    assert settled_at(reopened.given.state, DISCOVERY.item, DISCOVERY.title) == AT
    assert settled_at(ARCHITECTURE.fold({}, known()), DISCOVERY.item, DISCOVERY.title) is None


@pytest.mark.parametrize("who", [ANA, EVE, CI])
@pytest.mark.parametrize("verb", ["reject", "waive", "reclassify"])
def test_what_blocks_is_judged_by_a_person_from_outside(who: Actor, verb: str) -> None:
    commands = {
        "reject": move("reject", who),
        "waive": replace(WAIVE, step=replace(WAIVE.step, by=who)),
        "reclassify": step(Reclassify(review="", finding="f1", severity="advisory", by=who, reason="rare", at=AT)),
    }

    refused = given(ARCHITECTURE, *known(TRIAGE)).when(commands[verb]).refuses(NotAllowedError)

    assert refused.may == ("somebody from outside checkout",)


@pytest.mark.parametrize("who", [EVE, CI, CY])
def test_a_fix_is_verified_by_anybody_but_who_owns_or_made_it(who: Actor) -> None:
    past = known(TRIAGE, move("start", EVE), move("fix", CY))

    refused = given(ARCHITECTURE, *past).when(move("verify", who)).refuses(NotAllowedError)

    assert refused.may == ("anybody but eve and cy",)
    assert ARCHITECTURE.decide(move("verify", ANA), ARCHITECTURE.fold({}, past))


def test_a_waiver_that_is_over_opens_the_finding_again() -> None:
    past = known(WAIVE)

    given(ARCHITECTURE, *past).when(Lapse("checkout-api", AT + 29 * DAY)).then()
    state = (
        given(ARCHITECTURE, *past)
        .when(Lapse("checkout-api", AT + 30 * DAY))
        .then(FindingWaiverExpired("", "checkout-api", "f1", AT + 30 * DAY))
    )

    assert state["f1"].state == "open"
