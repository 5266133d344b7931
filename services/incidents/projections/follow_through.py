"""What became of action items: how many were done, in time, and by whom; asked of the read models that there are."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import Connection, RowMapping, select

from services.incidents.domain.action.decider import is_overdue
from services.incidents.projections.actions import ACTIONS
from services.incidents.projections.known_services import KNOWN_SERVICES
from services.incidents.projections.people import PEOPLE

_DAY = timedelta(days=1)
_MOST = 100_000  # more than any period holds; what is beyond is not counted, and said


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowThrough:
    """What became of some action items.

    Args:
        name: Of the team, the priority or the type; empty for all.
        opened: How many there were; the sum of done, dropped and still open.
        done: How many were completed.
        on_time: How many of those by their day.
        still_open: How many are neither done nor dropped.
        overdue: How many of those should have been done.
        moved: How many had their day changed.
        median_days: From opening to completion, of those that are done; None where none is.
    """

    name: str
    opened: int
    done: int
    on_time: int
    dropped: int
    still_open: int
    overdue: int
    moved: int
    median_days: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnerLeft:
    """Somebody who is not here any more, and what they still own."""

    owner: str
    actions: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowThroughReport:
    """Action items that were opened from *since* to *until*, and what became of them by now.

    Args:
        by_team: Of the owner; where nobody knows it, the team that owns the service.
        owners_left: Whose actions need somebody else, however long ago they were opened.
        complete: Whether all of the period was counted.
    """

    since: datetime
    until: datetime
    total: FollowThrough
    by_team: list[FollowThrough]
    by_priority: list[FollowThrough]
    by_type: list[FollowThrough]
    owners_left: list[OwnerLeft]
    complete: bool


def follow_through(
    connection: Connection, since: datetime, until: datetime, today: date, services: Sequence[str]
) -> FollowThroughReport:
    """What became of the action items of *services* (of all, when none is named) that were opened in the period."""
    view = ACTIONS.view.c
    query = select(ACTIONS.view).where(view.opened_at >= since, view.opened_at <= until)
    left = select(view.id, view.owner).where(view.state.in_(("open", "in_progress")))
    if services:
        query, left = query.where(view.service.in_(services)), left.where(view.service.in_(services))
    rows = connection.execute(query.order_by(view.id).limit(_MOST + 1)).mappings().all()
    people = {row.person: row for row in connection.execute(select(PEOPLE.view))}
    owners = {row.service: row.owner_team for row in connection.execute(select(KNOWN_SERVICES.view))}
    gone = {person for person, row in people.items() if not row.active}

    def team(row: RowMapping) -> str:
        return (people[row["owner"]].team if row["owner"] in people else "") or owners.get(row["service"], "")

    counted = rows[:_MOST]
    owed: dict[str, list[str]] = {}
    for action, owner in connection.execute(left.order_by(view.id)):
        if owner in gone:
            owed.setdefault(owner, []).append(action)
    return FollowThroughReport(
        since=since,
        until=until,
        total=_figures("", counted, today),
        by_team=_grouped(counted, team, today),
        by_priority=_grouped(counted, lambda row: row["priority"], today),
        by_type=_grouped(counted, lambda row: row["type"], today),
        owners_left=[OwnerLeft(owner=owner, actions=actions) for owner, actions in sorted(owed.items())],
        complete=len(rows) <= _MOST,
    )


def _grouped(rows: Iterable[Any], key: Callable[[RowMapping], str], today: date) -> list[FollowThrough]:
    groups: dict[str, list[RowMapping]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    return [_figures(name, groups[name], today) for name in sorted(groups)]


def _figures(name: str, rows: Sequence[RowMapping], today: date) -> FollowThrough:
    done = [row for row in rows if row["state"] == "completed"]
    days = [(row["ended_at"] - row["opened_at"]) / _DAY for row in done]
    dropped = sum(row["state"] == "dropped" for row in rows)
    return FollowThrough(
        name=name,
        opened=len(rows),
        done=len(done),
        on_time=sum(row["ended_at"].date() <= row["due"] for row in done),
        dropped=dropped,
        still_open=len(rows) - len(done) - dropped,
        overdue=sum(is_overdue(row["state"], row["due"], today) for row in rows),
        moved=sum(row["moved"] > 0 for row in rows),
        median_days=round(median(days), 2) if days else None,
    )
