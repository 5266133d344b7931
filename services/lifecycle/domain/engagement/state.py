"""What is known of an engagement, wherever it stands.

requested > accepted > active > handback_pending > handed_back > disengaged
          > declined                                           > active again
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, Literal

from services.lifecycle.domain.engagement.charter import Chapter, Edition, GroundRule, Part, Side
from services.lifecycle.domain.engagement.events import (
    BreachAnswered,
    BreachClosed,
    Ending,
    Figure,
    GroundRuleBreached,
    Instead,
    Item,
    Links,
    Model,
    SeriesKind,
)

Standing = Literal["requested", "accepted", "declined", "active", "handback_pending", "handed_back", "disengaged"]

VERBS: Final[Mapping[Standing, tuple[str, ...]]] = {
    "requested": ("triage",),
    "accepted": ("activate", "disengage"),
    "declined": (),
    "active": ("change-model", "start-handback", "disengage"),
    "handback_pending": ("hand-back", "disengage", "activate"),
    "handed_back": ("activate", "disengage"),
    "disengaged": (),
}
"""What may be asked next; an active engagement ends at once only where there is nothing to hand over."""


@dataclass(frozen=True, slots=True)
class Stay:
    """A time in one standing under one model; it lasts until the next begins."""

    standing: Standing
    model: Model
    since: datetime
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Series:
    """A series of meetings.

    Args:
        series: Its name.
        kind: A meeting, or one of the two that are ground rules themselves.
        title: What people call it.
        every_days: The longest time between two.
        source: Why that long.
        due: When they should meet the next time.
        held: When they met, the newest last.
        missed: How many times a cadence passed without a meeting.
        looked_until: Until then it has been said that they did not meet.
    """

    series: str
    kind: SeriesKind
    title: str
    every_days: float
    source: str
    due: datetime
    held: tuple[datetime, ...] = ()
    missed: int = 0
    looked_until: datetime | None = None

    @property
    def next_look(self) -> datetime:
        """When it is overdue, or overdue by another cadence."""
        return self.looked_until or self.due

    def overdue(self, at: datetime) -> bool:
        """Whether they should have met by then."""
        return self.due <= at


@dataclass(frozen=True, slots=True)
class Breach:
    """A ground rule that was not kept, and what people did about it."""

    told: GroundRuleBreached
    answers: tuple[BreachAnswered, ...] = ()
    closed: BreachClosed | None = None

    @property
    def key(self) -> str:
        """Its id."""
        return self.told.breach


@dataclass(frozen=True, slots=True)
class Settled:
    """What was said of a line of the checklist."""

    applies: bool
    evidence: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Handover:
    """A hand-back: to whom, the list, and what of it is settled."""

    receiver: str
    items: tuple[Item, ...]
    started_at: datetime
    settled: Mapping[str, Settled] = field(default_factory=dict[str, Settled])

    @property
    def open_items(self) -> tuple[Item, ...]:
        """What is not settled."""
        return tuple(item for item in self.items if item.id not in self.settled)


@dataclass(frozen=True, slots=True)
class Watch:
    """The time after a hand-back, which is compared with as much time before."""

    since: datetime
    until: datetime
    services: tuple[str, ...]
    figures: tuple[Figure, ...] | None = None


@dataclass(frozen=True, slots=True)
class Engagement:
    """An engagement that somebody asked for.

    Args:
        engagement: Its id.
        sre_team: Who helps.
        dev_team: Whose services they are.
        services: Which.
        trackers: Where both sides plan their work.
        stays: Its way so far.
        charter: What both sides agreed on.
        series: Their meetings.
        breaches: Of ground rules.
        instead: What was offered instead when it was declined.
        guidance: What was said then.
        handover: The hand-back that is under way, or the last one.
        re_entry: When the SRE team would come back.
        ending: Why it ended for good.
        watch: What follows a hand-back.
    """

    engagement: str
    sre_team: str
    dev_team: str
    services: tuple[str, ...]
    trackers: Links
    stays: tuple[Stay, ...]
    charter: Mapping[Part, Chapter] = field(default_factory=dict[Part, Chapter])
    series: Mapping[str, Series] = field(default_factory=dict[str, Series])
    breaches: tuple[Breach, ...] = ()
    instead: Instead | None = None
    guidance: str = ""
    handover: Handover | None = None
    re_entry: tuple[str, ...] = ()
    ending: Ending | None = None
    watch: Watch | None = None

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        return self.stays[-1].standing

    @property
    def model(self) -> Model:
        """How they work together, or would."""
        return self.stays[-1].model

    @property
    def since(self) -> datetime:
        """Since when it stands there."""
        return self.stays[-1].since

    @property
    def works(self) -> bool:
        """Whether the SRE team works for the services: it is active, or hands them over."""
        return self.standing in {"active", "handback_pending"}

    @property
    def active_since(self) -> datetime | None:
        """When the present time of working together began; None when there is none."""
        since: datetime | None = None
        for stay in self.stays:
            works = stay.standing in {"active", "handback_pending"}
            since = (since or stay.since) if works else None
        return since

    @property
    def may_end_at_once(self) -> bool:
        """Whether there is nothing to hand over: no operations were taken on, or no service is left."""
        return self.model == "consulting" or not self.services

    @property
    def rules(self) -> tuple[GroundRule, ...]:
        """The ground rules that hold."""
        held = self.chapter("ground_rules").in_force
        return tuple(entry for entry in held.entries if isinstance(entry, GroundRule)) if held else ()

    def chapter(self, part: Part) -> Chapter:
        """One part of the charter."""
        return self.charter.get(part, Chapter())

    def team(self, side: Side) -> str:
        """Who stands on that side."""
        return self.dev_team if side == "dev" else self.sre_team

    def breach(self, key: str) -> Breach | None:
        """The breach of that id."""
        return next((breach for breach in self.breaches if breach.key == key), None)

    def told_lately(self, rule: str, window: timedelta, at: datetime) -> bool:
        """Whether a breach of that rule was told less than a window ago."""
        return any(breach.told.rule == rule and at < breach.told.at + window for breach in self.breaches)

    def moved(self, standing: Standing, at: datetime, by: str, reason: str, model: Model | None = None) -> "Engagement":
        """In another standing."""
        return replace(self, stays=(*self.stays, Stay(standing, model or self.model, at, by, reason)))

    def with_team(self, side: Side, team: str) -> "Engagement":
        """With another team on one side, which has agreed to nothing yet; what holds goes on to hold."""
        left = self.team(side)
        handover = self.handover
        if handover is not None and handover.receiver == left:
            handover = replace(handover, receiver=team)
        return replace(
            self,
            dev_team=team if side == "dev" else self.dev_team,
            sre_team=team if side == "sre" else self.sre_team,
            charter={part: chapter.passed_on(side, left, team) for part, chapter in self.charter.items()},
            handover=handover,
        )

    def with_chapter(self, part: Part, edition: Edition) -> "Engagement":
        """With a new edition of one part."""
        return replace(self, charter={**self.charter, part: self.chapter(part).proposed(edition)})
