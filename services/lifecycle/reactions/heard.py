"""What is read of the events of other services."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from libs.events.registry import EventRegistry


@dataclass(frozen=True, slots=True)
class IncidentClassified:
    """What is read of an incident when it is known what kind of outage it is: its cause."""

    incident: str
    service: str
    outage_class: str
    at: datetime


INCIDENTS_CLASSIFIED: Final = EventRegistry({"io.concordat.incidents.incident.classified.v1": IncidentClassified})
