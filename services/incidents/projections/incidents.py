"""All incidents, as lists show them."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, Text

from libs.events.columns import Instant, Json
from libs.events.projection import Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.incident.events import (
    IncidentAcknowledged,
    IncidentAlertCleared,
    IncidentAlertJoined,
    IncidentCancelled,
    IncidentClassified,
    IncidentClosed,
    IncidentDeclared,
    IncidentMilestoneCorrected,
    IncidentMitigated,
    IncidentReopened,
    IncidentResolved,
    IncidentStageChanged,
)
from services.incidents.domain.milestones import MILESTONES
from services.incidents.projections.folds import changes, opens


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("id", Text, primary_key=True),
        Column("ordinal", BigInteger, nullable=False),  # the number, to sort by
        *(Column(name, Text, nullable=False) for name in ("number", "title", "service", "severity", "state")),
        Column("stage", Text),
        *(Column(name, Text, nullable=False) for name in ("declared_by", "acknowledged_by", "outage_class")),
        *(Column(name, Json(), nullable=False) for name in ("alerts", "alerts_firing")),
        *(Column(name, Instant()) for name in MILESTONES),
    )


def _declared(event: IncidentDeclared) -> Row:
    alerts = [event.alert] if event.alert else []
    return {
        "ordinal": int(event.number.rpartition("-")[2]),
        "number": event.number,
        "title": event.title,
        "service": event.service,
        "severity": event.severity,
        "state": "triage",
        "stage": None,
        "declared_by": event.by,
        "acknowledged_by": "",
        "outage_class": "",
        "alerts": alerts,
        "alerts_firing": alerts,
        **dict.fromkeys(MILESTONES),
        "impact_started": event.impact_started,
        "detected": event.detected,
        "declared": event.at,
    }


def _active(_row: Row, event: IncidentAcknowledged) -> Row:
    return _state("active", "investigating") | {"acknowledged": event.at, "acknowledged_by": event.by}


def _resolved(row: Row, event: IncidentResolved) -> Row:
    return _state("resolved") | {"mitigated": row["mitigated"] or event.at, "resolved": event.at}


def _joined(row: Row, event: IncidentAlertJoined) -> Row:
    return {name: [*row[name], event.alert, *event.others] for name in ("alerts", "alerts_firing")}


def _cleared(row: Row, event: IncidentAlertCleared) -> Row:
    gone = {event.alert, *event.others}
    return {"alerts_firing": [alert for alert in row["alerts_firing"] if alert not in gone]}


def _state(state: str, stage: str | None = None) -> Row:
    return {"state": state, "stage": stage}


INCIDENTS = Projection(
    name="incidents",
    columns=_columns,
    events=CONTRACT,
    folds={
        IncidentDeclared: opens(_declared),
        IncidentAcknowledged: changes(_active),
        IncidentStageChanged: changes(lambda _, event: _state("active", event.stage)),
        IncidentMitigated: changes(lambda _, event: _state("mitigated") | {"mitigated": event.at}),
        IncidentResolved: changes(_resolved),
        IncidentClosed: changes(lambda _, event: _state("closed") | {"closed": event.at}),
        IncidentCancelled: changes(lambda _, __: _state("cancelled")),
        IncidentReopened: changes(
            lambda _, __: _state("active", "investigating") | {"mitigated": None, "resolved": None}
        ),
        IncidentClassified: changes(lambda _, event: {"outage_class": event.outage_class}),
        IncidentAlertJoined: changes(_joined),
        IncidentAlertCleared: changes(_cleared),
        IncidentMilestoneCorrected: changes(lambda _, event: {event.milestone: event.time}),
    },
    sources=(SERVICE,),
    indexes=(("ordinal",), ("service", "ordinal"), ("state", "ordinal"), ("outage_class", "ordinal")),
)
