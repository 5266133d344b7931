"""What comes in and goes out about teams."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from libs.events.handler import Loaded, Outcome
from libs.web.schemas import Body, Line, Name, Text
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.team.decider import Ended, Registered, Team
from services.lifecycle.domain.team.events import Outcome as ReviewOutcome
from services.lifecycle.domain.team.events import TeamMerged
from services.lifecycle.domain.team.kinds import TeamKind
from services.lifecycle.domain.team.policy import TeamPolicy
from services.lifecycle.domain.team.structure import Charter, Duty, Site, Structure, Sync

_MANY = 1_000  # of anything in a team: far more than a team has, few enough for one event
_DAY, _YEAR = timedelta(days=1), timedelta(days=366)


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):  # a path, or a folder of zones
        kind, message = "zone", "use an IANA time zone, such as Europe/Berlin"
        raise PydanticCustomError(kind, message) from None
    return name


def _days(span: timedelta) -> timedelta:
    if span % _DAY:
        kind, message = "days", "use whole days, such as P14D"
        raise PydanticCustomError(kind, message)
    return span


Zone = Annotated[str, Field(min_length=1, max_length=100), AfterValidator(_zone)]
People = Annotated[list[Name], Field(max_length=_MANY)]
Headcount = Annotated[int, Field(strict=True, ge=1, le=100_000)]
Reason = Annotated[Text, Field(min_length=1)]


class CharterBody(Body):
    """What a team is for; what is left out stays."""

    mission: Text | None = None
    services: Annotated[list[Name], Field(max_length=_MANY)] | None = Field(
        default=None, description="Services that it takes on, by name; owning them is said at the service."
    )
    technologies: Annotated[list[Name], Field(max_length=_MANY)] | None = None


class SiteBody(Body):
    """A place where people of the team sit."""

    name: Name
    time_zone: Zone
    headcount: Headcount


class DutyBody(Body):
    """Something a site of the team does until it passes on."""

    name: Line
    site: Name | None = None
    holder: Name | None = None
    rotate_by: date | None = Field(default=None, description="The day by which it passes on.")


class SyncBody(Body):
    """Sites that talk to each other again and again."""

    name: Line
    sites: Annotated[list[Name], Field(min_length=2, max_length=_MANY)]
    every: Annotated[
        timedelta, Field(ge=_DAY, le=_YEAR, description="Whole days, such as P14D."), AfterValidator(_days)
    ]
    last_held: date | None = None


class StructureBody(Body):
    """How a team is set up; what is left out stays, null unsets."""

    display_name: Line | None = Field(default=None, description="The name, unless given.")
    members: People | None = Field(default=None, description="Labels of the people who belong to it.")
    leads: People | None = Field(default=None, description="Those members who lead it.")
    product: Name | None = Field(default=None, description="The label of whoever speaks for the product.")
    headcount: Headcount | None = Field(
        default=None, description="How many people it has; the sum of its sites unless given."
    )
    charter: CharterBody | None = None
    sites: Annotated[list[SiteBody], Field(max_length=100)] | None = Field(
        default=None, description="Where it sits; an SRE team has no singleton sites."
    )
    duties: Annotated[list[DutyBody], Field(max_length=_MANY)] | None = None
    syncs: Annotated[list[SyncBody], Field(max_length=_MANY)] | None = None


class RegisterTeam(StructureBody):
    """A team to be known."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {"name": "checkout", "kind": "dev", "display_name": "Checkout"},
                {
                    "name": "core-sre",
                    "kind": "sre",
                    "members": ["ana", "bo", "cy", "di"],
                    "leads": ["ana"],
                    "charter": {"mission": "Keep the shop open", "technologies": ["kubernetes", "postgres"]},
                    "sites": [
                        {"name": "berlin", "time_zone": "Europe/Berlin", "headcount": 6},
                        {"name": "austin", "time_zone": "America/Chicago", "headcount": 6},
                    ],
                    "duties": [{"name": "ticket queue", "site": "berlin", "rotate_by": "2027-01-31"}],
                    "syncs": [{"name": "hand-over", "sites": ["berlin", "austin"], "every": "P7D"}],
                },
            ]
        }
    )

    name: Name
    kind: TeamKind


