"""`/v1/teams/{team}/load` and `/fit`: how much a team has to do, and what it could take on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.teams.team_schemas import TeamNextStep, living, team_view
from services.lifecycle.api.teams.teams import Rules, RulesDep
from services.lifecycle.api.views import live
from services.lifecycle.contract import SERVICE, TEAM
from services.lifecycle.domain.errors import UnknownReferenceError
from services.lifecycle.domain.policy import Number
from services.lifecycle.domain.team.decider import Ended, Registered
from services.lifecycle.domain.team.errors import TeamEndedError
from services.lifecycle.domain.team.fit import Candidate, Fit, Takes, Term, fit
from services.lifecycle.projections.happenings import HAPPENINGS
from services.lifecycle.projections.operational_work import OPERATIONAL_WORK
from services.lifecycle.projections.services import SERVICES
from services.lifecycle.projections.team_load import Load, load_of

router = Router(prefix="/v1/teams/{team}", tags=["teams"])
_READ = needs("teams.read")
_FRESH = fresh(SERVICES, HAPPENINGS, OPERATIONAL_WORK)


@dataclass(frozen=True, slots=True)
class LoadFigure:
    """A number of a team's load: null when nothing is known, with what it is made of, and its limit if it has one."""

    value: float | None
    n: int
    definition: str
    missing: str
    limit: float | None = None
    limit_source: str | None = None
    over_limit: bool | None = None


@dataclass(frozen=True, slots=True)
class LoadView:
    """How much a team has to do; never how much a person has."""

    team: str
    since: datetime
    until: datetime
    policy_version: str
    services: LoadFigure
    dev_relationships: LoadFigure
    stacks: LoadFigure
    pages_per_shift: LoadFigure
    operational_share: LoadFigure
    service_names: tuple[str, ...]
    overdue: tuple[TeamNextStep, ...]


@dataclass(frozen=True, slots=True)
class FitView:
    """How well a service fits a team, why, and what speaks against it whatever the score says."""

    team: str
    service: str
    policy_version: str
    score: float | None
    known_weight: float
    terms: tuple[Term, ...]
    cautions: tuple[str, ...]


@router.get("/load", response_model=LoadView, openapi_extra=_READ, responses=responses(404), dependencies=[_FRESH])
async def get_team_load(team: str, resources: ResourcesDep, request: Request, rules: RulesDep) -> Response:
    """Read how much a team has to do: services, relationships, stacks, pages per shift, operational share."""
    state = living(await resources.handler.load(TEAM, team))
    registered = state.was if isinstance(state, Ended) else state
    at = resources.clock.now()
    window = rules.policy.load_window_days.days
    load = await resources.views.read(load_of, team, registered.kind, at, window)
    steps = team_view(state, rules.policy).next_steps
    overdue = tuple(step for step in steps if step.due and step.due < at.date())
    figures = _figures(registered, load, rules)
    view = LoadView(
        team=team,
        since=at - window,
        until=at,
        policy_version=rules.policy.version,
        **figures,
        service_names=tuple(service.name for service in load.services),
        overdue=overdue,
    )
    return etag.answer(request, view)


@router.get("/fit", response_model=FitView, openapi_extra=_READ, responses=responses(404, 422), dependencies=[_FRESH])
async def get_team_fit(
    team: str,
    service: Annotated[str, Query(description="The service that the team might take on.")],
    resources: ResourcesDep,
    request: Request,
    rules: RulesDep,
) -> Response:
    """Read how well a service fits a team, with each term of the score and where its weight comes from."""
    state = living(await resources.handler.load(TEAM, team))
    if isinstance(state, Ended):
        raise TeamEndedError(team, state.into)
    loaded = await resources.handler.load(SERVICE, service)
    if loaded.state is None:
        raise UnknownReferenceError("service", service, "service")
    profile = live(loaded).profile
    at = resources.clock.now()
    load = await resources.views.read(load_of, team, state.kind, at, rules.policy.load_window_days.days)
    others = [one for one in load.services if one.name != service]
    found: Fit = fit(
        Candidate(
            product=profile.catalogue.product,
            technologies=profile.catalogue.technologies,
            owner_team=profile.owner_team,
        ),
        Takes(
            products={one.product for one in others},
            technologies={
                *state.structure.charter.technologies,
                *(name for one in others for name in one.technologies),
            },
            dev_teams={one.owner_team for one in others},
        ),
        rules.policy.fit,
    )
    over = [
        f"{name.replace('_', ' ')} is {figure.value:g}, the limit is {figure.limit:g} ({figure.limit_source})"
        for name, figure in _figures(state, load, rules).items()
        if figure.over_limit and figure.value is not None
    ]
    held = [f"{team} works for {service} already"] if len(others) < len(load.services) else []
    view = FitView(
        team=team,
        service=service,
        policy_version=rules.policy.version,
        score=found.score,
        known_weight=found.known_weight,
        terms=found.terms,
        cautions=(*held, *over),
    )
    return etag.answer(request, view)


def _figures(team: Registered, load: Load, rules: Rules) -> dict[str, LoadFigure]:
    policy, services = rules.policy, load.services
    partners = {one.owner_team if team.kind == "sre" else one.sre_team for one in services} - {"", team.team}
    untold = [one.name for one in services if not one.technologies]
    stacks = {name for one in services for name in one.technologies}
    works_for = "is engaged for (or owns)" if team.kind == "sre" else "owns"
    window = f"over {policy.load_window_days.value:g} days"
    return {
        "services": LoadFigure(len(services), len(services), f"living services that the team {works_for}", ""),
        "dev_relationships": LoadFigure(
            len(partners), len(services), "teams of the other side that work for the same services", ""
        ),
        "stacks": LoadFigure(
            len(stacks),
            len(services) - len(untold),
            "different technologies that these services name",
            f"no technologies named by {', '.join(untold)}" if untold else "",
        ),
        "pages_per_shift": _limited(
            load.pages_per_shift,
            len(load.shifts),
            f"mean pages of the shifts of the team's side that closed {window}",
            policy.pages_per_shift_limit,
            "no shift of its side was closed",
        ),
        "operational_share": _limited(
            load.hours.share,
            load.hours.records,
            f"operational hours among all hours recorded {window} (/v1/operational-work)",
            policy.operational_share_limit,
            "no hours were recorded",
        ),
    }


def _limited(value: float | None, n: int, definition: str, limit: Number, missing: str) -> LoadFigure:
    return LoadFigure(
        value=value,
        n=n,
        definition=definition,
        missing=missing if value is None else "",
        limit=limit.value,
        limit_source=limit.source,
        over_limit=None if value is None else value > limit.value,
    )
