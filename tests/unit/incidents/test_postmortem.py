from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.events.testing import given
from services.incidents.contract import POSTMORTEM
from services.incidents.domain.errors import (
    AbsentError,
    IllegalTransitionError,
    PostmortemIncompleteError,
    ReasonMissingError,
)
from services.incidents.domain.incident.state import Details, Record
from services.incidents.domain.milestones import Figures, Milestones
from services.incidents.domain.postmortem.commands import (
    AddAction,
    Amend,
    Approve,
    Command,
    Draft,
    Publish,
    Reopen,
    RequestChanges,
    Submit,
    Template,
)
from services.incidents.domain.postmortem.errors import (
    NoReviewerError,
    ReviewMissingError,
    SideMissingError,
    TimelineOrderError,
)
from services.incidents.domain.postmortem.events import (
    BudgetSpent,
    Cause,
    Event,
    Moment,
    Origin,
    Participant,
    PostmortemActionAdded,
    PostmortemAmended,
    PostmortemChangesRequested,
    PostmortemDrafted,
    PostmortemPublished,
    PostmortemReopened,
    PostmortemSideApproved,
    PostmortemSubmitted,
    Reviewer,
    Sections,
    Side,
)

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
LATER = AT + timedelta(hours=3)
TIMES = Milestones(AT, AT + timedelta(minutes=2), AT + timedelta(minutes=2), None, None, AT + timedelta(minutes=42))
INCIDENT = Record(
    "i1", "INC-1", "checkout-api", "sev2", Details(title="Checkout fails"), "bo", (), TIMES, alerts=("a1",)
)
DRAFT = Draft(postmortem="p1", incident=INCIDENT, incident_version=7, by="ana", at=LATER)
DRAFTED = PostmortemDrafted(
    postmortem="p1",
    incident="i1",
    number="INC-1",
    service="checkout-api",
    title="Checkout fails",
    by="ana",
    at=LATER,
    origin=Origin(
        incident_version=7, milestones=TIMES, figures=Figures(120, None, None, 2520), alerts=1, severity="sev2"
    ),
)
SECTIONS = Sections(
    title="Checkout fails",
    summary=(
        "INC-1 (sev2) on checkout-api: Checkout fails. The impact started at 2026-11-21 10:00 UTC;"
        " the incident was resolved at 2026-11-21 10:42 UTC."
    ),
    impact="Detected 2 min after the impact started; resolved 42 min after the impact started."
    " 1 alert(s) belonged to it.",
    detection="An alert said so at 2026-11-21 10:02 UTC.",
    resolution="It was resolved at 2026-11-21 10:42 UTC, after 42 min.",
    timeline=(Moment(at=AT, text="the impact started", starred=True),),
)
FILLED = PostmortemAmended(sections=SECTIONS, authors=("ana",), by="ana", at=LATER)
ACTION = PostmortemActionAdded(action="t1", by="ana", at=LATER)
ABOUT: dict[str, Any] = {
    "postmortem": "p1",
    "incident": "i1",
    "number": "INC-1",
    "service": "checkout-api",
    "title": "Checkout fails",
    "authors": ("ana",),
    "at": LATER,
}
SUBMITTED = PostmortemSubmitted(**ABOUT, by="ana")
PUBLISHED = PostmortemPublished(
    postmortem="p1",
    incident="i1",
    number="INC-1",
    service="checkout-api",
    title="Checkout fails",
    by="ana",
    at=LATER,
)
WHY = "the vendor asks us to"
AMEND = Amend(sections={"trigger": "a deployment"}, authors=("ana", "bo"), by="bo", at=LATER)
ADD, SUBMIT, PUBLISH = (
    AddAction(action="t1", by="ana", at=LATER),
    Submit(by="ana", at=LATER),
    Publish(by="ana", at=LATER),
)
DRAFT_PAST = (DRAFTED, FILLED, ACTION)
IN_REVIEW = (*DRAFT_PAST, SUBMITTED)


def approval(side: Side, by: str, *, complete: bool = False) -> PostmortemSideApproved:
    missing: tuple[Side, ...] = () if complete else ("product",) if side == "sre" else ("sre",)
    return PostmortemSideApproved(**ABOUT, side=side, complete=complete, missing=missing, by=by)


def approve(by: str, side: Side | None = None, *, is_person: bool = True) -> Approve:
    return Approve(by=by, side=side, is_person=is_person, at=LATER)


BY_SRE, BY_BOTH = approval("sre", "bo"), approval("product", "cy", complete=True)
APPROVED = (*IN_REVIEW, BY_SRE, BY_BOTH)
REVIEWED = replace(PUBLISHED, reviewed=True)
PASTS: dict[str, tuple[Event, ...]] = {
    "draft": DRAFT_PAST,
    "in_review": IN_REVIEW,
    "approved": APPROVED,
    "published": (*APPROVED, REVIEWED),
}


