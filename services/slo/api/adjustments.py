"""Adjustments: time that both sides agreed not to hold against a service."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from fastapi import Query
from pydantic import Field
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Outcome
from libs.events.ids import new_id
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.pagination import Page, PageDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Body, Line, Name, Text, example
from services.slo.api.definitions import existing, wait_s
from services.slo.api.promises import unknown_after, unknown_service
from services.slo.api.schemas import Time
from services.slo.contract import ADJUSTMENT, POLICY, SLO
from services.slo.domain.adjustment.commands import Agree, End
from services.slo.domain.adjustment.decider import Agreed, Ended, State
from services.slo.domain.adjustments import Adjustment, Effect
from services.slo.domain.errors import NoSuchAdjustmentError
from services.slo.projections import adjustments as read_model
from services.slo.projections.adjustments import ADJUSTMENTS
from services.slo.projections.known_services import KNOWN_SERVICES
from services.slo.projections.slos import SLOS

router = Router(prefix="/v1/adjustments", tags=["adjustments"])


class BothSides(Body):
    """Who agreed."""

    development: Line
    sre: Line


class NewAdjustment(Body):
    """A maintenance window or an exclusion, once or by an RFC 5545 rule, of some SLOs or of all of a service.

    `remove` drops the measurements of that time, `count_as_good` turns their bad events into good ones. A rule recurs
    at the same wall time of `zone`.
    """

    model_config = example(
        service="checkout-api",
        effect="remove",
        start="2026-11-22T02:00:00Z",
        duration="PT2H",
        zone="Europe/Berlin",
        rrule="FREQ=WEEKLY;BYDAY=SU",
        reason="the database is maintained",
        agreed_by={"development": "ana", "sre": "bo"},
    )

    slos: Annotated[tuple[Name, ...], Field(max_length=1000)] = ()
    service: Name | None = None
    effect: Effect
    start: Time
    duration: timedelta
    zone: Line = "UTC"
    rrule: Annotated[str, Field(max_length=500)] = ""
    reason: Annotated[Text, Field(min_length=1)]
    agreed_by: BothSides


class EndOfAdjustment(Body):
    """Until when it holds: now unless given; before its start, it never did."""

    model_config = example(until="2026-12-24T00:00:00Z", reason="the database is replaced")

    until: Time | None = None
    reason: Text = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AdjustmentAnswer:
    """An adjustment; it excuses nothing from `until` on."""

    id: str
    slos: list[str]
    service: str
    effect: Effect
    start: datetime
    duration: timedelta
    zone: str
    rrule: str
    reason: str
    agreed_by: dict[str, str]
    by: str
    at: datetime
    until: datetime | None
    ended_reason: str


@router.post(
    "",
    status_code=201,
    response_model=AdjustmentAnswer,
    openapi_extra=needs("slos.write"),
    responses=responses(404, 422),
    dependencies=[fresh(KNOWN_SERVICES)],
)
async def agree_adjustment(request: Request, body: NewAdjustment, call: CallDep) -> Response:
    """Excuse some time, past or to come; figures, alerts and reports follow, also those of past windows."""
    time = Adjustment(body.effect, body.start, body.duration, body.zone, body.rrule)
    if bool(body.slos) == bool(body.service):
        detail = "name either the SLOs, or one service for all of its SLOs"
        raise Problem(422, "invalid-adjustment", "It is not clear whose", detail, [Place(detail, "/slos")])
    load = call.resources.handler.load
    services = {existing((await load(SLO, slo)).state, slo).promise.service for slo in body.slos}
    if body.service and await unknown_after(call.resources, {body.service}, wait_s(request)):
        raise unknown_service(body.service, "/service")
    services |= {body.service} if body.service else set()
    policies = [(await load(POLICY, service)).state for service in sorted(services)]
    key = str(new_id())
    command = Agree(
        adjustment=key,
        slos=body.slos,
        service=body.service or "",
        time=time,
        reason=body.reason,
        development=body.agreed_by.development,
        sre=body.agreed_by.sre,
        signers=tuple(policy.edition.document.signers for policy in policies if policy),
        by=call.principal.name,
        at=call.context.at,
    )
    return await call.handle(
        ADJUSTMENT,
        key,
        command,
        body=lambda outcome: _answer(outcome.state, key),
        status=201,
        location=f"/v1/adjustments/{key}",
    )


@router.get("", openapi_extra=needs("slos.read"), dependencies=[fresh(ADJUSTMENTS, SLOS)])
async def list_adjustments(
    resources: ResourcesDep,
    page: PageDep,
    slo: Annotated[list[str] | None, Query(description="Also those of its service.")] = None,
    service: Annotated[list[str] | None, Query()] = None,
    state: read_model.State | None = None,
) -> Page[AdjustmentAnswer]:
    """All adjustments, the newest first."""
    query = read_model.listed(slo or [], service or [], state)
    return await resources.views.read(page.fetch, query, key=ADJUSTMENTS.view.c.adjustment, item=_item, descending=True)


@router.get(
    "/{adjustment}", response_model=AdjustmentAnswer, openapi_extra=needs("slos.read"), responses=responses(404)
)
async def get_adjustment(
    request: Request, adjustment: str, resources: ResourcesDep, as_of: Time | None = None
) -> Response:
    """One adjustment."""
    loaded = await resources.handler.load(ADJUSTMENT, adjustment, as_of=as_of)
    return answer(request, _answer(loaded.state, adjustment), version=loaded.version)


@router.post(
    "/{adjustment}:end",
    response_model=AdjustmentAnswer,
    openapi_extra=needs("slos.write"),
    responses=responses(404),
)
async def end_adjustment(adjustment: str, body: EndOfAdjustment, call: CallDep) -> Response:
    """Excuse nothing from a time on; what was excused before stays excused."""
    return await _end(adjustment, body, call)


@router.delete(
    "/{adjustment}",
    response_model=AdjustmentAnswer,
    openapi_extra=needs("slos.write"),
    responses=responses(404),
)
async def delete_adjustment(
    adjustment: str, call: CallDep, reason: Annotated[str, Query(max_length=10_000)] = ""
) -> Response:
    """Excuse nothing from now on; what was excused before stays excused, and the adjustment readable."""
    return await _end(adjustment, EndOfAdjustment(reason=reason), call)


async def _end(adjustment: str, body: EndOfAdjustment, call: Call) -> Response:
    at = call.context.at
    command = End(adjustment=adjustment, until=body.until or at, reason=body.reason, by=call.principal.name, at=at)

    def told(outcome: Outcome[State]) -> AdjustmentAnswer:
        return _answer(outcome.state, adjustment)

    return await call.handle(ADJUSTMENT, adjustment, command, body=told)


def _answer(state: State, adjustment: str) -> AdjustmentAnswer:
    if state is None:
        raise NoSuchAdjustmentError(adjustment)
    match state:
        case Agreed(agreed):
            until, why = None, ""
        case Ended(agreed, ended):
            until, why = ended.until, ended.reason
    return AdjustmentAnswer(
        id=agreed.adjustment,
        slos=list(agreed.slos),
        service=agreed.service,
        effect=agreed.effect,
        start=agreed.start,
        duration=timedelta(seconds=agreed.duration_s),
        zone=agreed.zone,
        rrule=agreed.rrule,
        reason=agreed.reason,
        agreed_by={"development": agreed.development, "sre": agreed.sre},
        by=agreed.by,
        at=agreed.at,
        until=until,
        ended_reason=why,
    )


def _item(row: Mapping[Any, Any]) -> AdjustmentAnswer:
    same = ("service", "effect", "start", "zone", "rrule", "reason", "by", "at", "until", "ended_reason")
    return AdjustmentAnswer(
        id=row["adjustment"],
        slos=row["slos"].split(),
        duration=timedelta(seconds=row["duration_s"]),
        agreed_by={"development": row["development"], "sre": row["sre"]},
        **{name: row[name] for name in same},
    )
