"""The rules of a kept document: it says what came in last."""

from dataclasses import replace

from services.lifecycle.domain.catalog_entity.commands import Command
from services.lifecycle.domain.catalog_entity.events import EntityImported, Event

Entity = EntityImported | None  # None: never seen


def decide(command: Command, state: Entity) -> tuple[Event, ...]:
    """The facts *command* produces; none if the content is the same."""
    what = command.what
    return () if state and replace(state, by=what.by, at=what.at) == what else (what,)


def evolve(_: Entity, event: Event) -> Entity:
    """The document after one more fact."""
    return event
