"""`/v1/engagements`: from request to end, and the services that come and go."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import Connection, RowMapping
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import NO_EFFECTS, Effects, Outcome, Step
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle import timetable
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.engagements import engagement_schemas as schemas
from services.lifecycle.api.engagements.engaged import EngagementsDep, engaged, known_team, said, speaker
from services.lifecycle.api.engagements.engagement_schemas import (
    EngagementRow,
    EngagementView,
    engagement_row,
    engagement_view,
)
from services.lifecycle.api.engagements.handback_schemas import HandBackBody, StartHandback
from services.lifecycle.contract import ENGAGEMENT, SERVICE, TEAM
from services.lifecycle.domain.engagement import commands
from services.lifecycle.domain.engagement.errors import IncompleteError, NotOwnedError
from services.lifecycle.domain.engagement.events import Event
from services.lifecycle.domain.engagement.state import Engagement, Standing
from services.lifecycle.domain.errors import UnknownReferenceError
from services.lifecycle.domain.service.commands import Engage, Release, Reviewed
from services.lifecycle.domain.service.decider import Profile
from services.lifecycle.domain.team.commands import TakeOn
from services.lifecycle.projections.engagements import ENGAGED_SERVICES, ENGAGEMENTS, engagements
from services.lifecycle.projections.evidence import EVIDENCE, latest_evidence
from services.lifecycle.projections.readiness_reviews import READINESS_REVIEWS, review_of

router = Router(prefix="/v1/engagements", tags=["engagements"])

_READ, _WRITE = needs("engagements.read"), needs("engagements.write")
_DELTA_REVIEW = "delta_readiness_review"  # the kind of evidence that lets a service come back
Names = Annotated[list[str] | None, Query()]


@router.post(
    "", status_code=201, response_model=EngagementView, openapi_extra=_WRITE, responses=responses(404, 409, 422)
)
async def request_engagement(body: schemas.RequestEngagement, call: CallDep) -> Response:
    """Ask an SRE team to engage with a development team over services of the latter."""
    await known_team(call.resources, body.sre_team, "sre", "sre_team")
    await known_team(call.resources, body.dev_team, "dev", "dev_team")
    services = tuple(dict.fromkeys(body.services))
    for service in services:
        profile = await _profile(call.resources, service, "services")
        if profile.owner_team != body.dev_team:
            raise NotOwnedError(service, profile.owner_team, body.dev_team)
    engagement = str(new_id())
    command = commands.Request(
        **said(call, engagement, body.reason),
        sre_team=body.sre_team,
        dev_team=body.dev_team,
        services=services,
        model=body.model,
        trackers=body.trackers.links(),
    )
    return await call.handle(
        ENGAGEMENT,
        engagement,
        command,
        body=_shown(call.context.at),
        status=201,
        location=f"/v1/engagements/{engagement}",
        also=[Step(TEAM, team, TakeOn(team)) for team in (body.sre_team, body.dev_team)],
    )


@router.get("", openapi_extra=_READ, dependencies=[fresh(ENGAGEMENTS, ENGAGED_SERVICES)])
async def list_engagements(  # noqa: PLR0913  filters
    resources: ResourcesDep,
    page: PageDep,
    sre_team: Names = None,
    dev_team: Names = None,
    service: Names = None,
    state: Annotated[list[Standing] | None, Query()] = None,
    as_of: AsOf = None,
) -> Page[EngagementRow]:
    """List engagements, the newest request first.

    With `as_of` a page may hold fewer than asked for, even none, while more follow.
    """
    view = ENGAGEMENTS.view.c
    query = engagements(sre_team or (), dev_team or (), () if as_of else state or (), () if as_of else service or ())
    if as_of:
        query = query.where(view.recorded_at <= as_of)
    found = await resources.views.read(
        page.fetch, query, key=view.engagement, orders={"since": view.since}, item=_row, descending=True
    )
    if as_of:
        then = [engaged(await resources.handler.load(ENGAGEMENT, row.id, as_of=as_of)) for row in found.items]
        found.items = [
            engagement_row(each)
            for each in then
            if (not state or each.standing in state) and (not service or set(service) & set(each.services))
        ]
    return found


@router.get("/{engagement}", response_model=EngagementView, openapi_extra=_READ, responses=responses(404))
async def get_engagement(engagement: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
    """Read an engagement, and who must do what next."""
    loaded = await resources.handler.load(ENGAGEMENT, engagement, as_of=as_of)
    view = engagement_view(engaged(loaded), as_of or resources.clock.now())
    return etag.answer(request, view, version=loaded.version)


@router.post(
    "/{engagement}:triage", response_model=EngagementView, openapi_extra=_WRITE, responses=responses(403, 404, 409, 422)
)
async def triage_engagement(engagement: str, body: schemas.Triage, call: CallDep) -> Response:
    """Say for the SRE team whether it engages, or what it offers instead."""
    state = engaged(await call.resources.handler.load(ENGAGEMENT, engagement))
    asked = said(call, engagement, body.reason)
    who = await speaker(call, state.sre_team)
    if body.decision == "accepted":
        return await _do(call, engagement, commands.Accept(**asked, speaker=who))
    if body.instead is None:
        raise IncompleteError([("/instead", "say what is offered instead: consultation or documentation")])
    command = commands.Decline(**asked, speaker=who, instead=body.instead, guidance=body.guidance)
    return await _do(call, engagement, command)


@router.post(
    "/{engagement}:activate",
    response_model=EngagementView,
    openapi_extra=_WRITE,
    responses=responses(404, 409, 422),
    dependencies=[fresh(EVIDENCE, READINESS_REVIEWS)],
)
@retried_on_conflict
async def activate_engagement(
    engagement: str, body: schemas.ActivateEngagement, call: CallDep, terms: EngagementsDep
) -> Response:
    """Begin to work together: from now on the SRE team is that of every service."""
    loaded = await call.resources.handler.load(ENGAGEMENT, engagement)
    state = engaged(loaded)
    joining = [await _engage(call, state, service) for service in state.services]
    command = commands.Activate(
        **said(call, engagement, body.reason),
        model=body.model,
        reviews=tuple(each.reviewed.evidence for each in joining if each.reviewed),
        series=terms.policy.cadences,
    )
    looked = Effects(schedule=(timetable.look(engagement, call.context.at + terms.policy.look_every),))
    return await _do(call.pinned(loaded), engagement, command, also=_steps(joining), effects=looked)


@router.post(
    "/{engagement}:change-model", response_model=EngagementView, openapi_extra=_WRITE, responses=responses(404, 409)
)
async def change_engagement_model(engagement: str, body: schemas.ChangeModel, call: CallDep) -> Response:
    """Work together in another way."""
    return await _do(call, engagement, commands.ChangeModel(**said(call, engagement, body.reason), model=body.model))


@router.post(
    "/{engagement}/services",
    response_model=EngagementView,
    openapi_extra=_WRITE,
    responses=responses(404, 409, 422),
    dependencies=[fresh(EVIDENCE, READINESS_REVIEWS)],
)
@retried_on_conflict
async def add_engaged_service(engagement: str, body: schemas.JoinService, call: CallDep) -> Response:
    """Take one more service of the development team in."""
    loaded = await call.resources.handler.load(ENGAGEMENT, engagement)
    state = engaged(loaded)
    profile = await _profile(call.resources, body.service, "service")
    if profile.owner_team != state.dev_team:
        raise NotOwnedError(body.service, profile.owner_team, state.dev_team)
    joining = [await _engage(call, state, body.service)] if state.works else []
    reviewed = joining[0].reviewed if joining else None
    command = commands.Join(
        **said(call, engagement, body.reason), service=body.service, review=reviewed.evidence if reviewed else ""
    )
    return await _do(call.pinned(loaded), engagement, command, also=_steps(joining))


@router.post(
    "/{engagement}/services/{service}:remove",
    response_model=EngagementView,
    openapi_extra=_WRITE,
    responses=responses(404, 409),
)
async def remove_engaged_service(engagement: str, service: str, body: schemas.WhyBody, call: CallDep) -> Response:
    """Let a service go; the others stay."""
    await _profile(call.resources, service, "service")
    command = commands.Leave(**said(call, engagement, body.reason), services=(service,))
    return await _do(call, engagement, command, also=_releases(call, engagement, [service]))


@router.post(
    "/{engagement}:start-handback",
    response_model=EngagementView,
    openapi_extra=_WRITE,
    responses=responses(404, 409, 422),
)
async def start_handback(engagement: str, body: StartHandback, call: CallDep, terms: EngagementsDep) -> Response:
    """Begin to give the services to the development team, or to another one."""
    await known_team(call.resources, body.receiver, None, "receiver")
    command = commands.StartHandback(
        **said(call, engagement, body.reason),
        receiver=body.receiver,
        items=terms.policy.checklist(call.context.at),
    )
    return await _do(call, engagement, command)


@router.post(
    "/{engagement}:hand-back", response_model=EngagementView, openapi_extra=_WRITE, responses=responses(404, 409, 422)
)
@retried_on_conflict
async def hand_back(engagement: str, body: HandBackBody, call: CallDep, terms: EngagementsDep) -> Response:
    """Give the services away when everything on the list is settled, until something asks for a re-entry."""
    loaded = await call.resources.handler.load(ENGAGEMENT, engagement)
    command = commands.HandBack(
        **said(call, engagement, body.reason), re_entry=tuple(body.re_entry), watch=terms.policy.watch_days.days
    )
    steps = _releases(call, engagement, engaged(loaded).services)
    return await _do(call.pinned(loaded), engagement, command, also=steps, effects=timetable.watching)


@router.post(
    "/{engagement}:disengage", response_model=EngagementView, openapi_extra=_WRITE, responses=responses(404, 409)
)
@retried_on_conflict
async def disengage(engagement: str, body: schemas.DisengageBody, call: CallDep, terms: EngagementsDep) -> Response:
    """End it for good."""
    loaded = await call.resources.handler.load(ENGAGEMENT, engagement)
    command = commands.Disengage(
        **said(call, engagement, body.reason), ending=body.ending, watch=terms.policy.watch_days.days
    )
    steps = _releases(call, engagement, engaged(loaded).services)
    return await _do(call.pinned(loaded), engagement, command, also=steps, effects=timetable.watching)


async def _do(
    call: Call,
    engagement: str,
    command: commands.Command,
    *,
    also: Iterable[Step[Any, Any, Any]] = (),
    effects: Callable[[Engagement | None, tuple[Event, ...]], Effects] | Effects = NO_EFFECTS,
) -> Response:
    return await call.handle(
        ENGAGEMENT, engagement, command, body=_shown(call.context.at), also=tuple(also), effects=effects
    )


def _shown(at: datetime) -> Callable[[Outcome[Engagement | None]], EngagementView]:
    return lambda outcome: engagement_view(engaged(outcome), at)


async def _engage(call: Call, state: Engagement, service: str) -> Engage:
    reviewed = await call.resources.views.read(_reviewed, service, call.context.at)
    return Engage(
        service=service,
        engagement=state.engagement,
        sre_team=state.sre_team,
        dev_team=state.dev_team,
        reviewed=reviewed,
        by=call.principal.name,
        at=call.context.at,
    )


def _reviewed(connection: Connection, service: str, at: datetime) -> Reviewed | None:
    """What was reviewed last: by a readiness review whose approval holds, or as somebody attests."""
    attested, review = latest_evidence(connection, service).get(_DELTA_REVIEW), review_of(connection, service)
    found = [Reviewed(attested.evidence, attested.at)] if attested else []
    if review and review.approved_at and review.is_approved(at):
        found.append(Reviewed(review.review, review.approved_at))
    return max(found, key=lambda each: each.at, default=None)


def _releases(call: Call, engagement: str, services: Iterable[str]) -> list[Step[Any, Any, Any]]:
    by, at = call.principal.name, call.context.at
    return _steps(Release(service=service, engagement=engagement, by=by, at=at) for service in services)


def _steps(asked: Iterable[Engage | Release]) -> list[Step[Any, Any, Any]]:
    return [Step(SERVICE, command.service, command) for command in asked]


async def _profile(resources: Resources, service: str, field: str) -> Profile:
    state = (await resources.handler.load(SERVICE, service)).state
    if state is None:
        raise UnknownReferenceError("service", service, field)
    return state.profile


def _row(row: RowMapping) -> EngagementRow:
    return EngagementRow(
        id=row["engagement"],
        sre_team=row["sre_team"],
        dev_team=row["dev_team"],
        services=tuple(row["services"]),
        model=row["model"],
        state=row["standing"],
        since=row["since"],
    )
