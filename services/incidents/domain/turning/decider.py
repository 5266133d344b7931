"""A turn is told once."""

from services.incidents.domain.turning.commands import Turned
from services.incidents.domain.turning.events import ScheduleTurned

Turning = ScheduleTurned | None  # None: nothing was told this month


def decide(command: Turned, state: Turning) -> tuple[ScheduleTurned, ...]:
    """What is new."""
    now = command.now
    if state is not None and (state.services, state.on_call) == (now.services, now.on_call):
        return ()
    return (now,)


def evolve(_: Turning, event: ScheduleTurned) -> Turning:
    """The last word counts."""
    return event
