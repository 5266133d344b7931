"""The rules of a service's paging: whatever is named last counts."""

from dataclasses import dataclass

from services.incidents.domain.service_paging.commands import Command
from services.incidents.domain.service_paging.events import Event, PoliciesNamed


@dataclass(frozen=True, slots=True)
class Named:
    """The policy of each side; empty: its team's default."""

    dev: str = ""
    sre: str = ""


ServicePaging = Named


def decide(command: Command, state: ServicePaging) -> tuple[Event, ...]:
    """The facts *command* produces; none if they are so already."""
    if state == Named(command.dev, command.sre):
        return ()
    return (
        PoliciesNamed(
            service=command.service,
            dev=command.dev,
            sre=command.sre,
            before=tuple(name for name in (state.dev, state.sre) if name),
            by=command.by,
            reason=command.reason,
            at=command.at,
        ),
    )


def evolve(_: ServicePaging, event: Event) -> ServicePaging:
    """The state after one more fact."""
    return Named(event.dev, event.sre)
