"""What can be asked of an alert."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar

from services.incidents.domain.alert.events import Urgency
from services.incidents.domain.asked import Asked
from services.incidents.domain.incident.terms import Severity


@dataclass(frozen=True, slots=True)
class Trigger:
    """Open it. Its identity is (integration, dedup_key); the rest is as in `AlertTriggered`."""

    alert: str
    integration: str
    dedup_key: str
    service: str
    urgency: Urgency
    summary: str
    at: datetime
    group: str = ""
    severity: Severity = "sev2"
    window_s: int = 0
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class Retrigger:
    """The sender says again that it fires."""

    summary: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Group:
    """It belongs to *incident*."""

    verb: ClassVar[str] = "group"

    incident: str
    at: datetime
    follows: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence(Asked):
    """Let it page nobody before *until*."""

    silence: str
    until: datetime


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Move(Asked):
    """Let it belong to *incident*, not to *was* any more: that was merged into it, or split. It may be elsewhere."""

    incident: str
    was: str


Command = Trigger | Retrigger | Group | Silence | RaiseUrgency | Move | Acknowledge | Resolve
