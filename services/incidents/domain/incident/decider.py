"""An incident's rules: every pair of state and transition has one line below; any other is refused.

triage > active {investigating, identified, monitoring} > mitigated > resolved > closed; reopened from mitigated and
resolved; cancelled from triage and active. Closed and cancelled are final.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal, TypeVar

from services.incidents.domain.asked import Asked
from services.incidents.domain.errors import (
    AbsentError,
    AlertsFiringError,
    IllegalTransitionError,
    ReasonMissingError,
)
from services.incidents.domain.incident.commands import (
    Acknowledge,
    AcknowledgeAlert,
    Cancel,
    Classify,
    ClearAlert,
    Close,
    Command,
    CorrectMilestones,
    Declare,
    Identify,
    Investigate,
    JoinAlert,
    Mitigate,
    Monitor,
    Note,
    Reopen,
    Resolve,
    Stages,
    Transition,
)
from services.incidents.domain.incident.events import (
    Event,
    IncidentAcknowledged,
    IncidentAlertCleared,
    IncidentAlertJoined,
    IncidentCancelled,
    IncidentClassified,
    IncidentClosed,
    IncidentDeclared,
    IncidentFact,
    IncidentMilestoneCorrected,
    IncidentMitigated,
    IncidentNoted,
    IncidentReopened,
    IncidentResolved,
    IncidentStageChanged,
    Severity,
    Stage,
)
from services.incidents.domain.milestones import MILESTONES, Milestones, begun, corrected

F = TypeVar("F", bound=IncidentFact)

INTERVAL = timedelta(minutes=5)  # of telling whoever works on it about further alerts; Alertmanager's group_interval


@dataclass(frozen=True, slots=True)
class Record:
    """What is known of an incident, whatever its state.

    Args:
        alerts: All that ever joined, in order.
        firing: Those of them that still fire.
        group: What further alerts join it by; empty: none do.
        reopened: Whether it was over once before.
        outage_class: What it is counted together with; empty: nobody said.
        told: When whoever works on it was last told of further alerts.
    """

    incident: str
    number: str
    service: str
    title: str
    severity: Severity
    declared_by: str
    group: str
    milestones: Milestones
    alerts: tuple[str, ...] = ()
    firing: tuple[str, ...] = ()
    acknowledged_by: str = ""
    reopened: bool = False
    outage_class: str = ""
    told: datetime | None = None


@dataclass(frozen=True, slots=True)
class Triage:
    """Declared, and nobody has taken it on."""

    name: ClassVar[Literal["triage"]] = "triage"
    allowed: ClassVar[tuple[str, ...]] = ("acknowledge", "investigate", "identify", "monitor", "resolve", "cancel")

    record: Record


@dataclass(frozen=True, slots=True)
class Active:
    """Being worked on."""

    name: ClassVar[Literal["active"]] = "active"
    allowed: ClassVar[tuple[str, ...]] = ("investigate", "identify", "monitor", "mitigate", "resolve", "cancel")

    record: Record
    stage: Stage


@dataclass(frozen=True, slots=True)
class Mitigated:
    """Users feel it no more."""

    name: ClassVar[Literal["mitigated"]] = "mitigated"
    allowed: ClassVar[tuple[str, ...]] = ("resolve", "reopen")

    record: Record


@dataclass(frozen=True, slots=True)
class Resolved:
    """Over, and not yet looked back at."""

    name: ClassVar[Literal["resolved"]] = "resolved"
    allowed: ClassVar[tuple[str, ...]] = ("close", "reopen")

    record: Record


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing is left to do; a new incident links to it."""

    name: ClassVar[Literal["closed"]] = "closed"
    allowed: ClassVar[tuple[str, ...]] = ()

    record: Record


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A false alarm."""

    name: ClassVar[Literal["cancelled"]] = "cancelled"
    allowed: ClassVar[tuple[str, ...]] = ()

    record: Record


Known = Triage | Active | Mitigated | Resolved | Closed | Cancelled
Incident = Known | None  # None: nothing declared


def decide(command: Command, state: Incident) -> tuple[Event, ...]:  # noqa: C901, PLR0911  one line per kind of command
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AbsentError: There is no such incident.
        IllegalTransitionError: Not in this state.
        AlertsFiringError: It is to be resolved while alerts fire.
        ReasonMissingError: It is to be resolved by force without a reason.
        MilestoneNotReachedError, MilestoneOrderError: A time that cannot be.
    """
    match state, command:
        case None, Declare():
            return (_declared(command),)
        case None, _:
            raise AbsentError("incident")
        case _, Declare():
            return ()
        case _, Note():
            return (_noted(state.record, command),)
        case _, CorrectMilestones():
            return _corrected(state.record, command)
        case _, Classify():
            return _classified(state, command)
        case _, JoinAlert():
            return _joined(state, command)
        case Triage(record), AcknowledgeAlert():
            return (_fact(IncidentAcknowledged, record, command),)
        case _, AcknowledgeAlert():
            return ()
        case _, ClearAlert():
            return _cleared(state, command)
        case _:
            return _transition(command, state)


