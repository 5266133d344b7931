"""Who is concerned hears how an incident stands: every so often, and what was not said in time is an event."""

from datetime import datetime, timedelta

from services.incidents.domain.asked import Asked
from services.incidents.domain.incident.events import Event
from services.incidents.domain.incident.facts import fact, living_record
from services.incidents.domain.incident.state import Known, Open, Record
from services.incidents.domain.incident.terms import Severity
from services.incidents.domain.incident.work_commands import Amend, OfUpdates, PostUpdate, SetCadence, UpdateFellDue
from services.incidents.domain.incident.work_events import (
    IncidentCadenceSet,
    IncidentUpdateOverdue,
    IncidentUpdatePosted,
)


def updated(state: Known, command: OfUpdates) -> tuple[Event, ...]:
    """What follows from a command about updates.

    Raises:
        IllegalTransitionError: The incident is final.
    """
    match command:
        case SetCadence(every_minutes=every):
            record = living_record(state, command.verb)
            if every == record.updates.every_minutes and not record.updates.by_severity:
                return ()
            due = _due(state, every, command.at)
            return (fact(IncidentCadenceSet, record, command, every_minutes=every, next_due=due),)
        case PostUpdate(text=text, audience=audience):
            record = living_record(state, command.verb)
            due = _due(state, record.updates.every_minutes, command.at)
            return (fact(IncidentUpdatePosted, record, command, text=text, audience=audience, next_due=due),)
        case UpdateFellDue(due=due):
            updates = state.record.updates
            if not isinstance(state, Open) or updates.next_due != due or updates.overdue:
                return ()
            return (fact(IncidentUpdateOverdue, state.record, command, due=due),)


def resumed(record: Record, command: Asked) -> tuple[Event, ...]:
    """A reopened incident has its cadence again."""
    every, by_severity = record.updates.every_minutes, record.updates.by_severity
    if every is None:
        return ()
    due = command.at + timedelta(minutes=every)
    return (fact(IncidentCadenceSet, record, command, every_minutes=every, next_due=due, by_severity=by_severity),)


def regraded(state: Known, command: Amend, severity: Severity) -> tuple[Event, ...]:
    """Another severity has another cadence, unless somebody chose one."""
    record, every = state.record, command.update_every_minutes
    if not record.updates.by_severity or every == record.updates.every_minutes:
        return ()
    said = {"every_minutes": every, "next_due": _due(state, every, command.at), "by_severity": True}
    return (fact(IncidentCadenceSet, record, command, severity=severity, **said),)


def _due(state: Known, every_minutes: int | None, at: datetime) -> datetime | None:
    """When the next is due: not once it is over, nor without a cadence."""
    if every_minutes is None or not isinstance(state, Open):
        return None
    return at + timedelta(minutes=every_minutes)
