"""What was learned before: postmortems by their words, by what they are about, and causes that come again."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select, union

from libs.events.full_text import holds
from services.incidents.domain.incident.state import Record
from services.incidents.domain.postmortem.events import CauseKind
from services.incidents.domain.words import words
from services.incidents.projections.actions import ACTIONS
from services.incidents.projections.postmortems import POSTMORTEMS

_LOOKED_AT = 500  # of the newest that hold a word; the best of them are answered
_UNFINISHED = ("open", "in_progress")
_TITLE, _CAUSE, _SERVICE = 2.0, 2.0, 1.0  # [D]: what a word in the title, the class of the cause, the service counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """A postmortem that was found.

    Args:
        score: The higher, the nearer; only good to compare those of one answer.
        because: Why it was found: words that both have, or an action item has, the service, the class of the cause.
        open_actions: Those that follow from it and are not done.
    """

    id: str
    incident: str
    number: str
    service: str
    title: str
    state: str
    published_at: datetime | None
    score: float
    because: list[str]
    open_actions: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Occurrence:
    """A postmortem that names a cause."""

    id: str
    number: str
    service: str
    title: str
    kind: CauseKind
    published_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringCause:
    """A cause that several published postmortems name, the last first."""

    antipattern: str
    times: int
    as_root: int
    services: list[str]
    occurrences: list[Occurrence]


def found_by_words(
    connection: Connection, text: str, services: Sequence[str], states: Sequence[str], limit: int
) -> list[Lesson]:
    """Postmortems that hold every word of *text*, with what follows from them, the nearest first."""
    wanted = words(text)
    if not wanted:
        return []
    view = POSTMORTEMS.view.c
    query = select(POSTMORTEMS.view).where(*(_say((word,)) for word in wanted))
    if services:
        query = query.where(view.service.in_(services))
    if states:
        query = query.where(view.state.in_(states))
    rows = connection.execute(query.order_by(view.id.desc()).limit(_LOOKED_AT)).mappings().all()
    return _nearest(connection, rows, wanted, None, limit)


def seen_before(connection: Connection, record: Record, limit: int) -> list[Lesson]:
    """Postmortems of other incidents that are like *record*: by its title, class and service."""
    wanted = words(f"{record.title} {record.outage_class}")
    view = POSTMORTEMS.view.c
    query = select(POSTMORTEMS.view).where(view.incident != record.incident)
    if wanted:
        query = query.where(_say(wanted))
    rows = connection.execute(query.order_by(view.id.desc()).limit(_LOOKED_AT)).mappings().all()
    return _nearest(connection, rows, wanted, record, limit)


def recurring_causes(
    connection: Connection, since: datetime, until: datetime, services: Sequence[str], at_least: int
) -> list[RecurringCause]:
    """What *at_least* so many postmortems, published in the period, name as a cause; the most frequent first."""
    view = POSTMORTEMS.view.c
    query = select(view.id, view.number, view.service, view.title, view.causes, view.published_at).where(
        view.state == "published", view.published_at >= since, view.published_at <= until
    )
    if services:
        query = query.where(view.service.in_(services))
    named: dict[str, list[Occurrence]] = {}
    for row in connection.execute(query.order_by(view.published_at.desc(), view.id)).mappings():
        for cause in _each_once(row["causes"]):
            told = {name: row[name] for name in ("id", "number", "service", "title", "published_at")}
            named.setdefault(cause["antipattern"], []).append(Occurrence(**told, kind=cause["kind"]))
    found = [
        RecurringCause(
            antipattern=name,
            times=len(each),
            as_root=sum(one.kind == "root" for one in each),
            services=sorted({one.service for one in each}),
            occurrences=each,
        )
        for name, each in named.items()
        if len(each) >= at_least
    ]
    return sorted(found, key=lambda each: (-each.times, each.antipattern))


def _say(wanted: Sequence[str]) -> ColumnElement[bool]:
    """Whether a postmortem, or an action item that follows from it, says any of *wanted*."""
    paper, task = POSTMORTEMS.view.c, ACTIONS.view.c
    papers = select(paper.id).where(holds(paper.words, wanted, every=False)).correlate(None)
    tasks = select(task.postmortem).where(holds(task.words, wanted, every=False))
    return paper.id.in_(union(papers, tasks))


def _each_once(causes: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Each antipattern of one postmortem once, as a root cause where it is one."""
    kinds: dict[str, dict[str, Any]] = {}
    for cause in sorted(causes, key=lambda each: each["kind"] != "root"):
        kinds.setdefault(cause["antipattern"], cause)
    yield from kinds.values()


def _nearest(
    connection: Connection, rows: Sequence[Any], wanted: Sequence[str], like: Record | None, limit: int
) -> list[Lesson]:
    promised = _promised(connection, [row["id"] for row in rows], wanted)
    scored = [(*_score(row, wanted, like, promised.get(row["id"], "")), row) for row in rows]
    best = sorted(scored, key=lambda each: (-each[0], each[2]["id"]))[:limit]
    owed = _owed(connection, [row["id"] for _, _, row in best])
    names = "id", "incident", "number", "service", "title", "state", "published_at"
    return [
        Lesson(
            **{name: row[name] for name in names},
            score=round(score, 3),
            because=because,
            open_actions=owed.get(row["id"], []),
        )
        for score, because, row in best
    ]


def _score(
    row: Any,  # noqa: ANN401  a row
    wanted: Sequence[str],
    like: Record | None,
    promised: str,
) -> tuple[float, list[str]]:
    title = set(words(row["title"]))
    held = [word for word in wanted if f" {word} " in row["words"]]
    owed = [word for word in wanted if f" {word} " in promised and word not in held]
    score = sum(_TITLE if word in title else 1 for word in (*held, *owed)) / max(len(wanted), 1)
    because = [f"{'both say' if like else 'says'} {', '.join(held)}"] if held else []
    because += [f"an action item says {', '.join(owed)}"] if owed else []
    if like and like.outage_class in {cause["antipattern"] for cause in row["causes"]}:
        score += _CAUSE
        because.append(f"the same cause, {like.outage_class}")
    if like and row["service"] == like.service:
        score += _SERVICE
        because.append(f"the same service, {like.service}")
    return score, because


def _promised(connection: Connection, postmortems: Sequence[str], wanted: Sequence[str]) -> dict[str, str]:
    """By postmortem, the words of those of its action items that say any of *wanted*."""
    view = ACTIONS.view.c
    found: dict[str, str] = {}
    if wanted:
        said = holds(view.words, wanted, every=False)
        for postmortem, task in connection.execute(
            select(view.postmortem, view.words).where(view.postmortem.in_(postmortems), said)
        ):
            found[postmortem] = found.get(postmortem, "") + task
    return found


def _owed(connection: Connection, postmortems: Sequence[str]) -> dict[str, list[str]]:
    view = ACTIONS.view.c
    query = select(view.postmortem, view.id).where(view.postmortem.in_(postmortems), view.state.in_(_UNFINISHED))
    found: dict[str, list[str]] = {}
    for postmortem, action in connection.execute(query.order_by(view.id)):
        found.setdefault(postmortem, []).append(action)
    return found
