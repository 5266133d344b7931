"""Which service, urgency and incident a signal of an integration belongs to."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from libs.events.codec import encode
from services.incidents.domain.alert.events import Urgency
from services.incidents.domain.incident.events import Severity
from services.incidents.domain.integration.decider import Active
from services.incidents.domain.matchers import all_match
from services.incidents.intake import Signal

_LOW: Final = frozenset({"warning", "warn", "info", "information", "notice", "ticket", "low", "none", "debug"})
_LONGEST_GROUP: Final = 500  # characters, of 4 bytes at most: PostgreSQL's index takes no key of more than 2,704 bytes
_SEVERITIES: Final[Mapping[str, Severity]] = {
    "critical": "sev2",
    "page": "sev2",
    "info": "sev4",
}  # sev1 is people's word


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One alert in a sender's words.

    Args:
        group: What the sender itself groups by; empty: it does not.
    """

    dedup_key: str
    summary: str
    severity: str
    fired: datetime
    labels: Mapping[str, str]
    details: Mapping[str, Any]
    group: str = ""


def sort(integration: Active, said: Said, known_services: frozenset[str] = frozenset()) -> Signal:
    """*said* by the rules of *integration*."""
    profile, name = integration.profile, integration.integration
    named = said.labels.get(profile.service_label, "") if profile.service_label else ""
    service = named if named in known_services else profile.service
    labels = {**said.labels, "service": service, "integration": name, "severity": said.severity}
    return Signal(
        integration=name,
        dedup_key=said.dedup_key,
        group=_group(integration, said, labels),
        service=service,
        urgency=_urgency(integration, labels),
        severity=_SEVERITIES.get(said.severity.lower(), "sev3"),
        summary=said.summary,
        fired=said.fired,
        window_s=profile.window_s,
        labels=labels,
        details=said.details,
    )


def _urgency(integration: Active, labels: Mapping[str, str]) -> Urgency:
    """What the first rule that matches says; else what the severity does: whatever is not known to be mild pages."""
    for rule in integration.profile.urgencies:
        if all_match(rule.matchers, labels):
            return rule.urgency
    return "low" if labels["severity"].lower() in _LOW else "high"


def _group(integration: Active, said: Said, labels: Mapping[str, str]) -> str:
    """Alerts of one group share an incident; of the empty one none do."""
    by = integration.profile.group_by
    if by is None and said.group:
        return _named(f"{integration.integration}/{said.group}")
    if by is None:
        by = ("service",)
    if not by:
        return ""
    values = [labels.get(label, "") for label in by]
    return _named(f"{integration.integration}/{values[0] if len(values) == 1 else encode(values).decode()}")


def _named(group: str) -> str:
    """*group*, or its beginning and a hash of all of it where it is too long to be looked up by."""
    if len(group) <= _LONGEST_GROUP:
        return group
    hashed = sha256(group.encode()).hexdigest()
    return group[: _LONGEST_GROUP - len(hashed)] + hashed
