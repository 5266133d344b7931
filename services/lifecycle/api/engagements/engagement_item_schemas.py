"""Milestones, insights, trainings, wins and adjustments: what comes in and goes out."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, HttpUrl, JsonValue, field_validator

from libs.web.schemas import Body, Line, Name, Text, never_null
from services.lifecycle.domain.engagement.charter import Side
from services.lifecycle.domain.engagement.events import EngagementEvidence
from services.lifecycle.domain.engagement.next_steps import Next
from services.lifecycle.domain.engagement_item.decider import Item
from services.lifecycle.domain.engagement_item.events import Content
from services.lifecycle.domain.engagement_item.lives import Kind, State

Services = Annotated[tuple[Name, ...], Field(max_length=100)]


def _example(**fields: JsonValue) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class _Opens(Body):
    title: Line
    text: Text = ""
    services: Services = ()
    url: HttpUrl | None = None
    reason: Text = ""

    def content(self) -> Content:
        """As it is kept."""
        return Content(
            title=self.title,
            text=self.text,
            services=self.services,
            url=str(self.url or ""),
            **self.more(),
        )

    def more(self) -> dict[str, Any]:
        """What its kind has beside."""
        return {}


class _MayWait(_Opens):
    owner: Line | None = None
    due: date | None = None

    def more(self) -> dict[str, Any]:
        """Who sees to it and by when, if that is known already."""
        return {"owner": self.owner or "", "due": self.due}


class OpenMilestone(_Opens):
    """Something that one side will do for a shared goal."""

    model_config = _example(
        title="read replicas", side="dev", owner="cy", start="2026-12-01", due="2027-01-15", serves="pay"
    )

    side: Side
    owner: Line
    start: date | None = None
    due: date
    serves: Name = Field(description="The shared goal that it serves.")

    def more(self) -> dict[str, Any]:
        """Whose, from when, what for."""
        return {
            "side": self.side,
            "owner": self.owner,
            "start": self.start,
            "due": self.due,
            "serves": self.serves,
        }


class OpenInsight(_MayWait):
    """Something that one side knows and the other should act on."""

    model_config = _example(
        title="half of the requests come from one caller", side="sre", topic="hot_dependency", services=["checkout-api"]
    )

    side: Side = Field(description="Who brings it.")
    topic: Literal[
        "bottleneck",
        "user_impact",
        "hot_dependency",
        "proactive_finding",
        "upcoming_feature",
        "area_of_concern",
        "architectural_change",
    ]

    def more(self) -> dict[str, Any]:
        """Whose, and about what."""
        return super().more() | {"side": self.side, "topic": self.topic}


class OpenTraining(_Opens):
    """A session in which one side learns from the other, or both together."""

    model_config = _example(title="how checkout takes money", topic="product_for_sres", owner="cy", due="2026-12-10")

    topic: Literal["reliability_for_developers", "product_for_sres", "joint_workshop"]
    owner: Line
    due: date

    def more(self) -> dict[str, Any]:
        """What kind, by whom, when."""
        return {"topic": self.topic, "owner": self.owner, "due": self.due}


class OpenWin(_MayWait):
    """Something that went well."""

    model_config = _example(title="the launch went without a page", services=["checkout-api"])


class OpenAdjustment(_MayWait):
    """What the two sides do differently because of the budget."""

    model_config = _example(title="reliability work first", topic="at_risk", services=["checkout-api"])

    topic: Literal["at_risk", "frozen", "exhausted", "to_spare"]

    def more(self) -> dict[str, Any]:
        """Because of what."""
        return super().more() | {"topic": self.topic}


class ChangeItem(Body):
    """What may change of it; what is left out stays."""

    model_config = _example(due="2027-01-31")

    title: Line | None = None
    text: Text | None = None
    owner: Line | None = None
    start: date | None = None
    due: date | None = None

    _stays = field_validator("title")(never_null("it"))


class MoveItem(Body):
    """What has to be said with a verb; a refusal names what is missing."""

    model_config = _example(outcome="the caller caches now", reason="")

    reason: Text = ""
    side: Side | None = Field(default=None, description="For whom you speak, where both must; yours, unless given.")
    outcome: Text = Field(default="", description="What came of it.")
    owner: Line | None = None
    due: date | None = None
    people: Annotated[tuple[Line, ...], Field(max_length=200, description="Who attended.")] = ()


class TrackerReport(Body):
    """How a milestone stands in a tracker, in the tracker's words."""

    model_config = _example(status="In Progress", url="https://tracker.example/PAY-7")

    status: Line
    url: HttpUrl | None = None


@dataclass(frozen=True, slots=True)
class ItemMove:
    """A step of its way."""

    verb: str
    to: State
    outcome: str
    people: tuple[str, ...]
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class EngagementItemView:
    """An item of an engagement; `next` says who must do what, and why."""

    id: str
    engagement: str
    kind: Kind
    state: State
    title: str
    text: str
    side: Side | None
    topic: str | None
    owner: str | None
    start: date | None
    due: date | None
    overdue: bool
    serves: str | None
    services: tuple[str, ...]
    url: str | None
    evidence: tuple[EngagementEvidence, ...]
    opened_by: str
    opened_at: datetime
    proposed_by_itself: bool
    outcome: str | None
    agreed_by: dict[Side, str]
    missing: tuple[Side, ...]
    people: tuple[str, ...]
    tracker_status: str | None
    allowed: tuple[str, ...]
    history: tuple[ItemMove, ...]
    overlaps: tuple[str, ...]
    next: tuple[Next, ...]


def item_view(item: Item, path: str, today: date, overlapping: tuple[str, ...] = ()) -> EngagementItemView:
    """An item as it is answered."""
    content, last = item.content, item.moves[-1] if item.moves else None
    word = item.acknowledged[-1] if item.acknowledged else None
    overdue = item.overdue(today)
    return EngagementItemView(
        id=item.item,
        engagement=item.engagement,
        kind=item.kind,
        state=item.state,
        title=content.title,
        text=content.text,
        side=content.side,
        topic=content.topic or None,
        owner=content.owner or None,
        start=content.start,
        due=content.due,
        overdue=overdue,
        serves=content.serves or None,
        services=content.services,
        url=(item.reported.url if item.reported else "") or content.url or None,
        evidence=content.evidence,
        opened_by=item.opened.by,
        opened_at=item.opened.at,
        proposed_by_itself=bool(item.opened.cause),
        outcome=said.outcome or None if (said := last or word) else None,
        agreed_by={each.side: each.by for each in item.acknowledged},
        missing=item.missing,
        people=last.people if last else (),
        tracker_status=item.reported.status if item.reported else None,
        allowed=item.allowed,
        history=tuple(
            ItemMove(move.verb, move.to, move.outcome, move.people, move.by, move.reason, move.at)
            for move in item.moves
        ),
        overlaps=overlapping,
        next=_next(item, path, overdue=overdue),
    )


def _next(item: Item, path: str, *, overdue: bool) -> tuple[Next, ...]:
    if not item.allowed:
        return ()
    if item.missing:
        why = f"{item.acknowledged[-1].by} has agreed to: {item.acknowledged[-1].outcome}"
        who = f"the lead of {' and '.join(item.missing)}"
        return (Next(who, "agree, or say what else", why, f"POST {path}/{item.item}:agree", overdue),)
    verbs = ", ".join(f":{verb}" for verb in item.allowed)
    why = f"it was due on {item.content.due}" if overdue else item.life.why
    who = item.content.owner or item.life.who
    return (Next(who, f"go on by one of {verbs}", why, f"POST {path}/{item.item}:{item.allowed[0]}", overdue),)
