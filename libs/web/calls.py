"""One HTTP command from header to answer, so that a route is: parse, one call, answer."""

import re
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from functools import wraps
from hashlib import sha256
from typing import Annotated, Any, ParamSpec, TypeVar

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from libs.events.codec import encode
from libs.events.decider import Decider
from libs.events.envelope import Context, Metadata
from libs.events.errors import ConflictError
from libs.events.handler import NO_EFFECTS, TRIES, Effects, Loaded, Outcome, Step
from libs.events.resources import Resources
from libs.events.store import Answer, AppendRequest, IdempotencyKey, StoredAnswer
from libs.web.auth import principal as principal_of
from libs.web.consistency import HEADER as CONSISTENCY_TOKEN
from libs.web.consistency import write_token
from libs.web.etag import expected_version, strong
from libs.web.internal_auth import Principal
from libs.web.metrics import COMMAND_SECONDS
from libs.web.middleware import sent_header
from libs.web.problems import Place, Problem

C = TypeVar("C")
S = TypeVar("S")
E = TypeVar("E")
P = ParamSpec("P")

_KEY = re.compile(r'"([\x21\x23-\x7e ]{1,255})"|([\x21\x23-\x7e]{1,255})')
# Kept with the answer for its repetition, never sent: the stream, and how far behind the request's last event its
# last published one stands.
_STREAM, _TAIL = ":stream", ":tail"


@dataclass(frozen=True, slots=True)
class Call:
    """A request that wants something done, as a route receives it (`CallDep`).

    Args:
        resources: The service's adapters.
        principal: Who asks.
        context: When, who, which request; goes into the events.
        if_match: The version from `If-Match`, if sent.
        idempotency: The `Idempotency-Key` with route and payload hash, if sent; no answer is kept under it yet.
    """

    resources: Resources
    principal: Principal
    context: Context
    if_match: int | None = None
    idempotency: IdempotencyKey | None = None

    def pinned(self, loaded: Loaded[Any]) -> "Call":
        """Bound to the version that was read: what is worked out from it cannot be outdated when it is stored.

        A route that does so is `retried_on_conflict`.
        """
        return self if self.if_match is not None else replace(self, if_match=loaded.version)

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
            also: What is asked of other aggregates, stored together with it or not at all.

        Raises:
            Exception: Domain and store errors; the app turns them into problems.
        """

        def answer(outcome: Outcome[S]) -> Answer:
            headers = {"ETag": strong(outcome.version)} | ({"Location": location} if location else {})
            internal = {_STREAM: outcome.stream} | ({} if outcome.tail is None else {_TAIL: str(outcome.tail)})
            return Answer(status, encode(body(outcome)), headers | internal)

        started = time.perf_counter()
        outcome = await self.resources.handler.handle(
            decider,
            key,
            command,
            self.context,
            expected=self.if_match,
            effects=effects,
            also=also,
            idempotency=self.idempotency,
            answer=answer,
        )
        # A command that was carried out before still shows the caller all of it: the log's head covers it.
        position = outcome.position or await self.resources.store.head()
        return self._done(StoredAnswer(answer(outcome), position), started)

    async def run(self, work: Callable[[], Awaitable[Answer]]) -> Response:
        """Carry out *work* and answer what it returns, once per `Idempotency-Key`.

        For what is not one command on one aggregate, such as publishing measurements. The answer is kept after
        the work, in a transaction of its own, so *work* must be safe to repeat.
        """
        started = time.perf_counter()
        answer = await work()
        if self.idempotency is None:
            return self._done(StoredAnswer(answer, 0), started)
        appended = await self.resources.store.append(AppendRequest(idempotency=self.idempotency, answer=answer))
        return self._done(StoredAnswer(answer, appended.position), started)

    def replay(self, kept: StoredAnswer) -> Response:
        """The answer that an earlier request with the same `Idempotency-Key` got."""
        return self._respond(kept, {"Idempotency-Replayed": "true"})

    def _done(self, done: StoredAnswer, started: float) -> Response:
        COMMAND_SECONDS.labels(self.resources.service).observe(time.perf_counter() - started)
        return self._respond(done, {})

    def _respond(self, done: StoredAnswer, more: Mapping[str, str]) -> Response:
        kept = done.answer.headers
        headers = {name: value for name, value in kept.items() if not name.startswith(":")} | dict(more)
        if _STREAM in kept:
            published = done.position - int(kept[_TAIL]) if _TAIL in kept else 0
            headers[CONSISTENCY_TOKEN] = write_token(self.resources, kept[_STREAM], done.position, published)
        return Response(done.answer.body, done.answer.status, headers, "application/json")


class AnsweredBeforeError(Exception):
    """The request repeats one that was answered: *answer* is what it gets, and nothing else is done."""

    def __init__(self, answer: Response) -> None:
        super().__init__("answered before")
        self.answer = answer


async def call(request: Request) -> AsyncGenerator[Call]:
    """What *request* wants done, by whom, under which conditions; it ends here if it was answered before.

    So a route may find out a lot, or refuse, before it has a command to handle. Whatever it refuses may be tried again
    under the same `Idempotency-Key`.

    Raises:
        Problem: A header cannot be read.
        AnsweredBeforeError: It is a repetition.
    """
    state = request.scope["state"]
    resources: Resources = request.app.state.resources
    principal = principal_of(request)
    request_id: str = state["request_id"]
    metadata = Metadata(
        actor=principal.name,
        auth_method=principal.auth_method,
        client=principal.client,
        request_id=request_id,
        correlation_id=request_id,
        traceparent=state["trace"].traceparent,
    )
    idempotency = await _idempotency(request, principal, sent_header(request, b"idempotency-key"))
    made = Call(
        resources,
        principal,
        Context.of_request(resources.clock.now(), metadata),
        expected_version(sent_header(request, b"if-match")),
        idempotency,
    )
    if idempotency is None:
        yield made
        return
    kept = await resources.store.begin(idempotency, made.context.at)
    if kept is not None:
        raise AnsweredBeforeError(made.replay(kept))
    try:
        yield made
    except Exception:
        await resources.store.abandon(idempotency)
        raise


CallDep = Annotated[Call, Depends(call)]


def retried_on_conflict(route: Callable[P, Awaitable[Response]]) -> Callable[P, Awaitable[Response]]:
    """A route whose command is worked out from what it loads (`Call.pinned`): it begins anew when another was first.

    With `If-Match` it does not: then the caller wants to know.
    """

    @wraps(route)
    async def tried(*values: P.args, **named: P.kwargs) -> Response:
        wanted = next(each for each in (*values, *named.values()) if isinstance(each, Call))
        async with AsyncExitStack() as turn:
            for attempt in range(TRIES):
                try:
                    return await route(*values, **named)
                except ConflictError as conflict:
                    if wanted.if_match is not None or attempt == TRIES - 1:
                        raise
                    if not attempt:
                        await turn.enter_async_context(wanted.resources.handler.turn(conflict.stream))
        raise AssertionError  # pragma: no cover  the last try returns or raises

    return tried


async def _idempotency(request: Request, principal: Principal, sent: str | None) -> IdempotencyKey | None:
    if sent is None:
        return None
    key = _KEY.fullmatch(sent.strip())
    if key is None:
        detail = "send 1 to 255 visible ASCII characters, bare or in double quotes, such as a UUID"
        place = Place(detail, "Idempotency-Key")
        raise Problem(400, "invalid-idempotency-key", "The Idempotency-Key cannot be read", detail, [place])
    payload = sha256(await request.body()).hexdigest()
    return IdempotencyKey(principal.name, f"{request.method} {request.url.path}", key[1] or key[2], payload)
