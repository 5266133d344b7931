"""The rules of what a service relies on."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from services.lifecycle.domain.dependencies.commands import Command, Confirm, Declare, Remove
from services.lifecycle.domain.dependencies.errors import DependencyCycleError
from services.lifecycle.domain.dependencies.events import (
    DependenciesConfirmed,
    DependencyDeclared,
    DependencyRemoved,
    Event,
)
from services.lifecycle.domain.errors import UnknownError


@dataclass(frozen=True, slots=True)
class Dependencies:
    """What a service relies on, by name; and when somebody said last that this is all, if nothing changed since."""

    on: Mapping[str, DependencyDeclared] = field(default_factory=dict[str, DependencyDeclared])
    confirmed: DependenciesConfirmed | None = None


NOTHING_LISTED = Dependencies()


def decide(command: Command, state: Dependencies) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        DependencyCycleError: Services would each fail without the next, in a circle.
        UnknownError: What is removed is not listed.
    """
    match command:
        case Declare():
            return _declared(command, state)
        case Remove() if command.on not in state.on:
            raise UnknownError("dependency", f"{command.service} -> {command.on}")
        case Remove():
            return (
                DependencyRemoved(
                    service=command.service, on=command.on, reason=command.reason, by=command.by, at=command.at
                ),
            )
        case Confirm():
            listed = tuple(sorted(state.on))
            return (DependenciesConfirmed(service=command.service, dependencies=listed, by=command.by, at=command.at),)


def evolve(state: Dependencies, event: Event) -> Dependencies:
    """What the service relies on after one more fact."""
    match event:
        case DependencyDeclared():
            return Dependencies({**state.on, event.on: event})
        case DependencyRemoved():
            return Dependencies({name: found for name, found in state.on.items() if name != event.on})
        case DependenciesConfirmed():
            return replace(state, confirmed=event)


def _declared(command: Declare, state: Dependencies) -> tuple[Event, ...]:
    if command.on == command.service:
        raise DependencyCycleError((command.service, command.service))
    if command.criticality == "hard" and command.way_back:
        raise DependencyCycleError((command.service, *command.way_back))
    after = DependencyDeclared(
        service=command.service,
        on=command.on,
        criticality=command.criticality,
        slo=command.slo,
        failure_behaviour=command.failure_behaviour,
        by=command.by,
        at=command.at,
    )
    before = state.on.get(command.on)
    return () if before and replace(before, by=after.by, at=after.at) == after else (after,)
