"""One service with everything that concerns it."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, Final
from urllib.parse import quote, urlencode

import msgspec
from fastapi import Query
from sqlalchemy import Connection, RowMapping
from starlette.requests import Request
from starlette.responses import Response

from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import PrincipalDep, needs
from libs.web.consistency import fresh
from libs.web.internal_auth import Principal
from libs.web.problems import responses
from libs.web.routing import Router
from libs.web.schemas import Moment
from services.gateway.api.dependencies import ForwarderDep
from services.gateway.api.forwarding import back
from services.gateway.api.front import Forwarder
from services.gateway.api.schemas import ServiceView
from services.gateway.clients import OwnerAnswer
from services.gateway.projections.actions import OPEN_ACTIONS, overdue_actions_of
from services.gateway.projections.engagements import ENGAGEMENTS, find_engagement
from services.gateway.projections.gates import GATES, find_gate
from services.gateway.projections.incidents import INCIDENTS, open_incidents_of
from services.gateway.projections.on_call import ON_CALL, on_call_of
from services.gateway.projections.policies import POLICIES, find_policy
from services.gateway.projections.services import SERVICES, find_service
from services.gateway.projections.slos import SLOS, UNDEFINED, slos_of

router = Router(prefix="/v1/services", tags=["services"])

_OK: Final = 200
_NEXT: Final = {  # the order of life (SRE Workbook ch. 18)
    "architecture_and_design": "active_development",
    "active_development": "limited_availability",
    "limited_availability": "general_availability",
    "general_availability": "deprecation",
    "deprecation": "abandoned",
    "abandoned": "unsupported",
}
_OF_LIFECYCLE: Final = (
    "version",
    "display_name",
    "owner_team",
    "tier",
    "phase",
    "phase_since",
    "grandfathered_until",
    "revives",
    "pending_transition",
    "registered_at",
    "sre_team",
)
_UNKNOWN: Final = dict.fromkeys(("slos", "error_budget", "open_incidents", "on_call", "overdue_actions", "next_gate"))


@router.get(
    "/{service}",
    response_model=ServiceView,
    openapi_extra=needs("services.read"),
    responses=responses(404),
    dependencies=[fresh(SERVICES, ENGAGEMENTS, GATES, SLOS, POLICIES, INCIDENTS, OPEN_ACTIONS, ON_CALL)],
)
async def get_service(  # noqa: PLR0913  each is a part of one request
    service: str,
    resources: ResourcesDep,
    forwarder: ForwarderDep,
    principal: PrincipalDep,
    request: Request,
    response: Response,
    as_of: Annotated[Moment | None, Query(description="What lifecycle knew at that time.")] = None,
) -> Response:
    """Show a service: phase, SLOs and budgets, open incidents, who is on call, overdue actions, next gate."""
    today = resources.clock.now().date()
    view = None if as_of else await resources.views.read(_view_of, service, today)
    if view is not None:
        return _with_token(etag.answer(request, view), response)
    answer = await _ask_lifecycle(forwarder, principal, request, service, as_of)
    if answer.status != _OK:
        return _passed_back(answer)
    known = msgspec.json.decode(answer.body) | {"version": _version(answer)}
    lifecycle = {"name": service} | _named(known)
    if as_of is not None:
        engagement = known.get("engagement")
        then = {"engagement": {"id": engagement, "sre_team": known["sre_team"]} if engagement else None}
        return etag.answer(request, lifecycle | then | _UNKNOWN | {"as_of": as_of})
    # registered a moment ago: its event is on its way
    view = lifecycle | {"engagement": None} | await resources.views.read(_around, service, lifecycle["phase"], today)
    return _with_token(etag.answer(request, view), response)


def _view_of(connection: Connection, service: str, today: date) -> dict[str, Any] | None:
    row = find_service(connection, service)
    if row is None:
        return None
    engagement = {"engagement": _engagement(connection, row)}
    return {"name": service} | _named(row) | engagement | _around(connection, service, row["phase"], today)


def _engagement(connection: Connection, row: RowMapping) -> dict[str, Any] | None:
    """The active engagement of a service; who works for it, and how."""
    if row["engagement"] is None:
        return None
    known = find_engagement(connection, row["engagement"])
    told = {"id": row["engagement"], "sre_team": row["sre_team"], "since": row["engaged_since"]}
    return told | {field: known and known[field] for field in ("model", "state", "receiver")}


def _named(lifecycle: Mapping[Any, Any]) -> dict[str, Any]:
    """What lifecycle says about a service, from a row or from its own answer."""
    return {field: lifecycle.get(field) for field in _OF_LIFECYCLE}


def _version(answer: OwnerAnswer) -> int | None:
    tag = (answer.header(b"etag") or b"").strip(b'"')
    return int(tag) if tag.isdigit() else None


def _around(connection: Connection, service: str, phase: str, today: date) -> dict[str, Any]:
    """What other services say about *service*."""
    return {
        "slos": [_slo(row) for row in slos_of(connection, service)],
        "error_budget": _error_budget(find_policy(connection, service)),
        "open_incidents": [_incident(row) for row in open_incidents_of(connection, service)],
        "on_call": on_call_of(connection, service),
        "overdue_actions": [_action(row) for row in overdue_actions_of(connection, service, today)],
        "next_gate": _next_gate(connection, service, phase),
    }


def _next_gate(connection: Connection, service: str, phase: str) -> dict[str, Any] | None:
    following = _NEXT.get(phase)
    if following is None:
        return None
    row = find_gate(connection, service, following)
    fields = ("passed", "evaluation", "policy_version", "evaluated_at")
    known = {field: row and row[field] for field in fields}
    return {"phase": following, **known, "open_checks": row["open_checks"] if row else []}


def _slo(row: RowMapping) -> dict[str, Any]:
    fields = {key: row[key] for key in row if key not in {"slo", "service"}}
    return {"name": row["slo"], **fields, "state": row["state"] or UNDEFINED}


def _error_budget(row: RowMapping | None) -> dict[str, Any] | None:
    """Where the service stands under its policy; None where nobody has written one."""
    if row is None:
        return None
    fields = {key: row[key] for key in row if key not in {"service", "version"}}
    return {"policy_version": row["version"], **fields, "frozen": row["frozen_since"] is not None}


def _incident(row: RowMapping) -> dict[str, Any]:
    return {"id": row["incident"], **{key: row[key] for key in row if key not in {"incident", "service"}}}


def _action(row: RowMapping) -> dict[str, Any]:
    return {"id": row["action"], **{key: row[key] for key in row if key not in {"action", "service"}}}


async def _ask_lifecycle(
    forwarder: Forwarder, principal: Principal, request: Request, service: str, as_of: datetime | None
) -> OwnerAnswer:
    query = "?" + urlencode({"as_of": as_of.isoformat()}) if as_of else ""
    target = f"/v1/services/{quote(service, safe='')}{query}"
    return await forwarder.send("lifecycle", principal, request.scope, target.encode())


def _passed_back(answer: OwnerAnswer) -> Response:
    response = Response(answer.body, answer.status)
    response.raw_headers = back(answer.headers)
    return response


def _with_token(answer: Response, response: Response) -> Response:
    """*answer* with what the route's dependencies put into *response*."""
    answer.headers.update(response.headers)
    return answer
