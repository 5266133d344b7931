"""What is known about a service when a gate is evaluated: its own record, and what other services have said.

A fact that is None was never heard of: the platform has nothing to say, and an attestation may speak instead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Literal

from services.lifecycle.domain.architecture.facts import ArchitectureFacts, DesignReviewFacts
from services.lifecycle.domain.capacity.facts import CapacityFacts
from services.lifecycle.domain.checkpoint.facts import CheckpointFacts
from services.lifecycle.domain.evidence.events import EvidenceRecorded
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.risk_register.facts import RiskFacts

Side = Literal["dev", "sre"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assessment:
    """What the slo service last said about the budget of an SLO; *id* is its event's."""

    id: str
    revision: int
    state: str
    target: float
    sli: float | None
    coverage: float
    window_start: datetime
    window_end: datetime
    remaining: float | None


@dataclass(frozen=True, slots=True)
class Exhausted:
    """The event that said a budget is spent, and when."""

    id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Agreed:
    """The event by which development, SRE and product agreed to what the SLO promises from *revision* on."""

    id: str
    revision: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Slo:
    """An SLO of the service.

    Args:
        name: Its name.
        revision: Of its definition.
        assessment: The last one, if any.
        exhausted: Set while its budget is spent and has not recovered.
        agreed: Set when all three sides agreed to a revision of it.
        last_exhausted: When its budget was last spent, recovered since or not.
    """

    name: str
    revision: int
    assessment: Assessment | None = None
    exhausted: Exhausted | None = None
    agreed: Agreed | None = None
    last_exhausted: Exhausted | None = None


@dataclass(frozen=True, slots=True)
class OpenIncident:
    """An incident that is not over; *id* is that of the event which last changed it."""

    id: str
    number: str
    severity: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Freeze:
    """The event by which the error-budget policy stopped releases, why, and when."""

    id: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BudgetPolicy:
    """The service's error-budget policy: its newest version, and the newest that both sides have signed (0: none)."""

    id: str
    version: int
    signed_version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class OpenAction:
    """An action of a postmortem that is not done; *id* is that of the event which opened it."""

    id: str
    action: str
    title: str
    owner: str
    priority: str
    due: date
    at: datetime


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in the rota."""

    person: str
    side: Side
    site: str


@dataclass(frozen=True, slots=True)
class Rota:
    """A schedule that covers the service; *id* is that of the event which last changed it."""

    id: str
    schedule: str
    members: tuple[Member, ...]
    active_since: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift that is over, with what it brought."""

    id: str
    person: str
    side: Side
    start: datetime
    end: datetime
    pages: int
    interrupt_minutes: int


@dataclass(frozen=True, slots=True)
class Review:
    """The newest production readiness review of the service.

    Args:
        id: Its own.
        state: Such as `analysis` or `approved`.
        started: When it was asked for.
        changed: When it came into that state.
        expires: When its approval ends.
        open_blocking: Blocking findings that are not closed.
        overdue_conditions: Conditions of its approval whose time is up.
        outside_reviewer: Whether one of its reviewers is not of the development team.
        security_opened: Whether its questions about security are being answered.
        security_open: Those that are not settled; None: it asks none.
    """

    id: str
    state: str
    started: datetime
    changed: datetime
    expires: datetime | None = None
    open_blocking: int = 0
    overdue_conditions: int = 0
    outside_reviewer: bool = True
    security_opened: bool = False
    security_open: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Engagement:
    """The engagement that is active for the service."""

    id: str
    sre_team: str


@dataclass(frozen=True, slots=True)
class Dependency:
    """Another service that this one needs.

    Args:
        name: Its name.
        described: Whether its SLO and what happens without it are written down.
        is_hard: Whether the service fails without it.
    """

    name: str
    described: bool
    is_hard: bool = True


@dataclass(frozen=True, slots=True)
class Learned:
    """A postmortem that was published: its event, and when."""

    id: str
    number: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Rollout:
    """A roll-out of the service; *id* is that of the event which last changed it.

    Args:
        id: The event.
        rollout: Its own id.
        strategy: How it went, or shall go out.
        state: Where it stands.
        planned_at: When it was planned.
        started_at: When it began, if it did.
        first_percent: The share of the users that got it first.
        rolled_back_at: When it was taken back, if it was.
    """

    id: str
    rollout: str
    strategy: str
    state: str
    planned_at: datetime
    started_at: datetime | None
    first_percent: float
    rolled_back_at: datetime | None

    @property
    def is_capped(self) -> bool:
        """Whether the first step is not for all users at once."""
        return self.first_percent < 100  # noqa: PLR2004  all of them, in percent