def _transition(command: Transition, state: Known) -> tuple[Event, ...]:  # noqa: PLR0911  this is the table
    match state, command:
        case Triage(record), Acknowledge():
            return (_fact(IncidentAcknowledged, record, command),)
        case Triage(record), Investigate() | Identify() | Monitor():
            return (_acknowledged_by(record, command), *_staged(record, command, "investigating"))
        case Active(record, stage), Investigate() | Identify() | Monitor():
            return _staged(record, command, stage)
        case Active(record), Mitigate():
            return (_fact(IncidentMitigated, record, command),)
        case ((Triage(record) | Active(record) | Mitigated(record)), Resolve()):
            return (_resolved(record, command),)
        case Resolved(record), Close():
            return (_fact(IncidentClosed, record, command),)
        case ((Triage(record) | Active(record)), Cancel()):
            return (_fact(IncidentCancelled, record, command),)
        case ((Mitigated(record) | Resolved(record)), Reopen()):
            implied = () if record.milestones.acknowledged else (_acknowledged_by(record, command),)
            return (_fact(IncidentReopened, record, command), *implied)
        case (
            (Active(), Acknowledge())
            | (Active(Record(reopened=True)), Reopen())
            | (Mitigated(), Mitigate())
            | (Resolved(), Resolve())
            | (Closed(), Close())
            | (Cancelled(), Cancel())
        ):
            return ()
        case _:
            raise IllegalTransitionError("incident", state.name, command.verb, state.allowed)


def evolve(state: Incident, event: Event) -> Incident:  # noqa: C901, PLR0911, PLR0912  one line per kind of event
    """The state after one more fact."""
    if isinstance(event, IncidentDeclared):
        return Triage(_opened(event))
    if state is None:
        return None
    record, at = state.record, event.at
    match event:
        case IncidentAcknowledged():
            return Active(replace(_reached(record, acknowledged=at), acknowledged_by=event.by), "investigating")
        case IncidentStageChanged():
            return Active(record, event.stage)
        case IncidentMitigated():
            return Mitigated(_reached(record, mitigated=at))
        case IncidentResolved():
            return Resolved(_reached(record, mitigated=record.milestones.mitigated or at, resolved=at))
        case IncidentClosed():
            return Closed(_reached(record, closed=at))
        case IncidentCancelled():
            return Cancelled(record)
        case IncidentReopened():
            return Active(replace(_reached(record, mitigated=None, resolved=None), reopened=True), "investigating")
        case IncidentClassified(outage_class=outage_class):
            changed = replace(record, outage_class=outage_class)
        case IncidentAlertJoined(alert=alert, others=others):
            new = (alert, *others)
            told = at if event.notify else record.told
            changed = replace(record, alerts=(*record.alerts, *new), firing=(*record.firing, *new), told=told)
        case IncidentAlertCleared(alert=alert, others=others):
            gone = {alert, *others}
            changed = replace(record, firing=tuple(other for other in record.firing if other not in gone))
        case IncidentMilestoneCorrected(milestone=milestone, time=time):
            changed = _reached(record, **{milestone: time})
        case IncidentNoted():
            return state
    return replace(state, record=changed)


def _declared(command: Declare) -> IncidentDeclared:
    milestones = begun(command.at, command.impact_started, command.detected)
    return IncidentDeclared(
        incident=command.incident,
        number=command.number,
        service=command.service,
        severity=command.severity,
        by=command.by,
        reason=command.reason,
        at=command.at,
        title=command.title,
        alert=command.alert,
        group=command.group,
        impact_started=milestones.impact_started,
        detected=milestones.detected,
    )


