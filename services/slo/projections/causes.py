"""What may have spent budget: incidents and deployments of a service, and how long each lasted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Column, Connection, Text, func, or_, select, union_all

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry
from services.slo.domain.windows import Bounds

_EFFECT: Final = timedelta(hours=1)  # a deployment that nobody rolled back is looked at for so long


@dataclass(frozen=True, slots=True)
class IncidentDeclared:
    """What is read of an incident's beginning; *impact_started* is when users began to feel it."""

    incident: str
    number: str
    service: str
    title: str
    at: datetime
    impact_started: datetime | None = None


@dataclass(frozen=True, slots=True)
class IncidentEnded:
    """What is read of its end, whichever comes first."""

    incident: str
    at: datetime


class IncidentMitigated(IncidentEnded):
    """Users feel it no more."""


class IncidentResolved(IncidentEnded):
    """It is over."""


@dataclass(frozen=True, slots=True)
class IncidentReopened:
    """It was not over after all."""

    incident: str


@dataclass(frozen=True, slots=True)
class IncidentCancelled:
    """It was a false alarm, or a part of another, which has the time of both."""

    incident: str


@dataclass(frozen=True, slots=True)
class Affected:
    """A service beside its own that users felt an incident in; None: as long as there."""

    service: str
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class ImpactChanged:
    """All services that it affects from now on, and those that it does no more."""

    incident: str
    affected: tuple[Affected, ...]
    gone: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MilestoneCorrected:
    """One of its times was another."""

    incident: str
    milestone: str
    time: datetime


@dataclass(frozen=True, slots=True)
class IncidentClassified:
    """Of what class of outage it was."""

    incident: str
    outage_class: str


@dataclass(frozen=True, slots=True)
class Deployed:
    """What is read of a deployment."""

    deployment: str
    service: str
    at: datetime
    version: str = ""
    summary: str = ""


@dataclass(frozen=True, slots=True)
class RolledBack:
    """What is read of its end, if it was taken back."""

    deployment: str
    at: datetime


class Happened(NamedTuple):
    """Something that lasted; *until* is None while it does, *outage_class* empty while nobody has said."""

    id: str
    title: str
    since: datetime
    until: datetime | None
    outage_class: str = ""


def _columns(key: str) -> tuple[Column[Any], ...]:
    return (
        Column(key, Text, primary_key=True),
        Column("service", Text),
        Column("title", Text),
        Column("since", Instant()),
        Column("until", Instant()),
    )


def _declared(_: Row | None, event: IncidentDeclared, __: Recorded, ___: Key) -> Row:
    return {
        "incident": event.incident,
        "service": event.service,
        "title": f"{event.number} {event.title}",
        "since": event.impact_started or event.at,
        "until": None,
        "outage_class": "",
    }


def _classified(row: Row | None, event: IncidentClassified, _: Recorded, __: Key) -> Row | None:
    return row and row | {"outage_class": event.outage_class}


def _corrected(row: Row | None, event: MilestoneCorrected, _: Recorded, __: Key) -> Row | None:
    column = {"impact_started": "since", "mitigated": "until"}.get(event.milestone)
    return row | {column: event.time} if row and column else row


def _ended(row: Row | None, event: IncidentEnded | RolledBack, _: Recorded, __: Key) -> Row | None:
    return row if row is None or row["until"] is not None else row | {"until": event.at}


def _reopened(row: Row | None, _: IncidentReopened, __: Recorded, ___: Key) -> Row | None:
    return row and row | {"until": None}


def _cancelled(_: Row | None, __: IncidentCancelled, ___: Recorded, ____: Key) -> None:
    return None


def _deployed(_: Row | None, event: Deployed, __: Recorded, ___: Key) -> Row:
    title = event.version or event.summary or event.deployment
    return {
        "deployment": event.deployment,
        "service": event.service,
        "title": title,
        "since": event.at,
        "until": None,
    }


def _of_incident(event: Any, _: Recorded) -> Sequence[Key]:  # noqa: ANN401  one of many
    return [(event.incident,)]


def _of_deployment(event: Any, _: Recorded) -> Sequence[Key]:  # noqa: ANN401  one of two
    return [(event.deployment,)]


def _of_impact(event: ImpactChanged, _: Recorded) -> Sequence[Key]:
    return [(event.incident, service) for service in (*(each.service for each in event.affected), *event.gone)]


def _felt(_: Row | None, event: ImpactChanged, __: Recorded, key: Key) -> Row | None:
    found = next((each for each in event.affected if each.service == key[1]), None)
    return found and {"incident": key[0], "service": key[1], "since": found.since, "until": found.until}


