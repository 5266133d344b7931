"""Verbs that all work alike: `POST .../{id}:verb` with a reason, answered with the thing as it is then."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.problems import responses
from services.incidents.api.schemas import Why
from services.incidents.domain.asked import Asked

Id = Annotated[str, Path(alias="id", min_length=1, max_length=64)]
Carry = Callable[[Call, str, Any], Awaitable[Response]]


def add_verbs(
    router: APIRouter, kind: str, commands: Sequence[type[Asked]], carry: Carry, *, answer: type[object]
) -> None:
    """Offer *commands* as verbs.

    Args:
        router: Where; its prefix is that of the things.
        kind: What the things are, such as `incident`.
        commands: They ask who, why and when, and name their `verb`.
        carry: Carries one out, given the call, the thing's reference and the command.
        answer: What it answers.
    """
    for command in commands:
        verb: str = getattr(command, "verb")  # noqa: B009  each of them has one; Asked has none
        router.add_api_route(
            f"/{{id}}:{verb}",
            _endpoint(command, carry),
            methods=["POST"],
            name=f"{verb}_{kind}",
            description=command.__doc__,
            response_model=answer,
            responses=responses(404),
            openapi_extra=needs(f"{kind}s.write"),
        )


def _endpoint(command: type[Asked], carry: Carry) -> Callable[..., Awaitable[Response]]:
    async def endpoint(call: CallDep, reference: Id, body: Why | None = None) -> Response:
        reason = body.reason if body else ""
        return await carry(call, reference, command(by=call.principal.name, reason=reason, at=call.context.at))

    return endpoint
