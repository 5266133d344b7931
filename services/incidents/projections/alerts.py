"""All alerts, as lists show them."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, Connection, Text, select, tuple_

from libs.events.columns import Instant, Json
from libs.events.projection import Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.alert.events import (
    AlertAcknowledged,
    AlertGrouped,
    AlertMoved,
    AlertResolved,
    AlertRetriggered,
    AlertSilenced,
    AlertTriggered,
    AlertUrgencyRaised,
)
from services.incidents.projections.folds import changes, opens


def _columns() -> Sequence[Column[Any]]:
    names = "integration", "dedup_key", "group", "service", "urgency", "severity", "summary", "state", "incident"
    return (
        Column("id", Text, primary_key=True),
        *(Column(name, Text, nullable=False) for name in names),
        Column("follows", Text, nullable=False),
        Column("silence", Text, nullable=False),
        Column("silenced_until", Instant()),
        Column("labels", Json(), nullable=False),
        Column("count", BigInteger, nullable=False),
        Column("triggered_at", Instant(), nullable=False),
        Column("acknowledged_at", Instant()),
        Column("acknowledged_by", Text, nullable=False),
        Column("resolved_at", Instant()),
        Column("resolved_by", Text, nullable=False),
    )


def _triggered(event: AlertTriggered) -> Row:
    return {
        "integration": event.integration,
        "dedup_key": event.dedup_key,
        "group": event.group,
        "service": event.service,
        "urgency": event.urgency,
        "severity": event.severity,
        "summary": event.summary,
        "state": "triggered",
        "incident": event.incident,
        "follows": "",
        "silence": "",
        "silenced_until": None,
        "labels": dict(event.labels),
        "count": 1,
        "triggered_at": event.at,
        "acknowledged_at": None,
        "acknowledged_by": "",
        "resolved_at": None,
        "resolved_by": "",
    }


def _acknowledged(_row: Row, event: AlertAcknowledged) -> Row:
    return {"state": "acknowledged", "acknowledged_at": event.at, "acknowledged_by": event.by}


def _resolved(_row: Row, event: AlertResolved) -> Row:
    return {"state": "resolved", "resolved_at": event.at, "resolved_by": event.by}


ALERTS = Projection(
    name="alerts",
    columns=_columns,
    events=CONTRACT,
    folds={
        AlertTriggered: opens(_triggered),
        AlertRetriggered: changes(lambda row, _: {"count": row["count"] + 1}),
        AlertGrouped: changes(lambda _, event: {"incident": event.incident, "follows": event.follows}),
        AlertSilenced: changes(lambda _, event: {"silence": event.silence, "silenced_until": event.until}),
        AlertAcknowledged: changes(_acknowledged),
        AlertUrgencyRaised: changes(lambda _, event: {"urgency": event.urgency, "incident": event.incident}),
        AlertMoved: changes(lambda _, event: {"incident": event.incident}),
        AlertResolved: changes(_resolved),
    },
    sources=(SERVICE,),
    indexes=(("service", "id"), ("state", "id"), ("incident",), ("group",), ("integration", "dedup_key"), ("silence",)),
)


def silenced(connection: Connection, silence: str) -> list[str]:
    """The alerts that fire and page nobody because of *silence*."""
    c = ALERTS.view.c
    query = select(c.id).where(c.silence == silence, c.state != "resolved", c.incident == "").order_by(c.id)
    return list(connection.execute(query).scalars())


def earlier(
    connection: Connection, identities: Iterable[tuple[str, str]], since: datetime
) -> dict[tuple[str, str], list[str]]:
    """By identity the alerts that ended after *since*, the newest last."""
    c = ALERTS.view.c
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    wanted = list(dict.fromkeys(identities))
    query = select(c.integration, c.dedup_key, c.id).where(
        tuple_(c.integration, c.dedup_key).in_(wanted), c.resolved_at > since
    )
    for row in connection.execute(query.order_by(c.id)):
        found[row.integration, row.dedup_key].append(row.id)
    return found


def ended_of(connection: Connection, incident: str) -> list[str]:
    """The alerts of *incident* that fire no more."""
    c = ALERTS.view.c
    return list(connection.execute(select(c.id).where(c.incident == incident, c.state == "resolved")).scalars())


def queued(connection: Connection, group: str) -> list[str]:
    """The open alerts of low urgency in *group*, the oldest first."""
    c = ALERTS.view.c
    query = select(c.id).where(c.group == group, c.urgency == "low", c.state != "resolved").order_by(c.id)
    return list(connection.execute(query).scalars())


def waiting_since(connection: Connection, services: Sequence[str], since: datetime) -> list[Any]:
    """The open alerts of low urgency of *services* that triggered after *since*, the oldest first."""
    view = ALERTS.view
    c = view.c
    query = select(view).where(
        c.service.in_(services), c.urgency == "low", c.state != "resolved", c.triggered_at >= since
    )
    return list(connection.execute(query.order_by(c.id)).mappings())
