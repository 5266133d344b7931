"""A team's rules. How it may be set up is in `structure.py`; that it may begin, change and end is here."""

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from services.lifecycle.domain.errors import NameTakenError, UnknownError
from services.lifecycle.domain.team.commands import (
    Absorb,
    Change,
    Command,
    Dissolve,
    Enrol,
    Merge,
    Register,
    Review,
    SayMissed,
    Shard,
    TakeOn,
)
from services.lifecycle.domain.team.dates import Due, dues
from services.lifecycle.domain.team.errors import MergeError, StructureError, TeamEndedError, TeamNeededError
from services.lifecycle.domain.team.events import (
    DutyOverdue,
    Event,
    StructureReviewed,
    StructureReviewOverdue,
    TeamAbsorbed,
    TeamChanged,
    TeamDissolved,
    TeamMerged,
    TeamRegistered,
    TeamSharded,
)
from services.lifecycle.domain.team.kinds import TeamKind
from services.lifecycle.domain.team.structure import UNSAID, Structure, faults, joined


@dataclass(frozen=True, slots=True)
class Registered:
    """A team that is known.

    Args:
        team: Its name.
        kind: What kind of team it is.
        display_name: What people call it.
        registered_at: Since when it is known.
        structure: How it is set up.
        reviewed: When people last looked at that, if they did.
        shard_of: The team it was a part of, or empty.
        said: What was said to be overdue: duties by name, the look at the structure by an empty one; and their days.
    """

    team: str
    kind: TeamKind
    display_name: str
    registered_at: datetime
    structure: Structure = UNSAID
    reviewed: StructureReviewed | None = None
    shard_of: str = ""
    said: frozenset[tuple[str, date]] = frozenset()

    def unsaid(self, every: timedelta) -> list[Due]:
        """What is due by a day, and was not said to be overdue."""
        looked_at = self.reviewed.at if self.reviewed else self.registered_at
        return [due for due in dues(self.structure, looked_at, every) if (due.duty, due.by) not in self.said]


@dataclass(frozen=True, slots=True)
class Ended:
    """A team that was, and by what it ended."""

    was: Registered
    end: TeamMerged | TeamDissolved

    @property
    def into(self) -> str:
        """The team that it is a part of now, or empty."""
        return self.end.into if isinstance(self.end, TeamMerged) else ""


Team = Registered | Ended | None  # None: no such team


def decide(command: Command, state: Team) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        LifecycleError: It is refused (`errors.py` here and one above).
    """
    match state, command:
        case None, Register():
            return (_registered(command),)
        case None, _:
            raise UnknownError("team", command.team)
        case Registered() | Ended(), Register():
            raise NameTakenError("team", command.team)
        case Ended(end=TeamMerged(into=into)), Merge() if command.into == into:
            return ()
        case Ended(end=TeamDissolved()), Dissolve():
            return ()
        case Ended(), _:
            raise TeamEndedError(command.team, state.into)
        case Registered(), TakeOn():
            return ()
        case Registered(), SayMissed():
            return tuple(_said(due, command) for due in state.unsaid(command.every) if due.missed(command.at))
        case Registered(), _:
            return _done(command, state)


def _done(command: Change | Enrol | Shard | Merge | Absorb | Dissolve | Review, team: Registered) -> tuple[Event, ...]:  # noqa: PLR0911  a table
    """What *command* does to a team that lives."""
    match command:
        case Change():
            return _changed(command, team)
        case Enrol():
            members = tuple(dict.fromkeys((*team.structure.members, *command.members)))
            added = None if members == team.structure.members else replace(team.structure, members=members)
            name = command.display_name or team.display_name
            return _changed(Change(team.team, name, command.at, added, by=command.by), team)
        case Shard():
            _possible(command.structure, team.kind, command.least_at_site)
            return (
                TeamSharded(
                    team=team.team,
                    into=command.into,
                    services=command.services,
                    structure=command.structure,
                    reason=command.reason,
                    by=command.by,
                    at=command.at,
                ),
            )
        case Merge():
            if command.into == team.team:
                message = f"{team.team!r} cannot become a part of itself; name another team"
                raise MergeError(message)
            return (
                TeamMerged(
                    team=team.team,
                    into=command.into,
                    services=command.services,
                    reason=command.reason,
                    by=command.by,
                    at=command.at,
                ),
            )
        case Absorb():
            return (_absorbed(command, team),)
        case Dissolve():
            if command.needed_by:
                raise TeamNeededError(team.team, command.needed_by)
            return (
                TeamDissolved(
                    team=team.team,
                    services=command.services,
                    reason=command.reason,
                    by=command.by,
                    at=command.at,
                    successor=command.successor,
                ),
            )
        case Review():
            return (
                StructureReviewed(
                    team=team.team, outcome=command.outcome, notes=command.notes, by=command.by, at=command.at
                ),
            )


def evolve(state: Team, event: Event) -> Team:  # noqa: PLR0911  a table
    """The team after one more fact."""
    match state, event:
        case _, TeamRegistered(team, kind, display_name, at, structure, shard_of):
            return Registered(team, kind, display_name, at, structure, shard_of=shard_of)
        case Registered(), TeamChanged():
            structure = state.structure if event.structure is None else event.structure
            return replace(state, display_name=event.display_name, structure=structure)
        case Registered(), TeamSharded() | TeamAbsorbed():
            return replace(state, structure=event.structure)
        case Registered(), StructureReviewed():
            return replace(state, reviewed=event)
        case Registered(), TeamMerged() | TeamDissolved():
            return Ended(state, event)
        case Registered(), DutyOverdue():
            return replace(state, said=state.said | {(event.duty, event.due)})
        case Registered(), StructureReviewOverdue():
            return replace(state, said=state.said | {("", event.due)})
        case _:
            return state


def _said(due: Due, command: SayMissed) -> DutyOverdue | StructureReviewOverdue:
    if not due.duty:
        return StructureReviewOverdue(team=command.team, due=due.by, at=command.at)
    return DutyOverdue(team=command.team, duty=due.duty, holder=due.holder, due=due.by, at=command.at)


def _registered(command: Register) -> TeamRegistered:
    _possible(command.structure, command.kind, command.least_at_site)
    return TeamRegistered(
        command.team,
        command.kind,
        command.display_name,
        command.at,
        command.structure,
        command.shard_of,
        command.by,
    )


def _changed(command: Change, team: Registered) -> tuple[Event, ...]:
    structure = team.structure if command.structure is None else command.structure
    if structure != team.structure:
        _possible(structure, team.kind, command.least_at_site)
    elif command.display_name == team.display_name:
        return ()
    return (TeamChanged(team.team, command.display_name, command.at, command.structure, command.by),)


def _absorbed(command: Absorb, team: Registered) -> TeamAbsorbed:
    if command.kind != team.kind:
        detail = (
            f"{command.absorbed!r} is a {command.kind} team and {team.team!r} is a {team.kind} team; merge teams of"
            " one kind, or dissolve one"
        )
        raise MergeError(detail)
    structure = joined(team.structure, command.structure)
    _possible(structure, team.kind, command.least_at_site)
    return TeamAbsorbed(
        team=team.team,
        absorbed=command.absorbed,
        structure=structure,
        reason=command.reason,
        by=command.by,
        at=command.at,
    )


def _possible(structure: Structure, kind: TeamKind, least_at_site: int) -> None:
    found = faults(structure, kind, least_at_site)
    if found:
        raise StructureError(found)
