"""What a team works for, and how much that is."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, or_, select

from services.lifecycle.domain.engagement.measures import Shift
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.team.kinds import TeamKind
from services.lifecycle.projections.happenings import seen
from services.lifecycle.projections.operational_work import Hours, hours_of
from services.lifecycle.projections.services import SERVICES


@dataclass(frozen=True, slots=True)
class Worked:
    """A service that a team works for."""

    name: str
    owner_team: str
    sre_team: str
    product: str
    technologies: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Load:
    """What a team works for, the shifts of its side, and its recorded hours."""

    services: Sequence[Worked]
    shifts: Sequence[Shift]
    hours: Hours

    @property
    def pages_per_shift(self) -> float | None:
        """The mean; None when no shift was closed."""
        return sum(shift.pages for shift in self.shifts) / len(self.shifts) if self.shifts else None


def worked_for(connection: Connection, team: str) -> list[Worked]:
    """The services that are alive and that *team* owns, or is engaged for, by name."""
    view = SERVICES.view.c
    query = select(view.name, view.owner_team, view.sre_team, view.product, view.technologies)
    query = query.where(or_(view.owner_team == team, view.sre_team == team), view.phase != Phase.UNSUPPORTED.value)
    return [
        Worked(row.name, row.owner_team, row.sre_team, row.product, tuple(row.technologies.split()))
        for row in connection.execute(query.order_by(view.name))
    ]


def load_of(connection: Connection, team: str, kind: TeamKind, at: datetime, window: timedelta) -> Load:
    """How much *team* has to do, measured over *window* until *at*."""
    services = worked_for(connection, team)
    names = [service.name for service in services]
    shifts = seen(connection, names, at - window, at, severe=frozenset()).shifts if names else ()
    since, until = (at - window).date(), at.date()
    return Load(
        services,
        tuple(shift for shift in shifts if shift.side == kind),
        hours_of(connection, since, until, teams=[team]),
    )