def _classified(state: Known, command: Classify) -> tuple[Event, ...]:
    """A false alarm was no outage."""
    if isinstance(state, Cancelled):
        raise IllegalTransitionError("incident", state.name, command.verb, state.allowed)
    if state.record.outage_class == command.outage_class:
        return ()
    return (_fact(IncidentClassified, state.record, command, outage_class=command.outage_class),)


def _joined(state: Known, command: JoinAlert) -> tuple[Event, ...]:
    """A resolved incident never swallows a new alert."""
    record = state.record
    new = without((command.alert, *command.others), record.alerts)
    if not new:
        return ()
    if not isinstance(state, Triage | Active | Mitigated):
        raise IllegalTransitionError("incident", state.name, "a further alert", state.allowed)
    alert, *others = new
    worked_on = not isinstance(state, Triage)
    notify = worked_on and (record.told is None or command.at - record.told >= INTERVAL)
    more: dict[str, Any] = {"alert": alert, "summary": command.summary, "others": tuple(others), "notify": notify}
    return (_fact(IncidentAlertJoined, record, command, **more),)


def _cleared(state: Known, command: ClearAlert) -> tuple[Event, ...]:
    """When all alerts are resolved: what nobody took on resolves by itself, the rest is monitored."""
    record = state.record
    named, firing = {command.alert, *command.others}, record.firing
    gone = tuple(alert for alert in firing if alert in named)
    if not gone:
        return ()
    cleared = _fact(IncidentAlertCleared, record, command, alert=gone[0], others=gone[1:])
    if len(gone) < len(firing):
        return (cleared,)
    silent = replace(command, reason="none of its alerts fires any more")
    match state:
        case Triage():
            return (cleared, _fact(IncidentResolved, record, silent))
        case Active(stage=stage) if stage != "monitoring":
            return (cleared, _fact(IncidentStageChanged, record, silent, stage="monitoring"))
        case _:
            return (cleared,)


def _resolved(record: Record, command: Resolve) -> IncidentResolved:
    if command.force and not command.reason.strip():
        raise ReasonMissingError("resolve with force")
    if record.firing and not command.force:
        raise AlertsFiringError(record.firing)
    return _fact(IncidentResolved, record, command, forced=bool(record.firing))


def _corrected(record: Record, command: CorrectMilestones) -> tuple[Event, ...]:
    after = corrected(record.milestones, command.times, now=command.at)
    return tuple(
        _fact(IncidentMilestoneCorrected, record, command, milestone=milestone, time=time)
        for milestone, time in command.times.items()
        if getattr(after, milestone) != getattr(record.milestones, milestone)
    )


def _noted(record: Record, command: Note) -> IncidentNoted:
    return _fact(
        IncidentNoted,
        record,
        command,
        kind=command.kind,
        text=command.text,
        occurred_at=command.occurred_at,
        starred=command.starred,
    )


def _staged(record: Record, command: Stages, stage: Stage) -> tuple[Event, ...]:
    if command.stage == stage:
        return ()
    return (_fact(IncidentStageChanged, record, command, stage=command.stage),)


def _acknowledged_by(record: Record, command: Asked) -> IncidentAcknowledged:
    return _fact(IncidentAcknowledged, record, command, implied=True)


def _fact(event: type[F], record: Record, command: Asked, **more: Any) -> F:  # noqa: ANN401  the event's own fields
    """One *event*; never earlier than what must lie before it, even when a clock was set back."""
    return event(
        incident=record.incident,
        number=record.number,
        service=record.service,
        severity=record.severity,
        by=command.by,
        reason=command.reason,
        at=max(command.at, *_reached_times(record)),
        **more,
    )


def without(alerts: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    """Those of *alerts* that are not *known*, each once; there may be ten thousands of both."""
    seen = set(known)
    return tuple(alert for alert in dict.fromkeys(alerts) if alert not in seen)


def _reached_times(record: Record) -> tuple[datetime, ...]:
    times = (getattr(record.milestones, name) for name in MILESTONES)
    return tuple(time for time in times if time is not None)


def _reached(record: Record, **times: datetime | None) -> Record:
    return replace(record, milestones=replace(record.milestones, **times))


def _opened(event: IncidentDeclared) -> Record:
    alerts = (event.alert,) if event.alert else ()
    return Record(
        incident=event.incident,
        number=event.number,
        service=event.service,
        title=event.title,
        severity=event.severity,
        declared_by=event.by,
        group=event.group,
        milestones=Milestones(event.impact_started, event.detected, event.at),
        alerts=alerts,
        firing=alerts,
    )
