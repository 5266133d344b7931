"""An incident's rules: every pair of state and transition has one line below; any other is refused.

triage > active {investigating, identified, monitoring} > mitigated > resolved > closed; reopened from mitigated and
resolved; cancelled from triage and active; merged into another from all of these but closed. Closed, cancelled and
merged are final.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce

from services.incidents.domain.asked import Asked
from services.incidents.domain.errors import (
    AbsentError,
    AlertsFiringError,
    MilestoneOrderError,
    ReasonMissingError,
)
from services.incidents.domain.incident.alerting import (
    MOST_NAMED,
    absorbed,
    alerts_told,
    cleared,
    group_taken,
    in_parts,
    joined,
    merged,
    split,
    without,
)
from services.incidents.domain.incident.commands import (
    Absorb,
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
    MergeInto,
    Mitigate,
    Monitor,
    Note,
    OfAlerts,
    Reopen,
    Resolve,
    Split,
    Stages,
    TakeGroup,
    TellOfAlerts,
    Transition,
)
from services.incidents.domain.incident.details import (
    amended,
    check_affected,
    classified,
    linked,
    milestones_corrected,
    noted,
)
from services.incidents.domain.incident.events import (
    Event,
    IncidentAcknowledged,
    IncidentAlertCleared,
    IncidentCancelled,
    IncidentClosed,
    IncidentDeclared,
    IncidentMitigated,
    IncidentReopened,
    IncidentResolved,
    IncidentStageChanged,
)
from services.incidents.domain.incident.evolution import evolve, opened
from services.incidents.domain.incident.facts import fact, refusal
from services.incidents.domain.incident.roles import staffed
from services.incidents.domain.incident.state import (
    Active,
    Cancelled,
    Closed,
    Incident,
    Known,
    Mitigated,
    Record,
    Resolved,
    Triage,
)
from services.incidents.domain.incident.terms import Stage
from services.incidents.domain.incident.updates import resumed, updated
from services.incidents.domain.incident.work_commands import Amend, LinkIncident, OfLinks, OfRoles, OfUpdates
from services.incidents.domain.milestones import Milestone, begun

__all__ = ["decide", "evolve"]


def decide(command: Command, state: Incident) -> tuple[Event, ...]:  # noqa: PLR0911  one line per kind of command
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AbsentError: There is no such incident.
        IllegalTransitionError: Not in this state.
        AlertsFiringError: It is to be resolved while alerts fire.
        ReasonMissingError: It is to be resolved by force without a reason.
        MilestoneNotReachedError, MilestoneOrderError: A time that cannot be.
        ImpactError, RoleError, UnknownReferenceError: See the modules of each.
    """
    if isinstance(command, Declare):
        return () if state else _declared(command)
    if state is None:
        raise AbsentError("incident")
    if isinstance(command, Transition):
        return _transition(command, state)
    if isinstance(command, OfAlerts):
        return _of_alerts(command, state)
    if isinstance(command, OfRoles):
        return staffed(state, command)
    if isinstance(command, OfLinks):
        return linked(state, command)
    if isinstance(command, OfUpdates):
        return updated(state, command)
    return _told(command, state)


def _told(command: Note | CorrectMilestones | Classify | Amend, state: Known) -> tuple[Event, ...]:
    match command:
        case Note():
            return (noted(state.record, command),)
        case CorrectMilestones():
            return milestones_corrected(state, command)
        case Classify():
            return classified(state, command)
        case Amend():
            return amended(state, command)


def _of_alerts(command: OfAlerts, state: Known) -> tuple[Event, ...]:  # noqa: PLR0911  one line per command
    match command:
        case TellOfAlerts():
            return alerts_told(state, command)
        case JoinAlert():
            return joined(state, command)
        case AcknowledgeAlert():
            return (fact(IncidentAcknowledged, state.record, command),) if isinstance(state, Triage) else ()
        case ClearAlert():
            return cleared(state, command)
        case MergeInto():
            return merged(state, command)
        case Absorb():
            return absorbed(state, command)
        case TakeGroup():
            return group_taken(state, command)
        case Split():
            return split(state, command)


