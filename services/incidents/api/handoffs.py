"""Hand-offs: what who goes off duty leaves to who comes, and that they have read it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import Query
from pydantic import Field
from sqlalchemy import Connection, select
from starlette.responses import Response

from libs.events.handler import Outcome
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.consistency import fresh
from libs.web.problems import responses
from libs.web.routing import Router
from libs.web.schemas import Body, Filled, Moment, example
from services.incidents.api.rosters import scheduled
from services.incidents.api.schedules import span_of
from services.incidents.contract import SHIFT
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.on_call.errors import NotOnCallError
from services.incidents.domain.on_call.resolver import resolve
from services.incidents.domain.on_call.roster import OnCall, Roster
from services.incidents.domain.shift.commands import AcknowledgeHandover, HandOver
from services.incidents.domain.shift.decider import Shift
from services.incidents.projections.incidents import INCIDENTS

_READ, _WRITE = needs("schedules.read"), needs("schedules.write")
_OPEN: Final = ("triage", "active", "mitigated")
_LATELY: Final = timedelta(hours=12)  # a note may follow so long after the shift
_FOUND_WITHIN: Final = timedelta(days=35)
_MOMENT: Final = timedelta(microseconds=1)
_MOST: Final = 1_000  # hand-offs in one answer

router = Router(prefix="/v1/schedules", tags=["schedules"])


class HandOverBody(Body):
    """What those who come must know."""

    model_config = example(note="INC-42 is mitigated; watch the queue until noon.")

    note: Filled
    shift: Annotated[
        str | None, Field(max_length=300, description="Yours now, or the last one that ended, if left out.")
    ] = None


@dataclass(frozen=True, slots=True)
class HandoffAnswer:
    """One hand-off: who goes, who comes, what is said, who has read it, what was open then."""

    shift: str
    at: datetime
    outgoing: str
    incoming: tuple[str, ...]
    note: str
    noted_at: datetime | None
    incidents: tuple[str, ...]
    acknowledged_by: str
    acknowledged_at: datetime | None
    next: str


@dataclass(frozen=True, slots=True)
class IncidentToHandOver:
    """An incident of one of the schedule's services that somebody still has work with."""

    id: str
    number: str
    title: str
    service: str
    severity: str
    state: str


@dataclass(frozen=True, slots=True)
class Handoffs:
    """The hand-offs of a time, in order, and what is open now."""

    schedule: str
    items: tuple[HandoffAnswer, ...]
    open_incidents: tuple[IncidentToHandOver, ...]


@router.get("/{schedule}/handoffs", openapi_extra=_READ, responses=responses(404, 422), dependencies=[fresh(INCIDENTS)])
async def list_handoffs(
    schedule: str,
    resources: ResourcesDep,
    since: Annotated[Moment | None, Query(alias="from", description="A week ago, if left out.")] = None,
    until: Annotated[Moment | None, Query(description="Four weeks after `from`, if left out.")] = None,
) -> Handoffs:
    """List at most 1,000 hand-offs, past and to come, with notes and acknowledgements, and what is open now."""
    _, known, roster = await scheduled(resources, schedule)
    now = resources.clock.now()
    start, end = span_of(since or now - timedelta(days=7), until, now, roster)
    duty = resolve(roster, start, end + _MOMENT)
    over = [it for it in sorted(duty, key=lambda it: it.until) if not it.shadow and start <= it.until <= end]
    items = [
        _answer(it, _incoming(it, duty), (await resources.handler.load(SHIFT, it.shift)).state) for it in over[:_MOST]
    ]
    services = known.at(now).services
    return Handoffs(schedule, tuple(items), tuple(await resources.views.read(_open_incidents, services)))


