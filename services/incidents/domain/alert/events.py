"""What happens to an alert."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from services.incidents.domain.incident.terms import Severity

Urgency = Literal["high", "low"]  # high pages; low goes to the queue


@dataclass(frozen=True, slots=True)
class AlertTriggered:
    """It fires.

    Args:
        incident: Only in old events: the one it belongs to, which `AlertGrouped` tells now.
        group: High alerts of one group share an incident while it is open.
        severity: Of the incident that it opens.
        window_s: How long after its beginning that incident takes further alerts; 0: as long as it is open.
        labels: What grouping rules and silences look at.
        details: What its sender said beside, as it came.
    """

    alert: str
    integration: str
    dedup_key: str
    service: str
    urgency: Urgency
    summary: str
    at: datetime
    incident: str = ""
    group: str = ""
    severity: Severity = "sev2"
    window_s: int = 0
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True)
class AlertGrouped:
    """It belongs to *incident*; *follows* is the alert of the same identity that ended shortly before, if one did."""

    alert: str
    incident: str
    at: datetime
    follows: str = ""


@dataclass(frozen=True, slots=True)
class AlertSilenced:
    """It pages nobody before *until*, because a silence covers it."""

    alert: str
    silence: str
    until: datetime
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AlertUrgencyRaised:
    """It pages now, and belongs to an incident: a more urgent alert of its group has begun to fire."""

    alert: str
    service: str
    urgency: Urgency
    incident: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AlertMoved:
    """It belongs to another incident: its own was merged into that, or it was split from it."""

    alert: str
    service: str
    incident: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AlertRetriggered:
    """Its sender said again that it fires."""

    alert: str
    summary: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AlertAcknowledged:
    """Somebody looks at it."""

    alert: str
    service: str
    incident: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class AlertResolved:
    """It fires no more."""

    alert: str
    service: str
    incident: str
    by: str
    reason: str
    at: datetime


Event = (
    AlertTriggered
    | AlertRetriggered
    | AlertGrouped
    | AlertSilenced
    | AlertUrgencyRaised
    | AlertMoved
    | AlertAcknowledged
    | AlertResolved
)
