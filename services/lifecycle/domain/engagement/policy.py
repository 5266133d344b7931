"""What engagements go by: plain data, every number with the source it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.lifecycle.domain.engagement.commands import Cadence
from services.lifecycle.domain.engagement.events import Item
from services.lifecycle.domain.engagement_item.lives import State
from services.lifecycle.domain.policy import Fault, InvalidPolicyError, Number

BUILT_IN = ("quarterly_update", "service_review")


@dataclass(frozen=True, slots=True)
class Metric:
    """What ground rules can be about, and how it is measured."""

    title: str
    meaning: str
    unit: str
    source: str


@dataclass(frozen=True, slots=True)
class ChecklistLine:
    """One line of every hand-back; `days` is how long it takes at least."""

    id: str
    text: str
    source: str
    days: float = 0
    needs_receiver: bool = False


@dataclass(frozen=True, slots=True)
class Suggested:
    """A ground rule that two teams may begin with."""

    id: str
    metric: str
    comparison: str
    limit: float
    window_days: float
    action: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EngagementPolicy:
    """Everything about engagements that is a number or a list.

    Args:
        version: Named where it is used.
        quarterly_update_days: The longest time between two quarterly updates.
        service_review_days: The longest time between two service reviews.
        roadmap_months_least: How far the roadmaps of a service review reach at least.
        roadmap_months_most: And at most.
        look_every_hours: How often ground rules are measured.
        watch_days: How long the time after a hand-back is compared with the time before.
        quiet_days: A win is proposed after so many days without a severe incident.
        severe: Which severities those are.
        forecast_days: An insight is opened when a budget will be spent within so many days.
        forecast_from_days: At the rate of the last so many days.
        repeated_cause: How many incidents of one cause open an insight.
        repeated_within_days: Within so many days.
        workload_days: Over how long the work of both sides is compared.
        feed_fresh_minutes: Longer silence of incidents is no good news.
        metrics: What ground rules can be about.
        ground_rules: What two teams may begin with.
        handback: The lines of a hand-back.
        adjustments: What is proposed when a budget is threatened, spent, or to spare.
        tracker_statuses: Which words of trackers stand for which state of a milestone.
        ladder: What people choose from when a ground rule is broken, the mildest first.
    """

    version: str
    quarterly_update_days: Number
    service_review_days: Number
    roadmap_months_least: Number
    roadmap_months_most: Number
    look_every_hours: Number
    watch_days: Number
    quiet_days: Number
    severe: tuple[str, ...]
    forecast_days: Number
    forecast_from_days: Number
    repeated_cause: Number
    repeated_within_days: Number
    workload_days: Number
    feed_fresh_minutes: Number
    metrics: Mapping[str, Metric]
    ground_rules: tuple[Suggested, ...]
    handback: tuple[ChecklistLine, ...]
    adjustments: Mapping[str, str]
    tracker_statuses: Mapping[State, tuple[str, ...]]
    ladder: tuple[str, ...]

    @property
    def look_every(self) -> timedelta:
        """How often ground rules are measured."""
        return timedelta(hours=self.look_every_hours.value)

    @property
    def cadences(self) -> tuple[Cadence, Cadence]:
        """The two series that every engagement has."""
        update, review = self.quarterly_update_days, self.service_review_days
        return (
            Cadence("quarterly-update", "quarterly_update", "Quarterly update", update.value, update.source),
            Cadence("service-review", "service_review", "Service review", review.value, review.source),
        )

    def means(self, status: str) -> State | None:
        """The state of a milestone that a tracker's word stands for; None for a word that nobody explained."""
        word = status.strip().lower().replace("_", " ")
        return next((state for state, words in self.tracker_statuses.items() if word in words), None)

    def checklist(self, at: datetime) -> tuple[Item, ...]:
        """The list of a hand-back that begins at *at*."""
        return tuple(
            Item(
                line.id,
                line.text,
                line.source,
                at + timedelta(days=line.days) if line.days else None,
                line.needs_receiver,
            )
            for line in self.handback
        )

    def validate(self, measured: frozenset[str]) -> None:
        """Refuse a policy that names what nobody measures, or the same thing twice.

        Raises:
            InvalidPolicyError: Names the place.
        """
        for metric in measured ^ set(self.metrics):
            what = "nobody measures it" if metric in self.metrics else "missing"
            raise InvalidPolicyError([Fault(f"/metrics/{metric}", what)])
        for place, names in (
            ("ground_rules", [rule.id for rule in self.ground_rules]),
            ("handback", [line.id for line in self.handback]),
        ):
            for name in names:
                if names.count(name) > 1:
                    raise InvalidPolicyError([Fault(f"/{place}", f"{name} is there twice")])
        for rule in self.ground_rules:
            if rule.metric not in self.metrics:
                fault = Fault(f"/ground_rules/{rule.id}", f"{rule.metric} is not among the metrics")
                raise InvalidPolicyError([fault])
