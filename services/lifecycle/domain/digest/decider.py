"""A digest's rules: one of a team and a week, and none when nothing waits, unless the policy wants that told too."""

from services.lifecycle.domain.digest.commands import Command
from services.lifecycle.domain.digest.events import DigestCompiled, Event
from services.lifecycle.domain.digest.text import compiled

Digest = DigestCompiled | None  # None: nothing was told


def decide(command: Command, state: Digest) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out, or there is nothing to tell."""
    empty = not command.items and not command.policy.digest.send_empty.value
    return () if state is not None or empty else (compiled(command),)


def evolve(state: Digest, event: Event) -> Digest:  # noqa: ARG001  a decider's evolve has this shape
    """The digest after one more fact."""
    return event