def test_drafting_writes_down_what_is_known_of_the_incident() -> None:
    given(POSTMORTEM).when(DRAFT).then(DRAFTED, FILLED)


def test_drafting_from_an_open_incident_says_that_it_is_open() -> None:
    open_still = replace(INCIDENT, milestones=replace(TIMES, resolved=None))

    _, filled = POSTMORTEM.decide(replace(DRAFT, incident=open_still), None)

    assert isinstance(filled, PostmortemAmended)
    assert filled.sections.summary.endswith("the incident is not resolved yet.")
    assert not filled.sections.resolution


def test_drafting_takes_the_timeline_the_people_the_budget_and_the_template() -> None:
    told = (Moment(at=AT - timedelta(hours=1), text="release 4.2"), Moment(at=LATER, text="resolved"))
    people = (Participant(person="ana", role="took it on"),)
    texts = {"summary": "Who felt it?", "glossary": "SLI: what we measure"}
    template = Template(name="default", version=3, texts=texts, required=("title", "glossary"))

    drafted, filled = POSTMORTEM.decide(
        replace(
            DRAFT,
            timeline=told,
            participants=people,
            budgets=(BudgetSpent(slo="availability", share=0.34),),
            template=template,
        ),
        None,
    )

    assert isinstance(drafted, PostmortemDrafted)
    assert isinstance(filled, PostmortemAmended)
    assert (drafted.origin.template, drafted.origin.template_version) == ("default", 3)
    assert drafted.origin.required == ("title", "glossary")
    assert [moment.text for moment in filled.sections.timeline] == ["release 4.2", "the impact started", "resolved"]
    assert filled.sections.participants == people
    assert filled.sections.impact.endswith("It spent 34% of the error budget of availability.")
    assert filled.sections.summary.endswith("\n\nWho felt it?")
    assert filled.sections.glossary == "SLI: what we measure"


def test_drafting_twice_is_silent() -> None:
    given(POSTMORTEM, *DRAFT_PAST).when(DRAFT).then()


@pytest.mark.parametrize("past", [DRAFT_PAST, IN_REVIEW])
def test_amending_keeps_all_of_the_new_text(past: tuple[Event, ...]) -> None:
    amended = PostmortemAmended(
        sections=replace(SECTIONS, trigger="a deployment"), authors=("ana", "bo"), by="bo", at=LATER
    )
    asked_anew = (replace(SUBMITTED, authors=("ana", "bo"), by="bo"),) if past == IN_REVIEW else ()
    given(POSTMORTEM, *past).when(AMEND).then(amended, *asked_anew)


def test_amending_to_the_same_is_silent() -> None:
    given(POSTMORTEM, *DRAFT_PAST).when(replace(AMEND, sections={"title": "Checkout fails"}, authors=None)).then()


@pytest.mark.parametrize("name", ["approved", "published"])
def test_what_both_sides_agreed_to_is_amended_only_after_it_was_reopened(name: str) -> None:
    refusal = given(POSTMORTEM, *PASTS[name]).when(AMEND).refuses(IllegalTransitionError)

    assert "reopen" in refusal.allowed


def test_who_approved_it_is_asked_anew_when_it_says_something_else_and_who_has_not_is_asked_already() -> None:
    amend = replace(AMEND, authors=None)
    amended = PostmortemAmended(sections=replace(SECTIONS, trigger="a deployment"), authors=("ana",), by="bo", at=LATER)
    named = replace(SUBMITTED, reviewers=(Reviewer(person="cy", side="product"),))

    given(POSTMORTEM, *DRAFT_PAST, named).when(amend).then(amended)
    given(POSTMORTEM, *DRAFT_PAST, named, BY_SRE).when(amend).then(amended, replace(named, by="bo"))
    given(POSTMORTEM, *DRAFT_PAST, named, BY_SRE, amended, BY_SRE).when(amend).then()


def test_an_approval_is_of_what_was_read() -> None:
    amended = replace(FILLED, sections=replace(SECTIONS, trigger="a deployment"), by="ana")

    after = POSTMORTEM.fold(None, (*IN_REVIEW, BY_SRE, amended))

    assert after is not None
    assert (after.name, after.content.missing_sides) == ("in_review", ("sre", "product"))


