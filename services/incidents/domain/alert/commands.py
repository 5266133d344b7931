"""What can be asked of an alert."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.incidents.domain.alert.events import Urgency
from services.incidents.domain.asked import Asked


@dataclass(frozen=True, slots=True)
class Trigger:
    """Open it. Its identity is (integration, dedup_key); *incident* is empty when it goes to the queue.

    *group* is what alerts share an incident by.
    """

    alert: str
    integration: str
    dedup_key: str
    service: str
    urgency: Urgency
    summary: str
    incident: str
    at: datetime
    group: str = ""


@dataclass(frozen=True, slots=True)
class Retrigger:
    """The sender says again that it fires."""

    summary: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledge(Asked):
    """Somebody looks at it."""

    verb: ClassVar[str] = "acknowledge"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolve(Asked):
    """It fires no more."""

    verb: ClassVar[str] = "resolve"


@dataclass(frozen=True, slots=True, kw_only=True)
class RaiseUrgency(Asked):
    """Let it page, as a part of *incident*."""

    incident: str


Command = Trigger | Retrigger | RaiseUrgency | Acknowledge | Resolve
