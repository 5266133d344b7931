"""What comes in and goes out of what two teams agreed on: priorities, goals, definitions, rules, working agreements."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field, HttpUrl

from libs.web.schemas import Body, Filled, Line, Name, Text, example
from services.lifecycle.domain.engagement.charter import (
    Chapter,
    Comparison,
    Definition,
    Edition,
    Entry,
    Goal,
    GoalKind,
    GroundRule,
    Occasion,
    Priority,
    Side,
    WorkingAgreement,
)
from services.lifecycle.domain.engagement.next_steps import Next

Days = Annotated[float, Field(gt=0, le=366)]


class PriorityBody(Body):
    """What matters to one side; their order is their rank."""

    side: Side
    title: Line
    serves: Line = Field(description="The organisational goal or the need of users behind it.")
    constraints: Line = Field(description="What binds those who work on it; `none` is an answer.")

    def entry(self) -> Priority:
        """As it is kept."""
        return Priority(self.side, self.title, self.serves, self.constraints)


class GoalBody(Body):
    """A shared goal: an SLO, or a metric and its target."""

    id: Name
    kind: GoalKind
    title: Line
    slo: Name | None = None
    metric: Line | None = None
    target: float | None = Field(default=None, allow_inf_nan=False)
    unit: Line | None = None

    def entry(self) -> Goal:
        """As it is kept."""
        return Goal(self.id, self.kind, self.title, self.slo or "", self.metric or "", self.target, self.unit or "")


class DefinitionBody(Body):
    """What a metric means."""

    metric: Line
    meaning: Filled
    counted_by: Line | None = None

    def entry(self) -> Definition:
        """As it is kept."""
        return Definition(self.metric, self.meaning, self.counted_by or "")


class GroundRuleBody(Body):
    """A promise that is measured."""

    id: Name
    metric: Name | Annotated[str, Field(pattern=r"^[a-z_]{1,63}$")]
    comparison: Comparison
    limit: float = Field(allow_inf_nan=False)
    window_days: Days
    action: Line
    owner: Line

    def entry(self) -> GroundRule:
        """As it is kept."""
        return GroundRule(self.id, self.metric, self.comparison, self.limit, self.window_days, self.action, self.owner)


class WorkingAgreementBody(Body):
    """How both sides go about something that comes again and again."""

    id: Name
    occasion: Occasion
    title: Line
    text: Annotated[Filled, Field(description="Who does what; Markdown.")]
    url: HttpUrl | None = None

    def entry(self) -> WorkingAgreement:
        """As it is kept."""
        return WorkingAgreement(self.id, self.occasion, self.title, self.text, str(self.url or ""))


class ProposePriorities(Body):
    """A new edition of the priorities, of both sides, the most important first."""

    model_config = example(
        entries=[
            {"side": "dev", "title": "sell abroad", "serves": "a third of growth", "constraints": "before summer"},
            {
                "side": "sre",
                "title": "survive one zone",
                "serves": "users can always pay",
                "constraints": "same budget",
            },
        ],
        reason="planning for the year",
    )

    entries: Annotated[list[PriorityBody], Field(min_length=2, max_length=50)]
    reason: Filled


class ProposeGoals(Body):
    """A new edition of the shared goals, reliability and velocity in one list."""

    model_config = example(
        entries=[
            {"id": "pay", "kind": "reliability", "title": "users can pay", "slo": "checkout-availability"},
            {
                "id": "fast",
                "kind": "velocity",
                "title": "ship in a day",
                "metric": "lead_time",
                "target": 24,
                "unit": "h",
            },
        ],
        reason="planning for the year",
    )

    entries: Annotated[list[GoalBody], Field(min_length=1, max_length=50)]
    reason: Filled


class ProposeDefinitions(Body):
    """A new edition of what the metrics mean that both sides report."""

    model_config = example(
        entries=[{"metric": "lead time", "meaning": "from commit to production, median", "counted_by": "CI"}],
        reason="both reported it, and meant different things",
    )

    entries: Annotated[list[DefinitionBody], Field(min_length=1, max_length=50)]
    reason: Filled


class ProposeGroundRules(Body):
    """A new edition of the ground rules."""

    model_config = example(
        entries=[
            {
                "id": "pages",
                "metric": "pages_per_shift",
                "comparison": "at_most",
                "limit": 2,
                "window_days": 28,
                "action": "noise is removed first",
                "owner": "sre-payments",
            }
        ],
        reason="set-up",
    )

    entries: Annotated[list[GroundRuleBody], Field(min_length=1, max_length=50)]
    reason: Filled


class ProposeWorkingAgreements(Body):
    """A new edition of how both sides go about releases, incidents and reviews."""

    model_config = example(
        entries=[
            {
                "id": "releases",
                "occasion": "release",
                "title": "How a version goes out",
                "text": "- Whoever releases stays until the last step was watched.",
            }
        ],
        reason="after the release of May",
    )

    entries: Annotated[list[WorkingAgreementBody], Field(min_length=1, max_length=50)]
    reason: Filled


class AcknowledgeEdition(Body):
    """Which edition a side agrees to."""

    model_config = example(version=1, side="dev", reason="agreed in planning")

    version: Annotated[int, Field(ge=1)]
    side: Side
    reason: Text = ""


@dataclass(frozen=True, slots=True)
class EditionView:
    """One edition of a part; `missing` are the sides that have not acknowledged it."""

    version: int
    entries: tuple[Entry, ...]
    proposed_by: str
    proposed_at: datetime
    acknowledged: Mapping[str, str]
    missing: tuple[Side, ...]


@dataclass(frozen=True, slots=True)
class ChapterView:
    """One part of the charter: what holds, and what waits to be acknowledged."""

    in_force: EditionView | None
    draft: EditionView | None
    note: str
    next: tuple[Next, ...]


def chapter_view(chapter: Chapter, next_: tuple[Next, ...], note: str = "") -> ChapterView:
    """One part as it is answered."""
    return ChapterView(_edition(chapter.in_force), _edition(chapter.draft), note, next_)


def _edition(edition: Edition | None) -> EditionView | None:
    if edition is None:
        return None
    return EditionView(
        version=edition.version,
        entries=edition.entries,
        proposed_by=edition.by,
        proposed_at=edition.at,
        acknowledged={each.side: each.by for each in edition.acknowledged},
        missing=edition.missing,
    )
