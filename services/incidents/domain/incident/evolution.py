"""What an incident is after one more fact."""

from dataclasses import replace
from functools import singledispatch

from services.incidents.domain.incident import events as of
from services.incidents.domain.incident import work_events as of_work
from services.incidents.domain.incident.facts import stamped, with_record
from services.incidents.domain.incident.state import (
    Active,
    Cancelled,
    Closed,
    Details,
    Held,
    Incident,
    Known,
    Link,
    LinkedDeployment,
    Merged,
    Mitigated,
    Origin,
    Record,
    Resolved,
    Responder,
    Source,
    Triage,
    Turn,
    Updates,
)
from services.incidents.domain.incident.terms import IncidentFact, Role
from services.incidents.domain.milestones import Milestones

_NO_UPDATE_DUE = {"next_due": None, "overdue": False}


def evolve(state: Incident, event: of.Event) -> Incident:
    """The state after one more fact."""
    if isinstance(event, of.IncidentDeclared):
        return Triage(opened(event))
    if state is None:
        return None
    moved = _moved(state, event)
    return with_record(state, known(event, state.record)) if moved is None else moved


def _moved(state: Known, event: of.Event) -> Known | None:  # noqa: PLR0911  one line per state
    """The new state; None: as before."""
    record, at = state.record, event.at
    match event:
        case of.IncidentAcknowledged(implied=implied):
            source: Source = "implied" if implied else "command"
            taken = replace(record, acknowledged_by=event.by, acknowledged_implied=implied)
            return Active(stamped(taken, event, source, acknowledged=at), "investigating")
        case of.IncidentStageChanged():
            return Active(record, event.stage)
        case of.IncidentMitigated():
            return Mitigated(stamped(record, event, "command", mitigated=at))
        case of.IncidentResolved():
            if record.milestones.mitigated is None:
                record = stamped(record, event, "implied", mitigated=at)
            return Resolved(_silent(stamped(record, event, "command", resolved=at)))
        case of.IncidentClosed():
            return Closed(stamped(record, event, "command", closed=at))
        case of.IncidentCancelled():
            return Cancelled(_silent(record), at)
        case of.IncidentMerged(into=into, into_number=number):
            return Merged(_silent(record), at, into, number)
        case of.IncidentReopened():
            again = stamped(record, event, "command", mitigated=None, resolved=None)
            return Active(replace(again, reopened=True), "investigating")
        case _:
            return None


@singledispatch
def known(event: IncidentFact, record: Record) -> Record:
    """What is known of an incident after *event*, which leaves its state as it is."""
    del event
    return record


@known.register
def _(event: of.IncidentClassified, record: Record) -> Record:
    return replace(record, outage_class=event.outage_class)


@known.register
def _(event: of.IncidentAlertJoined, record: Record) -> Record:
    new = event.alert, *event.others
    changed = replace(record, alerts=(*record.alerts, *new), firing=(*record.firing, *new))
    if event.notify:
        return replace(changed, told=event.at, untold=0, untold_last="")
    if record.told is None:
        return changed
    return replace(changed, untold=record.untold + len(new), untold_last=event.summary)


@known.register
def _(event: of.IncidentAlertsTold, record: Record) -> Record:
    return replace(record, told=event.at, untold=0, untold_last="")


@known.register
def _(event: of.IncidentAlertCleared, record: Record) -> Record:
    gone = {event.alert, *event.others}
    return replace(record, firing=tuple(other for other in record.firing if other not in gone))


@known.register
def _(event: of.IncidentAbsorbed, record: Record) -> Record:
    return replace(
        record,
        alerts=(*record.alerts, *event.alerts),
        firing=(*record.firing, *event.firing),
        absorbed=tuple(dict.fromkeys((*record.absorbed, event.other))),
    )


@known.register
def _(event: of.IncidentGroupTaken, record: Record) -> Record:
    return replace(record, groups=(*record.groups, event.group))


@known.register
def _(event: of.IncidentSplit, record: Record) -> Record:
    gone = set(event.alerts)
    alerts, firing = (tuple(each for each in those if each not in gone) for those in (record.alerts, record.firing))
    return replace(record, alerts=alerts, firing=firing)


@known.register
def _(event: of.IncidentMilestoneCorrected, record: Record) -> Record:
    source: Source = "implied" if event.implied else "correction"
    return stamped(record, event, source, **{event.milestone: event.time})


@known.register
def _(event: of_work.IncidentSeverityChanged, record: Record) -> Record:
    return replace(record, severity=event.severity)


@known.register
def _(event: of_work.IncidentImpactChanged, record: Record) -> Record:
    return replace(record, affected=event.affected)


