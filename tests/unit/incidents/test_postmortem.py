from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs.events.testing import given
from services.incidents.contract import POSTMORTEM
from services.incidents.domain.errors import AbsentError, IllegalTransitionError, PostmortemIncompleteError
from services.incidents.domain.incident.decider import Record
from services.incidents.domain.milestones import Figures, Milestones
from services.incidents.domain.postmortem.commands import AddAction, Amend, Command, Draft, Publish, Submit
from services.incidents.domain.postmortem.events import (
    Event,
    Origin,
    PostmortemActionAdded,
    PostmortemAmended,
    PostmortemDrafted,
    PostmortemPublished,
    PostmortemSubmitted,
    Sections,
)

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
LATER = AT + timedelta(hours=3)
TIMES = Milestones(AT, AT + timedelta(minutes=2), AT + timedelta(minutes=2), None, None, AT + timedelta(minutes=42))
INCIDENT = Record("i1", "INC-1", "checkout-api", "Checkout fails", "sev2", "bo", "", TIMES, ("a1",))
DRAFT = Draft(postmortem="p1", incident=INCIDENT, incident_version=7, by="ana", at=LATER)
DRAFTED = PostmortemDrafted(
    postmortem="p1",
    incident="i1",
    number="INC-1",
    service="checkout-api",
    title="Checkout fails",
    by="ana",
    at=LATER,
    origin=Origin(incident_version=7, milestones=TIMES, figures=Figures(120, None, None, 2520), alerts=1),
)
SECTIONS = Sections(
    title="Checkout fails",
    summary=(
        "INC-1 (sev2) on checkout-api: Checkout fails. The impact started at 2026-11-21 10:00 UTC;"
        " the incident was resolved at 2026-11-21 10:42 UTC."
    ),
    impact="Detected 2 min after the impact started; resolved 42 min after the impact started."
    " 1 alert(s) belonged to it.",
)
FILLED = PostmortemAmended(sections=SECTIONS, authors=("ana",), by="ana", at=LATER)
ACTION = PostmortemActionAdded(action="t1", by="ana", at=LATER)
SUBMITTED = PostmortemSubmitted(by="ana", at=LATER)
PUBLISHED = PostmortemPublished(
    postmortem="p1",
    incident="i1",
    number="INC-1",
    service="checkout-api",
    title="Checkout fails",
    by="ana",
    at=LATER,
)
AMEND = Amend(sections={"trigger": "a deployment"}, authors=("ana", "bo"), by="bo", at=LATER)
ADD, SUBMIT, PUBLISH = (
    AddAction(action="t1", by="ana", at=LATER),
    Submit(by="ana", at=LATER),
    Publish(by="ana", at=LATER),
)
DRAFT_PAST = (DRAFTED, FILLED, ACTION)


def test_drafting_writes_down_what_is_known_of_the_incident() -> None:
    given(POSTMORTEM).when(DRAFT).then(DRAFTED, FILLED)


def test_drafting_from_an_open_incident_says_that_it_is_open() -> None:
    open_still = replace(INCIDENT, milestones=replace(TIMES, resolved=None))

    _, filled = POSTMORTEM.decide(replace(DRAFT, incident=open_still), None)

    assert isinstance(filled, PostmortemAmended)
    assert filled.sections.summary.endswith("the incident is not resolved yet.")


def test_drafting_twice_is_silent() -> None:
    given(POSTMORTEM, *DRAFT_PAST).when(DRAFT).then()


@pytest.mark.parametrize("past", [DRAFT_PAST, (*DRAFT_PAST, SUBMITTED)])
def test_amending_keeps_all_of_the_new_text(past: tuple[Event, ...]) -> None:
    amended = PostmortemAmended(
        sections=replace(SECTIONS, trigger="a deployment"), authors=("ana", "bo"), by="bo", at=LATER
    )
    given(POSTMORTEM, *past).when(AMEND).then(amended)


def test_amending_to_the_same_is_silent() -> None:
    given(POSTMORTEM, *DRAFT_PAST).when(replace(AMEND, sections={"title": "Checkout fails"}, authors=None)).then()


def test_what_is_published_is_amended_no_more() -> None:
    given(POSTMORTEM, *DRAFT_PAST, PUBLISHED).when(AMEND).refuses(IllegalTransitionError)


@pytest.mark.parametrize("past", [(DRAFTED, FILLED), (DRAFTED, FILLED, PUBLISHED)])
def test_an_action_item_may_follow_at_any_time(past: tuple[Event, ...]) -> None:
    given(POSTMORTEM, *past).when(ADD).then(ACTION)


def test_the_same_action_item_follows_once() -> None:
    given(POSTMORTEM, *DRAFT_PAST).when(ADD).then()


def test_submitting_asks_others_to_read_it() -> None:
    given(POSTMORTEM, *DRAFT_PAST).when(SUBMIT).then(SUBMITTED)


def test_submitting_twice_is_silent() -> None:
    given(POSTMORTEM, *DRAFT_PAST, SUBMITTED).when(SUBMIT).then()


def test_what_is_published_is_not_submitted() -> None:
    refusal = given(POSTMORTEM, *DRAFT_PAST, PUBLISHED).when(SUBMIT).refuses(IllegalTransitionError)

    assert refusal.allowed == ()


@pytest.mark.parametrize("past", [DRAFT_PAST, (*DRAFT_PAST, SUBMITTED)])
def test_publishing_needs_no_review_yet(past: tuple[Event, ...]) -> None:
    given(POSTMORTEM, *past).when(PUBLISH).then(PUBLISHED)


def test_publishing_twice_is_silent() -> None:
    given(POSTMORTEM, *DRAFT_PAST, PUBLISHED).when(PUBLISH).then()


def test_publishing_is_refused_until_it_says_enough() -> None:
    bare = PostmortemAmended(sections=Sections(title=" "), authors=(), by="ana", at=LATER)

    refusal = given(POSTMORTEM, DRAFTED, bare).when(PUBLISH).refuses(PostmortemIncompleteError)

    assert refusal.missing == ("title", "summary", "impact", "no_action_reason")


def test_publishing_without_an_action_item_needs_a_reason_why_none_follows() -> None:
    given(POSTMORTEM, DRAFTED, FILLED).when(PUBLISH).refuses(PostmortemIncompleteError)
    reasoned = replace(FILLED, sections=replace(SECTIONS, no_action_reason="the component is gone"))
    given(POSTMORTEM, DRAFTED, reasoned).when(PUBLISH).then(PUBLISHED)


@pytest.mark.parametrize("command", [AMEND, ADD, SUBMIT, PUBLISH])
def test_what_was_never_drafted_is_absent(command: Command) -> None:
    given(POSTMORTEM).when(command).refuses(AbsentError)