INCIDENTS: Final = Projection(
    name="service_incidents",
    columns=lambda: (*_columns("incident"), Column("outage_class", Text)),
    events=EventRegistry(
        {
            "io.concordat.incidents.incident.declared.v1": IncidentDeclared,
            "io.concordat.incidents.incident.mitigated.v1": IncidentMitigated,
            "io.concordat.incidents.incident.resolved.v1": IncidentResolved,
            "io.concordat.incidents.incident.reopened.v1": IncidentReopened,
            "io.concordat.incidents.incident.cancelled.v1": IncidentCancelled,
            "io.concordat.incidents.incident.merged.v1": IncidentCancelled,
            "io.concordat.incidents.incident.milestone-corrected.v1": MilestoneCorrected,
            "io.concordat.incidents.incident.classified.v1": IncidentClassified,
        }
    ),
    folds={
        IncidentDeclared: Fold(_of_incident, _declared),
        IncidentMitigated: Fold(_of_incident, _ended),
        IncidentResolved: Fold(_of_incident, _ended),
        IncidentReopened: Fold(_of_incident, _reopened),
        IncidentCancelled: Fold(_of_incident, _cancelled),
        MilestoneCorrected: Fold(_of_incident, _corrected),
        IncidentClassified: Fold(_of_incident, _classified),
    },
    sources=("incidents",),
    indexes=(("service", "since"),),
)
IMPACTS: Final = Projection(
    name="service_impacts",
    columns=lambda: (
        Column("incident", Text, primary_key=True),
        Column("service", Text, primary_key=True),
        Column("since", Instant()),
        Column("until", Instant()),
    ),
    events=EventRegistry({"io.concordat.incidents.incident.impact-changed.v1": ImpactChanged}),
    folds={ImpactChanged: Fold(_of_impact, _felt)},
    sources=("incidents",),
    indexes=(("service",),),
)
DEPLOYMENTS: Final = Projection(
    name="service_deployments",
    columns=lambda: _columns("deployment"),
    events=EventRegistry(
        {
            "io.concordat.lifecycle.deployment.recorded.v1": Deployed,
            "io.concordat.lifecycle.deployment.rolled-back.v1": RolledBack,
        }
    ),
    folds={Deployed: Fold(_of_deployment, _deployed), RolledBack: Fold(_of_deployment, _ended)},
    sources=("lifecycle",),
    indexes=(("service", "since"),),
)


def incident_felt(connection: Connection, incident: str, service: str) -> Happened | None:
    """The incident of this id as *service* felt it, if it was declared and neither cancelled nor merged."""
    felt = _felt_in(service).subquery().c
    row = connection.execute(select(felt).where(felt.incident == incident)).first()
    return None if row is None else Happened(*row)


def affected_by(connection: Connection, incident: str) -> list[str]:
    """The services beside its own that users felt *incident* in."""
    view = IMPACTS.view.c
    query = select(view.service).where(view.incident == incident).order_by(view.service)
    return list(connection.execute(query).scalars())


def incidents_of(connection: Connection, service: str, window: Bounds, outage_class: str = "") -> list[Happened]:
    """The incidents of *service* that share time with *window*, of one class or all, oldest first."""
    felt = _felt_in(service).subquery().c
    query = select(felt).where(felt.since < window.end, or_(felt.until.is_(None), felt.until > window.start))
    if outage_class:
        query = query.where(felt.outage_class == outage_class)
    return [Happened(*row) for row in connection.execute(query.order_by(felt.since, felt.incident))]


def _felt_in(service: str) -> Any:  # noqa: ANN401  its type names each column
    """When the users of *service* felt which incidents: its own, and those of other services that affected it."""
    own, felt = INCIDENTS.view.c, IMPACTS.view.c
    since, until = func.coalesce(felt.since, own.since), func.coalesce(felt.until, own.until)
    here = select(own.incident, own.title, own.since, own.until, own.outage_class).where(own.service == service)
    elsewhere = (
        select(own.incident, own.title, since.label("since"), until.label("until"), own.outage_class)
        .join_from(INCIDENTS.view, IMPACTS.view, own.incident == felt.incident)
        .where(felt.service == service, own.service != service)
    )
    return union_all(here, elsewhere)


def deployments_of(connection: Connection, service: str, window: Bounds) -> list[Happened]:
    """The deployments of *service* whose effect may reach into *window*, oldest first."""
    view = DEPLOYMENTS.view.c
    query = select(view.deployment, view.title, view.since, view.until).where(
        view.service == service,
        view.since < window.end,
        or_(view.until > window.start, view.since > window.start - _EFFECT),
    )
    rows = connection.execute(query.order_by(view.since, view.deployment))
    return [Happened(key, title, since, until or since + _EFFECT) for key, title, since, until in rows]
