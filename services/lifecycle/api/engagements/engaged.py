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
from services.lifecycle.domain.engagement.charter import SIDES, Side
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
    """What engagements of this installation go by, and after how many days capacity is unknown to a pack."""

    policy: EngagementPolicy
    capacity_stale_days: float


async def _engagements(request: Request) -> Engagements:
    return Engagements(request.app.state.policies.engagements, request.app.state.policies.capacity.stale_days.value)


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


async def member_of_either(call: Call, state: Engagement) -> Speaker:
    """Who asks, and who belongs to one of the two teams; anybody where one of them has named nobody."""
    people: list[frozenset[str]] = []
    for side in SIDES:
        team = (await call.resources.handler.load(TEAM, state.team(side))).state
        known = team.was if isinstance(team, Ended) else team
        people.append(frozenset((*known.structure.members, *known.structure.leads)) if known else frozenset())
    either = frozenset().union(*people) if all(people) else frozenset[str]()
    return Speaker(
        call.principal.name, call.principal.kind == "person", f"{state.dev_team} or {state.sre_team}", either
    )


async def side_of(call: Call, state: Engagement, named: Side | None) -> tuple[Side | None, Speaker]:
    """For which side somebody speaks: as *named*, else the only one whose speaker it is; None: it cannot be told."""
    speakers: dict[Side, Speaker] = {side: await speaker(call, state.team(side)) for side in SIDES}
    if named is not None:
        return named, speakers[named]
    mine: list[Side] = [side for side in SIDES if call.principal.name in speakers[side].speakers]
    if len(mine) == 1:
        return mine[0], speakers[mine[0]]
    every = [who.speakers for who in speakers.values()]
    known = frozenset().union(*every) if all(every) else frozenset[str]()
    return None, Speaker(call.principal.name, call.principal.kind == "person", "either side", known)


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
