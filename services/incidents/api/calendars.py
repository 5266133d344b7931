"""A schedule in everybody's calendar: with a key, or by a private address that can be renewed."""

from asyncio import to_thread  # a library takes a fifth of a millisecond for each entry
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from secrets import token_urlsafe
from typing import Annotated, Any, Final

from fastapi import Path, Query
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Effects, Outcome
from libs.events.resources import Resources
from libs.events.store import Reservation
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import PUBLIC, needs
from libs.web.calls import CallDep, retried_on_conflict
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.rosters import scheduled
from services.incidents.contract import ROTATION, SCHEDULE
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.on_call.bounds import fitting
from services.incidents.domain.on_call.resolver import resolve
from services.incidents.domain.on_call.roster import OnCall
from services.incidents.domain.schedule.commands import RenewToken
from services.incidents.domain.schedule.state import Schedule
from services.incidents.exchange.calendars import feed

_READ, _WRITE = needs("schedules.read"), needs("schedules.write")
_SCOPE: Final = "calendar"  # of the reservations that lead from a token's hash to its schedule
_BEHIND, _AHEAD = timedelta(days=28), timedelta(days=90)
_CALENDAR: dict[int | str, dict[str, Any]] = {
    200: {"description": "iCalendar (RFC 5545).", "content": {"text/calendar": {"schema": {"type": "string"}}}}
}

router = Router(prefix="/v1", tags=["schedules"])


@dataclass(frozen=True, slots=True)
class CalendarAddress:
    """Where the calendar is; this is the only time that it is shown."""

    path: str


@router.get(
    "/schedules/{schedule}/calendar.ics",
    response_class=Response,
    openapi_extra=_READ,
    responses=_CALENDAR | responses(404),
)
async def get_calendar(
    schedule: str,
    request: Request,
    resources: ResourcesDep,
    person: Annotated[str | None, Query(max_length=63, description="Only the shifts of this person.")] = None,
) -> Response:
    """Read a schedule as a calendar feed: the last four weeks, and three months ahead."""
    return await _feed(request, resources, schedule, person)


@router.post(
    "/schedules/{schedule}:renew-calendar",
    status_code=201,
    response_model=CalendarAddress,
    openapi_extra=_WRITE,
    responses=responses(404, 409),
)
@retried_on_conflict
async def renew_calendar(schedule: str, call: CallDep) -> Response:
    """Give the calendar a new private address, which needs no key; the one before leads nowhere any more."""
    loaded, known, _ = await scheduled(call.resources, schedule)
    token = token_urlsafe(32)
    digest = sha256(token.encode()).hexdigest()
    stream = SCHEDULE.stream(schedule)
    before = (Reservation(_SCOPE, known.token, stream),) if known.token else ()
    path = f"/v1/calendars/{token}.ics"

    def shown(_: Outcome[Schedule]) -> CalendarAddress:
        return CalendarAddress(path)

    return await call.pinned(loaded).handle(
        SCHEDULE,
        schedule,
        RenewToken(digest=digest, by=call.principal.name, at=call.context.at),
        body=shown,
        status=201,
        location=path,
        effects=Effects(reserve=(Reservation(_SCOPE, digest, stream),), release=before),
    )


@router.get(
    "/calendars/{token}.ics",
    response_class=Response,
    openapi_extra=PUBLIC,
    responses=_CALENDAR | responses(404),
)
async def get_private_calendar(
    token: Annotated[str, Path(max_length=100)],
    request: Request,
    resources: ResourcesDep,
    person: Annotated[str | None, Query(max_length=63, description="Only the shifts of this person.")] = None,
) -> Response:
    """Read a schedule as a calendar feed by its private address."""
    holder = await resources.store.holder(_SCOPE, sha256(token.encode()).hexdigest())
    if holder is None:
        raise AbsentError("calendar", "/v1/schedules")
    return await _feed(request, resources, holder.partition("/")[2], person)


async def _feed(request: Request, resources: Resources, schedule: str, person: str | None) -> Response:
    _, known, roster = await scheduled(resources, schedule)
    now = resources.clock.now()
    until = fitting(roster, now, now + _AHEAD)
    found = resolve(roster, now - _BEHIND * ((until - now) / _AHEAD), until)
    shifts = [each for each in found if person in {None, each.person}]
    states = [(await resources.handler.load(ROTATION, name)).state for name in roster.rotations]
    defined = max((known.changed, *(state.changed for state in states if state)))

    def changed(shift: OnCall) -> datetime:
        """When it was defined or decided; what was cancelled may have been about any shift after its start."""
        near = (it for it in known.overrides if it.start <= shift.until and (it.cancelled or it.end >= shift.since))
        return max((defined, *(it.cancelled or it.at for it in near)))

    body = await to_thread(feed, schedule, known.display_name, shifts, changed)
    tag = etag.weak(body)
    if etag.matches(request.headers.get("if-none-match"), tag):
        return Response(status_code=304, headers={"ETag": tag})
    headers = {"ETag": tag, "Cache-Control": "private, max-age=300"}
    return Response(body, headers=headers, media_type="text/calendar; charset=utf-8")
