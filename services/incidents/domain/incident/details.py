"""What people say of an incident: how bad it is, what it has to do with, of what class it was, and when."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from services.incidents.domain.errors import ImpactError, UnknownReferenceError
from services.incidents.domain.incident.commands import Classify, CorrectMilestones, Note
from services.incidents.domain.incident.events import (
    Event,
    IncidentClassified,
    IncidentMilestoneCorrected,
    IncidentNoted,
)
from services.incidents.domain.incident.facts import fact, living_record, refusal
from services.incidents.domain.incident.state import Cancelled, Known, Link, LinkedDeployment, Open, Record
from services.incidents.domain.incident.terms import Affected
from services.incidents.domain.incident.updates import regraded
from services.incidents.domain.incident.work_commands import (
    Amend,
    LinkDeployment,
    LinkIncident,
    OfLinks,
    UnlinkDeployment,
    UnlinkIncident,
)
from services.incidents.domain.incident.work_events import (
    IncidentAmended,
    IncidentDeploymentLinked,
    IncidentDeploymentUnlinked,
    IncidentImpactChanged,
    IncidentLinked,
    IncidentSeverityChanged,
    IncidentUnlinked,
)
from services.incidents.domain.milestones import Milestone, corrected

_MOST_AFFECTED: Final = 100
_PASSED_OVER: Final[tuple[Milestone, ...]] = ("acknowledged", "mitigated")  # an incident can be over without


def amended(state: Known, command: Amend) -> tuple[Event, ...]:
    """What is said otherwise than before.

    Raises:
        IllegalTransitionError: The incident is final.
        ImpactError: A service is named twice, or was affected at times that cannot be.
    """
    record = living_record(state, command.verb)
    events: list[Event] = []
    if command.severity and command.severity != record.severity:
        before = record.severity
        events.append(fact(IncidentSeverityChanged, record, command, severity=command.severity, from_severity=before))
        events += regraded(state, command, command.severity)
    severity = command.severity or record.severity
    if (said := command.details) and said != record.details:
        events.append(
            fact(
                IncidentAmended,
                record,
                command,
                severity=severity,
                title=said.title,
                priority=said.priority,
                customer_facing=said.customer_facing,
                test=said.test,
                tags=said.tags,
                fields=dict(said.fields),
            )
        )
    if command.affected is not None and command.affected != record.affected:
        check_affected(record.service, command.affected, command.at)
        named = {each.service for each in command.affected}
        gone = tuple(each.service for each in record.affected if each.service not in named)
        events.append(
            fact(IncidentImpactChanged, record, command, severity=severity, affected=command.affected, gone=gone)
        )
    return tuple(events)


def check_affected(service: str, affected: Sequence[Affected], now: datetime) -> None:
    """Each service once, in times that can be.

    Raises:
        ImpactError: One of them not.
    """
    if len(affected) > _MOST_AFFECTED:
        raise ImpactError(_MOST_AFFECTED, f"at most {_MOST_AFFECTED} services are affected beside {service}")
    seen: set[str] = set()
    for index, each in enumerate(affected):
        if each.service == service:
            raise ImpactError(index, f"{service} is the incident's own service; name the others")
        if each.service in seen:
            raise ImpactError(index, f"{each.service} is named twice; name each service once")
        if each.since and each.since > now:
            raise ImpactError(index, "since cannot lie in the future")
        if each.until and (each.until > now or (each.since and each.until < each.since)):
            raise ImpactError(index, "until cannot lie in the future, nor before since")
        seen.add(each.service)


def linked(state: Known, command: OfLinks) -> tuple[Event, ...]:  # noqa: PLR0911  said already, or not, by kind
    """What an incident has to do with others and with deployments; also found out after it is closed.

    Raises:
        UnknownReferenceError: It is to be linked to itself.
    """
    record = state.record
    match command:
        case LinkIncident(other=other, other_number=number, relation=relation):
            if other == record.incident:
                raise UnknownReferenceError("incident", number, "an incident is not linked to itself; name another")
            if Link(relation, other, number) in record.links:
                return ()
            return (fact(IncidentLinked, record, command, other=other, other_number=number, relation=relation),)
        case UnlinkIncident(other=other, relation=relation):
            if all((each.relation, each.incident) != (relation, other) for each in record.links):
                return ()
            return (fact(IncidentUnlinked, record, command, other=other, relation=relation),)
        case LinkDeployment():
            return _deployment_linked(record, command)
        case UnlinkDeployment(deployment=deployment):
            if all(each.deployment != deployment for each in record.deployments):
                return ()
            return (fact(IncidentDeploymentUnlinked, record, command, deployment=deployment),)


def classified(state: Known, command: Classify) -> tuple[Event, ...]:
    """A false alarm was no outage."""
    if isinstance(state, Cancelled):
        raise refusal(state, command.verb)
    said = state.record.outage_class
    if said == command.outage_class or (said and command.unless_said):
        return ()
    return (fact(IncidentClassified, state.record, command, outage_class=command.outage_class),)


def milestones_corrected(state: Known, command: CorrectMilestones) -> tuple[Event, ...]:
    """One event for each time that was another, or that nobody wrote down before the incident was over."""
    record = state.record
    passed_over = () if isinstance(state, Open) else _PASSED_OVER
    implied = _implied(record, command.times)
    times: dict[Milestone, datetime] = {**command.times, **implied}
    after = corrected(record.milestones, times, now=command.at, passed_over=passed_over)
    return tuple(
        fact(
            IncidentMilestoneCorrected,
            record,
            command,
            milestone=milestone,
            time=time,
            implied=milestone in implied,
        )
        for milestone, time in times.items()
        if getattr(after, milestone) != getattr(record.milestones, milestone)
    )


def _implied(record: Record, times: Mapping[Milestone, datetime]) -> dict[Milestone, datetime]:
    """What resolving stamped beside, moves with it."""
    origin = record.origins.get("mitigated")
    moves = origin and origin.source == "implied" and "resolved" in times and "mitigated" not in times
    return {"mitigated": times["resolved"]} if moves else {}


def noted(record: Record, command: Note) -> IncidentNoted:
    """What somebody wrote."""
    return fact(
        IncidentNoted,
        record,
        command,
        kind=command.kind,
        text=command.text,
        occurred_at=command.occurred_at,
        starred=command.starred,
        attachments=command.attachments,
    )


def _deployment_linked(record: Record, command: LinkDeployment) -> tuple[Event, ...]:
    deployment, service, version, suspected = command.deployment, command.service, command.version, command.suspected
    if LinkedDeployment(deployment, service, version, suspected) in record.deployments:
        return ()
    said = {"deployment": deployment, "deployed_service": service, "version": version, "suspected": suspected}
    return (fact(IncidentDeploymentLinked, record, command, **said),)
