"""`/v1/teams`."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from fastapi import Depends, Query
from sqlalchemy import RowMapping, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Outcome, Step
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.references import caught_up, living_service, living_team, patience
from services.lifecycle.api.teams.team_schemas import (
    ChangeTeam,
    DissolveTeam,
    MergeTeam,
    RegisterTeam,
    ReviewStructure,
    ShardPart,
    ShardTeam,
    StructureBody,
    TeamView,
    living,
    structure_of,
    team_view,
)
from services.lifecycle.config import Policies
from services.lifecycle.contract import SERVICE, TEAM
from services.lifecycle.domain.errors import NameTakenError, ReferenceEndedError
from services.lifecycle.domain.service.commands import HandOver
from services.lifecycle.domain.team.commands import Absorb, Change, Dissolve, Merge, Register, Review, Shard, TakeOn
from services.lifecycle.domain.team.decider import Ended, Registered, Team
from services.lifecycle.domain.team.errors import ForeignServiceError, TeamEndedError
from services.lifecycle.domain.team.kinds import TeamKind
from services.lifecycle.domain.team.policy import TeamPolicy
from services.lifecycle.domain.team.structure import UNSAID, without
from services.lifecycle.projections.engagements import ENGAGEMENTS, open_engagements_of
from services.lifecycle.projections.services import SERVICES, owned_by, with_code_of
from services.lifecycle.projections.teams import TEAMS, team_in
from services.lifecycle.timetable import TeamDates, team_dates

router = Router(prefix="/v1/teams", tags=["teams"])
_READ, _WRITE = needs("teams.read"), needs("teams.write")


@dataclass(frozen=True, slots=True)
class Rules:
    """What is asked of teams here, when something of them is due, and how long to wait until read models are fresh."""

    policy: TeamPolicy
    dates: TeamDates
    wait_s: float

    @property
    def least_at_site(self) -> int:
        """How many people an SRE team has at a site at least."""
        return int(self.policy.least_at_site.value)

    def view(self, state: Registered | Ended) -> TeamView:
        """A team as it is answered."""
        return team_view(state, self.policy)


async def _rules(request: Request) -> Rules:
    policies: Policies = request.app.state.policies
    return Rules(policies.teams, team_dates(policies.inbox, policies.teams), patience(request))


RulesDep = Annotated[Rules, Depends(_rules)]


@router.post("", status_code=201, response_model=TeamView, openapi_extra=_WRITE, responses=responses(409))
async def register_team(body: RegisterTeam, call: CallDep, rules: RulesDep) -> Response:
    """Register a development or SRE team; what is not known yet may follow."""
    await _check_references(call, body)
    command = _register(body, body.kind, call, rules)
    return await _do(call, body.name, command, rules, status=201, location=f"/v1/teams/{body.name}")


@router.get("", openapi_extra=_READ, dependencies=[fresh(TEAMS)])
async def list_teams(
    resources: ResourcesDep,
    page: PageDep,
    rules: RulesDep,
    kind: Annotated[list[TeamKind] | None, Query()] = None,
    state: Annotated[Literal["active", "ended"] | None, Query(description="All, unless given.")] = None,
    as_of: AsOf = None,
) -> Page[TeamView]:
    """List teams by name.

    With `as_of` a page may hold fewer teams than asked for, even none, while more follow.
    """
    view = TEAMS.view
    query = select(view)
    if kind:
        query = query.where(view.c.kind.in_(kind))
    if as_of:
        query = query.where(view.c.recorded_at <= as_of)
    elif state:
        query = query.where(view.c.ended == (state == "ended"))

    def item(row: RowMapping) -> TeamView:
        return rules.view(team_in(row))

    found = await resources.views.read(
        page.fetch,
        query,
        key=view.c.name,
        orders={"name": view.c.name, "registered_at": view.c.registered_at},
        item=item,
    )
    if as_of:
        then = [await resources.handler.load(TEAM, team.name, as_of=as_of) for team in found.items]
        shown = [rules.view(living(loaded)) for loaded in then]
        found.items = [team for team in shown if state in {None, team.state}]
    return found


@router.get("/{team}", response_model=TeamView, openapi_extra=_READ, responses=responses(404))
async def get_team(
    team: str, resources: ResourcesDep, request: Request, rules: RulesDep, as_of: AsOf = None
) -> Response:
    """Read a team: its people, how it is set up, and what is to be done about that next."""
    loaded = await resources.handler.load(TEAM, team, as_of=as_of)
    return etag.answer(request, rules.view(living(loaded)), version=loaded.version)


@router.patch(
    "/{team}",
    response_model=TeamView,
    openapi_extra=needs("teams.write", if_match=True),
    responses=responses(404, 428),
)
@retried_on_conflict
async def change_team(team: str, body: ChangeTeam, call: CallDep, rules: RulesDep) -> Response:
    """Change a team (JSON merge patch): lists are replaced whole."""
    call, state = await _pinned(call, team)
    await _check_references(call, body)
    given = "display_name" in body.model_fields_set
    command = Change(
        team=team,
        display_name=(body.display_name or team) if given else state.display_name,
        at=call.context.at,
        structure=structure_of(body, state.structure) if body.model_fields_set - {"display_name"} else None,
        least_at_site=rules.least_at_site,
        by=call.principal.name,
    )
    return await _do(call, team, command, rules)


@router.post("/{team}:shard", response_model=TeamView, openapi_extra=_WRITE, responses=responses(404))
@retried_on_conflict
async def shard_team(team: str, body: ShardTeam, call: CallDep, rules: RulesDep) -> Response:
    """Make parts of a team teams of their own; people and services that move leave it, all at once or not at all."""
    call, state = await _pinned(call, team)
    owned = await _owned(call, team, rules)
    moves: dict[str, str] = {}
    names = [part.name for part in body.into]
    for name in names:
        if names.count(name) > 1:
            raise NameTakenError("team", name)
    for index, part in enumerate(body.into):
        await _check_references(call, part, f"into/{index}/")
        for place, service in enumerate(part.services):
            field = f"into/{index}/services/{place}"
            if service not in owned or service in moves:
                raise ForeignServiceError(team, service, field)
            moves[service] = part.name
    people = {person for part in body.into for person in part.members or ()}
    left = without(state.structure, people, moves)
    if body.remaining is not None:
        await _check_references(call, body.remaining, "remaining/")
        left = structure_of(body.remaining, left)
    command = Shard(
        team=team,
        into=tuple(names),
        services=moves,
        structure=left,
        least_at_site=rules.least_at_site,
        reason=body.reason,
        by=call.principal.name,
        at=call.context.at,
    )
    parts = [
        Step(
            TEAM,
            part.name,
            _register(part, state.kind, call, rules, shard_of=team, owns=part.services),
            rules.dates.of,
        )
        for part in body.into
    ]
    return await _do(call, team, command, rules, also=[*parts, *_given(team, moves, call)])


@router.post("/{team}:merge", response_model=TeamView, openapi_extra=_WRITE, responses=responses(404))
@retried_on_conflict
async def merge_team(team: str, body: MergeTeam, call: CallDep, rules: RulesDep) -> Response:
    """End a team as a part of another of its kind, which takes over its people, services and engagements."""
    call, state = await _pinned(call, team)
    await living_team(call.resources, body.into, "into")
    owned = await _owned(call, team, rules)
    command = Merge(
        team=team,
        into=body.into,
        services=tuple(owned),
        reason=body.reason,
        by=call.principal.name,
        at=call.context.at,
    )
    absorb = Absorb(
        team=body.into,
        absorbed=team,
        kind=state.kind,
        structure=state.structure,
        least_at_site=rules.least_at_site,
        reason=body.reason,
        by=call.principal.name,
        at=call.context.at,
    )
    touched = dict.fromkeys([*owned, *await call.resources.views.read(with_code_of, team)], body.into)
    also = [] if body.into == team else [Step(TEAM, body.into, absorb, rules.dates.of), *_given(team, touched, call)]
    return await _do(call, team, command, rules, also=also)


@router.post("/{team}:dissolve", response_model=TeamView, openapi_extra=_WRITE, responses=responses(404))
async def dissolve_team(team: str, body: DissolveTeam, call: CallDep, rules: RulesDep) -> Response:
    """End a team and give each of its services to another; refused while one would be left without an owner."""
    owned = await _owned(call, team, rules)
    for service in sorted(set(body.services) - set(owned)):
        raise ForeignServiceError(team, service, f"services/{service}")
    touched = dict.fromkeys([*owned, *await call.resources.views.read(with_code_of, team)])
    heirs = {service: body.services.get(service) or body.successor or "" for service in touched}
    for service, heir in heirs.items():
        if heir:
            await _heir(call, team, heir, f"services/{service}" if service in body.services else "successor")
    given = {service: heir for service, heir in heirs.items() if heir}
    return await _end(call, team, given, body.reason, rules, successor=body.successor or "")


@router.delete("/{team}", response_model=TeamView, openapi_extra=_WRITE, responses=responses(404))
async def end_team(
    team: str, call: CallDep, rules: RulesDep, reason: Annotated[str, Query(max_length=10_000)] = ""
) -> Response:
    """End a team that nothing needs; it stays readable."""
    return await _end(call, team, {}, reason or "deleted", rules)


@router.post("/{team}:review-structure", response_model=TeamView, openapi_extra=_WRITE, responses=responses(404))
async def review_structure(team: str, body: ReviewStructure, call: CallDep, rules: RulesDep) -> Response:
    """Say that people looked at how the team is set up, and what they decided; the next look is a year away."""
    command = Review(team=team, outcome=body.outcome, notes=body.notes, by=call.principal.name, at=call.context.at)
    return await _do(call, team, command, rules)


async def _end(
    call: Call, team: str, heirs: Mapping[str, str], reason: str, rules: Rules, *, successor: str = ""
) -> Response:
    owned = await _owned(call, team, rules)
    with_code = await call.resources.views.read(with_code_of, team)
    needed_by = [
        *await _engagements(call, team),
        *(f"service {name}" for name in owned if name not in heirs),
        *(f"code of service {name}" for name in with_code if name not in heirs and name not in owned),
    ]
    command = Dissolve(
        team=team,
        needed_by=tuple(needed_by),
        services={name: heir for name, heir in heirs.items() if name in owned},
        reason=reason,
        by=call.principal.name,
        at=call.context.at,
        successor=successor,
    )
    alive = [Step(TEAM, heir, TakeOn(heir)) for heir in dict.fromkeys((*heirs.values(), successor)) if heir]
    return await _do(call, team, command, rules, also=[*alive, *_given(team, heirs, call)])


async def _do(  # noqa: PLR0913  each is a part of one request
    call: Call,
    team: str,
    command: Any,  # noqa: ANN401  one of the commands of a team
    rules: Rules,
    *,
    also: Sequence[Step[Any, Any, Any]] = (),
    status: int = 200,
    location: str | None = None,
) -> Response:
    def shown(outcome: Outcome[Team]) -> TeamView:
        return rules.view(living(outcome))

    return await call.handle(
        TEAM,
        team,
        command,
        body=shown,
        also=also,
        status=status,
        location=location,
        effects=rules.dates.of,
    )


def _register(
    body: RegisterTeam | ShardPart,
    kind: TeamKind,
    call: Call,
    rules: Rules,
    *,
    shard_of: str = "",
    owns: Sequence[str] = (),
) -> Register:
    structure = structure_of(body, UNSAID)
    if kind == "sre" and owns:  # what an SRE team takes over, it takes on
        services = tuple(dict.fromkeys((*structure.charter.services, *owns)))
        structure = replace(structure, charter=replace(structure.charter, services=services))
    return Register(
        team=body.name,
        kind=kind,
        display_name=body.display_name or body.name,
        at=call.context.at,
        structure=structure,
        least_at_site=rules.least_at_site,
        shard_of=shard_of,
        by=call.principal.name,
    )


def _given(team: str, heirs: Mapping[str, str], call: Call) -> list[Step[Any, Any, Any]]:
    """What lets each service's heir answer for all of it that *team* answered for."""
    return [
        Step(SERVICE, name, HandOver(service=name, from_team=team, to_team=heir, at=call.context.at))
        for name, heir in heirs.items()
    ]


