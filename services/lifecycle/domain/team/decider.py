"""A team's rules: every pair of state and command has one line below."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.lifecycle.domain.errors import NameTakenError, UnknownError
from services.lifecycle.domain.team.commands import Change, Command, Register
from services.lifecycle.domain.team.events import Event, TeamChanged, TeamKind, TeamRegistered


@dataclass(frozen=True, slots=True)
class Registered:
    """A team that is known."""

    team: str
    kind: TeamKind
    display_name: str
    registered_at: datetime


Team = Registered | None  # None: no such team


def decide(command: Command, state: Team) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        NameTakenError: The name belongs to a team already.
        UnknownError: There is no such team.
    """
    match state, command:
        case None, Register(team, kind, display_name, at):
            return (TeamRegistered(team, kind, display_name, at),)
        case None, Change():
            raise UnknownError("team", command.team)
        case Registered(), Register():
            raise NameTakenError("team", command.team)
        case Registered(), Change(team, display_name, at):
            return (TeamChanged(team, display_name, at),) if display_name != state.display_name else ()


def evolve(state: Team, event: Event) -> Team:
    """The team after one more fact."""
    match event:
        case TeamRegistered(team, kind, display_name, at):
            return Registered(team, kind, display_name, at)
        case TeamChanged(display_name=display_name):
            return replace(state, display_name=display_name) if state else None
