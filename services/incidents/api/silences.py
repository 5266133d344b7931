"""`/v1/silences`: what pages nobody for a while; `:snooze` of an alert, which makes one, and of an incident."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Path, Query
from pydantic import Field
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Step
from libs.events.ids import new_id
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from libs.web.schemas import Body, Moment, Text, example
from services.incidents.api.integration_schemas import MatcherText
from services.incidents.api.notification_schemas import EscalationAnswer, escalation_answer
from services.incidents.api.schemas import of_row
from services.incidents.api.verbs import Id
from services.incidents.contract import ALERT, ESCALATION, INCIDENT, SILENCE
from services.incidents.domain.errors import AbsentError, IllegalTransitionError, SilenceError
from services.incidents.domain.escalation.commands import Pause
from services.incidents.domain.incident.commands import Note
from services.incidents.domain.incident.state import Active, Mitigated, Triage
from services.incidents.domain.matchers import quoted
from services.incidents.domain.silence.commands import End, Make
from services.incidents.domain.silence.decider import Silence, State, state_of
from services.incidents.effects import find_incident
from services.incidents.paging.waking import waking
from services.incidents.projections.silences import SILENCES

_READ, _WRITE = needs("silences.read"), needs("silences.write")

router = Router(prefix="/v1", tags=["silences"])
SilenceId = Annotated[str, Path(alias="silence", min_length=1, max_length=64)]


class NewSilence(Body):
    """What shall page nobody: alerts that all matchers match, written as Alertmanager's.

    Beside an alert's labels there are `service`, `integration` and `dedup_key`.
    """

    model_config = example(
        matchers=['service="checkout-api"', 'component=~"pg-.*"'],
        until="2026-11-21T12:00:00Z",
        reason="the database is being moved",
    )

    matchers: Annotated[tuple[MatcherText, ...], Field(min_length=1, max_length=20)]
    since: Moment | None = None
    until: Moment
    reason: Text


class Snooze(Body):
    """Until when an alert pages nobody, and why."""

    model_config = example(until="2026-11-21T12:00:00Z", reason="the disk comes at noon")

    until: Moment
    reason: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceAnswer:
    """A silence: what it matches, until when, who made it and why."""

    id: str
    state: State
    matchers: Sequence[str]
    since: datetime
    until: datetime
    by: str
    reason: str
    made_at: datetime
    ended_at: datetime | None
    ended_by: str


@router.post("/silences", status_code=201, response_model=SilenceAnswer, openapi_extra=_WRITE, responses=responses(422))
async def make_silence(body: NewSilence, call: CallDep) -> Response:
    """Keep what matches from paging anybody; what still fires when it is over pages then."""
    return await _make(call, body.matchers, body.since, body.until, body.reason)


@router.get("/silences", openapi_extra=_READ, dependencies=[fresh(SILENCES)])
async def list_silences(
    resources: ResourcesDep,
    page: PageDep,
    active: Annotated[bool | None, Query(description="Only those that are not over, or only those that are.")] = None,
) -> Page[SilenceAnswer]:
    """List silences, those made last first."""
    c, now = SILENCES.view.c, resources.clock.now()
    query = select(SILENCES.view)
    if active is not None:
        open_ = c.ended_at.is_(None) & (c.until > now)
        query = query.where(open_ if active else ~open_)
    return await resources.views.read(
        page.fetch,
        query,
        key=c.id,
        item=lambda row: of_row(SilenceAnswer, row, state=state_of(row["since"], row["until"], row["ended_at"], now)),
        descending=True,
    )


@router.get("/silences/{silence}", response_model=SilenceAnswer, openapi_extra=_READ, responses=responses(404))
async def get_silence(request: Request, resources: ResourcesDep, silence: SilenceId) -> Response:
    """Read one silence."""
    loaded = await resources.handler.load(SILENCE, silence)
    return answer(request, _answer(loaded.state, resources.clock.now()), version=loaded.version)


@router.delete("/silences/{silence}", response_model=SilenceAnswer, openapi_extra=_WRITE, responses=responses(404))
async def end_silence(silence: SilenceId, call: CallDep) -> Response:
    """End it before its time: what still fires pages now."""
    command = End(by=call.principal.name, at=call.context.at)
    return await call.handle(SILENCE, silence, command, body=lambda outcome: _answer(outcome.state, call.context.at))


@router.post(
    "/alerts/{id}:snooze",
    status_code=201,
    response_model=SilenceAnswer,
    openapi_extra=needs("alerts.write"),
    responses=responses(404, 422),
)
async def snooze_alert(reference: Id, body: Snooze, call: CallDep) -> Response:
    """Let an alert page nobody until then, however often it ends and fires again: makes a silence of its own."""
    alert = (await call.resources.handler.load(ALERT, reference)).state
    if alert is None:
        raise AbsentError("alert")
    own = {"integration": alert.opened.integration, "dedup_key": alert.opened.dedup_key}
    matchers = tuple(f"{name}={quoted(value)}" for name, value in own.items())
    return await _make(call, matchers, None, body.until, body.reason)


@router.post(
    "/incidents/{id}:snooze",
    response_model=EscalationAnswer,
    openapi_extra=needs("incidents.write"),
    responses=responses(404, 409, 422),
)
async def snooze_incident(reference: Id, body: Snooze, call: CallDep) -> Response:
    """Call nobody for an incident until then; who is called goes on from the first step when it is not over by then."""
    incident, at = await find_incident(call.resources.store, reference), call.context.at
    state = (await call.resources.handler.load(INCIDENT, incident)).state
    if state is None:
        raise AbsentError("incident")
    if not isinstance(state, Triage | Active | Mitigated):
        raise IllegalTransitionError("incident", state.name, "snooze", state.allowed)
    if body.until <= at:
        raise SilenceError("until", "lies in the past; name a later time")
    said = f"snoozed until {body.until:%Y-%m-%d %H:%M} UTC: {body.reason}"
    note = Note(kind="snoozed", text=said, occurred_at=at, by=call.principal.name, at=at)
    return await call.handle(
        ESCALATION,
        incident,
        Pause(by=call.principal.name, reason=body.reason, until=body.until, at=at),
        body=lambda outcome: escalation_answer(outcome.state),
        effects=waking,
        also=(Step(INCIDENT, incident, note),),
    )


async def _make(
    call: Call, matchers: tuple[str, ...], since: datetime | None, until: datetime, reason: str
) -> Response:
    silence, at = str(new_id()), call.context.at
    command = Make(
        silence=silence,
        matchers=matchers,
        since=since or at,
        until=until,
        by=call.principal.name,
        reason=reason,
        at=at,
    )
    return await call.handle(
        SILENCE,
        silence,
        command,
        body=lambda outcome: _answer(outcome.state, at),
        status=201,
        location=f"/v1/silences/{silence}",
    )


def _answer(state: Silence, at: datetime) -> SilenceAnswer:
    if state is None:
        raise AbsentError("silence")
    made, ended = state.made, state.ended
    return SilenceAnswer(
        id=made.silence,
        state=state.state(at),
        matchers=made.matchers,
        since=made.since,
        until=made.until,
        by=made.by,
        reason=made.reason,
        made_at=made.at,
        ended_at=ended.at if ended else None,
        ended_by=ended.by if ended else "",
    )