async def _pinned(call: Call, team: str) -> tuple[Call, Registered]:
    """The team, and the call bound to the version that was read: what is worked out from it cannot be outdated."""
    loaded = await call.resources.handler.load(TEAM, team)
    state = living(loaded)
    if isinstance(state, Ended):
        raise TeamEndedError(team, state.into)
    return call.pinned(loaded), state


async def _owned(call: Call, team: str, rules: Rules) -> list[str]:
    """The services of *team*, all that is stored considered."""
    await caught_up(call.resources, rules.wait_s, SERVICES, ENGAGEMENTS)
    return await call.resources.views.read(owned_by, team)


async def _engagements(call: Call, team: str) -> list[str]:
    """The engagements that would be left with one side; the read model has caught up (`_owned`)."""
    return [f"engagement {found}" for found in await call.resources.views.read(open_engagements_of, team)]


async def _heir(call: Call, team: str, heir: str, field: str) -> None:
    if heir == team:
        raise ReferenceEndedError("team", heir, field)
    await living_team(call.resources, heir, field)


async def _check_references(call: Call, body: StructureBody, within: str = "") -> None:
    """Refuse a charter that names services that do not exist, or have ended."""
    for index, service in enumerate((body.charter and body.charter.services) or ()):
        await living_service(call.resources, service, f"{within}charter/services/{index}")
