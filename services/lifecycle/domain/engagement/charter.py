"""What two teams agree on, in five parts; each part in editions that hold when both sides have acknowledged them."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal

from services.lifecycle.domain.engagement.errors import CharterError

Side = Literal["dev", "sre"]
Part = Literal["priorities", "goals", "definitions", "ground_rules", "working_agreements"]
Comparison = Literal["at_most", "at_least"]
GoalKind = Literal["reliability", "velocity"]
Occasion = Literal["release", "incident", "review"]

OCCASIONS: Final[tuple[Occasion, ...]] = ("release", "incident", "review")

SIDES: Final[tuple[Side, ...]] = ("dev", "sre")


@dataclass(frozen=True, slots=True)
class Priority:
    """What matters to one side; business priorities are development's, production priorities SRE's.

    Args:
        side: Whose.
        title: What.
        serves: The organisational goal or the need of users behind it.
        constraints: What binds those who work on it.
    """

    side: Side
    title: str
    serves: str
    constraints: str


@dataclass(frozen=True, slots=True)
class Goal:
    """What both sides want to reach.

    Args:
        id: Its name; milestones say which goal they serve.
        kind: Reliability or velocity, which are balanced in one list.
        title: What.
        slo: The SLO that it refers to, whose budget is read live.
        metric: What else it is measured by, such as lead time.
        target: The figure to reach; None where an SLO has it.
        unit: Of the target.
    """

    id: str
    kind: GoalKind
    title: str
    slo: str = ""
    metric: str = ""
    target: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Definition:
    """What a metric means that both sides report."""

    metric: str
    meaning: str
    counted_by: str = ""


@dataclass(frozen=True, slots=True)
class GroundRule:
    """A promise that is measured.

    Args:
        id: Its name.
        metric: What is measured; the catalogue of metrics says how.
        comparison: Whether the limit is the most or the least.
        limit: The figure that is still kept.
        window_days: Over how many days it is measured; a breach is told once in as many.
        action: What follows from a breach.
        owner: Who sees to it: a person or a team.
    """

    id: str
    metric: str
    comparison: Comparison
    limit: float
    window_days: float
    action: str
    owner: str

    def kept(self, value: float) -> bool:
        """Whether *value* is within the limit."""
        return value <= self.limit if self.comparison == "at_most" else value >= self.limit


@dataclass(frozen=True, slots=True)
class WorkingAgreement:
    """How both sides go about something that comes again and again.

    Args:
        id: Its name.
        occasion: What comes again and again.
        title: What people read in lists.
        text: Who does what; Markdown.
        url: Where it is kept besides, or empty.
    """

    id: str
    occasion: Occasion
    title: str
    text: str
    url: str = ""


Entry = Priority | Goal | Definition | GroundRule | WorkingAgreement


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """Who agreed for a side, and when."""

    side: Side
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Edition:
    """One edition of a part.

    Args:
        version: Counts from 1.
        entries: In their order.
        by: Who proposed it.
        at: When.
        acknowledged: By which side.
    """

    version: int
    entries: tuple[Entry, ...]
    by: str
    at: datetime
    acknowledged: tuple[Acknowledged, ...] = ()

    @property
    def missing(self) -> tuple[Side, ...]:
        """The sides that have not agreed."""
        agreed = {each.side for each in self.acknowledged}
        return tuple(side for side in SIDES if side not in agreed)

    def passed_on(self, side: Side, team: str, heir: str) -> "Edition":
        """Without the word of one side, whose rules are the *heir*'s now."""
        return replace(
            self,
            entries=tuple(
                replace(entry, owner=heir) if isinstance(entry, GroundRule) and entry.owner == team else entry
                for entry in self.entries
            ),
            acknowledged=tuple(each for each in self.acknowledged if each.side != side),
        )


@dataclass(frozen=True, slots=True)
class Chapter:
    """One part as it stands: what holds, and a newer edition that waits for somebody."""

    in_force: Edition | None = None
    draft: Edition | None = None

    @property
    def newest(self) -> Edition | None:
        """The edition that can be acknowledged."""
        return self.draft or self.in_force

    def proposed(self, edition: Edition) -> "Chapter":
        """With a new edition."""
        return replace(self, draft=edition)

    def agreed(self, acknowledged: Acknowledged) -> "Chapter":
        """With one side's agreement to the newest edition."""
        newest = self.newest
        if newest is None:
            return self
        edition = replace(newest, acknowledged=(*newest.acknowledged, acknowledged))
        if self.draft is None:
            return Chapter(edition)
        return replace(self, draft=edition) if edition.missing else Chapter(edition)

    def passed_on(self, side: Side, team: str, heir: str) -> "Chapter":
        """After *heir* has taken the place of *team*: what holds goes on to hold, and waits for the heir's word."""
        return Chapter(
            self.in_force and self.in_force.passed_on(side, team, heir),
            self.draft and self.draft.passed_on(side, team, heir),
        )


def validate(part: Part, entries: tuple[Entry, ...], metrics: frozenset[str]) -> None:
    """Refuse a part that contradicts itself, or that is measured by what nobody knows.

    Raises:
        CharterError: Names each place.
    """
    faults = list(_faults(part, entries, metrics))
    if faults:
        raise CharterError(faults)


def _faults(part: Part, entries: tuple[Entry, ...], metrics: frozenset[str]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for index, entry in enumerate(entries):
        place = f"/entries/{index}"
        field, name = _named(entry)
        if name in seen:
            yield f"{place}/{field}", f"{name!r} is there twice; leave one out"
        seen.add(name)
        if isinstance(entry, Goal):
            yield from _of_goal(place, entry)
        if isinstance(entry, GroundRule) and entry.metric not in metrics:
            known = ", ".join(sorted(metrics))
            yield f"{place}/metric", f"nobody measures {entry.metric!r}; there are {known}"
    sides = {entry.side for entry in entries if isinstance(entry, Priority)}
    for side in SIDES if part == "priorities" else ():
        if side not in sides:
            yield "/entries", f"no priority of {side}: priorities have two sides"


def _of_goal(place: str, goal: Goal) -> Iterator[tuple[str, str]]:
    if bool(goal.slo) == bool(goal.metric):
        yield place, "a goal names an SLO or a metric, and not both"
    if goal.metric and goal.target is None:
        yield f"{place}/target", f"say which {goal.metric} is the goal"


def _named(entry: Entry) -> tuple[str, str]:
    """The field that names an entry, and the name."""
    match entry:
        case Goal() | GroundRule() | WorkingAgreement():
            return "id", entry.id
        case Definition():
            return "metric", entry.metric
        case Priority():
            return "title", f"{entry.side} {entry.title}"
