"""All incidents, as lists show them and figures are made of."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec
from sqlalchemy import BigInteger, Boolean, Column, Connection, Integer, Text, select

from libs.events.columns import Instant, Json
from libs.events.full_text import Words
from libs.events.projection import Fold, Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.incident import events as of
from services.incidents.domain.incident import work_events as of_work
from services.incidents.domain.incident.terms import IncidentFact, Value
from services.incidents.domain.milestones import MILESTONES
from services.incidents.domain.words import kept
from services.incidents.projections.folds import changes, opens

_TEXTS: Final = ("number", "title", "service", "severity", "priority", "state")
_MORE_TEXTS: Final = ("declared_by", "acknowledged_by", "outage_class", "merged_into", "split_from")
_FLAGS: Final = ("customer_facing", "test", "acknowledged_implied", "update_overdue")
_LISTS: Final = ("alerts", "alerts_firing", "tags", "affected_services", "responders", "links", "deployments")
_OBJECTS: Final = ("fields", "roles")
_NO_UPDATE_DUE: Final[Mapping[str, Any]] = {"update_due": None, "update_overdue": False}


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("id", Text, primary_key=True),
        Column("ordinal", BigInteger, nullable=False),  # the number, to sort by
        *(Column(name, Text, nullable=False) for name in _TEXTS),
        Column("stage", Text),
        *(Column(name, Text, nullable=False) for name in _MORE_TEXTS),
        *(Column(name, Boolean, nullable=False) for name in _FLAGS),
        *(Column(name, Json(), nullable=False) for name in (*_LISTS, *_OBJECTS)),
        Column("group", Text, nullable=False),  # what its first alert joins others by: its signature
        Column("words", Words, nullable=False),  # of all that is said of it, to be found by
        Column("update_every_minutes", Integer),
        Column("update_due", Instant()),
        *(Column(name, Instant()) for name in MILESTONES),
    )


def _declared(event: of.IncidentDeclared) -> Row:
    alerts = list(event.alerts) or ([event.alert] if event.alert else [])
    firing = list(event.firing) if event.alerts else alerts
    return {
        "ordinal": int(event.number.rpartition("-")[2]),
        "number": event.number,
        "title": event.title,
        "service": event.service,
        "severity": event.severity,
        "priority": event.priority,
        "state": "triage",
        "stage": None,
        "declared_by": event.by,
        "acknowledged_by": "",
        "outage_class": "",
        "merged_into": "",
        "split_from": event.split_from,
        "customer_facing": event.customer_facing,
        "test": event.test,
        "acknowledged_implied": False,
        "tags": list(event.tags),
        "fields": event.fields,
        "alerts": alerts,
        "alerts_firing": firing,
        "affected_services": [],
        "responders": [],
        "links": [],
        "deployments": [],
        "roles": {},
        "group": event.group,
        "words": kept(event.title, *event.tags),
        "update_every_minutes": event.update_every_minutes,
        "update_due": event.update_due,
        "update_overdue": False,
        **dict.fromkeys(MILESTONES),
        "impact_started": event.impact_started,
        "detected": event.detected,
        "declared": event.at,
    }


def _active(_row: Row, event: of.IncidentAcknowledged) -> Row:
    seen = {"acknowledged": event.at, "acknowledged_by": event.by, "acknowledged_implied": event.implied}
    return _state("active", "investigating") | seen


def _resolved(row: Row, event: of.IncidentResolved) -> Row:
    times = {"mitigated": row["mitigated"] or event.at, "resolved": event.at}
    return _state("resolved") | times | dict(_NO_UPDATE_DUE)


def _joined(row: Row, event: of.IncidentAlertJoined) -> Row:
    return {name: [*row[name], event.alert, *event.others] for name in ("alerts", "alerts_firing")}


def _cleared(row: Row, event: of.IncidentAlertCleared) -> Row:
    gone = {event.alert, *event.others}
    return {"alerts_firing": [alert for alert in row["alerts_firing"] if alert not in gone]}


def _absorbed(row: Row, event: of.IncidentAbsorbed) -> Row:
    return {
        "alerts": [*row["alerts"], *event.alerts],
        "alerts_firing": [*row["alerts_firing"], *event.firing],
    }


def _split(row: Row, event: of.IncidentSplit) -> Row:
    gone = set(event.alerts)
    return {name: [each for each in row[name] if each not in gone] for name in ("alerts", "alerts_firing")}


def _merged(_row: Row, event: of.IncidentMerged) -> Row:
    return _state("merged") | {"merged_into": event.into} | dict(_NO_UPDATE_DUE)


def _amended(row: Row, event: of_work.IncidentAmended) -> Row:
    names = ("title", "priority", "customer_facing", "test")
    said = {name: getattr(event, name) for name in names}
    return said | {"tags": list(event.tags), "fields": event.fields} | _says(row, event.title, *event.tags)


def _says(row: Row, *texts: str) -> Row:
    return {"words": kept(row["words"], *texts)}


def _role_assumed(row: Row, event: of_work.IncidentRoleAssumed) -> Row:
    return {"roles": row["roles"] | {event.role: event.person}}


def _role_released(row: Row, event: of_work.IncidentRoleReleased) -> Row:
    return {"roles": {role: person for role, person in row["roles"].items() if role != event.role}}


def _linked(row: Row, event: of_work.IncidentLinked) -> Row:
    link = {"relation": event.relation, "incident": event.other, "number": event.other_number}
    return {"links": [*row["links"], link]}


def _unlinked(row: Row, event: of_work.IncidentUnlinked) -> Row:
    gone = event.relation, event.other
    return {"links": [each for each in row["links"] if (each["relation"], each["incident"]) != gone]}


def _deployment_linked(row: Row, event: of_work.IncidentDeploymentLinked) -> Row:
    linked = {
        "deployment": event.deployment,
        "service": event.deployed_service,
        "version": event.version,
        "suspected": event.suspected,
    }
    return {"deployments": [*_without(row, event.deployment), linked]}


def _without(row: Row, deployment: str) -> list[Row]:
    return [each for each in row["deployments"] if each["deployment"] != deployment]


def _helps(row: Row, event: of_work.IncidentResponderAdded) -> Row:
    return {"responders": [*(each for each in row["responders"] if each != event.person), event.person]}


def _helps_no_more(row: Row, event: of_work.IncidentResponderReleased) -> Row:
    return {"responders": [each for each in row["responders"] if each != event.person]}


def _classified(row: Row, event: of.IncidentClassified) -> Row:
    return {"outage_class": event.outage_class} | _says(row, event.outage_class)


def _told(row: Row, event: of_work.IncidentUpdatePosted) -> Row:
    return {"update_due": event.next_due, "update_overdue": False} | _says(row, event.text)


def _cadence(_row: Row, event: of_work.IncidentCadenceSet) -> Row:
    return {"update_every_minutes": event.every_minutes, "update_due": event.next_due, "update_overdue": False}


def _state(state: str, stage: str | None = None) -> Row:
    return {"state": state, "stage": stage}


_COURSE: Final[Mapping[type[IncidentFact], Fold]] = {
    of.IncidentDeclared: opens(_declared),
    of.IncidentAcknowledged: changes(_active),
    of.IncidentStageChanged: changes(lambda _, event: _state("active", event.stage)),
    of.IncidentMitigated: changes(lambda _, event: _state("mitigated") | {"mitigated": event.at}),
    of.IncidentResolved: changes(_resolved),
    of.IncidentClosed: changes(lambda _, event: _state("closed") | {"closed": event.at}),
    of.IncidentCancelled: changes(lambda _, __: _state("cancelled") | dict(_NO_UPDATE_DUE)),
    of.IncidentReopened: changes(
        lambda _, __: _state("active", "investigating") | {"mitigated": None, "resolved": None}
    ),
    of.IncidentMerged: changes(_merged),
    of.IncidentClassified: changes(_classified),
    of.IncidentNoted: changes(lambda row, event: _says(row, event.text)),
    of.IncidentAlertJoined: changes(_joined),
    of.IncidentAlertCleared: changes(_cleared),
    of.IncidentAbsorbed: changes(_absorbed),
    of.IncidentSplit: changes(_split),
    of.IncidentMilestoneCorrected: changes(lambda _, event: {event.milestone: event.time}),
}
_WORK: Final[Mapping[type[IncidentFact], Fold]] = {
    of_work.IncidentSeverityChanged: changes(lambda _, event: {"severity": event.severity}),
    of_work.IncidentImpactChanged: changes(
        lambda _, event: {"affected_services": msgspec.to_builtins(list(event.affected))}
    ),
    of_work.IncidentAmended: changes(_amended),
    of_work.IncidentRoleAssumed: changes(_role_assumed),
    of_work.IncidentRoleReleased: changes(_role_released),
    of_work.IncidentResponderAdded: changes(_helps),
    of_work.IncidentResponderReleased: changes(_helps_no_more),
    of_work.IncidentLinked: changes(_linked),
    of_work.IncidentUnlinked: changes(_unlinked),
    of_work.IncidentDeploymentLinked: changes(_deployment_linked),
    of_work.IncidentDeploymentUnlinked: changes(lambda row, event: {"deployments": _without(row, event.deployment)}),
    of_work.IncidentCadenceSet: changes(_cadence),
    of_work.IncidentUpdatePosted: changes(_told),
    of_work.IncidentUpdateOverdue: changes(lambda _, __: {"update_overdue": True}),
}

INCIDENTS = Projection(
    name="incidents",
    columns=_columns,
    events=CONTRACT,
    folds={**_COURSE, **_WORK},
    sources=(SERVICE,),
    indexes=(("ordinal",), ("service", "ordinal"), ("state", "ordinal"), ("outage_class", "ordinal")),
)


def values_of(connection: Connection, field: str) -> list[tuple[str, str, Value]]:
    """The id, number and value of *field* of each incident that has one, the newest first."""
    c = INCIDENTS.view.c
    rows = connection.execute(select(c.id, c.number, c.fields).order_by(c.ordinal.desc()))
    return [(incident, number, fields[field]) for incident, number, fields in rows if field in fields]
