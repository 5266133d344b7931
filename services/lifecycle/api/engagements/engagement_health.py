"""`/v1/engagements/{engagement}/health`: how two teams keep what they promised, each fact with its evidence.

There is no score: what is late, broken, waiting or unevenly shared is named, and who goes on.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from libs.events.resources import Resources
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.engagements.engaged import EngagementsDep, engaged
from services.lifecycle.api.engagements.engagement_rule_schemas import BreachView, breach_views
from services.lifecycle.api.engagements.engagement_rules import RuleStatus, rule_statuses
from services.lifecycle.api.engagements.engagement_schemas import MeetingSeriesView, series_views
from services.lifecycle.contract import ENGAGEMENT, ENGAGEMENT_ITEM
from services.lifecycle.domain.engagement.charter import SIDES, Side
from services.lifecycle.domain.engagement.commands import Measured
from services.lifecycle.domain.engagement.events import EngagementEvidence
from services.lifecycle.domain.engagement.measures import Seen
from services.lifecycle.domain.engagement.next_steps import Next, next_steps
from services.lifecycle.domain.engagement.policy import EngagementPolicy
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.engagement_item.decider import Item
from services.lifecycle.domain.engagement_item.lives import PATHS, Kind
from services.lifecycle.projections.engagement_items import ENGAGEMENT_ITEMS, items_of
from services.lifecycle.projections.happenings import HAPPENINGS, measured_for, seen
from services.lifecycle.projections.slo_days import SLO_DAYS

router = Router(prefix="/v1/engagements/{engagement}", tags=["engagements"])


@dataclass(frozen=True, slots=True)
class CadenceKept:
    """A series of meetings: how often it was held and missed, and whether it is late now."""

    series: MeetingSeriesView
    overdue: bool
    url: str


@dataclass(frozen=True, slots=True)
class OverdueItem:
    """Something that both keep track of, and whose day is over."""

    kind: Kind
    title: str
    owner: str | None
    due: date
    url: str


@dataclass(frozen=True, slots=True)
class Workload:
    """What one side carried in the last four weeks; null where nothing was heard that would tell."""

    side: Side
    team: str
    shifts: int | None
    pages: int | None
    interrupt_hours: float | None
    share_of_interrupts: float | None
    open_items: int
    evidence: tuple[EngagementEvidence, ...]


@dataclass(frozen=True, slots=True)
class HealthView:
    """How an engagement does: what is late, broken, waiting or unevenly shared, each with its evidence."""

    engagement: str
    at: datetime
    cadence: tuple[CadenceKept, ...]
    ground_rules: tuple[RuleStatus, ...]
    open_breaches: tuple[BreachView, ...]
    overdue: tuple[OverdueItem, ...]
    workload: tuple[Workload, ...]
    workload_since: datetime
    next: tuple[Next, ...]


@router.get(
    "/health",
    response_model=HealthView,
    openapi_extra=needs("engagements.read"),
    responses=responses(404),
    dependencies=[fresh(HAPPENINGS, SLO_DAYS, ENGAGEMENT_ITEMS)],
)
async def get_engagement_health(
    engagement: str, resources: ResourcesDep, request: Request, terms: EngagementsDep, as_of: AsOf = None
) -> Response:
    """Read how an engagement does: cadence kept, breaches, overdue items, the balance of work; no score."""
    state = engaged(await resources.handler.load(ENGAGEMENT, engagement, as_of=as_of))
    at = as_of or resources.clock.now()
    since = at - timedelta(days=terms.policy.workload_days.value)
    measured, heard = await resources.views.read(_heard, state, since, at, terms.policy, as_of)
    items = await _items(resources, engagement, as_of)
    view = HealthView(
        engagement=engagement,
        at=at,
        cadence=tuple(
            CadenceKept(each, state.works and each.due <= at, f"/v1/engagements/{engagement}")
            for each in series_views(state)
        ),
        ground_rules=tuple(rule_statuses(state, measured, at, terms)),
        open_breaches=tuple(breach for breach in breach_views(state) if breach.state != "closed"),
        overdue=tuple(
            OverdueItem(
                each.kind,
                each.content.title,
                each.content.owner or None,
                each.content.due,
                f"/v1/engagements/{engagement}/{PATHS[each.kind]}/{each.item}",
            )
            for each in items
            if each.content.due and each.overdue(at.date())
        ),
        workload=tuple(_workload(side, state, heard, items) for side in SIDES),
        workload_since=since,
        next=next_steps(state, at),
    )
    return etag.answer(request, view)


def _heard(
    connection: Connection,
    state: Engagement,
    since: datetime,
    at: datetime,
    policy: EngagementPolicy,
    as_of: datetime | None,
) -> tuple[tuple[Measured, ...], Seen]:
    measured = measured_for(connection, state, at, policy, as_of=as_of)
    severe = frozenset(policy.severe)
    return measured, seen(connection, state.services, since, at, severe=severe, as_of=as_of)


async def _items(resources: Resources, engagement: str, as_of: datetime | None) -> list[Item]:
    rows = await resources.views.read(items_of, engagement)
    found = [(await resources.handler.load(ENGAGEMENT_ITEM, row.item, as_of=as_of)).state for row in rows]
    return [item for item in found if item is not None]


def _workload(side: Side, state: Engagement, heard: Seen, items: list[Item]) -> Workload:
    shifts = [shift for shift in heard.shifts if shift.side == side]
    total = sum(shift.interrupt_minutes for shift in heard.shifts)
    mine = sum(shift.interrupt_minutes for shift in shifts)
    return Workload(
        side=side,
        team=state.team(side),
        shifts=len(shifts) if heard.shifts else None,
        pages=sum(shift.pages for shift in shifts) if heard.shifts else None,
        interrupt_hours=mine / 60 if heard.shifts else None,
        share_of_interrupts=mine / total if total else None,
        open_items=sum(item.content.side == side and bool(item.allowed) for item in items),
        evidence=tuple(shift.evidence for shift in shifts),
    )
