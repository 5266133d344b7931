"""Meetings, quarterly updates and service reviews: what comes in and goes out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, JsonValue

from libs.web.schemas import Body, Line, Moment, Name, Text
from services.lifecycle.domain.engagement.charter import Side
from services.lifecycle.domain.engagement.events import SeriesKind
from services.lifecycle.domain.engagement.next_steps import Next
from services.lifecycle.domain.gathering.decider import Gathering
from services.lifecycle.domain.gathering.events import Decision, Section

Lines = Annotated[tuple[Line, ...], Field(max_length=50)]
Format = Literal["markdown", "html"]


def _example(**fields: JsonValue) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [fields]})


class SetMeetingSeries(Body):
    """How often the teams meet for what."""

    model_config = _example(title="Weekly sync", every_days=7, reason="so agreed")

    title: Line
    every_days: Annotated[float, Field(gt=0, le=366)]
    reason: Text = ""


class DraftGathering(Body):
    """What it is about; the time since the last one until now unless given."""

    model_config = _example(since="2026-08-21T00:00:00Z")

    series: Name | None = Field(default=None, description="Needed for a meeting.")
    since: Moment | None = None
    until: Moment | None = None
    reason: Text = ""


class MakeStatement(Body):
    """How things stand: production is SRE's to tell, the product development's; in a service review the roadmap."""

    model_config = _example(side="sre", text="Two pages a week, both from one alert.")

    side: Side
    text: Annotated[Text, Field(min_length=1)]
    horizon_months: Annotated[int, Field(ge=1, le=60)] | None = Field(
        default=None, description="How far the roadmap reaches; needed in a service review."
    )


class TakeNotes(Body):
    """What was said, and what both start, stop and keep doing; what is left out stays."""

    model_config = _example(notes="The noisy alert goes.", start=["a canary for every release"])

    notes: Text | None = None
    start: Lines | None = None
    stop: Lines | None = None
    keep: Lines | None = None


class HoldGathering(Body):
    """That the teams met, and what they decided."""

    model_config = _example(decision="continue", reason="it works for both")

    decision: Decision | None = Field(default=None, description="Needed for an update and a review.")
    reason: Annotated[Text, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class StatementView:
    """What one side said."""

    text: str
    horizon_months: int | None
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class GatheringView:
    """A meeting, an update or a review; `next` says who must do what, and why."""

    id: str
    engagement: str
    kind: SeriesKind
    series: str
    title: str
    state: Literal["drafted", "held"]
    since: datetime
    until: datetime
    drafted_by: str
    drafted_at: datetime
    pack: tuple[Section, ...]
    statements: Mapping[Side, StatementView]
    missing: tuple[Side, ...]
    notes: str
    start: tuple[str, ...]
    stop: tuple[str, ...]
    keep: tuple[str, ...]
    decision: Decision | None
    held_by: str | None
    held_at: datetime | None
    next: tuple[Next, ...]


def gathering_view(state: Gathering, path: str, teams: Mapping[Side, str]) -> GatheringView:
    """A gathering as it is answered."""
    drafted, notes, end = state.drafted, state.notes, state.concluded
    return GatheringView(
        id=drafted.gathering,
        engagement=drafted.engagement,
        kind=drafted.kind,
        series=drafted.series,
        title=drafted.title,
        state="held" if end else "drafted",
        since=drafted.since,
        until=drafted.until,
        drafted_by=drafted.by,
        drafted_at=drafted.at,
        pack=drafted.pack,
        statements={
            side: StatementView(said.text, said.horizon_months, said.by, said.at)
            for side, said in state.statements.items()
        },
        missing=state.missing,
        notes=notes.notes if notes else "",
        start=notes.start if notes else (),
        stop=notes.stop if notes else (),
        keep=notes.keep if notes else (),
        decision=end.decision if end else None,
        held_by=end.by if end else None,
        held_at=end.at if end else None,
        next=_next(state, f"{path}/{drafted.gathering}", teams),
    )


def _next(state: Gathering, path: str, teams: Mapping[Side, str]) -> tuple[Next, ...]:
    end = state.concluded
    here = f"/v1/engagements/{state.drafted.engagement}"
    follows = {"change_model": ":change-model", "disengage": ":start-handback"}
    if end is not None:
        if end.decision in follows:
            why, how = "so decided", f"POST {here}{follows[end.decision]}"
            return (Next(f"{teams['dev']} and {teams['sre']}", end.decision.replace("_", " "), why, how),)
        return ()
    if state.missing:
        what = {"sre": "say how production stands", "dev": "say how the product stands"}
        why = "both sides' word is part of it"
        return tuple(Next(teams[side], what[side], why, f"POST {path}:tell") for side in state.missing)
    who = f"{teams['dev']} and {teams['sre']}"
    return (Next(who, "meet, and say what was decided", "it is due until it was held", f"POST {path}:hold"),)
