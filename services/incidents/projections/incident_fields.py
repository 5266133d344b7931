"""The typed fields of incidents, as lists show them."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Text

from libs.events.columns import Json
from libs.events.projection import Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.incident_field.events import IncidentFieldDefined, IncidentFieldRetired
from services.incidents.projections.folds import changes, opens


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("id", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in ("display_name", "type", "description", "state")),
        Column("choices", Json(), nullable=False),
    )


def _defined(event: IncidentFieldDefined) -> Row:
    return {
        "display_name": event.display_name,
        "type": event.type,
        "description": event.description,
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