@router.post(
    "/{schedule}/handoffs",
    status_code=201,
    response_model=HandoffAnswer,
    openapi_extra=_WRITE,
    responses=responses(404, 409, 422),
    dependencies=[fresh(INCIDENTS)],
)
async def hand_over(schedule: str, body: HandOverBody, call: CallDep) -> Response:
    """Say, as who goes off duty, what those who come must know; the open incidents are noted with it."""
    _, known, roster = await scheduled(call.resources, schedule)
    by, at = call.principal.name, call.context.at
    shift = _find(roster, body.shift, at) if body.shift else _own(roster, by, at)
    incoming = _incoming(shift, resolve(roster, shift.since, shift.until + _MOMENT))
    open_now = await call.resources.views.read(_open_incidents, known.at(at).services)
    command = HandOver(
        shift=shift.shift,
        schedule=schedule,
        person=shift.person,
        incoming=incoming,
        note=body.note,
        incidents=tuple(each.number for each in open_now),
        by=by,
        at=at,
    )

    def shown(outcome: Outcome[Shift]) -> HandoffAnswer:
        return _answer(shift, incoming, outcome.state)

    location = f"/v1/schedules/{schedule}/handoffs"
    return await call.handle(SHIFT, shift.shift, command, body=shown, status=201, location=location)


@router.post(
    "/{schedule}/handoffs/{shift}:acknowledge",
    response_model=HandoffAnswer,
    openapi_extra=_WRITE,
    responses=responses(404, 409),
)
async def acknowledge_handover(schedule: str, shift: str, call: CallDep) -> Response:
    """Say, as who comes on duty, that the hand-off is read."""
    _, _, roster = await scheduled(call.resources, schedule)
    found = _find(roster, shift, call.context.at)
    incoming = _incoming(found, resolve(roster, found.since, found.until + _MOMENT))
    command = AcknowledgeHandover(
        shift=shift, schedule=schedule, incoming=incoming, by=call.principal.name, at=call.context.at
    )

    def shown(outcome: Outcome[Shift]) -> HandoffAnswer:
        return _answer(found, incoming, outcome.state)

    return await call.handle(SHIFT, shift, command, body=shown)


def _find(roster: Roster, name: str, now: datetime) -> OnCall:
    found = [it for it in resolve(roster, now - _FOUND_WITHIN, now + _FOUND_WITHIN) if it.shift == name]
    if not found:
        raise AbsentError("shift", f"/v1/schedules/{roster.schedule}/shifts")
    return found[0]


def _own(roster: Roster, person: str, now: datetime) -> OnCall:
    """The shift of whoever asks: the current one, or the last.

    Raises:
        NotOnCallError: There is none.
    """
    lately = resolve(roster, now - _LATELY, now + _MOMENT)
    mine = [it for it in lately if it.person == person and not it.shadow and it.since <= now]
    if not mine:
        detail = f"{person} has no shift now, nor had one in the last {_LATELY.seconds // 3600} hours; name the shift"
        raise NotOnCallError("shift", detail)
    return max(mine, key=lambda it: it.until)


def _incoming(shift: OnCall, duty: list[OnCall]) -> tuple[str, ...]:
    """Who comes when a shift ends; those of its own layer, if there are any."""
    coming = [it for it in duty if it.since == shift.until and not it.shadow]
    own = [it for it in coming if it.source.layer == shift.source.layer]
    return tuple(dict.fromkeys(it.person for it in own or coming))


def _answer(shift: OnCall, incoming: tuple[str, ...], state: Shift) -> HandoffAnswer:
    noted, read = state.handed_over, state.acknowledged
    if noted is None:
        following = f"{shift.person} says what those who come must know"
    elif read is None and incoming:
        following = f"{' or '.join(incoming)} acknowledges it"
    else:
        following = ""
    return HandoffAnswer(
        shift.shift,
        shift.until,
        shift.person,
        incoming,
        noted.note if noted else "",
        noted.at if noted else None,
        noted.incidents if noted else (),
        read.by if read else "",
        read.at if read else None,
        following,
    )


def _open_incidents(connection: Connection, services: tuple[str, ...]) -> list[IncidentToHandOver]:
    c = INCIDENTS.view.c
    query = select(c.id, c.number, c.title, c.service, c.severity, c.state)
    rows = connection.execute(query.where(c.service.in_(services), c.state.in_(_OPEN)).order_by(c.ordinal))
    return [IncidentToHandOver(**row) for row in rows.mappings()]
