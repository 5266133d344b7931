"""What is answered about alerts."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from services.incidents.domain.alert.decider import Acknowledged, Alert, Resolved
from services.incidents.domain.alert.events import Urgency
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.incident.terms import Severity

AlertState = Literal["triggered", "acknowledged", "resolved"]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertItem:
    """An alert.

    `count` is how often its sender said that it fires, `follows` the alert of the same identity that ended shortly
    before, `silence` what keeps it from paging anybody before `silenced_until`.
    """

    id: str
    integration: str
    dedup_key: str
    service: str
    urgency: Urgency
    severity: Severity
    summary: str
    state: AlertState
    incident: str
    follows: str
    silence: str
    silenced_until: datetime | None
    labels: Mapping[str, str]
    count: int
    triggered_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    resolved_at: datetime | None
    resolved_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertAnswer(AlertItem):
    """An alert with what its sender said beside: links, images, and whatever else came with it."""

    details: Mapping[str, Any]


def alert_answer(alert: Alert) -> AlertAnswer:
    """The alert as it is answered.

    Raises:
        AbsentError: There is none.
    """
    if alert is None:
        raise AbsentError("alert")
    opened = alert.opened
    ended = alert if isinstance(alert, Resolved) else None
    until = alert.before if isinstance(alert, Resolved) else alert
    seen = until if isinstance(until, Acknowledged) else None
    return AlertAnswer(
        id=opened.alert,
        integration=opened.integration,
        dedup_key=opened.dedup_key,
        service=opened.service,
        urgency=opened.urgency,
        severity=opened.severity,
        summary=opened.summary,
        state=alert.name,
        incident=opened.incident,
        follows=until.follows,
        silence=until.silenced.silence if until.silenced else "",
        silenced_until=until.silenced.until if until.silenced else None,
        labels=opened.labels,
        details=opened.details,
        count=until.count,
        triggered_at=opened.at,
        acknowledged_at=seen.acknowledged_at if seen else None,
        acknowledged_by=seen.acknowledged_by if seen else "",
        resolved_at=ended.resolved_at if ended else None,
        resolved_by=ended.resolved_by if ended else "",
    )
