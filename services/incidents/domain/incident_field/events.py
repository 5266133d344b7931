"""What happens to a field."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

FieldType = Literal["text", "number", "boolean", "choice", "url"]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFieldDefined:
    """Incidents have it from now on, as it says."""

    field: str
    display_name: str
    type: FieldType
    choices: tuple[str, ...]
    description: str
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