@pytest.mark.parametrize(
    ("times", "index"),
    [((AT, AT - timedelta(seconds=1)), 1), ((AT, LATER + timedelta(seconds=1)), 1), ((LATER + timedelta(days=1),), 0)],
)
def test_a_timeline_goes_forward_and_ends_now(times: tuple[datetime, ...], index: int) -> None:
    timeline = tuple(Moment(at=at, text="x") for at in times)

    refusal = (
        given(POSTMORTEM, *DRAFT_PAST).when(replace(AMEND, sections={"timeline": timeline})).refuses(TimelineOrderError)
    )

    assert refusal.pointer == f"/timeline/{index}/at"
    in_order = tuple(Moment(at=at, text="x") for at in (AT, AT, LATER))
    amended = replace(FILLED, sections=replace(SECTIONS, timeline=in_order), authors=("ana",), by="bo")
    given(POSTMORTEM, *DRAFT_PAST).when(replace(AMEND, sections={"timeline": in_order}, authors=None)).then(amended)


@pytest.mark.parametrize("past", [(DRAFTED, FILLED), (DRAFTED, FILLED, PUBLISHED)])
def test_an_action_item_may_follow_at_any_time(past: tuple[Event, ...]) -> None:
    given(POSTMORTEM, *past).when(ADD).then(ACTION)


def test_the_same_action_item_follows_once() -> None:
    given(POSTMORTEM, *DRAFT_PAST).when(ADD).then()


def test_submitting_asks_others_to_read_it() -> None:
    given(POSTMORTEM, *DRAFT_PAST).when(SUBMIT).then(SUBMITTED)


def test_submitting_twice_is_silent() -> None:
    given(POSTMORTEM, *IN_REVIEW).when(SUBMIT).then()


def test_submitted_again_it_is_read_by_others_who_all_approve_it_anew() -> None:
    named, other = (Reviewer(person=person, side="product") for person in ("cy", "dee"))
    asked, anew = replace(SUBMITTED, reviewers=(named,)), replace(SUBMITTED, reviewers=(other,))
    reads = replace(SUBMIT, reviewers=(other,))

    given(POSTMORTEM, *DRAFT_PAST, asked, BY_SRE).when(reads).then(anew)
    given(POSTMORTEM, *DRAFT_PAST, asked, anew).when(reads).then()
    given(POSTMORTEM, *DRAFT_PAST, asked).when(SUBMIT).then()
    after = POSTMORTEM.fold(None, (*DRAFT_PAST, asked, BY_SRE, anew))
    assert after is not None
    assert after.content.missing_sides == ("sre", "product")


@pytest.mark.parametrize("named", [("ana",), ("bo", "bo")])
def test_reviewers_are_others_than_the_authors_and_named_once(named: tuple[str, ...]) -> None:
    reviewers = tuple(Reviewer(person=person, side="sre") for person in named)

    refusal = given(POSTMORTEM, *DRAFT_PAST).when(replace(SUBMIT, reviewers=reviewers)).refuses(NoReviewerError)

    assert refusal.pointer == f"/reviewers/{len(named) - 1}/person"


def test_it_is_approved_when_both_sides_have() -> None:
    given(POSTMORTEM, *IN_REVIEW).when(approve("bo", "sre")).then(BY_SRE)
    given(POSTMORTEM, *IN_REVIEW, BY_SRE).when(approve("cy", "product")).then(BY_BOTH)
    assert given(POSTMORTEM, *APPROVED).state is not None
    assert given(POSTMORTEM, *APPROVED).state.name == "approved"


def test_who_was_named_need_not_say_for_which_side() -> None:
    asked = replace(SUBMITTED, reviewers=(Reviewer(person="cy", side="product"),))

    given(POSTMORTEM, *DRAFT_PAST, asked).when(approve("cy")).then(approval("product", "cy"))
    given(POSTMORTEM, *DRAFT_PAST, asked).when(approve("bo")).refuses(SideMissingError)
    given(POSTMORTEM, *IN_REVIEW).when(replace(approve("bo"), belongs_to="sre")).then(BY_SRE)
    given(POSTMORTEM, *IN_REVIEW).when(replace(approve("bo", "sre"), belongs_to="sre")).then(BY_SRE)


@pytest.mark.parametrize(
    ("command", "past"),
    [
        (approve("ana", "sre"), IN_REVIEW),  # an author
        (approve("ci", "sre", is_person=False), IN_REVIEW),
        (approve("bo", "product"), (*IN_REVIEW, BY_SRE)),  # for both sides
        (replace(approve("bo", "sre"), belongs_to="product"), IN_REVIEW),
        (approve("dee", "sre"), (*DRAFT_PAST, replace(SUBMITTED, reviewers=(Reviewer(person="bo", side="sre"),)))),
    ],
)
def test_who_may_not_approve_is_told_why(command: Command, past: tuple[Event, ...]) -> None:
    given(POSTMORTEM, *past).when(command).refuses(NoReviewerError)


def test_approving_twice_is_silent() -> None:
    given(POSTMORTEM, *IN_REVIEW, BY_SRE).when(approve("bo", "sre")).then()
    given(POSTMORTEM, *IN_REVIEW, BY_SRE).when(approve("dee", "sre")).then()
    given(POSTMORTEM, *APPROVED).when(approve("bo", "sre")).then()