def _transition(command: Transition, state: Known) -> tuple[Event, ...]:  # noqa: PLR0911  this is the table
    match state, command:
        case Triage(record), Acknowledge():
            return (fact(IncidentAcknowledged, record, command),)
        case Triage(record), Investigate() | Identify() | Monitor():
            return (_acknowledged_by(record, command), *_staged(record, command, "investigating"))
        case Active(record, stage), Investigate() | Identify() | Monitor():
            return _staged(record, command, stage)
        case Active(record), Mitigate():
            return (fact(IncidentMitigated, record, command),)
        case ((Triage(record) | Active(record) | Mitigated(record)), Resolve()):
            return _resolved(record, command)
        case Resolved(record), Close():
            return (fact(IncidentClosed, record, command),)
        case ((Triage(record) | Active(record)), Cancel()):
            return (fact(IncidentCancelled, record, command),)
        case ((Mitigated(record) | Resolved(record)), Reopen()):
            implied = () if record.milestones.acknowledged else (_acknowledged_by(record, command),)
            return (fact(IncidentReopened, record, command), *implied, *resumed(record, command))
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
            raise refusal(state, command.verb)


def _declared(command: Declare) -> tuple[Event, ...]:
    if {"mitigated", "resolved"} & command.reached.keys() and not (command.impact_started or command.detected):
        raise MilestoneOrderError("impact_started", "say when it began: what is over began before that")
    milestones = begun(command.at, command.impact_started, command.detected, command.reached.values())
    check_affected(command.service, command.affected, command.at)
    every = command.update_every_minutes
    event = IncidentDeclared(
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
        priority=command.priority,
        customer_facing=command.customer_facing,
        test=command.test,
        tags=command.tags,
        fields=dict(command.fields),
        split_from=command.split_from,
        alerts=command.alerts,
        firing=command.firing,
        update_every_minutes=every,
        update_due=None if every is None else command.at + timedelta(minutes=every),
    )
    state = Triage(opened(event))
    asked = Asked(by=command.by, reason=command.reason, at=command.at)
    implied = (_acknowledged_by(state.record, asked),) if command.split_from else ()
    impact = amended(state, Amend(by=command.by, reason=command.reason, at=command.at, affected=command.affected))
    follows: tuple[Event, ...] = ()
    if command.follows:
        other, number = command.follows
        link = LinkIncident(by=command.by, at=command.at, other=other, other_number=number, relation="follows")
        follows = linked(state, link)
    return (event, *implied, *impact, *follows, *_afterwards(state, asked, command.reached))


def _afterwards(state: Triage, asked: Asked, reached: Mapping[Milestone, datetime]) -> tuple[Event, ...]:
    """What had happened by the time that it was declared, and when."""
    if not reached:
        return ()
    record, over = state.record, "resolved" in reached
    events: list[Event] = []
    if "acknowledged" in reached or not over:
        events.append(fact(IncidentAcknowledged, record, asked, implied="acknowledged" not in reached))
    if over:
        events.append(fact(IncidentResolved, record, asked))
    elif "mitigated" in reached:
        events.append(fact(IncidentMitigated, record, asked))
    times: Mapping[Milestone, datetime] = (
        {**reached, "mitigated": reached.get("mitigated", reached["resolved"])} if over else reached
    )
    after: Known = reduce(lambda known, event: evolve(known, event) or known, events, state)
    correct = CorrectMilestones(by=asked.by, reason=asked.reason, at=asked.at, times=times)
    return (*events, *milestones_corrected(after, correct))


def _resolved(record: Record, command: Resolve) -> tuple[Event, ...]:
    if command.force and not command.reason.strip():
        raise ReasonMissingError("resolve with force")
    firing = without(record.firing, command.ended)
    if firing and not command.force:
        raise AlertsFiringError(firing)
    noticed = replace(command, reason="it fires no more")
    clears = [
        fact(IncidentAlertCleared, record, noticed, alert=part[0], others=part[1:])
        for part in in_parts(without(record.firing, firing), MOST_NAMED)
    ]
    return (*clears, fact(IncidentResolved, record, command, forced=bool(firing)))


def _staged(record: Record, command: Stages, stage: Stage) -> tuple[Event, ...]:
    if command.stage == stage:
        return ()
    return (fact(IncidentStageChanged, record, command, stage=command.stage),)


def _acknowledged_by(record: Record, command: Asked) -> IncidentAcknowledged:
    return fact(IncidentAcknowledged, record, command, implied=True)
