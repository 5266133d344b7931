"""The hand-back of an engagement: its list, line by line, and how the time after compares with the time before."""

from starlette.requests import Request
from starlette.responses import Response

from libs.events.resources import Resources
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.consistency import fresh
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.engagements import handback_schemas as schemas
from services.lifecycle.api.engagements.engaged import EngagementsDep, engaged, said, speaker
from services.lifecycle.api.engagements.handback_schemas import HandbackView, handback_view
from services.lifecycle.contract import ENGAGEMENT
from services.lifecycle.domain.engagement.commands import Settle
from services.lifecycle.domain.engagement.events import Figure
from services.lifecycle.domain.engagement.policy import EngagementPolicy
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.projections.deployments import DEPLOYMENTS
from services.lifecycle.projections.happenings import HAPPENINGS, before_and_after
from services.lifecycle.projections.slo_days import SLO_DAYS

router = Router(prefix="/v1/engagements/{engagement}/handback", tags=["engagements"])


@router.get(
    "",
    response_model=HandbackView,
    openapi_extra=needs("engagements.read"),
    responses=responses(404),
    dependencies=[fresh(HAPPENINGS, SLO_DAYS, DEPLOYMENTS)],
)
async def get_handback(
    engagement: str, resources: ResourcesDep, request: Request, terms: EngagementsDep, as_of: AsOf = None
) -> Response:
    """Read the list of a hand-back, and, once it is done, the figures of the time before and the time after so far."""
    state = engaged(await resources.handler.load(ENGAGEMENT, engagement, as_of=as_of))
    at = as_of or resources.clock.now()
    figures = await _figures(resources, state, terms.policy)
    return etag.answer(request, handback_view(state, figures, at))


@router.post(
    "/{item}:settle",
    response_model=HandbackView,
    openapi_extra=needs("engagements.write"),
    responses=responses(403, 404, 409, 422),
)
async def settle_handback_item(engagement: str, item: str, body: schemas.SettleItem, call: CallDep) -> Response:
    """Say that a line of the list is done and where that can be seen, or why it does not apply."""
    state = engaged(await call.resources.handler.load(ENGAGEMENT, engagement))
    receiver = state.handover.receiver if state.handover else state.dev_team
    command = Settle(
        **said(call, engagement, body.reason),
        item=item,
        applies=body.applies,
        evidence=body.evidence or "",
        speaker=await speaker(call, receiver),
    )
    at = call.context.at
    return await call.handle(
        ENGAGEMENT, engagement, command, body=lambda outcome: handback_view(engaged(outcome), (), at)
    )


async def _figures(resources: Resources, state: Engagement, policy: EngagementPolicy) -> tuple[Figure, ...]:
    watch = state.watch
    if watch is None or watch.figures is not None:
        return watch.figures if watch and watch.figures else ()
    return await resources.views.read(before_and_after, watch, policy)
