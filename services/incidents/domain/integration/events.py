"""What happens to an integration. These events never leave the service: they tell what its keys are made of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from services.incidents.domain.alert.events import Urgency

Kind = Literal["pagerduty", "alertmanager", "generic", "cloudevents"]


@dataclass(frozen=True, slots=True)
class UrgencyRule:
    """Alerts that all *matchers* match are of *urgency*."""

    matchers: tuple[str, ...]
    urgency: Urgency


@dataclass(frozen=True, slots=True)
class Mapped:
    """Where a generic sender's body says what: JMESPath expressions; empty ones say nothing.

    Args:
        action: `trigger`, `acknowledge` or `resolve`; or a word that *actions* translates. Without it: trigger.
        dedup_key: What the alert is called.
        summary: What it says.
        severity: One of PagerDuty's four; or a word that *severities* translates. Without it: critical.
        fired: Since when, RFC 3339 or seconds since 1970.
        labels: By name, what grouping rules and silences look at.
        actions: The sender's words for actions.
        severities: The sender's words for severities.
    """

    action: str = ""
    dedup_key: str = ""
    summary: str = ""
    severity: str = ""
    fired: str = ""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    actions: Mapping[str, str] = field(default_factory=dict[str, str])
    severities: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Profile:
    """What an integration is like.

    Args:
        service: Whose alerts it sends.
        display_name: For people.
        service_label: The label that names the service, where one sender speaks for many; *service* is what counts
            where it is absent or names an unknown one.
        group_by: Labels, `service` among them; alerts that agree in them share an incident. Empty: none do. None: as
            the sender groups them (Alertmanager), or all of a service.
        window_s: How long after its beginning an incident takes further alerts; 0: as long as it is open.
        urgencies: The first rule that matches decides; without one, the severity does.
        mapping: Only of generic senders and CloudEvents.
    """

    service: str
    display_name: str = ""
    service_label: str = ""
    group_by: tuple[str, ...] | None = None
    window_s: int = 0
    urgencies: tuple[UrgencyRule, ...] = ()
    mapping: Mapped | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationAdded:
    """A sender may send; *key_hash* is the SHA-256 of its key, which is kept nowhere."""

    integration: str
    kind: Kind
    profile: Profile
    key_hash: str
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationChanged:
    """It is like this now."""

    integration: str
    profile: Profile
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationKeyRotated:
    """It has another key; the one before is good until *until*."""

    integration: str
    key_hash: str
    until: datetime
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class IntegrationEnded:
    """It may send no more."""

    integration: str
    by: str
    reason: str = ""
    at: datetime


Event = IntegrationAdded | IntegrationChanged | IntegrationKeyRotated | IntegrationEnded
