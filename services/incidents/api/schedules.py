"""`/v1/schedules`: who is on call for which services, now, then and next."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from libs.web.schemas import Moment
from services.incidents.api.defined import Defined
from services.incidents.api.rosters import living_rotations, scheduled
from services.incidents.api.schedule_schemas import (
    ChangeSchedule,
    DefineSchedule,
    OnCallAnswer,
    ScheduleAnswer,
    ScheduleBody,
    Shifts,
    patched,
    schedule_answer,
    shift_answer,
)
from services.incidents.contract import SCHEDULE
from services.incidents.domain.errors import UnknownReferenceError
from services.incidents.domain.on_call.bounds import check_size
from services.incidents.domain.on_call.charts import Charts
from services.incidents.domain.on_call.errors import TimeRangeError
from services.incidents.domain.on_call.resolver import holes, resolve
from services.incidents.domain.on_call.roster import Roster
from services.incidents.domain.on_call.wall_clock import checked
from services.incidents.domain.schedule.commands import Change, Define, End
from services.incidents.domain.schedule.state import Known
from services.incidents.projections.known_services import KNOWN_SERVICES, require_service
from services.incidents.projections.schedules import SCHEDULES

_READ, _WRITE = needs("schedules.read"), needs("schedules.write")
_AHEAD: Final = timedelta(days=28)
_LONGEST: Final = timedelta(days=1100)  # three years; a resolver's year takes milliseconds

_SCHEDULES = Defined(SCHEDULE, SCHEDULES, Known, schedule_answer)

router = Router(prefix="/v1/schedules", tags=["schedules"])


@router.post(
    "",
    status_code=201,
    response_model=ScheduleAnswer,
    openapi_extra=_WRITE,
    responses=responses(409, 422),
    dependencies=[fresh(KNOWN_SERVICES)],
)
async def define_schedule(request: Request, body: DefineSchedule, call: CallDep) -> Response:
    """Define who is on call for which services: layers of rotations, the lower cut by the higher."""
    await _known_services(request, call, body)
    command = Define(
        schedule=body.name,
        display_name=body.display_name or body.name,
        revision=body.revision(call.context.at),
        rotations=await living_rotations(call.resources, [each.rotation for each in body.layers]),
        by=call.principal.name,
        reason=body.reason,
        at=call.context.at,
    )
    return await _SCHEDULES.carry(call, body.name, command, at=f"/v1/schedules/{body.name}")


@router.get("", openapi_extra=_READ, dependencies=[fresh(SCHEDULES)])
async def list_schedules(
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[str | None, Query(max_length=63)] = None,
    ended: Annotated[list[bool] | None, Query()] = None,
) -> Page[ScheduleAnswer]:
    """List schedules by name, those of a service where one is named."""
    return await _SCHEDULES.page(resources, page, SCHEDULES.view.c.services, service, ended)


@router.get("/{schedule}", response_model=ScheduleAnswer, openapi_extra=_READ, responses=responses(404))
async def get_schedule(schedule: str, request: Request, resources: ResourcesDep) -> Response:
    """Read a schedule, with what it was and what is planned."""
    return await _SCHEDULES.get(request, resources, schedule)


@router.patch(
    "/{schedule}",
    response_model=ScheduleAnswer,
    openapi_extra=needs("schedules.write", if_match=True),
    responses=responses(404, 409, 412, 422),
    dependencies=[fresh(KNOWN_SERVICES)],
)
@retried_on_conflict
async def change_schedule(request: Request, schedule: str, body: ChangeSchedule, call: CallDep) -> Response:
    """Change a schedule from now on or later, by a merge patch; what was stays as it was."""
    call, known = await _SCHEDULES.pin(call, schedule)
    wanted = patched(known, body, call.context.at)
    await _known_services(request, call, wanted)
    command = Change(
        display_name=wanted.display_name or schedule,
        revision=wanted.revision(call.context.at),
        rotations=await living_rotations(call.resources, [each.rotation for each in wanted.layers]),
        by=call.principal.name,
        reason=wanted.reason,
        at=call.context.at,
    )
    return await _SCHEDULES.carry(call, schedule, command)


@router.delete("/{schedule}", response_model=ScheduleAnswer, openapi_extra=_WRITE, responses=responses(404))
async def end_schedule(schedule: str, call: CallDep) -> Response:
    """End a schedule: nobody is on call by it from now on; it stays readable."""
    return await _SCHEDULES.carry(call, schedule, End(by=call.principal.name, at=call.context.at))


@router.get("/{schedule}/on-call", openapi_extra=_READ, responses=responses(404))
async def get_on_call(
    schedule: str,
    request: Request,
    resources: ResourcesDep,
    at: Annotated[Moment | None, Query(description="Now, if left out.")] = None,
) -> OnCallAnswer:
    """Who is on call at a moment and why, and who is next."""
    _, _, roster = await scheduled(resources, schedule)
    moment = at or resources.clock.now()
    checked(moment, "at")
    charts: Charts = request.app.state.charts
    now = charts.at(roster, moment)
    following = charts.following(roster, now, moment)
    return OnCallAnswer(schedule, moment, tuple(map(shift_answer, now)), tuple(map(shift_answer, following)))


@router.get("/{schedule}/shifts", openapi_extra=_READ, responses=responses(404, 422))
async def list_shifts(
    schedule: str,
    resources: ResourcesDep,
    since: Annotated[Moment | None, Query(alias="from", description="Now, if left out.")] = None,
    until: Annotated[Moment | None, Query(description="Four weeks after `from`, if left out.")] = None,
) -> Shifts:
    """Who is on call from when until when, with the reason of each shift, and the gaps; shifts are told whole."""
    _, _, roster = await scheduled(resources, schedule)
    start, end = span_of(since, until, resources.clock.now(), roster)
    found = tuple(map(shift_answer, resolve(roster, start, end)))
    return Shifts(schedule, found, tuple(holes(roster, start, end)))


def span_of(since: datetime | None, until: datetime | None, now: datetime, roster: Roster) -> tuple[datetime, datetime]:
    """The time of a schedule that is asked for.

    Raises:
        TimeRangeError: It is none, or too long.
    """
    start = since or now
    checked(start, "from")
    end = until or start + _AHEAD
    checked(end, "until")
    if not start < end <= start + _LONGEST:
        detail = f"ask for a time that ends after it starts, and lasts at most {_LONGEST.days} days"
        raise TimeRangeError("until", detail)
    check_size(roster, start, end)
    return start, end


async def _known_services(request: Request, call: Call, body: ScheduleBody) -> None:
    for index, service in enumerate(body.services):
        try:
            await require_service(call.resources.views, service, request.app.state.settings.service_wait_s)
        except UnknownReferenceError as error:
            remedy = "register it first (POST /v1/services)"
            raise UnknownReferenceError("service", service, remedy, f"services/{index}") from error
