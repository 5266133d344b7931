"""What happens to a service."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.phases import Kind, Phase
from services.lifecycle.domain.service.catalogue import EMPTY, Catalogue


@dataclass(frozen=True, slots=True)
class ServiceRegistered:
    """A service is known from now on; past the first phase it was imported, and *grandfathered_until* is set."""

    service: str
    display_name: str
    owner_team: str
    tier: int
    phase: Phase
    at: datetime
    grandfathered_until: datetime | None = None
    revives: str = ""
    by: str = ""
    catalogue: Catalogue = EMPTY


@dataclass(frozen=True, slots=True)
class ServiceChanged:
    """What a service is called, who owns it, or how critical it is has changed; all three are told.

    The *catalogue* is told, whole, when it has changed.
    """

    service: str
    display_name: str
    owner_team: str
    tier: int
    at: datetime
    catalogue: Catalogue | None = None


@dataclass(frozen=True, slots=True)
class TransitionRequested:
    """Somebody asks for a move that another person must approve."""

    transition: str
    service: str
    from_phase: Phase
    to_phase: Phase
    kind: Kind
    reason: str
    evaluation: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TransitionApproved:
    """Another person let it happen; the change of phase follows in the same moment."""

    transition: str
    service: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class TransitionDeclined:
    """Somebody refused it, or the one who asked took it back."""

    transition: str
    service: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PhaseChanged:
    """A service is in another phase.

    Args:
        service: Its name.
        from_phase: Where it was.
        to_phase: Where it is.
        reason: Why.
        evaluation: The gate evaluation that let it through; empty when people alone decided.
        by: Who asked for it.
        at: Since when.
        transition: The approved transition, or empty.
    """

    service: str
    from_phase: Phase
    to_phase: Phase
    reason: str
    evaluation: str
    by: str
    at: datetime
    transition: str = ""


@dataclass(frozen=True, slots=True)
class ServiceEngaged:
    """An SRE team works for the service from now on.

    Args:
        service: Its name.
        engagement: The engagement that makes it so.
        sre_team: Who.
        by: Who began it.
        at: Since when.
        review: The evidence of what was reviewed when the service came back, or empty.
    """

    service: str
    engagement: str
    sre_team: str
    by: str
    at: datetime
    review: str = ""


@dataclass(frozen=True, slots=True)
class ServiceReleased:
    """It works for it no more."""

    service: str
    engagement: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ServiceDecommissioned:
    """Nothing of an unsupported service is left; its name stays, and a successor may revive it.

    Args:
        service: Its name.
        reason: What people want to say of it.
        evaluation: The evaluation that shows that nothing is left.
        by: Who said so.
        at: When.
    """

    service: str
    reason: str
    evaluation: str
    by: str
    at: datetime


Event = (
    ServiceRegistered
    | ServiceChanged
    | TransitionRequested
    | TransitionApproved
    | TransitionDeclined
    | PhaseChanged
    | ServiceEngaged
    | ServiceReleased
    | ServiceDecommissioned
)
