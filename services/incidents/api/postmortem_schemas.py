"""What is sent to and answered by postmortems."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field, StrictBool

from libs.web.schemas import Body, Line, Moment, Name, Text, example
from services.incidents.api.schemas import Label, Reference, Why, left_out
from services.incidents.domain.blameless import Finding
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.milestones import Figures
from services.incidents.domain.postmortem import events
from services.incidents.domain.postmortem.events import BudgetSpent, CauseKind, Side
from services.incidents.domain.postmortem.state import Postmortem, Published
from services.incidents.looking_back import PostmortemVersion

PostmortemState = Literal["draft", "in_review", "approved", "published"]
_LISTS = {"causes": events.Cause, "timeline": events.Moment, "participants": events.Participant}


class Draft(Why):
    """Which incident to look back at, its number or its id, and what to begin with."""

    model_config = example(incident="INC-42")

    incident: Reference
    template: Name = "default"


class CauseBody(Body):
    """Why it happened, by the name that the catalogue of antipatterns has for it."""

    kind: CauseKind
    antipattern: Label
    note: Annotated[str, Field(max_length=1_000)] = ""


class MomentBody(Body):
    """One line of the timeline."""

    at: Moment
    text: Line
    starred: StrictBool = False


class ParticipantBody(Body):
    """Who took part, and as what."""

    person: Label
    role: Line


class Amendment(Body):
    """A merge patch of what a postmortem says; null empties a section, but not the title."""

    model_config = example(
        root_causes="A queue without a limit.",
        causes=[{"kind": "root", "antipattern": "unbounded-queue", "note": "the order queue"}],
        timeline=[{"at": "2026-11-21T09:40:00Z", "text": "release 4.2 doubles the work per order"}],
    )

    title: Annotated[Line, Field(json_schema_extra=left_out)] = ""
    authors: Annotated[tuple[Label, ...], Field(min_length=1, max_length=50, json_schema_extra=left_out)] = ()
    summary: Text | None = None
    impact: Text | None = None
    root_causes: Text | None = None
    contributing_factors: Text | None = None
    causes: Annotated[list[CauseBody], Field(max_length=50)] | None = None
    trigger: Text | None = None
    detection: Text | None = None
    response: Text | None = None
    resolution: Text | None = None
    vulnerabilities: Text | None = None
    risks: Annotated[list[Reference], Field(max_length=50)] | None = None
    went_well: Text | None = None
    went_wrong: Text | None = None
    got_lucky: Text | None = None
    timeline: Annotated[list[MomentBody], Field(max_length=500)] | None = None
    participants: Annotated[list[ParticipantBody], Field(max_length=100)] | None = None
    supporting_information: Text | None = None
    glossary: Text | None = None
    no_action_reason: Text | None = None
    reason: Text = ""

    def sections(self) -> dict[str, Any]:
        """What the sections say that were sent."""
        sent = self.model_fields_set - {"authors", "reason"}
        return {name: self._section(name) for name in sent}

    def _section(self, name: str) -> object:
        value = getattr(self, name)
        if name == "risks":
            return tuple(value or ())
        if name in _LISTS:
            return tuple(_LISTS[name](**item.model_dump()) for item in value or ())
        return value or ""


class ReviewerBody(Body):
    """Who is asked to read it, for which side."""

    person: Label
    side: Side


class Submission(Why):
    """Who is asked to read it; for a side that names nobody, anybody who wrote none of it may approve."""

    model_config = example(reviewers=[{"person": "bo", "side": "sre"}, {"person": "cy", "side": "product"}])

    reviewers: Annotated[list[ReviewerBody], Field(max_length=20)] = Field(default_factory=list[ReviewerBody])


class Approval(Why):
    """For which side; may be left out by who was asked for one."""

    model_config = example(side="sre", reason="we will not see this one again")

    side: Side | None = None


class Needed(Why):
    """Why a postmortem is needed of an incident, where no policy says so by itself."""

    model_config = example(incident="INC-42", why="data_loss", reason="carts of two hours are gone")

    incident: Reference
    why: Literal["data_loss", "on_request"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewerAnswer:
    """Who reads it for a side, and whether they approved what it says now."""

    person: str
    side: Side
    approved_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemItem:
    """What a postmortem is about."""

    id: str
    incident: str
    number: str
    service: str
    title: str
    state: PostmortemState
    authors: list[str]
    actions: list[str]
    drafted_at: datetime
    published_at: datetime | None
    reviewed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemAnswer(PostmortemItem):
    """A postmortem whole; sections are Markdown, `export` is where to read it as one document."""

    export: str
    allowed: list[str]
    reviewers: list[ReviewerAnswer]
    missing_approvals: list[Side]
    severity: str
    template: str
    figures: Figures
    budgets: list[BudgetSpent]
    alerts: int
    incident_timeline: str
    summary: str
    impact: str
    root_causes: str
    contributing_factors: str
    causes: list[events.Cause]
    trigger: str
    detection: str
    response: str
    resolution: str
    vulnerabilities: str
    risks: list[str]
    went_well: str
    went_wrong: str
    got_lucky: str
    timeline: list[events.Moment]
    participants: list[events.Participant]
    supporting_information: str
    glossary: str
    no_action_reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemVersions:
    """The history, the oldest first; one page holds it."""

    items: list[PostmortemVersion]
    next_page_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemDifference:
    """How two versions differ, as a unified diff of their documents; empty when they say the same."""

    before: int
    after: int
    diff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemAdvice:
    """What the linter found, by which version of its rules; one page holds it."""

    rules: str
    items: list[Finding]
    next_page_token: str = ""


def postmortem_answer(postmortem: Postmortem) -> PostmortemAnswer:
    """The postmortem as it is answered.

    Raises:
        AbsentError: There is none.
    """
    if postmortem is None:
        raise AbsentError("postmortem")
    content = postmortem.content
    drafted, origin = content.drafted, content.drafted.origin
    published = postmortem.published if isinstance(postmortem, Published) else None
    return PostmortemAnswer(
        id=drafted.postmortem,
        incident=drafted.incident,
        number=drafted.number,
        service=drafted.service,
        state=postmortem.name,
        authors=list(content.authors),
        actions=list(content.actions),
        drafted_at=drafted.at,
        published_at=published.at if published else None,
        reviewed=published.reviewed if published else False,
        export=f"/v1/postmortems/{drafted.postmortem}/export",
        allowed=list(postmortem.allowed),
        reviewers=_reviewers(content.reviewers, content.approvals),
        missing_approvals=list(content.missing_sides),
        severity=origin.severity,
        template=f"{origin.template}@{origin.template_version}" if origin.template else "",
        figures=origin.figures,
        budgets=list(origin.budgets),
        alerts=origin.alerts,
        incident_timeline=f"/v1/incidents/{drafted.incident}/timeline",
        **{each.name: _plain(getattr(content.sections, each.name)) for each in fields(content.sections)},
    )


def _reviewers(
    asked: tuple[events.Reviewer, ...], approvals: tuple[events.PostmortemSideApproved, ...]
) -> list[ReviewerAnswer]:
    approved: dict[tuple[str, Side], datetime] = {(each.by, each.side): each.at for each in approvals}
    everybody: dict[tuple[str, Side], None] = dict.fromkeys([*((it.person, it.side) for it in asked), *approved])
    return [
        ReviewerAnswer(person=person, side=side, approved_at=approved.get((person, side))) for person, side in everybody
    ]


def _plain(value: object) -> Any:  # noqa: ANN401  the field's own type
    return list(value) if isinstance(value, tuple) else value
