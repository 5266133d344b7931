"""One HTTP command from header to answer, so that a route is: parse, one call, answer."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from starlette.responses import Response

from libs.events.codec import encode
from libs.events.decider import Decider
from libs.events.envelope import Context
from libs.events.handler import NO_EFFECTS, Effects, Outcome, Step
from libs.events.resources import Resources
from libs.events.store import Answer, IdempotencyKey
from libs.web.consistency import write_token
from libs.web.internal_auth import Principal

C = TypeVar("C")
S = TypeVar("S")
E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Call:
    """A request that wants something done, as a route receives it (`Depends(call)`).

    Args:
        resources: The service's adapters.
        principal: Who asks.
        context: When, who, which request; goes into the events.
        if_match: The version from `If-Match`, if sent.
        idempotency: The `Idempotency-Key` with route and payload hash, if sent.
    """

    resources: Resources
    principal: Principal
    context: Context
    if_match: int | None = None
    idempotency: IdempotencyKey | None = None

    async def handle(  # noqa: PLR0913  each is a part of one request
        self,
        decider: Decider[C, S, E],
        key: str,
        command: C,
        *,
        body: Callable[[Outcome[S]], object],
        status: int = 200,
        location: str | None = None,
        effects: Callable[[S, tuple[E, ...]], Effects] | Effects = NO_EFFECTS,
        also: Sequence[Step[Any, Any, Any]] = (),
    ) -> Response:
        """Carry out *command* on the aggregate *key* and answer.

        Args:
            decider: The aggregate's rules.
            key: The aggregate's key.
            command: What is asked.
            body: Makes the answer's JSON from the state afterwards; must not use positions.
            status: On success.
            location: For 201.
            effects: Reservations and timers of the same transaction.
            also: What is asked of other aggregates; all of it is stored, or none.

        Raises:
            Exception: Domain and store errors; the app turns them into problems.
        """

        def answer(outcome: Outcome[S]) -> Answer:
            headers = {"ETag": f'"{outcome.version}"'} | ({"Location": location} if location else {})
            return Answer(status, encode(body(outcome)), headers)

        store, idempotency = self.resources.store, self.idempotency
        if idempotency is not None:
            kept = await store.begin(idempotency, self.context.at)
            if kept is not None:
                return respond(kept.answer, replayed=True)
        try:
            outcome = await self.resources.handler.handle(
                decider,
                key,
                command,
                self.context,
                expected=self.if_match,
                effects=effects,
                also=also,
                idempotency=idempotency,
                answer=answer,
            )
        except Exception:
            if idempotency is not None:
                await store.abandon(idempotency)
            raise
        token = write_token(self.resources, outcome)
        return respond(answer(outcome), token=token)


def respond(answer: Answer, *, token: str | None = None, replayed: bool = False) -> Response:
    """*answer* as an HTTP response."""
    headers: dict[str, Any] = dict(answer.headers)
    if token:
        headers["Consistency-Token"] = token
    if replayed:
        headers["Idempotency-Replayed"] = "true"
    return Response(answer.body, answer.status, headers, "application/json")
