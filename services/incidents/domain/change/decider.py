"""A change's only rule: it is told once."""

from services.incidents.domain.change.commands import Command
from services.incidents.domain.change.events import ChangeReported, Event

Change = ChangeReported | None  # None: nothing told


def decide(command: Command, state: Change) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out."""
    if state is not None:
        return ()
    it = command
    return (ChangeReported(it.change, it.integration, it.service, it.summary, it.at, it.details),)


def evolve(_: Change, event: Event) -> Change:
    """The state after one more fact."""
    return event
