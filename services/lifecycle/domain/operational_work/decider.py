"""The rules of recorded work: every pair of state and command has one line below."""

from dataclasses import dataclass, replace

from services.lifecycle.domain.errors import RecordedOtherwiseError, UnknownError
from services.lifecycle.domain.operational_work.commands import Command, Record, Withdraw
from services.lifecycle.domain.operational_work.events import Event, WorkRecorded, WorkWithdrawn


@dataclass(frozen=True, slots=True)
class Counted:
    """Work that was recorded; it counts unless it was withdrawn."""

    what: WorkRecorded
    withdrawn: WorkWithdrawn | None = None


Work = Counted | None  # None: no such work


def decide(command: Command, state: Work) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        RecordedOtherwiseError: The id stands for other work, or for what was withdrawn.
        UnknownError: There is no such work.
    """
    match state, command:
        case None, Record(what):
            return (what,)
        case None, Withdraw():
            raise UnknownError("work", command.work)
        case Counted(before, withdrawn), Record(what):
            if withdrawn or replace(what, by=before.by, at=before.at) != before:
                raise RecordedOtherwiseError("work", what.work)
            return ()
        case Counted(withdrawn=WorkWithdrawn()), Withdraw():
            return ()
        case Counted(before), Withdraw():
            return (
                WorkWithdrawn(work=before.work, team=before.team, reason=command.reason, by=command.by, at=command.at),
            )


def evolve(state: Work, event: Event) -> Work:
    """The work after one more fact."""
    match event:
        case WorkRecorded():
            return Counted(event)
        case WorkWithdrawn():
            return state and replace(state, withdrawn=event)
