"""What other services say, and what incidents does about it: burn-rate alerts open and end alerts here."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from libs.events.envelope import Context, Recorded
from libs.events.ids import derived_id
from libs.events.reactor import Reaction
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from services.incidents.intake import Intake, Signal

SLO_ALERTS = "incidents.slo-alerts"  # never changes: ids of alerts and incidents follow from it
_SLO = "slo"


@dataclass(frozen=True, slots=True)
class BurnRateAlertFired:
    """What we read of `alert.fired`: an error budget burns too fast."""

    alert: str
    slo: str
    service: str
    severity: Literal["page", "ticket"]
    short_window: str
    long_window: str
    burn_rate_long: float
    at: datetime


@dataclass(frozen=True, slots=True)
class BurnRateAlertResolved:
    """What we read of `alert.resolved`: it burns too fast no more."""

    alert: str
    at: datetime


def slo_alerts(resources: Resources) -> Reaction:
    """A page opens an alert and its incident, a ticket an alert in the queue; the end of either ends the alert."""
    intake = Intake(resources)

    async def fired(event: BurnRateAlertFired, recorded: Recorded, context: Context) -> None:
        alert, incident = (
            str(derived_id(recorded.occurred_at, recorded.event_id, SLO_ALERTS, index)) for index in range(2)
        )
        await intake.trigger(_signal(event), alert, incident, context)

    async def resolved(event: BurnRateAlertResolved, recorded: Recorded, context: Context) -> None:
        del recorded
        await intake.clear(_SLO, event.alert, event.at, context)

    return Reaction(
        name=SLO_ALERTS,
        source=_SLO,
        events=EventRegistry(
            {
                "io.concordat.slo.alert.fired.v1": BurnRateAlertFired,
                "io.concordat.slo.alert.resolved.v1": BurnRateAlertResolved,
            }
        ),
        act={BurnRateAlertFired: fired, BurnRateAlertResolved: resolved},
    )


def _signal(event: BurnRateAlertFired) -> Signal:
    return Signal(
        integration=_SLO,
        dedup_key=event.alert,
        group=f"{_SLO}/{event.slo}",
        service=event.service,
        urgency="high" if event.severity == "page" else "low",
        severity="sev2",
        summary=(
            f"{event.slo}: the error budget burns {event.burn_rate_long:.1f} times too fast"
            f" (over {event.long_window} and {event.short_window})"
        ),
        fired=event.at,
    )
