"""Alertmanager's webhook, version 4: what is in a notification, and what is wrong with one.

Unknown keys are passed over, since newer versions add some. `startsAt` of a resolved alert may differ from that it
fired with, and `endsAt` of a firing one is the year 1: an alert is known by its fingerprint alone.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from services.incidents.senders.lenient import read_object
from services.incidents.senders.sorting import Said

MOST_ALERTS: Final = 10_000
_VERSION: Final = "4"
_MOST_SUMMARY: Final = 1024
_SUMMARIES: Final = ("summary", "title", "description", "message")  # annotations, the best first


class AlertmanagerError(Exception):
    """The notification cannot be taken; *places* are (JSON pointer, what to do)."""

    def __init__(self, *places: tuple[str, str]) -> None:
        super().__init__("; ".join(f"{pointer or 'the body'}: {detail}" for pointer, detail in places))
        self.places = places


@dataclass(frozen=True, slots=True)
class Notification:
    """What one notification says.

    Args:
        firing: Alerts that fire, the same again too.
        resolved: Of those that fire no more, the dedup key and since when.
        truncated: How many alerts Alertmanager left out.
    """

    firing: tuple[Said, ...]
    resolved: tuple[tuple[str, datetime], ...]
    truncated: int


def read_notification(body: bytes, now: datetime) -> Notification:
    """The notification in *body*.

    Raises:
        AlertmanagerError: It is none of version 4.
    """
    try:
        value = read_object(body)
    except ValueError as error:
        raise AlertmanagerError(("", f"is no JSON object; send Alertmanager's webhook as it is: {error}")) from error
    if value.get("version") != _VERSION:
        raise AlertmanagerError(("/version", 'is not "4"; this webhook takes that of Alertmanager 0.6 and later'))
    alerts = value.get("alerts")
    if not isinstance(alerts, list):
        raise AlertmanagerError(("/alerts", "is missing or no list"))
    if len(alerts) > MOST_ALERTS:
        message = f"holds {len(alerts)} alerts; set max_alerts of the webhook to at most {MOST_ALERTS}"
        raise AlertmanagerError(("/alerts", message))
    group = value.get("groupKey")
    links = {name: value[name] for name in ("externalURL", "receiver") if isinstance(value.get(name), str)}
    firing: dict[str, Said] = {}
    resolved: dict[str, datetime] = {}
    places: list[tuple[str, str]] = []
    for index, alert in enumerate(alerts):
        fault = _fault(alert)
        if fault:
            places.append((f"/alerts/{index}{fault[0]}", fault[1]))
            continue
        key = _fingerprint(alert)
        if alert["status"] == "resolved":
            resolved[key] = min(_time(alert.get("endsAt"), now), now)
        else:
            firing[key] = _said(alert, key, group if isinstance(group, str) else "", links, now)
    if places:
        raise AlertmanagerError(*places)
    truncated = value.get("truncatedAlerts")
    return Notification(tuple(firing.values()), tuple(resolved.items()), truncated if isinstance(truncated, int) else 0)


def _fault(alert: object) -> tuple[str, str] | None:
    if not isinstance(alert, dict):
        return "", "is no object"
    if alert.get("status") not in ("firing", "resolved"):
        return "/status", "is neither firing nor resolved"
    labels = alert.get("labels")
    if not isinstance(labels, dict) or not labels:
        return "/labels", "is missing, empty or no object; an alert has at least alertname"
    if not all(isinstance(value, str) for value in labels.values()):
        return "/labels", "holds what is no string"
    return None


def _fingerprint(alert: Mapping[str, Any]) -> str:
    """Alertmanager's, or of the labels where an old version sends none."""
    found = alert.get("fingerprint")
    if isinstance(found, str) and 0 < len(found) <= 255:  # noqa: PLR2004  as a dedup key
        return found
    written = msgspec.json.encode(sorted(alert["labels"].items()))
    return hashlib.sha256(written).hexdigest()[:16]


def _said(alert: Mapping[str, Any], key: str, group: str, links: Mapping[str, str], now: datetime) -> Said:
    labels: dict[str, str] = alert["labels"]
    found = alert.get("annotations")
    annotations: dict[str, Any] = found if isinstance(found, dict) else {}
    summary = next((text for name in _SUMMARIES if isinstance(text := annotations.get(name), str) and text), "")
    generator = alert.get("generatorURL")
    details = {"annotations": annotations, **links} | ({"generatorURL": generator} if generator else {})
    return Said(
        dedup_key=key,
        summary=(summary or labels.get("alertname", "an alert without a name"))[:_MOST_SUMMARY],
        severity=labels.get("severity", ""),
        fired=min(_time(alert.get("startsAt"), now), now),
        labels=labels,
        details=details,
        group=group,
    )


def _time(value: object, now: datetime) -> datetime:
    if not isinstance(value, str):
        return now
    try:
        read = datetime.fromisoformat(value).astimezone(UTC)
    except (ValueError, OverflowError):
        return now
    return read if read.year > 1 else now
