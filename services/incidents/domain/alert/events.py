"""What happens to an alert."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Urgency = Literal["high", "low"]  # high pages; low goes to the queue


@dataclass(frozen=True, slots=True)
class AlertTriggered:
    """It fires; *incident* is the one it belongs to, empty in the queue, *group* what it shares with other alerts."""

    alert: str
    integration: str
    dedup_key: str
    service: str
    urgency: Urgency
    summary: str
    at: datetime
    incident: str = ""
    group: str = ""


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


Event = AlertTriggered | AlertRetriggered | AlertUrgencyRaised | AlertAcknowledged | AlertResolved
