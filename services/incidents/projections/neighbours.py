"""What a schedule does not know by itself: phases of its services, schedules beside it, who its people are."""

from collections.abc import Collection, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from services.incidents.domain.on_call.bounds import fitting
from services.incidents.domain.on_call.limits import Breach
from services.incidents.domain.on_call.resolver import resolve
from services.incidents.domain.on_call.roster import OnCall, Roster
from services.incidents.domain.on_call.sides import Covered, lacking
from services.incidents.domain.person.events import Side
from services.incidents.projections.known_services import covered_of
from services.incidents.projections.people import Contact, Person, people_of
from services.incidents.projections.schedules import rosters_beside


@dataclass(frozen=True, slots=True)
class Neighbours:
    """A schedule, and what stands beside it.

    Args:
        roster: The schedule.
        covered: The services that it answers for, in its order.
        beside: The schedules that share a service or a person with it.
        people: Who takes turns in any of them, or was asked for.
    """

    roster: Roster
    covered: tuple[Covered, ...]
    beside: tuple[Roster, ...]
    people: Mapping[str, tuple[Person, Contact]]

    @property
    def sides(self) -> dict[str, Side]:
        """Who is on which side."""
        return {name: person.side for name, (person, _) in self.people.items() if person.active}

    def elsewhere(self, people: AbstractSet[str], start: datetime, until: datetime) -> list[OnCall]:
        """What *people* have by the schedules beside it."""
        rosters = [roster for roster in self.beside if people & roster.people]
        return [
            each
            for roster in rosters
            for each in resolve(roster, start, fitting(roster, start, until))
            if each.person in people and not each.shadow
        ]

    def lacking(self, now: datetime) -> Iterator[Breach]:
        """The services that have not the sides that their phase asks for, in all their schedules together."""
        sides = self.sides
        for each in self.covered:
            there = {
                sides[name]
                for roster in (self.roster, *self.beside)
                if (revision := roster.revision(now)) and each.service in revision.services
                for name in roster.turning(now)
                if name in sides
            }
            yield from lacking(each, there)


def neighbours_of(connection: Connection, roster: Roster, now: datetime, asked: Collection[str] = ()) -> Neighbours:
    """What stands beside *roster*; *asked*: people to look up besides those who take turns *now*."""
    beside = rosters_beside(connection, roster)
    revision = roster.revision(now)
    names = {*asked, *(name for each in (roster, *beside) for name in each.turning(now))}
    covered = covered_of(connection, revision.services if revision and revision.layers else ())
    return Neighbours(roster, tuple(covered), tuple(beside), people_of(connection, names))
