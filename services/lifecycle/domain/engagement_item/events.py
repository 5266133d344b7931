"""What happens to an item of an engagement."""

from dataclasses import dataclass
from datetime import date, datetime

from services.lifecycle.domain.engagement.charter import Side
from services.lifecycle.domain.engagement.events import EngagementEvidence
from services.lifecycle.domain.engagement_item.lives import Kind, State


@dataclass(frozen=True, slots=True)
class Content:
    """What an item says.

    Args:
        title: In a line.
        text: In full; Markdown.
        side: Who brings it: development or SRE; None for both.
        topic: What kind of insight, training or adjustment it is.
        owner: Who sees to it; empty when nobody does yet.
        start: When it begins, of a milestone.
        due: By when.
        serves: The shared goal that a milestone serves.
        services: Which services it is about.
        url: Where it is tracked.
        evidence: What it was seen in.
    """

    title: str
    text: str = ""
    side: Side | None = None
    topic: str = ""
    owner: str = ""
    start: date | None = None
    due: date | None = None
    serves: str = ""
    services: tuple[str, ...] = ()
    url: str = ""
    evidence: tuple[EngagementEvidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemFact:
    """What every event of an item says."""

    item: str
    engagement: str
    kind: Kind
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemOpened(ItemFact):
    """There is something to keep track of; *cause* says what proposed it, when nobody did."""

    content: Content
    cause: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemChanged(ItemFact):
    """It says something else."""

    content: Content


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemMoved(ItemFact):
    """It is in another state.

    Args:
        verb: What moved it.
        to: Where it is.
        outcome: What came of it.
        owner: Who sees to it, when that was said.
        due: By when, when that was said.
        people: Who was there.
    """

    verb: str
    to: State
    outcome: str = ""
    owner: str = ""
    due: date | None = None
    people: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemAcknowledged(ItemFact):
    """One side agrees to what comes of it; *missing* are the sides that have not agreed to just that.

    Args:
        side: Which.
        outcome: What comes of it.
        owner: Who sees to it.
        due: By when, if that was said.
        missing: Whose word is waited for.
    """

    side: Side
    outcome: str
    owner: str
    due: date | None = None
    missing: tuple[Side, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemReported(ItemFact):
    """A tracker said how it stands there, in its own words."""

    status: str
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemOverdue(ItemFact):
    """Its day is over, and it is not."""

    title: str
    owner: str
    due: date


Event = ItemOpened | ItemChanged | ItemMoved | ItemAcknowledged | ItemReported | ItemOverdue
