"""What is done about change events, which senders of alerts tell the incidents service of: each is a deployment."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from libs.events.envelope import Context, Recorded
from libs.events.reactor import Reaction
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from services.lifecycle.contract import DEPLOYMENT, SERVICE
from services.lifecycle.domain.delivery import DeliveryPolicy
from services.lifecycle.domain.deployment.commands import Record, Refuse
from services.lifecycle.domain.deployment.events import DeploymentRecorded, DeploymentRefused, DeploymentStaged
from services.lifecycle.domain.errors import RecordedOtherwiseError
from services.lifecycle.domain.service.decider import Decommissioned, Service, Unsupported

Deployed = DeploymentRecorded | DeploymentStaged
_MOST: Final = 500  # characters of a version, as where deployments are recorded


@dataclass(frozen=True, slots=True)
class ChangeReported:
    """What is read of a change event; *details* are as its sender gave them."""

    change: str
    integration: str
    service: str
    summary: str
    at: datetime
    details: Mapping[str, Any] = field(default_factory=dict[str, Any])


def change_reactions(resources: Resources, policy: DeliveryPolicy) -> Sequence[Reaction]:
    """What becomes of a change event: a deployment of its id, or the fact that it is none."""

    async def act(event: ChangeReported, _: Recorded, context: Context) -> None:
        service = (await resources.handler.load(SERVICE, event.service)).state
        why = _why_not(service)
        command = Refuse(_refused(event, why)) if why else Record(deployment_of(event, policy, context.at))
        with suppress(RecordedOtherwiseError):  # somebody recorded it here, under the same id
            await resources.handler.handle(DEPLOYMENT, event.change, command, context)

    return (
        Reaction(
            name="lifecycle.changes",
            source="incidents",
            events=EventRegistry({"io.concordat.incidents.change.reported.v1": ChangeReported}),
            act={ChangeReported: act},
        ),
    )


def deployment_of(event: ChangeReported, policy: DeliveryPolicy, now: datetime) -> Deployed:
    """The deployment that *event* is: to production, unless its `custom_details` name another environment."""
    custom = event.details.get("custom_details")
    told = custom if isinstance(custom, Mapping) else {}
    environment = _text(told, "environment") or "production"
    production = environment.lower() in policy.production_environments.names
    return (DeploymentRecorded if production else DeploymentStaged)(
        deployment=event.change,
        service=event.service,
        environment=environment,
        version=_text(told, "version"),
        result="succeeded",
        commit=_text(told, "commit"),
        committed_at=None,
        unplanned=False,
        rollout="",
        url=_link(event.details.get("links")),
        by=event.integration,
        at=min(event.at, now),
        recorded=now,
        source="change-event",
        summary=event.summary,
    )


def _why_not(service: Service) -> str:
    match service:
        case None:
            return "lifecycle knows no service of this name"
        case Unsupported() | Decommissioned():
            return "its service has ended"
        case _:
            return ""


def _refused(event: ChangeReported, reason: str) -> DeploymentRefused:
    return DeploymentRefused(
        deployment=event.change,
        service=event.service,
        summary=event.summary,
        reason=reason,
        by=event.integration,
        at=event.at,
    )


def _text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value.strip()[:_MOST] if isinstance(value, str) else ""


def _link(links: object) -> str:
    """Where to see it: the first of its links that a browser would follow."""
    found = [each.get("href") for each in links if isinstance(each, Mapping)] if isinstance(links, list) else []
    return next((href for href in found if isinstance(href, str) and href.startswith(("https://", "http://"))), "")
