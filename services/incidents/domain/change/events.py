"""What happens to what runs."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True)
class ChangeReported:
    """A sender says that *service* was changed *at* a time, such as by a deployment; *details* are as they came."""

    change: str
    integration: str
    service: str
    summary: str
    at: datetime
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


Event = ChangeReported