class ChangeTeam(StructureBody):
    """What may change of a team; what is left out stays."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"members": ["ana", "bo"], "leads": ["ana"], "product": "di"}]}
    )


class ShardPart(StructureBody):
    """A part that becomes a team of its own, of the same kind."""

    name: Name
    services: Annotated[list[Name], Field(max_length=_MANY)] = Field(
        default=[], description="Services of the team that move to this part."
    )


class ShardTeam(Body):
    """How a team is cut."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "into": [{"name": "payments", "members": ["bo"], "leads": ["bo"], "services": ["payment-api"]}],
                    "remaining": {"headcount": 5},
                    "reason": "payments has its own roadmap now",
                }
            ]
        }
    )

    into: Annotated[list[ShardPart], Field(min_length=1, max_length=50)]
    remaining: ChangeTeam | None = Field(
        default=None, description="What else changes for what is left; people and services that moved have left it."
    )
    reason: Reason


class MergeTeam(Body):
    """Which team takes this one in."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"into": "checkout", "reason": "one product, one team"}]})

    into: Name
    reason: Reason


class DissolveTeam(Body):
    """Who owns the services of a team that ends."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"services": {"checkout-api": "payments"}, "reason": "the product was discontinued"}]
        }
    )

    services: Annotated[dict[Name, Name], Field(max_length=10_000)] = Field(
        default={}, description="For each of its services the team that owns it from now on."
    )
    successor: Name | None = Field(default=None, description="The team that owns what `services` does not name.")
    reason: Reason


