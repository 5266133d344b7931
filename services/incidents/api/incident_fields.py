"""Typed fields: what an installation wants to know of its incidents beside what all have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import Path
from pydantic import Field
from sqlalchemy import RowMapping, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import CommandHandler, Outcome
from libs.events.resources import Resources
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from libs.web.schemas import Line, Text, example
from services.incidents.api.schemas import Why
from services.incidents.contract import INCIDENT_FIELD
from services.incidents.domain.errors import AbsentError, FieldError, FieldsEmptyError
from services.incidents.domain.incident.state import Incident
from services.incidents.domain.incident.terms import Value
from services.incidents.domain.incident_field.commands import DefineField, RetireField
from services.incidents.domain.incident_field.decider import Field as State
from services.incidents.domain.incident_field.decider import check_value
from services.incidents.domain.incident_field.events import FieldType, RequiredTo
from services.incidents.projections.incident_fields import INCIDENT_FIELDS, empty_but_required
from services.incidents.projections.incidents import INCIDENTS, values_of

router = Router(prefix="/v1/incident-fields", tags=["incidents"])
_MOST: Final = 100
FieldName = Annotated[str, Path(alias="field", pattern=r"^[a-z0-9]([a-z0-9._-]{0,61}[a-z0-9])?$")]


class FieldDefinition(Why):
    """What a field is called and which values it takes; `choices` of a choice, and of nothing else.

    `required_to`: people cannot resolve or close an incident that leaves it empty, unless they resolve it with `force`.
    """

    model_config = example(display_name="Region", type="choice", choices=["eu", "us"])

    display_name: Line
    type: FieldType
    choices: Annotated[tuple[Line, ...], Field(max_length=100)] = ()
    description: Text = ""
    required_to: RequiredTo = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFieldAnswer:
    """A field; what is retired is given to no incident any more."""

    name: str
    display_name: str
    type: FieldType
    choices: list[str]
    description: str
    required_to: RequiredTo
    state: Literal["defined", "retired"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """An incident whose value of a field is none that the field takes now."""

    incident: str
    number: str
    value: Value
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfits:
    """Values that were given when a field was another, the newest incident first."""

    items: list[Misfit]
    total: int


@router.put("/{field}", response_model=IncidentFieldAnswer, openapi_extra=needs("incidents.write"))
async def define_incident_field(call: CallDep, field: FieldName, body: FieldDefinition) -> Response:
    """Let incidents have a field, or another; values that were given stay, `/misfits` says which fit no more."""
    command = DefineField(field=field, by=call.principal.name, at=call.context.at, **body.model_dump())
    return await call.handle(INCIDENT_FIELD, field, command, body=_answered)


@router.delete(
    "/{field}", response_model=IncidentFieldAnswer, openapi_extra=needs("incidents.write"), responses=responses(404)
)
async def retire_incident_field(call: CallDep, field: FieldName) -> Response:
    """Give incidents no value any more; those that were given stay."""
    command = RetireField(field=field, by=call.principal.name, at=call.context.at)
    return await call.handle(INCIDENT_FIELD, field, command, body=_answered)


@router.get("", openapi_extra=needs("incidents.read"), dependencies=[fresh(INCIDENT_FIELDS)])
async def list_incident_fields(resources: ResourcesDep, page: PageDep) -> Page[IncidentFieldAnswer]:
    """All fields, by name."""
    view = INCIDENT_FIELDS.view
    return await resources.views.read(page.fetch, select(view), key=view.c.id, item=_row)


@router.get(
    "/{field}", response_model=IncidentFieldAnswer, openapi_extra=needs("incidents.read"), responses=responses(404)
)
async def get_incident_field(request: Request, resources: ResourcesDep, field: FieldName) -> Response:
    """One field as it is now."""
    loaded = await resources.handler.load(INCIDENT_FIELD, field)
    return answer(request, _field(loaded.state), version=loaded.version)


@router.get(
    "/{field}/misfits",
    openapi_extra=needs("incidents.read"),
    responses=responses(404),
    dependencies=[fresh(INCIDENTS)],
)
async def list_misfits(resources: ResourcesDep, field: FieldName) -> Misfits:
    """Which incidents have a value that the field takes no more, as it is now, or that it is retired."""
    state = (await resources.handler.load(INCIDENT_FIELD, field)).state
    if state is None:
        raise AbsentError("incident-field")
    found: list[Misfit] = []
    for incident, number, value in await resources.views.read(values_of, field):
        try:
            check_value(field, state, value)
        except FieldError as error:
            found.append(Misfit(incident=incident, number=number, value=value, why=str(error)))
    return Misfits(items=found[:_MOST], total=len(found))


async def check_fields(handler: CommandHandler, values: Mapping[str, object]) -> None:
    """Return if each of *values* is one that its field takes.

    Raises:
        FieldError: One of them not.
    """
    for name, value in values.items():
        check_value(name, (await handler.load(INCIDENT_FIELD, name)).state, value)


async def check_filled(resources: Resources, state: Incident, verb: str) -> None:
    """Return if *state* may *verb* as far as its fields are concerned; what its state forbids is refused elsewhere.

    Raises:
        FieldsEmptyError: It leaves some empty that this needs.
    """
    if state is None or verb not in state.allowed:
        return
    empty = await resources.views.read(empty_but_required, verb, state.record.details.fields)
    if empty:
        raise FieldsEmptyError(verb, empty)


def _answered(outcome: Outcome[State]) -> IncidentFieldAnswer:
    return _field(outcome.state)


def _field(state: State) -> IncidentFieldAnswer:
    if state is None:
        raise AbsentError("incident-field")
    said = state.as_of
    return IncidentFieldAnswer(
        name=said.field,
        display_name=said.display_name,
        type=said.type,
        choices=list(said.choices),
        description=said.description,
        required_to=said.required_to,
        state=state.name,
    )


def _row(row: RowMapping) -> IncidentFieldAnswer:
    names = "display_name", "type", "choices", "description", "required_to", "state"
    return IncidentFieldAnswer(name=row["id"], **{name: row[name] for name in names})