@known.register
def _(event: of_work.IncidentAmended, record: Record) -> Record:
    details = Details(
        title=event.title,
        priority=event.priority,
        customer_facing=event.customer_facing,
        test=event.test,
        tags=event.tags,
        fields=event.fields,
    )
    return replace(record, details=details)


@known.register
def _(event: of_work.IncidentRoleAssumed, record: Record) -> Record:
    roles = {**record.roles, event.role: Held(event.person, event.at)}
    turn = Turn(event.role, event.person, event.at, None, event.reason)
    return replace(record, roles=roles, turns=(*_ended(record, event.role, event), turn))


@known.register
def _(event: of_work.IncidentRoleOffered, record: Record) -> Record:
    held = replace(record.roles[event.role], offered_to=event.person)
    return replace(record, roles={**record.roles, event.role: held})


@known.register
def _(event: of_work.IncidentRoleOfferEnded, record: Record) -> Record:
    held = replace(record.roles[event.role], offered_to="")
    return replace(record, roles={**record.roles, event.role: held})


@known.register
def _(event: of_work.IncidentRoleReleased, record: Record) -> Record:
    roles = {role: held for role, held in record.roles.items() if role != event.role}
    return replace(record, roles=roles, turns=_ended(record, event.role, event))


@known.register
def _(event: of_work.IncidentResponderAdded, record: Record) -> Record:
    responder = Responder(event.person, event.side, event.by, event.at)
    return replace(record, responders={**record.responders, event.person: responder})


@known.register
def _(event: of_work.IncidentResponderReleased, record: Record) -> Record:
    return replace(record, responders={name: each for name, each in record.responders.items() if name != event.person})


@known.register
def _(event: of_work.IncidentLinked, record: Record) -> Record:
    return replace(record, links=(*record.links, Link(event.relation, event.other, event.other_number)))


@known.register
def _(event: of_work.IncidentUnlinked, record: Record) -> Record:
    gone = event.relation, event.other
    return replace(record, links=tuple(each for each in record.links if (each.relation, each.incident) != gone))


@known.register
def _(event: of_work.IncidentDeploymentLinked, record: Record) -> Record:
    kept = tuple(each for each in record.deployments if each.deployment != event.deployment)
    linked = LinkedDeployment(event.deployment, event.deployed_service, event.version, event.suspected)
    return replace(record, deployments=(*kept, linked))


@known.register
def _(event: of_work.IncidentDeploymentUnlinked, record: Record) -> Record:
    kept = tuple(each for each in record.deployments if each.deployment != event.deployment)
    return replace(record, deployments=kept)


@known.register
def _(event: of_work.IncidentCadenceSet, record: Record) -> Record:
    every, due, by_severity = event.every_minutes, event.next_due, event.by_severity
    updates = replace(record.updates, every_minutes=every, next_due=due, overdue=False, by_severity=by_severity)
    return replace(record, updates=updates)


@known.register
def _(event: of_work.IncidentUpdatePosted, record: Record) -> Record:
    posted = record.updates.posted + 1
    return replace(record, updates=replace(record.updates, next_due=event.next_due, overdue=False, posted=posted))


@known.register
def _(_: of_work.IncidentUpdateOverdue, record: Record) -> Record:
    return replace(record, updates=replace(record.updates, overdue=True))


def _ended(record: Record, role: Role, event: IncidentFact) -> tuple[Turn, ...]:
    return tuple(
        replace(turn, until=event.at) if turn.role == role and turn.until is None else turn for turn in record.turns
    )


def _silent(record: Record) -> Record:
    """Over: nobody waits for an update."""
    return replace(record, updates=replace(record.updates, **_NO_UPDATE_DUE))


def opened(event: of.IncidentDeclared) -> Record:
    """What is known of an incident that was just declared."""
    alerts = event.alerts or ((event.alert,) if event.alert else ())
    source: Source = "alert" if event.alert else "declaration"
    told = Origin(source, event.by, event.reason, event.at)
    return Record(
        incident=event.incident,
        number=event.number,
        service=event.service,
        severity=event.severity,
        details=Details(
            title=event.title,
            priority=event.priority,
            customer_facing=event.customer_facing,
            test=event.test,
            tags=event.tags,
            fields=event.fields,
        ),
        declared_by=event.by,
        groups=(event.group,) if event.group else (),
        milestones=Milestones(event.impact_started, event.detected, event.at),
        origins={"impact_started": told, "detected": told, "declared": told},
        alerts=alerts,
        firing=event.firing if event.alerts else alerts,
        updates=Updates(event.update_every_minutes, event.update_due),
        split_from=event.split_from,
    )