class ReviewStructure(Body):
    """What people found when they looked at how the team is set up."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"outcome": "keep", "notes": "two sites of six still fit the load"}]}
    )

    outcome: ReviewOutcome
    notes: Text = ""


@dataclass(frozen=True, slots=True)
class TeamNextStep:
    """Who must do what next, until when, and why; without a day it is due now."""

    what: str
    who: tuple[str, ...]
    due: date | None
    why: str


@dataclass(frozen=True, slots=True)
class StructureReviewView:
    """When people last looked how the team is set up, and when they look again."""

    last: datetime | None
    outcome: ReviewOutcome | None
    by: str | None
    notes: str
    due: date
    source: str


@dataclass(frozen=True, slots=True)
class TeamEndView:
    """How a team ended, and who owns its services since; `into` is the team that it is a part of."""

    how: Literal["merged", "dissolved"]
    into: str | None
    services: Mapping[str, str]
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TeamView:
    """A team: how it is set up, and what is to be done about that next."""

    name: str
    kind: TeamKind
    display_name: str
    state: Literal["active", "ended"]
    members: tuple[str, ...]
    leads: tuple[str, ...]
    product: str | None
    headcount: int | None
    charter: Charter
    sites: tuple[Site, ...]
    duties: tuple[Duty, ...]
    syncs: tuple[Sync, ...]
    structure_review: StructureReviewView
    next_steps: tuple[TeamNextStep, ...]
    shard_of: str | None
    end: TeamEndView | None
    registered_at: datetime


def structure_of(body: StructureBody, before: Structure) -> Structure:
    """*before*, with what *body* says (JSON merge patch)."""
    given = body.model_fields_set
    changes: dict[str, Any] = {
        "members": tuple(body.members or ()),
        "leads": tuple(body.leads or ()),
        "product": body.product or "",
        "headcount": body.headcount,
        "charter": _charter(body.charter, before.charter),
        "sites": tuple(Site(site.name, site.time_zone, site.headcount) for site in body.sites or ()),
        "duties": tuple(
            Duty(duty.name, duty.site or "", duty.holder or "", duty.rotate_by) for duty in body.duties or ()
        ),
        "syncs": tuple(Sync(sync.name, tuple(sync.sites), sync.every, sync.last_held) for sync in body.syncs or ()),
    }
    return replace(before, **{name: value for name, value in changes.items() if name in given})


def _charter(body: CharterBody | None, before: Charter) -> Charter:
    if body is None:
        return Charter()
    given = body.model_fields_set
    changes: dict[str, Any] = {
        "mission": body.mission or "",
        "services": tuple(body.services or ()),
        "technologies": tuple(body.technologies or ()),
    }
    return replace(before, **{name: value for name, value in changes.items() if name in given})


def living(found: Loaded[Team] | Outcome[Team]) -> Registered | Ended:
    """The team that was found, ended or not.

    Raises:
        UnknownError: There is none.
    """
    if found.state is None:
        raise UnknownError("team", found.stream.partition("/")[2])
    return found.state


def team_view(state: Registered | Ended, policy: TeamPolicy) -> TeamView:
    """A team as it is answered."""
    team = state.was if isinstance(state, Ended) else state
    structure = team.structure
    review = _review(team, policy)
    return TeamView(
        name=team.team,
        kind=team.kind,
        display_name=team.display_name,
        state="ended" if isinstance(state, Ended) else "active",
        members=structure.members,
        leads=structure.leads,
        product=structure.product or None,
        headcount=structure.size,
        charter=structure.charter,
        sites=structure.sites,
        duties=structure.duties,
        syncs=structure.syncs,
        structure_review=review,
        next_steps=() if isinstance(state, Ended) else tuple(next_steps(team, review)),
        shard_of=team.shard_of or None,
        end=_end(state) if isinstance(state, Ended) else None,
        registered_at=team.registered_at,
    )


def next_steps(team: Registered, review: StructureReviewView) -> list[TeamNextStep]:
    """What is to be done about the set-up of *team*: what has no day first, then the earliest."""
    structure = team.structure
    leads = structure.leads
    steps: list[TeamNextStep] = []
    if not leads:
        steps.append(TeamNextStep("name a lead", structure.members, None, "somebody must answer for the team"))
    if team.kind == "sre" and not structure.charter.technologies:
        why = "without them nobody can tell which services fit the team"
        steps.append(TeamNextStep("say in the charter which technologies the team knows", leads, None, why))
    synced = {site for sync in structure.syncs for site in sync.sites}
    alone = [site.name for site in structure.sites if site.name not in synced]
    if len(structure.sites) > 1 and alone:
        why = "sites that do not talk grow apart (W18)"
        steps.append(TeamNextStep(f"agree a sync with {', '.join(alone)}", leads, None, why))
    for duty in structure.duties:
        if duty.rotate_by:
            who = (duty.holder,) if duty.holder else leads
            steps.append(TeamNextStep(f"pass on {duty.name!r}", who, duty.rotate_by, "duties rotate between people"))
    for sync in structure.syncs:
        due = sync.last_held + sync.every if sync.last_held else None
        why = f"agreed every {sync.every.days} days between {', '.join(sync.sites)}"
        steps.append(TeamNextStep(f"hold {sync.name!r}", leads, due, why))
    steps.append(TeamNextStep("review the structure of the team", leads, review.due, review.source))
    return sorted(steps, key=lambda step: step.due or date.min)


def _review(team: Registered, policy: TeamPolicy) -> StructureReviewView:
    last = team.reviewed
    every = policy.structure_review_days
    due = (last.at if last else team.registered_at) + every.days
    return StructureReviewView(
        last=last.at if last else None,
        outcome=last.outcome if last else None,
        by=last.by if last else None,
        notes=last.notes if last else "",
        due=due.date(),
        source=f"every {every.value:g} days, {every.source}",
    )


def _end(state: Ended) -> TeamEndView:
    end = state.end
    if isinstance(end, TeamMerged):
        return TeamEndView("merged", end.into, dict.fromkeys(end.services, end.into), end.reason, end.by, end.at)
    return TeamEndView("dissolved", None, end.services, end.reason, end.by, end.at)
