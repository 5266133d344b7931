"""The typed fields of incidents, as lists show them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, Text, select

from libs.events.columns import Json
from libs.events.projection import Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.incident.terms import Value
from services.incidents.domain.incident_field.events import IncidentFieldDefined, IncidentFieldRetired
from services.incidents.projections.folds import changes, opens


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("id", Text, primary_key=True),
        *(
            Column(name, Text, nullable=False)
            for name in ("display_name", "type", "description", "required_to", "state")
        ),
        Column("choices", Json(), nullable=False),
    )


def _defined(event: IncidentFieldDefined) -> Row:
    return {
        "display_name": event.display_name,
        "type": event.type,
        "description": event.description,
        "required_to": event.required_to,
        "state": "defined",
        "choices": list(event.choices),
    }


INCIDENT_FIELDS: Final = Projection(
    name="incident_fields",
    columns=_columns,
    events=CONTRACT,
    folds={
        IncidentFieldDefined: opens(_defined),
        IncidentFieldRetired: changes(lambda _, __: {"state": "retired"}),
    },
    sources=(SERVICE,),
)


def empty_but_required(connection: Connection, verb: str, fields: Mapping[str, Value]) -> list[str]:
    """The names of the fields that an incident needs to *verb*, and that its *fields* leave empty."""
    c, steps = INCIDENT_FIELDS.view.c, ("resolve", "close")
    until = steps[: steps.index(verb) + 1]  # what resolving needs, closing needs too
    query = select(c.id).where(c.state == "defined", c.required_to.in_(until)).order_by(c.id)
    return [name for name in connection.execute(query).scalars() if fields.get(name, "") == ""]
