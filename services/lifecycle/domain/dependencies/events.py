"""What is said about what a service relies on."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Criticality = Literal["hard", "soft"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyDeclared:
    """A service relies on another; said again, it is what it is now.

    Args:
        service: Which.
        on: What it relies on.
        criticality: `hard`: without it the service fails; `soft`: the service does less.
        slo: The SLO of the other that it relies on; empty when none is named.
        failure_behaviour: What the service does while the other fails; empty when not said.
        by: Who says so.
        at: When.
    """

    service: str
    on: str
    criticality: Criticality
    slo: str
    failure_behaviour: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyRemoved:
    """A service relies on another no more."""

    service: str
    on: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DependenciesConfirmed:
    """Somebody says that the list is complete, empty ones too."""

    service: str
    dependencies: tuple[str, ...]
    by: str
    at: datetime


Event = DependencyDeclared | DependencyRemoved | DependenciesConfirmed
