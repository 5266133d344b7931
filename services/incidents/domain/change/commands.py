"""What can be asked of a change."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class Report:
    """Keep that it happened."""

    change: str
    integration: str
    service: str
    summary: str
    at: datetime
    details: Mapping[str, Any]


Command = Report
