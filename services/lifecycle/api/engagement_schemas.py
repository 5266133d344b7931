"""Engagements: what comes in and what goes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, HttpUrl, JsonValue

from libs.web.schemas import Body, Line, Name, Text
from services.lifecycle.domain.engagement.charter import (
    Chapter,
    Comparison,
    Definition,
    Edition,
    Entry,
    Goal,
    GoalKind,
    GroundRule,
    Priority,
    Side,
)
from services.lifecycle.domain.engagement.events import (
    Ending,
    Evidence,
    Figure,
    Instead,
    Links,
    Model,
    SeriesKind,
    Step,
)
from services.lifecycle.domain.engagement.next_steps import Next, next_steps
from services.lifecycle.domain.engagement.state import VERBS, Engagement, Standing, Stay

Reason = Annotated[Text, Field(min_length=1)]
Days = Annotated[float, Field(gt=0, le=366)]


def _example(**fields: JsonValue) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class TrackerLinks(Body):
    """Where each side plans its work."""

    dev: HttpUrl | None = None
    sre: HttpUrl | None = None

    def links(self) -> Links:
        """As they are kept."""
        return Links(str(self.dev or ""), str(self.sre or ""))


class RequestEngagement(Body):
    """Who should help whom with which services."""

    model_config = _example(
        sre_team="sre-payments",
        dev_team="checkout",
        services=["checkout-api"],
        model="full",
        reason="the launch doubles the traffic",
    )

    sre_team: Name
    dev_team: Name
    services: Annotated[list[Name], Field(min_length=1, max_length=100)]
    model: Model
    trackers: TrackerLinks = TrackerLinks()
    reason: Reason


class Triage(Body):
    """Whether the SRE team engages; when not, what it offers instead."""

    model_config = _example(decision="accepted", reason="the service matters, and the team has room")

    decision: Literal["accepted", "declined"]
    instead: Instead | None = Field(default=None, description="Needed when declined.")
    guidance: Text = Field(default="", description="What to read, or whom to ask.")
    reason: Reason


class ActivateEngagement(Body):
    """Begin; or begin again, which needs a review of what has changed; or give a hand-back up."""

    model_config = _example(reason="onboarding is done", model="embedded")

    model: Model | None = Field(default=None, description="As requested unless given.")
    reason: Reason


class ChangeModel(Body):
    """How the teams work together from now on."""

    model_config = _example(model="part_time", reason="the service is calm")

    model: Model
    reason: Reason


class JoinService(Body):
    """A service that becomes part of the engagement."""

    model_config = _example(service="cart-api", reason="the same stack, the same people")

    service: Name
    reason: Reason


class WhyBody(Body):
    """Why."""

    model_config = _example(reason="moved to another team")

    reason: Reason


class StartHandback(Body):
    """Which team receives the services."""

    model_config = _example(receiver="checkout", reason="the developers run it well by themselves")

    receiver: Name = Field(description="The development team itself, or another team.")
    reason: Reason


class SettleItem(Body):
    """That a line of the list is done, or why it does not apply."""

    model_config = _example(applies=True, evidence="https://wiki.example/handback/runbooks", reason="")

    applies: bool = True
    evidence: Line | None = Field(default=None, description="Where it can be seen; needed when it applies.")
    reason: Text = Field(default="", description="Needed when it does not apply.")


class HandBackBody(Body):
    """The services go; this would bring the SRE team back."""

    model_config = _example(re_entry=["two breached quarters", "a rewrite"], reason="everything is settled")

    re_entry: Annotated[list[Line], Field(min_length=1, max_length=20)]
    reason: Reason


class DisengageBody(Body):
    """Why it ends for good."""

    model_config = _example(ending="dev_self_sufficient", reason="six months without a page for SRE")

    ending: Ending
    reason: Reason


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
    meaning: Annotated[Text, Field(min_length=1)]
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


class ProposePriorities(Body):
    """A new edition of the priorities, of both sides, the most important first."""

    model_config = _example(
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
    reason: Reason


class ProposeGoals(Body):
    """A new edition of the shared goals, reliability and velocity in one list."""

    model_config = _example(
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
    reason: Reason


class ProposeDefinitions(Body):
    """A new edition of what the metrics mean that both sides report."""

    model_config = _example(
        entries=[{"metric": "lead time", "meaning": "from commit to production, median", "counted_by": "CI"}],
        reason="both reported it, and meant different things",
    )

    entries: Annotated[list[DefinitionBody], Field(min_length=1, max_length=50)]
    reason: Reason


class ProposeGroundRules(Body):
    """A new edition of the ground rules."""

    model_config = _example(
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
    reason: Reason


class AcknowledgeEdition(Body):
    """Which edition a side agrees to."""

    model_config = _example(version=1, side="dev", reason="agreed in planning")

    version: Annotated[int, Field(ge=1)]
    side: Side
    reason: Text = ""


class AnswerBreach(Body):
    """The step of the ladder that people chose."""

    model_config = _example(step="named_engineers", engineers=["ana", "bo"], reason="the noise comes from one alert")

    step: Step
    engineers: Annotated[tuple[Line, ...], Field(max_length=20)] = ()
    reason: Reason


class CloseBreach(Body):
    """What was done, and that it is enough."""

    model_config = _example(outcome="the alert is gone", reason="two calm weeks")

    outcome: Annotated[Text, Field(min_length=1)]
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


@dataclass(frozen=True, slots=True)
class SeriesView:
    """A series of meetings, and when the next is due."""

    series: str
    kind: SeriesKind
    title: str
    every_days: float
    source: str
    due: datetime
    held: int
    last_held: datetime | None
    missed: int


@dataclass(frozen=True, slots=True)
class BreachView:
    """A ground rule that was not kept, and what people did about it."""

    id: str
    rule: str
    metric: str
    limit: float
    value: float
    window_days: float
    action: str
    owner: str
    at: datetime
    evidence: tuple[Evidence, ...]
    step: Step | None
    engineers: tuple[str, ...]
    state: Literal["open", "answered", "closed"]
    outcome: str | None


@dataclass(frozen=True, slots=True)
class ItemView:
    """A line of the hand-back list."""

    id: str
    text: str
    source: str
    not_before: datetime | None
    state: Literal["open", "done", "not_applicable"]
    evidence: str | None
    reason: str | None
    by: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class HandbackView:
    """A hand-back: to whom, the list, and how the time after compares with the time before."""

    receiver: str | None
    started_at: datetime | None
    items: tuple[ItemView, ...]
    re_entry: tuple[str, ...]
    handed_back_at: datetime | None
    watched_until: datetime | None
    final: bool
    figures: tuple[Figure, ...]
    next: tuple[Next, ...]


@dataclass(frozen=True, slots=True)
class EngagementView:
    """An engagement; `next` says who must do what, and why."""

    id: str
    sre_team: str
    dev_team: str
    services: tuple[str, ...]
    model: Model
    state: Standing
    since: datetime
    reason: str
    trackers: Links
    instead: Instead | None
    guidance: str | None
    receiver: str | None
    re_entry: tuple[str, ...]
    ending: Ending | None
    allowed: tuple[str, ...]
    series: tuple[SeriesView, ...]
    open_breaches: int
    history: tuple[Stay, ...]
    next: tuple[Next, ...]


@dataclass(frozen=True, slots=True)
class EngagementRow:
    """An engagement of a list."""

    id: str
    sre_team: str
    dev_team: str
    services: tuple[str, ...]
    model: Model
    state: Standing
    since: datetime


def engagement_view(state: Engagement, at: datetime) -> EngagementView:
    """An engagement as it is answered at *at*."""
    return EngagementView(
        id=state.engagement,
        sre_team=state.sre_team,
        dev_team=state.dev_team,
        services=state.services,
        model=state.model,
        state=state.standing,
        since=state.since,
        reason=state.stays[-1].reason,
        trackers=state.trackers,
        instead=state.instead,
        guidance=state.guidance or None,
        receiver=state.handover.receiver if state.handover else None,
        re_entry=state.re_entry,
        ending=state.ending,
        allowed=allowed(state),
        series=tuple(series_views(state)),
        open_breaches=sum(breach.closed is None for breach in state.breaches),
        history=state.stays,
        next=next_steps(state, at),
    )


def allowed(state: Engagement) -> tuple[str, ...]:
    """The verbs that lead on from here."""
    at_once = state.standing != "active" or state.may_end_at_once
    return tuple(verb for verb in VERBS[state.standing] if verb != "disengage" or at_once)


def engagement_row(state: Engagement) -> EngagementRow:
    """An engagement of a list, from its state."""
    return EngagementRow(
        state.engagement, state.sre_team, state.dev_team, state.services, state.model, state.standing, state.since
    )


def chapter_view(chapter: Chapter, next_: tuple[Next, ...], note: str = "") -> ChapterView:
    """One part as it is answered."""
    return ChapterView(_edition(chapter.in_force), _edition(chapter.draft), note, next_)


def series_views(state: Engagement) -> list[SeriesView]:
    """The series of an engagement, by name."""
    return [
        SeriesView(
            series=each.series,
            kind=each.kind,
            title=each.title,
            every_days=each.every_days,
            source=each.source,
            due=each.due,
            held=len(each.held),
            last_held=each.held[-1] if each.held else None,
            missed=each.missed,
        )
        for _, each in sorted(state.series.items())
    ]


def breach_views(state: Engagement) -> list[BreachView]:
    """The breaches of an engagement, the newest first."""
    return [
        BreachView(
            id=breach.key,
            rule=breach.told.rule,
            metric=breach.told.metric,
            limit=breach.told.limit,
            value=breach.told.value,
            window_days=breach.told.window_days,
            action=breach.told.action,
            owner=breach.told.owner,
            at=breach.told.at,
            evidence=breach.told.evidence,
            step=breach.answers[-1].step if breach.answers else None,
            engineers=breach.answers[-1].engineers if breach.answers else (),
            state="closed" if breach.closed else "answered" if breach.answers else "open",
            outcome=breach.closed.outcome if breach.closed else None,
        )
        for breach in reversed(state.breaches)
    ]


def handback_view(state: Engagement, figures: tuple[Figure, ...], at: datetime) -> HandbackView:
    """A hand-back as it is answered."""
    handover, watch = state.handover, state.watch
    items: list[ItemView] = []
    for item in handover.items if handover else ():
        said = handover.settled.get(item.id) if handover else None
        items.append(
            ItemView(
                id=item.id,
                text=item.text,
                source=item.source,
                not_before=item.not_before,
                state="open" if said is None else "done" if said.applies else "not_applicable",
                evidence=said.evidence or None if said else None,
                reason=said.reason or None if said else None,
                by=said.by if said else None,
                at=said.at if said else None,
            )
        )
    return HandbackView(
        receiver=handover.receiver if handover else None,
        started_at=handover.started_at if handover else None,
        items=tuple(items),
        re_entry=state.re_entry,
        handed_back_at=watch.since if watch else None,
        watched_until=watch.until if watch else None,
        final=watch is not None and watch.figures is not None,
        figures=figures,
        next=next_steps(state, at),
    )


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
