"""Which incidents need a postmortem, until when, and why."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated

from fastapi import Query
from sqlalchemy import and_, not_, select
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.filters import matching
from services.incidents.api.postmortem_schemas import Needed
from services.incidents.api.postmortems import PolicyDep
from services.incidents.api.schemas import Why as Reason
from services.incidents.api.schemas import of_row
from services.incidents.api.verbs import Id
from services.incidents.contract import DUTY, INCIDENT
from services.incidents.domain.errors import AbsentError, UnknownReferenceError
from services.incidents.domain.postmortem_duty.commands import Command, Excuse
from services.incidents.domain.postmortem_duty.decider import DutyState, State
from services.incidents.domain.postmortem_duty.events import Why
from services.incidents.effects import find_incident
from services.incidents.looking_back import catch_up, require
from services.incidents.projections.postmortem_duties import POSTMORTEM_DUTIES
from services.incidents.timetable import owing

router = Router(prefix="/v1/postmortem-duties", tags=["postmortems"])
_READ, _WRITE = needs("postmortems.read"), needs("postmortems.write")


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyAnswer:
    """A postmortem that is due, or was; `due` is the next of its two days, `overdue` as of the day it is read."""

    id: str
    number: str
    service: str
    state: DutyState
    why: list[Why]
    draft_due: date
    publish_due: date
    due: date
    overdue: bool
    required_at: datetime
    policy: str
    reason: str


@router.post("", status_code=201, response_model=DutyAnswer, openapi_extra=_WRITE, responses=responses(422))
async def require_postmortem(call: CallDep, body: Needed, policy: PolicyDep) -> Response:
    """Ask for a postmortem of an incident: data was lost, or somebody wants to learn from it."""
    resources = call.resources
    incident = await find_incident(resources.store, body.incident)
    state = (await resources.handler.load(INCIDENT, incident)).state
    by = call.principal.name
    command = await require(resources, policy, incident, state, body.why, call.context, by=by, reason=body.reason)
    if command is None:
        raise UnknownReferenceError("incident", body.incident, "GET /v1/incidents lists them")
    response = await _carry(call, incident, command, policy, status=201)
    await catch_up(resources, incident, call.context, owing(policy))
    return response


@router.get("", openapi_extra=_READ, dependencies=[fresh(POSTMORTEM_DUTIES)])
async def list_postmortem_duties(
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[DutyState] | None, Query()] = None,
    *,
    overdue: bool | None = None,
) -> Page[DutyAnswer]:
    """Postmortems that are due, or were, by the incident they are about; `order_by=due` for what is due next."""
    c, today = POSTMORTEM_DUTIES.view.c, resources.clock.now().date()
    late = and_(c.open, c.due < today)
    query = select(POSTMORTEM_DUTIES.view).where(
        *matching({c.service: service, c.state: state}),
        *([] if overdue is None else [late if overdue else not_(late)]),
    )
    return await resources.views.read(
        page.fetch,
        query,
        key=c.id,
        item=lambda row: of_row(DutyAnswer, row, overdue=bool(row["open"]) and row["due"] < today),
        orders={"due": c.due},
        descending=True,
    )


@router.get("/{id}", response_model=DutyAnswer, openapi_extra=_READ, responses=responses(404))
async def get_postmortem_duty(request: Request, resources: ResourcesDep, reference: Id) -> Response:
    """Whether a postmortem of this incident (its number or id) is due, until when, and why."""
    loaded = await resources.handler.load(DUTY, await find_incident(resources.store, reference))
    return answer(request, duty_answer(loaded.state, resources.clock.now().date()))


@router.post("/{id}:excuse", response_model=DutyAnswer, openapi_extra=_WRITE, responses=responses(404, 409, 422))
async def excuse_postmortem(call: CallDep, reference: Id, policy: PolicyDep, body: Reason | None = None) -> Response:
    """Say that none is needed after all; the reason is kept."""
    excuse = Excuse(by=call.principal.name, reason=body.reason if body else "", at=call.context.at)
    return await _carry(call, await find_incident(call.resources.store, reference), excuse, policy)


def duty_answer(state: State, today: date) -> DutyAnswer:
    """The duty as it is answered on *today*.

    Raises:
        AbsentError: None was asked for.
    """
    if state is None:
        raise AbsentError("postmortem duty", "/v1/postmortem-duties")
    first = state.first
    return DutyAnswer(
        id=first.incident,
        number=first.number,
        service=first.service,
        state=state.state,
        why=list(dict.fromkeys(each.why for each in state.required)),
        draft_due=first.draft_due,
        publish_due=first.publish_due,
        due=state.next_due,
        overdue=state.stage is not None and state.next_due < today,
        required_at=first.at,
        policy=first.policy,
        reason=state.excused.reason if state.excused else first.reason,
    )


async def _carry(call: Call, incident: str, command: Command, policy: PolicyDep, *, status: int = 200) -> Response:
    today = call.context.at.date()
    return await call.handle(
        DUTY,
        incident,
        command,
        body=lambda outcome: duty_answer(outcome.state, today),
        status=status,
        location=f"/v1/postmortem-duties/{incident}" if status == 201 else None,  # noqa: PLR2004  created
        effects=owing(policy),
    )
