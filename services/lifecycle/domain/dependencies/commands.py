"""What can be said about what a service relies on."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.dependencies.events import Criticality


@dataclass(frozen=True, slots=True, kw_only=True)
class Declare:
    """Say that a service relies on another, and how.

    Args:
        service: Which.
        on: What it relies on.
        criticality: Whether it fails without it.
        slo: The SLO of the other that it relies on, or empty.
        failure_behaviour: What it does while the other fails, or empty.
        way_back: How the other one relies on the service already, through hard dependencies; empty if it does not.
        by: Who says so.
        at: When.
    """

    service: str
    on: str
    criticality: Criticality
    slo: str
    failure_behaviour: str
    way_back: tuple[str, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Remove:
    """Say that it relies on the other no more."""

    service: str
    on: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """Say that what is listed is all."""

    service: str
    by: str
    at: datetime


Command = Declare | Remove | Confirm
