"""Who has which role for a service: what the teams that answer for it say of themselves."""

from collections.abc import Collection
from typing import Protocol

from sqlalchemy import Connection

from services.lifecycle.domain.people import ANYBODY, Approvers
from services.lifecycle.domain.policy import Roles
from services.lifecycle.projections.teams import TeamFacts, team_of


class People(Protocol):
    """A team as far as people are concerned."""

    @property
    def members(self) -> tuple[str, ...]:
        """Who belongs to it."""
        ...

    @property
    def leads(self) -> tuple[str, ...]:
        """Who leads it."""
        ...


def approvers_of(connection: Connection, roles: Roles | None, owner_team: str, sre_team: str) -> Approvers:
    """Who has one of *roles* for a service of these teams.

    Where no team names a lead, its members stand in; where none names anybody, whoever may write may approve.
    """
    if roles is None:
        return ANYBODY
    return named(roles, _team(connection, owner_team), _team(connection, sre_team))


def named(roles: Roles, owner: People | None, sre: People | None) -> Approvers:
    """Who has one of *roles*, by what both teams say of themselves."""
    if "anyone" in roles.roles:
        return ANYBODY
    teams = {"owner": owner, "sre": sre}
    wanted = [role.partition("_") for role in roles.roles]
    people = {person for side, _, rank in wanted for person in _named(teams[side], rank)} or {
        person for side, _, _ in wanted for person in _named(teams[side], "member")
    }
    return Approvers(frozenset(people), roles.roles)


def _team(connection: Connection, name: str) -> TeamFacts | None:
    return team_of(connection, name) if name else None


def _named(team: People | None, rank: str) -> Collection[str]:
    if team is None:
        return ()
    return team.leads if rank == "lead" else (*team.members, *team.leads)
