"""`/v1/operational-work`: what teams spend their time on."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Any

from fastapi import Query
from pydantic import ConfigDict, Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Loaded, Outcome
from libs.events.ids import new_id
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Body, Name, Text
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.delivery.deployment_schemas import Id
from services.lifecycle.api.references import living_service, living_team
from services.lifecycle.contract import WORK
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.operational_work.commands import Command, Record, Withdraw
from services.lifecycle.domain.operational_work.decider import Counted, Work
from services.lifecycle.domain.operational_work.events import OPERATIONAL, Kind, WorkRecorded
from services.lifecycle.projections.operational_work import OPERATIONAL_WORK

router = Router(prefix="/v1/operational-work", tags=["operational-work"])
_READ, _WRITE = needs("operational-work.read"), needs("operational-work.write")


class NewWork(Body):
    """What a team spent time on, of all its people together."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "team": "core-sre",
                    "kind": "tickets",
                    "hours": 31.5,
                    "items": 42,
                    "since": "2026-11-09",
                    "until": "2026-11-15",
                }
            ]
        }
    )

    id: Id | None = Field(default=None, description="The sender's own; the same id again changes nothing.")
    team: Name
    service: Name | None = None
    kind: Kind = Field(description="All but project is operational.")
    hours: Annotated[float, Field(ge=0, le=100_000, allow_inf_nan=False)] | None = None
    items: Annotated[int, Field(strict=True, ge=0, le=10_000_000)] | None = None
    since: date = Field(description="The first day.")
    until: date = Field(description="The last day; it counts for the window that this day lies in.")
    notes: Text = ""


@dataclass(frozen=True, slots=True)
class WorkView:
    """What a team spent time on; what was withdrawn does not count."""

    id: str
    team: str
    service: str | None
    kind: Kind
    operational: bool
    hours: float | None
    items: int | None
    since: date
    until: date
    notes: str
    withdrawn: bool
    by: str
    at: datetime


@router.post("", status_code=201, response_model=WorkView, openapi_extra=_WRITE, responses=responses(409))
async def record_work(body: NewWork, call: CallDep) -> Response:
    """Record hours or items of a team; never of a person."""
    await living_team(call.resources, body.team, "team")
    if body.service:
        await living_service(call.resources, body.service, "service")
    _check(body, call.context.at.date())
    work = body.id or str(new_id())
    what = WorkRecorded(
        work=work,
        team=body.team,
        service=body.service or "",
        kind=body.kind,
        hours=body.hours,
        items=body.items,
        start=body.since,
        until=body.until,
        notes=body.notes,
        by=call.principal.name,
        at=call.context.at,
    )
    return await _do(call, work, Record(what), status=201, location=f"/v1/operational-work/{work}")


@router.get("", openapi_extra=_READ, dependencies=[fresh(OPERATIONAL_WORK)])
async def list_work(
    resources: ResourcesDep,
    page: PageDep,
    team: Annotated[list[str] | None, Query()] = None,
    service: Annotated[list[str] | None, Query()] = None,
    kind: Annotated[list[Kind] | None, Query()] = None,
    as_of: AsOf = None,
) -> Page[WorkView]:
    """List what teams spent time on, the last days first."""
    view = OPERATIONAL_WORK.view
    query = select(view)
    for column, values in ((view.c.team, team), (view.c.service, service), (view.c.kind, kind)):
        if values:
            query = query.where(column.in_(values))
    if as_of:
        query = query.where(view.c.recorded_at <= as_of)
    found = await resources.views.read(
        page.fetch, query, key=view.c.work, orders={"until": view.c.until}, item=_row, descending=True
    )
    if as_of:
        then = [await resources.handler.load(WORK, one.id, as_of=as_of) for one in found.items]
        found.items = [_view(_known(loaded)) for loaded in then]
    return found


@router.get("/{work}", response_model=WorkView, openapi_extra=_READ, responses=responses(404))
async def get_work(work: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
    """Read one record."""
    loaded = await resources.handler.load(WORK, work, as_of=as_of)
    return etag.answer(request, _view(_known(loaded)), version=loaded.version)


@router.delete("/{work}", response_model=WorkView, openapi_extra=_WRITE, responses=responses(404))
async def withdraw_work(work: str, call: CallDep, reason: Annotated[str, Query(max_length=10_000)] = "") -> Response:
    """Say that it was recorded by mistake; it stays readable, and counts no more."""
    command = Withdraw(work=work, reason=reason, by=call.principal.name, at=call.context.at)
    return await _do(call, work, command)


def _check(body: NewWork, today: date) -> None:
    place = None
    if body.hours is None and body.items is None:
        place = Place("give hours, items, or both", "/hours")
    elif body.until < body.since:
        place = Place("the last day is before the first; swap them", "/until")
    elif body.until > today:
        place = Place("the last day is in the future; record what was done", "/until")
    if place:
        code, title = ("nothing-counted", "Nothing is counted") if place.pointer == "/hours" else _DATES
        raise Problem(422, code, title, place.detail, [place])


_DATES = "dates-out-of-order", "The dates are in the wrong order"


async def _do(call: Call, work: str, command: Command, *, status: int = 200, location: str | None = None) -> Response:
    def shown(outcome: Outcome[Work]) -> WorkView:
        return _view(_known(outcome))

    return await call.handle(WORK, work, command, body=shown, status=status, location=location)


def _known(found: Loaded[Work] | Outcome[Work]) -> Counted:
    if found.state is None:
        raise UnknownError("work", found.stream.partition("/")[2])
    return found.state


def _view(counted: Counted) -> WorkView:
    what = counted.what
    return WorkView(
        id=what.work,
        team=what.team,
        service=what.service or None,
        kind=what.kind,
        operational=what.kind in OPERATIONAL,
        hours=what.hours,
        items=what.items,
        since=what.start,
        until=what.until,
        notes=what.notes,
        withdrawn=counted.withdrawn is not None,
        by=what.by,
        at=what.at,
    )


def _row(row: Mapping[Any, Any]) -> WorkView:
    return WorkView(
        id=row["work"],
        team=row["team"],
        service=row["service"] or None,
        kind=row["kind"],
        operational=row["kind"] in OPERATIONAL,
        hours=row["hours"],
        items=row["items"],
        since=row["start"],
        until=row["until"],
        notes=row["notes"],
        withdrawn=row["withdrawn"],
        by=row["by"],
        at=row["at"],
    )
