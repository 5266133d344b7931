"""What happens to a field."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

FieldType = Literal["text", "number", "boolean", "choice", "url"]
RequiredTo = Literal["", "resolve", "close"]  # empty: nobody has to fill it in


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFieldDefined:
    """Incidents have it from now on, as it says."""

    field: str
    display_name: str
    type: FieldType
    choices: tuple[str, ...]
    description: str
    required_to: RequiredTo = ""
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFieldRetired:
    """No incident is given a value any more; those that were given stay."""

    field: str
    by: str
    reason: str = ""
    at: datetime


Event = IncidentFieldDefined | IncidentFieldRetired
