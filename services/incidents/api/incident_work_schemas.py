"""What is sent and answered while people work on an incident: times, timeline, roles, links, updates."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, StrictBool

from libs.web.schemas import Body, Filled, Line, Moment, example
from services.incidents.api.schemas import Label, Reference, Why
from services.incidents.domain.channel.events import ChannelKind
from services.incidents.domain.incident.state import Source
from services.incidents.domain.incident.terms import Attachment, Audience, Relation, Role, Side
from services.incidents.domain.notification.decider import State

Cadence = Annotated[timedelta, Field(ge=timedelta(minutes=5), le=timedelta(days=1))]


class Times(Why):
    """Better times for what was reached; those left out stay. `acknowledged` may be entered once it is over."""

    model_config = example(impact_started="2026-11-21T09:40:00Z", reason="the graph shows it")

    impact_started: Moment | None = None
    detected: Moment | None = None
    declared: Moment | None = None
    acknowledged: Moment | None = None
    mitigated: Moment | None = None
    resolved: Moment | None = None
    closed: Moment | None = None


class Elsewhere(Body):
    """Something to look at, by its link."""

    title: Line
    url: Annotated[str, Field(max_length=2_000, pattern=r"^https?://[^\s\x00-\x1f\x7f]+$")]


class Entry(Body):
    """What somebody wants to see in the timeline; it happened now unless it says when."""

    model_config = example(text="Roll back to the release before.", kind="decision", starred=True)

    text: Filled
    kind: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,39}$")] = "note"
    occurred_at: Moment | None = None
    starred: StrictBool = False
    attachments: Annotated[tuple[Elsewhere, ...], Field(max_length=20)] = ()


class RoleTaken(Why):
    """Who has a role from now on: who asks, unless somebody else is named; *force* takes it from who has it."""

    model_config = example(role="incident_commander")

    role: Role
    person: Label | None = None
    force: StrictBool = False


class RoleOffer(Why):
    """Who shall have a role once they acknowledge it."""

    model_config = example(to="bo", reason="my shift ends")

    to: Label


class Help(Why):
    """Who helps, and of which side."""

    model_config = example(person="cy", side="dev", reason="knows the queue")

    person: Label
    side: Side = ""


class LinkTo(Why):
    """What it has to do with another incident: its number or its id."""

    model_config = example(incident="INC-41", relation="caused_by")

    incident: Reference
    relation: Relation


class Suspicion(Why):
    """Which deployment has to do with it; *suspected* to be the cause."""

    model_config = example(deployment="run-4711")

    deployment: Annotated[str, Field(min_length=1, max_length=200)]
    suspected: StrictBool = True


class CadenceSet(Why):
    """How often who is concerned hears how it stands, such as PT30M; null: when there is something to say."""

    model_config = example(every="PT30M")

    every: Cadence | None


class Update(Why):
    """How it stands, for who is concerned."""

    model_config = example(text="The release before is back; we watch.", audience="stakeholders")

    text: Filled
    audience: Audience = "stakeholders"


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryAnswer:
    """One thing that happened, or that somebody wrote down."""

    id: str
    kind: str
    text: str
    author: str
    source: Literal["system", "person"]
    starred: bool
    attachments: list[Attachment]
    occurred_at: datetime
    written_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Timeline:
    """All that happened to an incident, in order; one page holds it."""

    items: list[EntryAnswer]
    next_page_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestoneAnswer:
    """One time of an incident, and where it comes from; null: not reached."""

    milestone: str
    time: datetime | None
    source: Source | None
    editor: str
    reason: str
    written_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class MilestonesAnswer:
    """All times of an incident."""

    items: list[MilestoneAnswer]
    next_page_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleAnswer:
    """Who has a role, and who shall have it when they acknowledge it; empty: nobody."""

    role: Role
    person: str
    since: datetime | None
    offered_to: str


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnAnswer:
    """Who had a role from when until when."""

    role: Role
    person: str
    since: datetime
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RolesAnswer:
    """All roles of an incident, and who had them when."""

    items: list[RoleAnswer]
    history: list[TurnAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponderAnswer:
    """Somebody who works on an incident, and why they are in it."""

    person: str
    side: Side
    roles: list[Role]
    added_by: str
    since: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RespondersAnswer:
    """All who work on an incident."""

    items: list[ResponderAnswer]
    next_page_token: str = ""


@dataclass(frozen=True, slots=True)
class ToldAnswer:
    """A team that was told, through what, and what became of it (see `/v1/notifications`)."""

    team: str
    channel: ChannelKind
    state: State


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdateAnswer:
    """What who is concerned was told, and which teams; a moment after it was posted there may be none yet."""

    id: str
    text: str
    audience: Audience
    told: list[ToldAnswer]
    author: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UpdatesAnswer:
    """What who is concerned was told, the newest first, and when they hear again.

    `by_severity`: how often follows from how bad it is, and nobody chose otherwise.
    """

    items: list[UpdateAnswer]
    every: str | None
    by_severity: bool
    next_due: datetime | None
    overdue: bool
