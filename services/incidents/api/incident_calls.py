"""How a command of an incident is carried out and answered, whichever route asks for it."""

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

from starlette.responses import Response

from libs.events.errors import ConflictError
from libs.events.handler import Loaded, Outcome, Step
from libs.web.calls import Call
from services.incidents.api.incident_schemas import incident_answer
from services.incidents.contract import INCIDENT
from services.incidents.domain.incident.commands import Acknowledge, Command, Stages
from services.incidents.domain.incident.state import Incident
from services.incidents.effects import find_incident, incident_effects
from services.incidents.paging.waking import reassuring

_TRIES = 8  # who keeps losing that often is told to try again
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


async def carry_on_what_is_known(
    call: Call,
    reference: str,
    asked: Callable[[Loaded[Incident]], tuple[Command, Sequence[Step[Any, Any, Any]]]],
    *,
    body: Body = whole,
) -> Response:
    """Carry out what *asked* makes of the incident as it is; again if another was first and there is no `If-Match`."""
    incident = await find_incident(call.resources.store, reference)
    handler = call.resources.handler
    async with AsyncExitStack() as turn:
        for attempt in range(_TRIES):
            loaded = await handler.load(INCIDENT, incident)
            command, also = asked(loaded)
            try:
                return await carry(call.pinned(loaded), incident, command, body=body, also=also)
            except ConflictError:
                if call.if_match is not None or attempt == _TRIES - 1:
                    raise
            if not attempt:
                await turn.enter_async_context(handler.turn(loaded.stream))
    raise AssertionError  # pragma: no cover  the last try returns or raises
