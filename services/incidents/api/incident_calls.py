"""How a command of an incident is carried out and answered, whichever route asks for it."""

from collections.abc import Callable, Sequence
from typing import Any

from starlette.responses import Response

from libs.events.handler import Outcome, Step
from libs.web.calls import Call
from services.incidents.api.incident_schemas import incident_answer
from services.incidents.contract import INCIDENT
from services.incidents.domain.incident.commands import Acknowledge, Command, Stages
from services.incidents.domain.incident.state import Incident
from services.incidents.effects import find_incident, incident_effects
from services.incidents.paging.waking import reassuring

Body = Callable[[Outcome[Incident]], object]


def whole(outcome: Outcome[Incident]) -> object:
    """The incident as it is then."""
    return incident_answer(outcome.state)


async def carry(  # noqa: PLR0913  each is a part of one request
    call: Call,
    reference: str,
    command: Command,
    *,
    status: int = 200,
    location: str | None = None,
    body: Body = whole,
    also: Sequence[Step[Any, Any, Any]] = (),
) -> Response:
    """Carry out *command* on the incident that *reference* names; who takes it on is called for it no more."""
    incident = await find_incident(call.resources.store, reference)
    if isinstance(command, Acknowledge | Stages):
        also = (*also, reassuring(incident, command))
    return await call.handle(
        INCIDENT,
        incident,
        command,
        body=body,
        status=status,
        location=location,
        effects=incident_effects,
        also=also,
    )
