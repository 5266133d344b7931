"""What happens to an engagement."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.lifecycle.domain.engagement.charter import (
    Definition,
    Goal,
    GroundRule,
    Part,
    Priority,
    Side,
    WorkingAgreement,
)

Model = Literal["consulting", "part_time", "embedded", "full", "platform_shared"]
Instead = Literal["consultation", "documentation"]
Ending = Literal[
    "optimised",
    "importance_diminished",
    "end_of_life",
    "value_below_cost",
    "mostly_operational_work",
    "dev_self_sufficient",
    "relationship_breakdown",
    "usage_below_projection",
    "never_needed_takeover",
    "reorganised",
]
Step = Literal["named_engineers", "reliability_hackathon", "feature_freeze", "all_hands"]
SeriesKind = Literal["meeting", "quarterly_update", "service_review"]


@dataclass(frozen=True, slots=True)
class Links:
    """Where each side plans its work; empty when it has not said."""

    dev: str = ""
    sre: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the hand-back checklist.

    Args:
        id: Its name.
        text: What has to be so.
        source: Who asks for it.
        not_before: It takes until then at least.
        needs_receiver: Only the receiving team can say that it is done.
    """

    id: str
    text: str
    source: str
    not_before: datetime | None = None
    needs_receiver: bool = False


@dataclass(frozen=True, slots=True)
class EngagementEvidence:
    """What a figure or a breach was seen in: the id of an event, and where to read more."""

    event: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementFact:
    """What every event of an engagement says."""

    engagement: str
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementRequested(EngagementFact):
    """A development team asks for an SRE team."""

    sre_team: str
    dev_team: str
    services: tuple[str, ...]
    model: Model
    trackers: Links = Links()


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementAccepted(EngagementFact):
    """The SRE team will engage."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementDeclined(EngagementFact):
    """It will not; it offers something else instead."""

    instead: Instead
    guidance: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementActivated(EngagementFact):
    """The teams work together on *services* from now on; *reviews* name the delta review of each that comes back."""

    sre_team: str
    dev_team: str
    services: tuple[str, ...]
    model: Model
    reviews: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelChanged(EngagementFact):
    """They work together in another way."""

    from_model: Model
    to_model: Model


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceJoined(EngagementFact):
    """One more service is part of it."""

    service: str
    review: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceLeft(EngagementFact):
    """A service is no part of it any more."""

    service: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementTeamChanged(EngagementFact):
    """One of the two teams became a part of another, which goes on in its place and is asked to agree anew."""

    side: Side
    from_team: str
    to_team: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrioritiesProposed(EngagementFact):
    """A new edition of both sides' priorities, in their order."""

    version: int
    entries: tuple[Priority, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GoalsProposed(EngagementFact):
    """A new edition of the shared goals."""

    version: int
    entries: tuple[Goal, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DefinitionsProposed(EngagementFact):
    """A new edition of what the metrics mean."""

    version: int
    entries: tuple[Definition, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundRulesProposed(EngagementFact):
    """A new edition of the ground rules."""

    version: int
    entries: tuple[GroundRule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkingAgreementsProposed(EngagementFact):
    """A new edition of how both sides go about releases, incidents and reviews."""

    version: int
    entries: tuple[WorkingAgreement, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EditionAcknowledged(EngagementFact):
    """One side agrees to an edition; it holds when nobody is *missing*."""

    part: Part
    version: int
    side: Side
    missing: tuple[Side, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesSet(EngagementFact):
    """The teams meet at least every *every_days* days."""

    series: str
    kind: SeriesKind
    title: str
    every_days: float
    source: str
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesEnded(EngagementFact):
    """They meet no more."""

    series: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheringHeld(EngagementFact):
    """They met; the next time is *due*."""

    series: str
    gathering: str
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GatheringOverdue(EngagementFact):
    """They should have met; it is looked at again when another cadence has passed."""

    series: str
    kind: SeriesKind
    was_due: datetime
    again: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundRuleBreached(EngagementFact):
    """A ground rule was not kept; told once per window."""

    breach: str
    rule: str
    metric: str
    limit: float
    value: float
    window_days: float
    action: str
    owner: str
    evidence: tuple[EngagementEvidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachAnswered(EngagementFact):
    """People chose a step of the ladder."""

    breach: str
    step: Step
    engineers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class BreachClosed(EngagementFact):
    """What was done about it, and that it is enough."""

    breach: str
    outcome: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandbackStarted(EngagementFact):
    """The services go to *receiver* when everything on the list is settled."""

    receiver: str
    items: tuple[Item, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandbackItemSettled(EngagementFact):
    """A line of the checklist is done, or does not apply."""

    item: str
    applies: bool
    evidence: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandbackGivenUp(EngagementFact):
    """The services stay; the teams work on as before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedBack(EngagementFact):
    """The receiver has the services until the criteria for a re-entry are met."""

    receiver: str
    services: tuple[str, ...]
    re_entry: tuple[str, ...]
    watched_until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementEnded(EngagementFact):
    """It is over for good."""

    ending: Ending
    receiver: str
    services: tuple[str, ...]
    watched_until: datetime


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure of the time before and the time after; None when nothing was heard that would tell."""

    metric: str
    unit: str
    before: float | None
    after: float | None
    why_unknown: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchEnded(EngagementFact):
    """The time after the hand-back is over, and was compared with as much time before."""

    since: datetime
    figures: tuple[Figure, ...]


Event = (
    EngagementRequested
    | EngagementAccepted
    | EngagementDeclined
    | EngagementActivated
    | ModelChanged
    | ServiceJoined
    | ServiceLeft
    | EngagementTeamChanged
    | PrioritiesProposed
    | GoalsProposed
    | DefinitionsProposed
    | GroundRulesProposed
    | WorkingAgreementsProposed
    | EditionAcknowledged
    | SeriesSet
    | SeriesEnded
    | GatheringHeld
    | GatheringOverdue
    | GroundRuleBreached
    | BreachAnswered
    | BreachClosed
    | HandbackStarted
    | HandbackItemSettled
    | HandbackGivenUp
    | HandedBack
    | EngagementEnded
    | WatchEnded
)
