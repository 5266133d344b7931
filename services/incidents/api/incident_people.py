"""Who works on an incident: roles that are assumed, handed over and given up, and who helps."""

from typing import Annotated, Any, Final, get_args

from fastapi import Path
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Outcome
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.etag import answer
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.incident_calls import carry
from services.incidents.api.incident_schemas import there
from services.incidents.api.incident_work_schemas import (
    Help,
    ResponderAnswer,
    RespondersAnswer,
    RoleAnswer,
    RoleOffer,
    RolesAnswer,
    RoleTaken,
    TurnAnswer,
)
from services.incidents.api.schemas import Why
from services.incidents.api.verbs import Id
from services.incidents.contract import INCIDENT
from services.incidents.domain.incident.state import Incident, Record
from services.incidents.domain.incident.terms import Role
from services.incidents.domain.incident.work_commands import (
    AcceptRole,
    AddResponder,
    AssumeRole,
    DeclineRole,
    OfferRole,
    ReleaseResponder,
    ReleaseRole,
)
from services.incidents.effects import find_incident

router = Router(prefix="/v1/incidents", tags=["incidents"])

_ROLES: Final[tuple[Role, ...]] = get_args(Role)
_WRITES: Final[dict[str, Any]] = {"openapi_extra": needs("incidents.write"), "responses": responses(404)}
Person = Annotated[str, Path(min_length=1, max_length=64)]


@router.get("/{id}/roles", response_model=RolesAnswer, openapi_extra=needs("incidents.read"), responses=responses(404))
async def get_roles(request: Request, resources: ResourcesDep, reference: Id) -> Response:
    """Who has which role in an incident, to whom it is offered, and who had it when."""
    loaded = await resources.handler.load(INCIDENT, await find_incident(resources.store, reference))
    return answer(request, _roles(there(loaded.state).record), version=loaded.version)


@router.post("/{id}/roles", response_model=RolesAnswer, **_WRITES)
async def assume_role(call: CallDep, reference: Id, body: RoleTaken) -> Response:
    """Take a role that nobody has, or give it to somebody; what somebody has is handed over, or taken by force."""
    person = body.person or call.principal.name
    command = AssumeRole(**_asked(call, body), role=body.role, person=person, force=body.force)
    return await carry(call, reference, command, body=_roles_of)


@router.post("/{id}/roles/{role}:hand-over", response_model=RolesAnswer, **_WRITES)
async def hand_role_over(call: CallDep, reference: Id, role: Role, body: RoleOffer) -> Response:
    """Offer a role to somebody, who has it once they acknowledge that; until then, who has it keeps it."""
    return await carry(call, reference, OfferRole(**_asked(call, body), role=role, person=body.to), body=_roles_of)


@router.post("/{id}/roles/{role}:acknowledge", response_model=RolesAnswer, **_WRITES)
async def acknowledge_role(call: CallDep, reference: Id, role: Role, body: Why | None = None) -> Response:
    """Take over a role that was offered to whoever asks."""
    return await carry(call, reference, AcceptRole(**_asked(call, body), role=role), body=_roles_of)


@router.post("/{id}/roles/{role}:decline", response_model=RolesAnswer, **_WRITES)
async def decline_role(call: CallDep, reference: Id, role: Role, body: Why | None = None) -> Response:
    """Do not take over a role that was offered; who offered it may take that back."""
    return await carry(call, reference, DeclineRole(**_asked(call, body), role=role), body=_roles_of)


@router.post("/{id}/roles/{role}:release", response_model=RolesAnswer, **_WRITES)
async def release_role(call: CallDep, reference: Id, role: Role, body: Why | None = None) -> Response:
    """Give a role up: nobody has it then."""
    return await carry(call, reference, ReleaseRole(**_asked(call, body), role=role), body=_roles_of)


@router.get(
    "/{id}/responders", response_model=RespondersAnswer, openapi_extra=needs("incidents.read"), responses=responses(404)
)
async def list_responders(request: Request, resources: ResourcesDep, reference: Id) -> Response:
    """Who works on an incident: who took it on, who has a role, and who was asked to help."""
    loaded = await resources.handler.load(INCIDENT, await find_incident(resources.store, reference))
    return answer(request, _responders(there(loaded.state).record), version=loaded.version)


@router.post("/{id}/responders", response_model=RespondersAnswer, **_WRITES)
async def add_responder(call: CallDep, reference: Id, body: Help) -> Response:
    """Ask somebody to help."""
    command = AddResponder(**_asked(call, body), person=body.person, side=body.side)
    return await carry(call, reference, command, body=_responders_of)


@router.post("/{id}/responders/{person}:release", response_model=RespondersAnswer, **_WRITES)
async def release_responder(call: CallDep, reference: Id, person: Person, body: Why | None = None) -> Response:
    """Somebody need not help any more."""
    return await carry(call, reference, ReleaseResponder(**_asked(call, body), person=person), body=_responders_of)


def _asked(call: Call, body: Why | None) -> dict[str, Any]:
    return {"by": call.principal.name, "reason": body.reason if body else "", "at": call.context.at}


def _roles_of(outcome: Outcome[Incident]) -> RolesAnswer:
    return _roles(there(outcome.state).record)


def _responders_of(outcome: Outcome[Incident]) -> RespondersAnswer:
    return _responders(there(outcome.state).record)


def _roles(record: Record) -> RolesAnswer:
    items: list[RoleAnswer] = []
    for role in _ROLES:
        held = record.roles.get(role)
        items.append(
            RoleAnswer(
                role=role,
                person=held.person if held else "",
                since=held.since if held else None,
                offered_to=held.offered_to if held else "",
            )
        )
    history = [
        TurnAnswer(role=turn.role, person=turn.person, since=turn.since, until=turn.until, reason=turn.reason)
        for turn in record.turns
    ]
    return RolesAnswer(items=items, history=history)


def _responders(record: Record) -> RespondersAnswer:
    roles: dict[str, list[Role]] = {}
    for role, held in record.roles.items():
        roles.setdefault(held.person, []).append(role)
    took_on = [record.acknowledged_by] if record.acknowledged_by else []
    items: list[ResponderAnswer] = []
    for person in dict.fromkeys((*took_on, *roles, *record.responders)):
        asked = record.responders.get(person)
        seen = record.milestones.acknowledged if person in took_on else None
        since = min((record.roles[role].since for role in roles.get(person, ())), default=seen)
        items.append(
            ResponderAnswer(
                person=person,
                side=asked.side if asked else "",
                roles=roles.get(person, []),
                added_by=asked.added_by if asked else "",
                since=asked.since if asked else since,
            )
        )
    return RespondersAnswer(items=items)
