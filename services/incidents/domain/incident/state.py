"""What an incident is: one of seven states, and what is known of it in each."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import ClassVar, Literal

from services.incidents.domain.incident.terms import Affected, Priority, Relation, Role, Severity, Side, Stage, Value
from services.incidents.domain.milestones import MILESTONES, Milestone, Milestones

Source = Literal["alert", "declaration", "command", "implied", "correction"]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a time comes from: who said it, why, when they did."""

    source: Source
    editor: str
    reason: str
    written_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What people say of it; a *test* counts in no figure."""

    title: str
    priority: Priority = ""
    customer_facing: bool = False
    test: bool = False
    tags: tuple[str, ...] = ()
    fields: Mapping[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True, slots=True)
class Held:
    """Who has a role, and to whom it is offered; empty: to nobody."""

    person: str
    since: datetime
    offered_to: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """Who had a role from when until when; None: has it still."""

    role: Role
    person: str
    since: datetime
    until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Responder:
    """Who helps, of which side, and who asked them."""

    person: str
    side: Side
    added_by: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Link:
    """What it has to do with another incident."""

    relation: Relation
    incident: str
    number: str


@dataclass(frozen=True, slots=True)
class LinkedDeployment:
    """A deployment that has to do with it; *suspected* to be the cause."""

    deployment: str
    service: str
    version: str
    suspected: bool


@dataclass(frozen=True, slots=True)
class Updates:
    """How often who is concerned hears how it stands, and when again; *by_severity*: nobody chose another cadence."""

    every_minutes: int | None = None
    next_due: datetime | None = None
    overdue: bool = False
    posted: int = 0
    by_severity: bool = True


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of an incident, whatever its state.

    Args:
        origins: Where each time that was reached comes from.
        alerts: All that ever joined, in order, and were not split from it.
        firing: Those of them that still fire.
        groups: What further alerts join it by.
        acknowledged_implied: Whether another command than that said that somebody works on it.
        reopened: Whether it was over once before.
        outage_class: What it is counted together with; empty: nobody said.
        told: When whoever works on it was last told of further alerts.
        untold: How many joined since; *untold_last* is what the last of them says.
        affected: Services beside its own that users feel it in.
        turns: Who had which role when.
        split_from: The incident that it was a part of.
        absorbed: The incidents that were a part of it.
    """

    incident: str
    number: str
    service: str
    severity: Severity
    details: Details
    declared_by: str
    groups: tuple[str, ...]
    milestones: Milestones
    origins: Mapping[Milestone, Origin] = field(default_factory=dict[Milestone, Origin])
    alerts: tuple[str, ...] = ()
    firing: tuple[str, ...] = ()
    acknowledged_by: str = ""
    acknowledged_implied: bool = False
    reopened: bool = False
    outage_class: str = ""
    told: datetime | None = None
    untold: int = 0
    untold_last: str = ""
    affected: tuple[Affected, ...] = ()
    roles: Mapping[Role, Held] = field(default_factory=dict[Role, Held])
    turns: tuple[Turn, ...] = ()
    responders: Mapping[str, Responder] = field(default_factory=dict[str, Responder])
    links: tuple[Link, ...] = ()
    deployments: tuple[LinkedDeployment, ...] = ()
    updates: Updates = Updates()
    split_from: str = ""
    absorbed: tuple[str, ...] = ()

    @property
    def title(self) -> str:
        """What it is called."""
        return self.details.title

    @property
    def reached(self) -> tuple[datetime, ...]:
        """The times that were reached."""
        times = (getattr(self.milestones, name) for name in MILESTONES)
        return tuple(time for time in times if time is not None)

    def at(self, origin: Origin, **times: datetime | None) -> "Record":
        """With other *times*, which come from *origin*; None: not reached after all."""
        told = {name: origin for name, time in times.items() if time is not None}
        kept = {name: each for name, each in self.origins.items() if name not in times}
        return replace(self, milestones=replace(self.milestones, **times), origins={**kept, **told})


@dataclass(frozen=True, slots=True)
class Triage:
    """Declared, and nobody has taken it on."""

    name: ClassVar[Literal["triage"]] = "triage"
    allowed: ClassVar[tuple[str, ...]] = (
        "acknowledge",
        "investigate",
        "identify",
        "monitor",
        "resolve",
        "cancel",
        "merge",
        "split",
    )

    record: Record


@dataclass(frozen=True, slots=True)
class Active:
    """Being worked on."""

    name: ClassVar[Literal["active"]] = "active"
    allowed: ClassVar[tuple[str, ...]] = (
        "investigate",
        "identify",
        "monitor",
        "mitigate",
        "resolve",
        "cancel",
        "merge",
        "split",
    )

    record: Record
    stage: Stage


@dataclass(frozen=True, slots=True)
class Mitigated:
    """Users feel it no more."""

    name: ClassVar[Literal["mitigated"]] = "mitigated"
    allowed: ClassVar[tuple[str, ...]] = ("resolve", "reopen", "merge", "split")

    record: Record


@dataclass(frozen=True, slots=True)
class Resolved:
    """Over, and not yet looked back at."""

    name: ClassVar[Literal["resolved"]] = "resolved"
    allowed: ClassVar[tuple[str, ...]] = ("close", "reopen", "merge")

    record: Record


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing is left to do; a new incident links to it."""

    name: ClassVar[Literal["closed"]] = "closed"
    allowed: ClassVar[tuple[str, ...]] = ()

    record: Record


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A false alarm, as was found out *at*."""

    name: ClassVar[Literal["cancelled"]] = "cancelled"
    allowed: ClassVar[tuple[str, ...]] = ()

    record: Record
    at: datetime


@dataclass(frozen=True, slots=True)
class Merged:
    """A part of another incident, which goes on with its alerts from then on."""

    name: ClassVar[Literal["merged"]] = "merged"
    allowed: ClassVar[tuple[str, ...]] = ()

    record: Record
    at: datetime
    into: str
    into_number: str


Open = Triage | Active | Mitigated
Final = Closed | Cancelled | Merged
Known = Open | Resolved | Final
Incident = Known | None  # None: nothing declared


def over_since(state: Known) -> datetime | None:
    """When it was over, in whatever way; None: it lasts."""
    resolved = state.record.milestones.resolved
    return resolved or (state.at if isinstance(state, Cancelled | Merged) else None)
