"""Who does what in an incident: a role is assumed, handed over to who acknowledges it, or given up."""

from services.incidents.domain.errors import ReasonMissingError, RoleError
from services.incidents.domain.incident.events import Event
from services.incidents.domain.incident.facts import fact, living_record
from services.incidents.domain.incident.state import Held, Known, Record
from services.incidents.domain.incident.terms import Role
from services.incidents.domain.incident.work_commands import (
    AcceptRole,
    AddResponder,
    AssumeRole,
    DeclineRole,
    OfferRole,
    OfRoles,
    ReleaseResponder,
    ReleaseRole,
)
from services.incidents.domain.incident.work_events import (
    IncidentResponderAdded,
    IncidentResponderReleased,
    IncidentRoleAssumed,
    IncidentRoleOffered,
    IncidentRoleOfferEnded,
    IncidentRoleReleased,
)


def staffed(state: Known, command: OfRoles) -> tuple[Event, ...]:  # noqa: PLR0911  one line per command
    """What follows from a command about people.

    Raises:
        IllegalTransitionError: The incident is final.
        RoleError: The role is somebody else's, or nobody's.
        ReasonMissingError: A role is taken by force without a reason.
    """
    record = living_record(state, command.verb)
    match command:
        case AddResponder():
            return _added(record, command)
        case ReleaseResponder(person=person):
            gone = person in record.responders
            return (fact(IncidentResponderReleased, record, command, person=person),) if gone else ()
        case AssumeRole():
            return _assumed(record, command)
        case OfferRole():
            return _offered(record, command)
        case AcceptRole():
            return _accepted(record, command)
        case DeclineRole():
            return _declined(record, command)
        case ReleaseRole():
            return _released(record, command)


def _added(record: Record, command: AddResponder) -> tuple[Event, ...]:
    known = record.responders.get(command.person)
    if known and command.side in {"", known.side}:
        return ()
    return (fact(IncidentResponderAdded, record, command, person=command.person, side=command.side),)


def _assumed(record: Record, command: AssumeRole) -> tuple[Event, ...]:
    held = record.roles.get(command.role)
    if held and held.person == command.person:
        return ()
    if held and held.offered_to == command.person == command.by:
        return (_handed_over(record, command, held),)
    if held and not command.force:
        remedy = 'let them hand it over (:hand-over), or send {"force": true, "reason": "..."}'
        raise RoleError(command.role, f"{held.person} has it since {held.since:%H:%M} UTC; {remedy}", held.person)
    if held and not command.reason.strip():
        raise ReasonMissingError("taking a role by force")
    before = held.person if held else ""
    return (fact(IncidentRoleAssumed, record, command, role=command.role, person=command.person, before=before),)


def _offered(record: Record, command: OfferRole) -> tuple[Event, ...]:
    held = _held_by(record, command.role, command.by)
    if command.person in {held.person, held.offered_to}:
        return ()
    return (fact(IncidentRoleOffered, record, command, role=command.role, person=command.person),)


def _accepted(record: Record, command: AcceptRole) -> tuple[Event, ...]:
    held = _held(record, command.role)
    if held.person == command.by:
        return ()
    if held.offered_to != command.by:
        whom = f"it is offered to {held.offered_to}" if held.offered_to else "it is offered to nobody"
        raise RoleError(command.role, f"{whom}; {held.person} has it and can hand it over to you", held.person)
    return (_handed_over(record, command, held),)


def _handed_over(record: Record, command: AcceptRole | AssumeRole, held: Held) -> IncidentRoleAssumed:
    taken = {"role": command.role, "person": command.by, "before": held.person, "handed_over": True}
    return fact(IncidentRoleAssumed, record, command, **taken)


def _declined(record: Record, command: DeclineRole) -> tuple[Event, ...]:
    held = _held(record, command.role)
    if not held.offered_to:
        return ()
    if command.by not in {held.offered_to, held.person}:
        raise RoleError(command.role, f"{held.offered_to} declines it, or {held.person} takes it back", held.person)
    return (fact(IncidentRoleOfferEnded, record, command, role=command.role, person=held.offered_to),)


def _released(record: Record, command: ReleaseRole) -> tuple[Event, ...]:
    if command.role not in record.roles:
        return ()
    held = _held_by(record, command.role, command.by)
    return (fact(IncidentRoleReleased, record, command, role=command.role, person=held.person),)


def _held(record: Record, role: Role) -> Held:
    held = record.roles.get(role)
    if held is None:
        raise RoleError(role, "nobody has it; assume it (POST .../roles)", "")
    return held


def _held_by(record: Record, role: Role, person: str) -> Held:
    """Who has *role*, if *person* may dispose of it: themselves, or the incident's commander."""
    held, leads = _held(record, role), record.roles.get("incident_commander")
    if person != held.person and not (leads and leads.person == person):
        raise RoleError(role, f"{held.person} has it; they or the incident commander dispose of it", held.person)
    return held
