"""What can be asked of a field."""

from dataclasses import dataclass

from services.incidents.domain.asked import Asked
from services.incidents.domain.incident_field.events import FieldType, RequiredTo


@dataclass(frozen=True, slots=True, kw_only=True)
class DefineField(Asked):
    """Let incidents have it, or have it otherwise; values that were given stay."""

    field: str
    display_name: str
    type: FieldType
    choices: tuple[str, ...] = ()
    description: str = ""
    required_to: RequiredTo = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetireField(Asked):
    """No incident is given a value any more."""

    field: str


Command = DefineField | RetireField
