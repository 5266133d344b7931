"""Engagements: what comes in and what goes out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, HttpUrl

from libs.web.schemas import Body, Filled, Name, Text, example
from services.lifecycle.domain.engagement.events import (
    Ending,
    Instead,
    Links,
    Model,
    SeriesKind,
)
from services.lifecycle.domain.engagement.next_steps import Next, next_steps
from services.lifecycle.domain.engagement.state import VERBS, Engagement, Standing, Stay


class TrackerLinks(Body):
    """Where each side plans its work."""

    dev: HttpUrl | None = None
    sre: HttpUrl | None = None

    def links(self) -> Links:
        """As they are kept."""
        return Links(str(self.dev or ""), str(self.sre or ""))


class RequestEngagement(Body):
    """Who should help whom with which services."""

    model_config = example(
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
    reason: Filled


class Triage(Body):
    """Whether the SRE team engages; when not, what it offers instead."""

    model_config = example(decision="accepted", reason="the service matters, and the team has room")

    decision: Literal["accepted", "declined"]
    instead: Instead | None = Field(default=None, description="Needed when declined.")
    guidance: Text = Field(default="", description="What to read, or whom to ask.")
    reason: Filled


class ActivateEngagement(Body):
    """Begin; or begin again, which needs a review of what has changed; or give a hand-back up."""

    model_config = example(reason="onboarding is done", model="embedded")

    model: Model | None = Field(default=None, description="As requested unless given.")
    reason: Filled


class ChangeModel(Body):
    """How the teams work together from now on."""

    model_config = example(model="part_time", reason="the service is calm")

    model: Model
    reason: Filled


class JoinService(Body):
    """A service that becomes part of the engagement."""

    model_config = example(service="cart-api", reason="the same stack, the same people")

    service: Name
    reason: Filled


class WhyBody(Body):
    """Why."""

    model_config = example(reason="moved to another team")

    reason: Filled


class DisengageBody(Body):
    """Why it ends for good."""

    model_config = example(ending="dev_self_sufficient", reason="six months without a page for SRE")

    ending: Ending
    reason: Filled


@dataclass(frozen=True, slots=True)
class MeetingSeriesView:
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
    series: tuple[MeetingSeriesView, ...]
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


def series_views(state: Engagement) -> list[MeetingSeriesView]:
    """The series of an engagement, by name."""
    return [
        MeetingSeriesView(
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
