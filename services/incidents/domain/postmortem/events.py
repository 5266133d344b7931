"""What happens to a postmortem."""

from dataclasses import dataclass
from datetime import datetime

from services.incidents.domain.milestones import Figures, Milestones


@dataclass(frozen=True, slots=True, kw_only=True)
class Sections:
    """What a postmortem says, each a piece of Markdown (SRE book, app. D).

    Args:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a postmortem was drafted from.

    Args:
        incident_version: Of the incident's stream then, so that the timeline it refers to is a certain one.
        milestones: The incident's times then.
        figures: How long what took.
        alerts: How many alerts belonged to it.
    """

    incident_version: int
    milestones: Milestones
    figures: Figures
    alerts: int


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
    """It says something else now; holds all of it."""

    sections: Sections
    authors: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemActionAdded:
    """An action item follows from it."""

    action: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemSubmitted:
    """Others are asked to read it."""

    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemPublished(PostmortemFact):
    """Everybody may learn from it."""


Event = PostmortemDrafted | PostmortemAmended | PostmortemActionAdded | PostmortemSubmitted | PostmortemPublished