@dataclass(frozen=True, slots=True)
class Worked:
    """Hours that a team recorded in one kind of work; its last day is *until*."""

    team: str
    is_operational: bool
    hours: float
    until: date


@dataclass(frozen=True, slots=True)
class Replacement:
    """What shall take the service's place, and where that stands; None: there is no such service."""

    name: str
    phase: Phase | None


@dataclass(frozen=True, slots=True)
class Grandfathered:
    """A service was imported at *phase*: the gates up to it are advisory until *until*."""

    phase: Phase
    until: datetime


@dataclass(frozen=True, slots=True)
class InForce:
    """A waiver in force: of which check, until when, and who answers for the risk."""

    waiver: str
    check: str
    until: datetime
    risk_owner: str
    approved_by: str
    control: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that is known about a service.

    Args:
        service: Its name.
        phase: Where it stands.
        phase_since: Since when.
        owner_team: Empty when nobody owns it.
        tier: 0 when not set.
        grandfathered: The grace of an import.
        slos: Its SLOs.
        freeze: Set while its error-budget policy stops releases.
        budget_policy: Its error-budget policy.
        incidents: Its open incidents.
        actions: Open actions of its postmortems.
        postmortems: Those of its incidents that were published.
        rotas: Schedules that cover it; None while none was ever heard of.
        shifts: Shifts of the last weeks that covered it; None while none was ever heard of.
        review: Its newest production readiness review.
        engagement: Of an SRE team; None: development answers for it alone.
        dependencies: What it needs; None while nobody has said so.
        dependencies_confirmed: Whether somebody said that this is all of it.
        dependents: Live services that need it; None while the graph is unknown.
        rollouts: Its roll-outs of the last months, the earliest first.
        work: Hours that the teams which answer for it recorded in the last months.
        risks: The risks that somebody bears, and the SLO they count against; None while nobody named any.
        design: What speaks for its design; None while no review of it was opened.
        architecture: What is known to be wrong with it; None while nobody has looked.
        capacity: What is known of its demand, supply and plan; None while nothing is.
        checkpoints: The newest tests, drills and experiments; None while none was carried through.
        replacement: What is said to take its place; None while nothing is named.
        stateless: Whether it keeps nothing; None while nobody has said so.
        owners: The members and leads of the owner team.
        attestations: Per kind, the evidence of what was done last.
        waivers: Per check, the waiver in force.
        heard: Per other service, how long ago everything it had said was known; a service that is absent was never
            heard.
    """

    service: str
    phase: Phase
    phase_since: datetime
    owner_team: str
    tier: int
    grandfathered: Grandfathered | None = None
    slos: Sequence[Slo] = ()
    freeze: Freeze | None = None
    budget_policy: BudgetPolicy | None = None
    incidents: Sequence[OpenIncident] = ()
    actions: Sequence[OpenAction] = ()
    postmortems: Sequence[Learned] = ()
    rotas: Sequence[Rota] | None = None
    shifts: Sequence[Shift] | None = None
    review: Review | None = None
    engagement: Engagement | None = None
    dependencies: Sequence[Dependency] | None = None
    dependencies_confirmed: bool = True
    dependents: Sequence[str] | None = None
    rollouts: Sequence[Rollout] = ()
    work: Sequence[Worked] = ()
    risks: RiskFacts | None = None
    design: DesignReviewFacts | None = None
    architecture: ArchitectureFacts | None = None
    capacity: CapacityFacts | None = None
    checkpoints: CheckpointFacts | None = None
    replacement: Replacement | None = None
    stateless: bool | None = None
    owners: frozenset[str] = frozenset()
    attestations: Mapping[str, EvidenceRecorded] = field(default_factory=dict[str, EvidenceRecorded])
    waivers: Mapping[str, InForce] = field(default_factory=dict[str, InForce])
    heard: Mapping[str, timedelta] = field(default_factory=dict[str, timedelta])