@pytest.mark.parametrize("name", ["in_review", "approved"])
def test_a_reviewer_sends_it_back_with_what_is_missing(name: str) -> None:
    ask = RequestChanges(by="cy", reason="how many orders?", at=LATER)
    back = PostmortemChangesRequested(**ABOUT, by="cy", reason="how many orders?")

    given(POSTMORTEM, *PASTS[name]).when(ask).then(back)
    given(POSTMORTEM, *PASTS[name]).when(replace(ask, reason=" ")).refuses(ReasonMissingError)
    given(POSTMORTEM, *PASTS[name], back).when(ask).then()


@pytest.mark.parametrize("name", ["approved", "published"])
def test_reopened_it_is_a_draft_again_and_nobody_has_approved_it(name: str) -> None:
    reopened = PostmortemReopened(
        postmortem="p1",
        incident="i1",
        number="INC-1",
        service="checkout-api",
        title="Checkout fails",
        by="ana",
        reason=WHY,
        at=LATER,
    )
    reopen = Reopen(by="ana", reason=WHY, at=LATER)

    given(POSTMORTEM, *PASTS[name]).when(reopen).then(reopened)
    given(POSTMORTEM, *PASTS[name]).when(replace(reopen, reason="")).refuses(ReasonMissingError)
    after = POSTMORTEM.fold(None, (*PASTS[name], reopened))
    assert after is not None
    assert (after.name, after.content.missing_sides) == ("draft", ("sre", "product"))


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("draft", approve("bo", "sre")),
        ("in_review", Reopen(by="ana", reason=WHY, at=LATER)),
        ("approved", SUBMIT),
        ("published", SUBMIT),
        ("published", approve("dee", "sre")),
        ("published", RequestChanges(by="cy", reason=WHY, at=LATER)),
    ],
)
def test_every_other_pair_is_refused_with_what_is_allowed(name: str, command: Command) -> None:
    refusal = given(POSTMORTEM, *PASTS[name]).when(command).refuses(IllegalTransitionError)

    assert (refusal.state, bool(refusal.allowed)) == (name, True)


def test_what_both_sides_approved_is_published_with_its_causes() -> None:
    causes = (Cause(kind="root", antipattern="unbounded-queue"),)
    classified = replace(FILLED, sections=replace(SECTIONS, causes=causes))

    given(POSTMORTEM, *APPROVED).when(PUBLISH).then(REVIEWED)
    given(POSTMORTEM, DRAFTED, classified, ACTION, SUBMITTED, BY_SRE, BY_BOTH).when(PUBLISH).then(
        replace(REVIEWED, causes=causes)
    )


@pytest.mark.parametrize(
    ("past", "missing"),
    [(DRAFT_PAST, ("sre", "product")), (IN_REVIEW, ("sre", "product")), ((*IN_REVIEW, BY_SRE), ("product",))],
)
def test_without_the_review_it_needs_a_reason_and_a_policy_that_lets_it(
    past: tuple[Event, ...], missing: tuple[str, ...]
) -> None:
    reasoned = replace(PUBLISH, reason=WHY)

    assert given(POSTMORTEM, *past).when(PUBLISH).refuses(ReviewMissingError).sides == missing
    given(POSTMORTEM, *past).when(replace(reasoned, may_skip_review=False)).refuses(ReviewMissingError)
    given(POSTMORTEM, *past).when(reasoned).then(replace(PUBLISHED, reason=WHY))


def test_publishing_twice_is_silent() -> None:
    given(POSTMORTEM, *DRAFT_PAST, PUBLISHED).when(PUBLISH).then()


def test_publishing_is_refused_until_it_says_enough() -> None:
    bare = PostmortemAmended(sections=Sections(title=" "), authors=(), by="ana", at=LATER)

    refusal = given(POSTMORTEM, DRAFTED, bare).when(PUBLISH).refuses(PostmortemIncompleteError)

    assert refusal.missing == ("title", "summary", "impact", "no_action_reason")


def test_publishing_without_an_action_item_needs_a_reason_why_none_follows() -> None:
    publish = replace(PUBLISH, reason=WHY)
    given(POSTMORTEM, DRAFTED, FILLED).when(publish).refuses(PostmortemIncompleteError)
    reasoned = replace(FILLED, sections=replace(SECTIONS, no_action_reason="the component is gone"))
    given(POSTMORTEM, DRAFTED, reasoned).when(publish).then(replace(PUBLISHED, reason=WHY))


@pytest.mark.parametrize("command", [AMEND, ADD, SUBMIT, PUBLISH, approve("bo", "sre")])
def test_what_was_never_drafted_is_absent(command: Command) -> None:
    given(POSTMORTEM).when(command).refuses(AbsentError)
