"""How ground rules and shared goals stand now, the breaches that were told, and what people did about them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Outcome
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.engagements import engagement_rule_schemas as schemas
from services.lifecycle.api.engagements.engaged import EngagementsDep, engaged, said
from services.lifecycle.api.engagements.engagement_rule_schemas import BreachView, breach_views
from services.lifecycle.contract import ENGAGEMENT
from services.lifecycle.domain.engagement.charter import Comparison, Goal
from services.lifecycle.domain.engagement.commands import Answer, CloseBreach, Measured
from services.lifecycle.domain.engagement.events import EngagementEvidence
from services.lifecycle.domain.engagement.measures import Seen, SloDay
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.projections.happenings import HAPPENINGS, measured_for
from services.lifecycle.projections.operational_work import OPERATIONAL_WORK
from services.lifecycle.projections.slo_days import SLO_DAYS, slo_days_of

router = Router(prefix="/v1/engagements/{engagement}", tags=["engagements"])

_READ, _WRITE = needs("engagements.read"), needs("engagements.write")
_FRESH = fresh(HAPPENINGS, SLO_DAYS, OPERATIONAL_WORK)


@dataclass(frozen=True, slots=True)
class RuleStatus:
    """How a ground rule stands; without data it is unknown, never kept."""

    rule: str
    metric: str
    meaning: str
    comparison: Comparison
    limit: float
    value: float | None
    state: Literal["kept", "breached", "unknown"]
    why: str
    since: datetime
    until: datetime
    evidence: tuple[EngagementEvidence, ...]
    action: str
    owner: str


@dataclass(frozen=True, slots=True)
class GoalStatus:
    """How a shared goal stands: live where it refers to an SLO; what nobody measures is unknown."""

    id: str
    kind: str
    title: str
    slo: str | None
    state: str
    target: float | None
    value: float | None
    budget_remaining: float | None
    evidence: tuple[EngagementEvidence, ...]
    why: str


@router.get(
    "/ground-rules/status",
    response_model=Page[RuleStatus],
    openapi_extra=_READ,
    responses=responses(404),
    dependencies=[_FRESH],
)
async def get_ground_rule_status(
    engagement: str, resources: ResourcesDep, request: Request, terms: EngagementsDep, as_of: AsOf = None
) -> Response:
    """Measure the ground rules that hold, each over its own window, and show what they were seen in."""
    state = engaged(await resources.handler.load(ENGAGEMENT, engagement, as_of=as_of))
    at = as_of or resources.clock.now()
    measured = await resources.views.read(measured_for, state, at, terms.policy, as_of=as_of)
    return etag.answer(request, _page(rule_statuses(state, measured, at, terms)))


@router.get(
    "/goals/status",
    response_model=Page[GoalStatus],
    openapi_extra=_READ,
    responses=responses(404),
    dependencies=[fresh(SLO_DAYS)],
)
async def get_goal_status(engagement: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
    """Read how the shared goals stand: the SLOs they refer to, live."""
    state = engaged(await resources.handler.load(ENGAGEMENT, engagement, as_of=as_of))
    at = as_of or resources.clock.now()
    days = await resources.views.read(slo_days_of, state.services, at - timedelta(days=28), at)
    return etag.answer(request, _page(goal_statuses(state, Seen(state.services, at, at, slo_days=days).budgets)))


@router.get("/breaches", response_model=Page[BreachView], openapi_extra=_READ, responses=responses(404))
async def list_breaches(engagement: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
    """List the breaches of ground rules, the newest first."""
    loaded = await resources.handler.load(ENGAGEMENT, engagement, as_of=as_of)
    return etag.answer(request, _page(breach_views(engaged(loaded))), version=loaded.version)


@router.post(
    "/breaches/{breach}:answer",
    response_model=BreachView,
    openapi_extra=_WRITE,
    responses=responses(403, 404, 422),
)
async def answer_breach(engagement: str, breach: str, body: schemas.AnswerBreach, call: CallDep) -> Response:
    """Choose a step of the ladder: named engineers, a reliability hackathon, a feature freeze, all hands."""
    command = Answer(
        **said(call, engagement, body.reason),
        breach=breach,
        step=body.step,
        engineers=body.engineers,
        is_person=call.principal.kind == "person",
    )
    return await _do(call, engagement, breach, command)


@router.post("/breaches/{breach}:close", response_model=BreachView, openapi_extra=_WRITE, responses=responses(404))
async def close_breach(engagement: str, breach: str, body: schemas.CloseBreach, call: CallDep) -> Response:
    """Say what was done about a breach, and that it is enough."""
    command = CloseBreach(**said(call, engagement, body.reason), breach=breach, outcome=body.outcome)
    return await _do(call, engagement, breach, command)


def rule_statuses(
    state: Engagement, measured: tuple[Measured, ...], at: datetime, terms: EngagementsDep
) -> list[RuleStatus]:
    """How each ground rule stands that holds."""
    made: list[RuleStatus] = []
    for rule, seen in zip(state.rules, measured, strict=True):
        known = seen.value is not None
        made.append(
            RuleStatus(
                rule=rule.id,
                metric=rule.metric,
                meaning=terms.policy.metrics[rule.metric].meaning if rule.metric in terms.policy.metrics else "",
                comparison=rule.comparison,
                limit=rule.limit,
                value=seen.value,
                state="unknown" if seen.value is None else "kept" if rule.kept(seen.value) else "breached",
                why=f"{seen.value:g}, {rule.comparison.replace('_', ' ')} {rule.limit:g}"
                if known
                else seen.why_unknown,
                since=at - timedelta(days=rule.window_days),
                until=at,
                evidence=seen.evidence,
                action=rule.action,
                owner=rule.owner,
            )
        )
    return made


def goal_statuses(state: Engagement, budgets: tuple[SloDay, ...]) -> list[GoalStatus]:
    """How each shared goal stands, of the edition that holds or else of the one that is proposed."""
    chapter = state.chapter("goals")
    edition = chapter.in_force or chapter.draft
    live = {day.slo: day for day in budgets}
    made: list[GoalStatus] = []
    for goal in edition.entries if edition else ():
        if not isinstance(goal, Goal):
            continue
        day = live.get(goal.slo)
        why = "" if day else f"{goal.slo} was not assessed lately" if goal.slo else f"nobody told of {goal.metric}"
        made.append(
            GoalStatus(
                id=goal.id,
                kind=goal.kind,
                title=goal.title,
                slo=goal.slo or None,
                state=day.state if day else "unknown",
                target=day.target if day else goal.target,
                value=day.sli if day else None,
                budget_remaining=day.remaining if day else None,
                evidence=(day.evidence,) if day else (),
                why=why,
            )
        )
    return made


async def _do(call: Call, engagement: str, breach: str, command: Answer | CloseBreach) -> Response:
    return await call.handle(ENGAGEMENT, engagement, command, body=_shown(breach))


def _shown(breach: str) -> Callable[[Outcome[Engagement | None]], BreachView]:
    def shown(outcome: Outcome[Engagement | None]) -> BreachView:
        for view in breach_views(engaged(outcome)):
            if view.id == breach:
                return view
        raise UnknownError("breach", breach)

    return shown


def _page(items: list[RuleStatus] | list[GoalStatus] | list[BreachView]) -> dict[str, object]:
    return {"items": items, "next_page_token": ""}
