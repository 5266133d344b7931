"""Sending a request on: what is tried again, what is not, and what the caller hears then."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from libs.web.problems import Problem
from services.gateway.api.forwarding import back, forward, onward
from services.gateway.clients import AsgiOwner, OwnerAnswer, OwnerRequest, OwnerUnavailableError

DONE = OwnerAnswer(200, (), b"done")
GET = OwnerRequest("GET", "/v1/teams")
POST = OwnerRequest("POST", "/v1/teams", body=b"{}")
KEYED = OwnerRequest("POST", "/v1/teams", ((b"idempotency-key", b"mine"),), b"{}")

Reply = OwnerAnswer | OwnerUnavailableError | Callable[[], Awaitable[OwnerAnswer]]
REFUSED = OwnerUnavailableError("connection refused", reached=False)
CUT = OwnerUnavailableError("connection lost", reached=True)


class ScriptedOwner:
    """An owner that replies what it was told, one reply per request, and remembers the requests."""

    def __init__(self, *replies: Reply) -> None:
        self.replies = list(replies)
        self.seen: list[OwnerRequest] = []

    async def there(self) -> None:
        pass

    async def send(self, request: OwnerRequest) -> OwnerAnswer:
        self.seen.append(request)
        reply = self.replies.pop(0)
        if isinstance(reply, OwnerAnswer):
            return reply
        if isinstance(reply, OwnerUnavailableError):
            raise reply
        return await reply()

    @property
    def keys(self) -> list[bytes]:
        return [value for request in self.seen for name, value in request.headers if name == b"idempotency-key"]


async def send(owner: ScriptedOwner, request: OwnerRequest, timeout_s: float = 5) -> OwnerAnswer:
    return await forward(owner, request, name="lifecycle", timeout_s=timeout_s)


async def test_an_owner_that_is_still_being_made_has_its_time_from_then_on() -> None:
    made = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await made.wait()
        await Response()(scope, receive, send)

    asking = asyncio.create_task(forward(AsgiOwner(app, made.wait), GET, name="lifecycle", timeout_s=0))
    for _ in range(5):
        await asyncio.sleep(0)
    made.set()
    assert (await asking).status == 200


async def test_a_read_is_sent_as_it_came() -> None:
    owner = ScriptedOwner(DONE)
    assert await send(owner, GET) == DONE
    assert owner.seen == [GET]


@pytest.mark.parametrize("trouble", [REFUSED, CUT])
@pytest.mark.parametrize("request_", [GET, KEYED])
async def test_what_is_safe_to_repeat_is_sent_once_more(request_: OwnerRequest, trouble: OwnerUnavailableError) -> None:
    owner = ScriptedOwner(trouble, DONE)
    assert await send(owner, request_) == DONE
    assert owner.seen == [request_, request_]


async def test_a_write_that_never_arrived_is_sent_once_more_under_a_key_of_the_gateways() -> None:
    owner = ScriptedOwner(REFUSED, DONE)
    assert await send(owner, POST) == DONE
    assert owner.seen[0] == POST
    (key,) = owner.keys
    assert key.startswith(b"gateway-")


async def test_a_write_without_a_key_that_may_have_arrived_is_never_repeated() -> None:
    owner = ScriptedOwner(CUT, DONE)
    with pytest.raises(Problem) as refusal:
        await send(owner, POST)
    assert refusal.value.status == 503
    assert "may have carried out" in refusal.value.detail
    assert owner.seen == [POST]


async def test_the_callers_own_key_is_left_alone() -> None:
    owner = ScriptedOwner(DONE)
    await send(owner, KEYED)
    assert owner.keys == [b"mine"]


async def test_an_owner_that_stays_away_is_a_503_that_says_when_to_come_back() -> None:
    owner = ScriptedOwner(REFUSED, REFUSED)
    with pytest.raises(Problem) as refusal:
        await send(owner, POST)
    assert (refusal.value.status, refusal.value.code) == (503, "owner-unavailable")
    assert refusal.value.headers["Retry-After"] == "1"
    assert "may have" not in refusal.value.detail


async def test_an_owner_that_may_have_acted_is_a_503_that_says_so() -> None:
    with pytest.raises(Problem) as refusal:
        await send(ScriptedOwner(CUT, REFUSED), KEYED)
    assert "may have carried out" in refusal.value.detail


async def test_a_refusal_of_the_owner_is_no_reason_to_try_again() -> None:
    busy = OwnerAnswer(503, (), b"{}")
    owner = ScriptedOwner(busy)
    assert await send(owner, GET) == busy


async def test_a_first_try_that_still_runs_under_the_callers_key_is_told_as_it_is() -> None:
    in_flight = OwnerAnswer(409, (), b'{"code":"request-in-flight"}')
    assert await send(ScriptedOwner(CUT, in_flight), KEYED) == in_flight


async def test_an_owner_that_takes_too_long_is_a_504_and_not_tried_again() -> None:
    async def never() -> OwnerAnswer:
        await asyncio.Event().wait()
        return DONE

    owner = ScriptedOwner(never, DONE)
    with pytest.raises(Problem) as refusal:
        await send(owner, POST, timeout_s=0.01)
    assert (refusal.value.status, refusal.value.code) == (504, "owner-timeout")
    assert len(owner.seen) == 1


def test_what_belongs_to_one_hop_or_to_the_gateway_does_not_go_on() -> None:
    came = [
        (b"host", b"gateway"),
        (b"connection", b"close, X-Mine"),
        (b"x-mine", b"1"),
        (b"te", b"trailers"),
        (b"transfer-encoding", b"chunked"),
        (b"x-api-key", b"cc_secret"),
        (b"authorization", b"Bearer forged"),
        (b"cookie", b"a=b"),
        (b"if-match", b'"3"'),
        (b"x-request-id", b"theirs"),
    ]
    own = (b"x-request-id", b"ours")
    assert onward(came, own) == ((b"if-match", b'"3"'), own)


def test_what_belongs_to_one_hop_does_not_come_back() -> None:
    answered = ((b"date", b"today"), (b"connection", b"close"), (b"etag", b'"3"'), (b"link", b"a"), (b"link", b"b"))
    assert back(answered) == [(b"etag", b'"3"'), (b"link", b"a"), (b"link", b"b")]
