"""Incidents that are like one: opened by the same alerts, of the same class or service, or told in the same words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, or_, select

from libs.events.full_text import holds
from services.incidents.domain.incident.state import Record
from services.incidents.domain.words import words
from services.incidents.projections.incidents import INCIDENTS

_LOOKED_AT: Final = 500  # of the newest
_SIGNATURE, _CLASS, _SERVICE = 3.0, 2.0, 1.0  # beside the share of its title's words, which is 1 at most


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarIncident:
    """An incident that is like another, and why; `score` orders them."""

    id: str
    number: str
    title: str
    service: str
    severity: str
    state: str
    outage_class: str
    declared: datetime
    resolved: datetime | None
    score: float
    because: list[str]


def similar_to(connection: Connection, record: Record, limit: int) -> list[SimilarIncident]:
    """Other incidents that are like *record*, the nearest first; those that are a part of another are left out."""
    wanted = words(record.title)
    c = INCIDENTS.view.c
    alike = [c.service == record.service]
    if record.groups:
        alike.append(c.group.in_(record.groups))
    if record.outage_class:
        alike.append(c.outage_class == record.outage_class)
    if wanted:
        alike.append(holds(c.words, wanted, every=False))
    query = select(INCIDENTS.view).where(c.id != record.incident, c.state != "merged", or_(*alike))
    rows = connection.execute(query.order_by(c.ordinal.desc()).limit(_LOOKED_AT)).mappings().all()
    scored = [(*_likeness(row, record, wanted), row) for row in rows]
    best = sorted(scored, key=lambda each: (-each[0], -each[2]["ordinal"]))[:limit]
    names = "id", "number", "title", "service", "severity", "state", "outage_class", "declared", "resolved"
    return [
        SimilarIncident(**{name: row[name] for name in names}, score=round(score, 3), because=because)
        for score, because, row in best
    ]


def _likeness(row: Any, record: Record, wanted: Sequence[str]) -> tuple[float, list[str]]:  # noqa: ANN401  a row
    shared = [word for word in wanted if f" {word} " in row["words"]]
    score = len(shared) / max(len(wanted), 1)
    because = [f"both say {', '.join(shared)}"] if shared else []
    if row["group"] and row["group"] in record.groups:
        score += _SIGNATURE
        because.insert(0, f"the same alerts, {row['group']}")
    if record.outage_class and row["outage_class"] == record.outage_class:
        score += _CLASS
        because.append(f"the same class, {record.outage_class}")
    if row["service"] == record.service:
        score += _SERVICE
        because.append(f"the same service, {record.service}")
    return score, because
