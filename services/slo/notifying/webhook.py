"""An alert as Alertmanager's webhooks tell it (version 4), under the labels of the rules that `exchange` writes."""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from services.slo.domain.budget.events import AlertFired

BURN, NO_DATA = "ErrorBudgetBurn", "ErrorBudgetUnknown"
_NEVER = "0001-01-01T00:00:00Z"  # Go's zero time: the end of what has none


def payload(target: str, alert: AlertFired, resolved_at: datetime | None) -> dict[str, Any]:
    """What *target* is told: that *alert* fires, or since when it does not."""
    status = "firing" if resolved_at is None else "resolved"
    labels = _labels(alert)
    annotations = _annotations(alert)
    group = {"slo": alert.slo, "tier": alert.tier}
    return {
        "version": "4",
        "groupKey": "{}:{" + ", ".join(f'{name}="{value}"' for name, value in group.items()) + "}",
        "truncatedAlerts": 0,
        "status": status,
        "receiver": target,
        "groupLabels": group,
        "commonLabels": labels,
        "commonAnnotations": annotations,
        "externalURL": "",
        "alerts": [
            {
                "status": status,
                "labels": labels,
                "annotations": annotations,
                "startsAt": alert.at.isoformat(),
                "endsAt": _NEVER if resolved_at is None else resolved_at.isoformat(),
                "generatorURL": f"/v1/slos/{alert.slo}/alerts",
                "fingerprint": sha256(repr(sorted(labels.items())).encode()).hexdigest()[:16],
            }
        ],
    }


def _labels(alert: AlertFired) -> Mapping[str, str]:
    """What tells this alert from others; the same at its beginning and its end."""
    labels = {
        "alertname": NO_DATA if alert.no_data else BURN,
        "service": alert.service,
        "slo": alert.slo,
        "severity": alert.severity,
        "tier": alert.tier,
        "long": alert.long_window,
        "short": alert.short_window,
        "policy": alert.policy,
        "sloth_id": f"{alert.service}-{alert.slo}",
        "sloth_service": alert.service,
        "sloth_slo": alert.slo,
        "sloth_severity": alert.severity,
    }
    return {name: value for name, value in sorted(labels.items()) if value}


def _annotations(alert: AlertFired) -> Mapping[str, str]:
    who = f"{alert.service} {alert.slo} SLO"
    if alert.no_data:
        return {
            "summary": f"{who} has had no data for {alert.long_window}.",
            "title": f"({alert.severity}) {who} has no data.",
        }
    rates = (
        f"{alert.burn_rate_long:.1f} over {alert.long_window}, {alert.burn_rate_short:.1f} over {alert.short_window}"
    )
    return {
        "description": f"Burn rate: {rates}; the threshold is {alert.factor:g}.",
        "summary": f"{who} error budget burn rate is over expected.",
        "title": f"({alert.severity}) {who} error budget burn rate is too fast.",
    }
