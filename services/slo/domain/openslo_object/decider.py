"""An object's rules: every pair of state and command has one line below."""

from dataclasses import dataclass
from datetime import datetime

from services.slo.domain.errors import NoSuchObjectError
from services.slo.domain.openslo_object.commands import Command, Remove, Store
from services.slo.domain.openslo_object.events import Event, ObjectRemoved, ObjectStored


@dataclass(frozen=True, slots=True)
class Stored:
    """What is kept, and since when."""

    last: ObjectStored


@dataclass(frozen=True, slots=True)
class Removed:
    """What was kept until somebody removed it."""

    last: ObjectStored
    reason: str
    at: datetime


Object = Stored | Removed | None  # None: nothing was ever stored


def decide(command: Command, state: Object) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        NoSuchObjectError: There is nothing to remove.
    """
    match state, command:
        case None, Remove(kind, name):
            raise NoSuchObjectError(kind, name)
        case Removed(), Remove():
            return ()
        case Stored(), Remove(kind, name, reason, at):
            return (ObjectRemoved(kind, name, reason, at),)
        case Stored(last), Store(document=document, uses=uses) if (document, uses) == (last.document, last.uses):
            return ()
        case None | Stored() | Removed(), Store(kind, name, document, uses, at):
            revision = 1 + (state.last.revision if state else 0)
            return (ObjectStored(kind, name, revision, document, uses, at),)


def evolve(state: Object, event: Event) -> Object:
    """The state after one more fact."""
    match state, event:
        case _, ObjectStored():
            return Stored(event)
        case Stored(last), ObjectRemoved(reason=reason, at=at):
            return Removed(last, reason, at)
        case _, ObjectRemoved():
            return state
