"""What the routes of engagements ask first: which engagement, by which policy, and who may speak for a team."""

from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends
from starlette.requests import Request

from libs.events.handler import Loaded, Outcome
from libs.events.resources import Resources
from libs.web.calls import Call
from services.lifecycle.api.views import key_of
from services.lifecycle.contract import TEAM
from services.lifecycle.domain.engagement.commands import Speaker
from services.lifecycle.domain.engagement.errors import TeamKindError
from services.lifecycle.domain.engagement.policy import EngagementPolicy
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.errors import UnknownError, UnknownReferenceError
from services.lifecycle.domain.team.decider import Ended
from services.lifecycle.domain.team.errors import TeamEndedError
from services.lifecycle.domain.team.kinds import TeamKind


@dataclass(frozen=True, slots=True)
class Engagements:
    """What engagements of this installation go by."""

    policy: EngagementPolicy


async def _engagements(request: Request) -> Engagements:
    return Engagements(request.app.state.engagement_policy)


EngagementsDep = Annotated[Engagements, Depends(_engagements)]


def engaged(found: Loaded[Engagement | None] | Outcome[Engagement | None]) -> Engagement:
    """The engagement that was found.

    Raises:
        UnknownError: There is none.
    """
    if found.state is None:
        raise UnknownError("engagement", key_of(found))
    return found.state


def said(call: Call, engagement: str, reason: str) -> dict[str, Any]:
    """What every command of an engagement says."""
    return {"engagement": engagement, "by": call.principal.name, "reason": reason, "at": call.context.at}


async def speaker(call: Call, team: str) -> Speaker:
    """Who asks, and who may speak for *team*: its leads, or its members where it has no leads."""
    state = (await call.resources.handler.load(TEAM, team)).state
    known = state.was if isinstance(state, Ended) else state
    speakers = frozenset((known.structure.leads or known.structure.members) if known else ())
    return Speaker(call.principal.name, call.principal.kind == "person", team, speakers)


async def known_team(resources: Resources, team: str, kind: TeamKind | None, field: str) -> None:
    """Refuse a team that is not there, or of another kind.

    Raises:
        UnknownReferenceError: There is none.
        TeamKindError: It is of another kind.
    """
    state = (await resources.handler.load(TEAM, team)).state
    if state is None:
        raise UnknownReferenceError("team", team, field)
    if isinstance(state, Ended):
        raise TeamEndedError(team, state.into)
    if kind is not None and state.kind != kind:
        raise TeamKindError(team, kind, field)
