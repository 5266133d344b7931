"""What the inbox is made of: who asks, by which policies, and what the read models say may wait."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.inbox.of_engagements import Draft, OpenItem, Pair
from services.lifecycle.domain.inbox.of_incidents import Asked
from services.lifecycle.domain.inbox.of_services import AtRisk, OpenAction, OpenRisk, Owned, PostmortemDue, Shortage
from services.lifecycle.domain.inbox.policy import InboxPolicy
from services.lifecycle.domain.inbox.waiting import Teams
from services.lifecycle.domain.readiness_review.policy import ReviewPolicy
from services.lifecycle.domain.risk_register.policy import RiskPolicy
from services.lifecycle.domain.service.events import TransitionRequested
from services.lifecycle.domain.team.decider import Registered
from services.lifecycle.domain.waiver.decider import Approved, Requested
from services.lifecycle.projections.design_work import Kind


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom it is asked: a person with the teams that name them, or a team.

    Args:
        person: A label; empty when a team asks.
        team: A team; empty when a person asks.
        unclaimed: Whether teams that name nobody are everybody's.
    """

    person: str = ""
    team: str = ""
    unclaimed: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """The policies that say from when on something waits, and what may be accepted."""

    inbox: InboxPolicy
    reviews: ReviewPolicy
    risks: RiskPolicy


@dataclass(frozen=True, slots=True)
class OpenReview:
    """A review that may wait for somebody; whether its service has a newer one."""

    review: str
    service: str
    outdated: bool


@dataclass(frozen=True, slots=True)
class PlannedRollout:
    """A roll-out that nobody has reviewed."""

    rollout: str
    service: str
    version: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What may wait for those who ask; whether it does, and for whom, the domain says.

    Args:
        own: The teams that ask.
        teams: How every team is set up that has a part in any of it.
        services: Every service that any of it is about.
        moving: The moves of services that wait for approval.
        at_risk: By service.
        waivers: Asked for, or ending soon.
        risks: By service.
        rollouts: Planned ones.
        shortages: By service; those to be ordered for soon.
        actions: By service.
        postmortems: By service; those that are owed.
        pairs: The engagements, by id; those of the teams that ask are *engaged*.
        engaged: Those to look at whole.
        items: By engagement.
        drafts: By engagement.
        reviews: Those that may wait.
        designs: Of designs, architecture and launches what waits: kind, id and service.
        asked: By service, which is empty where it is none; what the incidents service keeps waiting.
    """

    own: tuple[Registered, ...]
    teams: Teams
    services: dict[str, Owned]
    moving: tuple[TransitionRequested, ...]
    at_risk: tuple[tuple[str, AtRisk], ...]
    waivers: tuple[Requested | Approved, ...]
    risks: tuple[tuple[str, OpenRisk], ...]
    rollouts: tuple[PlannedRollout, ...]
    shortages: tuple[tuple[str, Shortage], ...]
    actions: tuple[tuple[str, OpenAction], ...]
    postmortems: tuple[tuple[str, PostmortemDue], ...]
    pairs: dict[str, Pair]
    engaged: tuple[str, ...]
    items: tuple[tuple[str, OpenItem], ...]
    drafts: tuple[tuple[str, Draft], ...]
    reviews: tuple[OpenReview, ...]
    designs: tuple[tuple[Kind, str, str], ...]
    asked: tuple[tuple[str, Asked], ...]
