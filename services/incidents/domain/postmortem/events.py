"""What happens to a postmortem."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.incidents.domain.milestones import Figures, Milestones

Side = Literal["sre", "product"]
CauseKind = Literal["root", "contributing"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """Why it happened, as others of its kind are called.

    Args:
        kind: A root cause, or what made it worse.
        antipattern: The id of an entry of lifecycle's catalogue; also a class of outage.
        note: How it showed here.
    """

    kind: CauseKind
    antipattern: str
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Moment:
    """One line of the timeline, which begins before the incident: with what led to it."""

    at: datetime
    text: str
    starred: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Participant:
    """Who took part, and as what."""

    person: str
    role: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """Who is asked to read it, for which side."""

    person: str
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """What a postmortem says (SRE book, app. D): pieces of Markdown, and lists that machines count.

    Args:
        contributing_factors: What made it worse, last longer or harder to see.
        causes: The root causes and contributing factors, classified.
        response: How the system and the people responded.
        vulnerabilities: What showed to be fragile beside the cause.
        risks: The entries of the risk register that those are.
        timeline: What happened when, the oldest first.
        participants: People by role.
        no_action_reason: Why nothing needs to be done, where no action item follows.
    """

    title: str
    summary: str = ""
    impact: str = ""
    root_causes: str = ""
    trigger: str = ""
    detection: str = ""
    response: str = ""
    resolution: str = ""
    vulnerabilities: str = ""
    went_well: str = ""
    went_wrong: str = ""
    got_lucky: str = ""
    supporting_information: str = ""
    glossary: str = ""
    no_action_reason: str = ""
    contributing_factors: str = ""
    causes: tuple[Cause, ...] = ()
    risks: tuple[str, ...] = ()
    timeline: tuple[Moment, ...] = ()
    participants: tuple[Participant, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetSpent:
    """What the incident took of an SLO's four-week budget; 0.2 is a fifth."""

    slo: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a postmortem was drafted from.

    Args:
        incident_version: Of the incident's stream then, so that the timeline it refers to is a certain one.
        milestones: The incident's times then.
        figures: How long what took.
        alerts: How many alerts belonged to it.
        severity: Of the incident then.
        budgets: What it had spent, as far as the slo service had said so.
        template: The template that gave the texts to begin with; empty: none.
        template_version: Of the template.
        required: The sections that must not be empty when it is published.
    """

    incident_version: int
    milestones: Milestones
    figures: Figures
    alerts: int
    severity: str = ""
    budgets: tuple[BudgetSpent, ...] = ()
    template: str = ""
    template_version: int = 0
    required: tuple[str, ...] = ("title", "summary", "impact")


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemFact:
    """What every published event of a postmortem says."""

    postmortem: str
    incident: str
    number: str
    service: str
    title: str
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemDrafted(PostmortemFact):
    """Somebody began to write down what happened."""

    origin: Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemAmended:
    """It says something else now; holds all of it. What was approved of it before counts no more."""

    sections: Sections
    authors: tuple[str, ...]
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemActionAdded:
    """An action item follows from it."""

    action: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemStep:
    """What every event of a review says; what it is about is empty in events that only this service read.

    Args:
        authors: Who wrote what is read: they do not approve it, and they change it.
    """

    postmortem: str = ""
    incident: str = ""
    number: str = ""
    service: str = ""
    title: str = ""
    authors: tuple[str, ...] = ()
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemSubmitted(PostmortemStep):
    """Others are asked to read it: for the first time, or anew, since it says something else than some approved."""

    reviewers: tuple[Reviewer, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemSideApproved(PostmortemStep):
    """Somebody approved it for one side; *complete* when both sides have, else *missing* are asked still."""

    side: Side
    complete: bool
    missing: tuple[Side, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemChangesRequested(PostmortemStep):
    """Who read it asks for changes, and says which in *reason*: it is a draft again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemPublished(PostmortemFact):
    """Everybody may learn from it.

    Args:
        reviewed: Whether both sides approved what it says.
        causes: Its root causes and contributing factors, classified.
    """

    reviewed: bool = False
    causes: tuple[Cause, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemReopened(PostmortemFact):
    """More is known by now: it is a draft again, and is reviewed anew."""


Event = (
    PostmortemDrafted
    | PostmortemAmended
    | PostmortemActionAdded
    | PostmortemSubmitted
    | PostmortemSideApproved
    | PostmortemChangesRequested
    | PostmortemPublished
    | PostmortemReopened
)
