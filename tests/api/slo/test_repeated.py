"""Whoever repeats a request under its Idempotency-Key gets the first answer, whatever has happened since."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any, NamedTuple

import pytest

from libs.web.internal_auth import Principal, sign
from tests.fixtures.services import KEY, Database, Elsewhere, eventually, memory_is_enough
from tests.fixtures.slo import NAME, NOW, Slo, buckets, document, polled, running_slo

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SLO, POLICIES, POLICY = f"/v1/slos/{NAME}", "/v1/error-budget-policies", "/v1/error-budget-policies/checkout-api"
DOCUMENT: dict[str, Any] = {
    "executive": "cleo",
    "signers": {"development": ["ana"], "sre": ["bo"], "product": ["dan"]},
    "revisit_by": "2027-11-21",
}
ADJUSTMENT: dict[str, Any] = {
    "slos": [NAME],
    "effect": "remove",
    "start": "2026-11-22T02:00:00Z",
    "duration": "PT2H",
    "reason": "the database is maintained",
    "agreed_by": {"development": "ana", "sre": "bo"},
}
ASKS_ONLY = {"/v1/openslo:validate", "/v1/prometheus-rules:generate", "/v1/slos/{slo}:what-if"}


class Sent(NamedTuple):
    """A request, and how it was answered."""

    route: str
    path: str
    body: Any
    headers: dict[str, str]
    status: int
    answer: Any


class Sender:
    """Sends requests, each under a key of its own, and remembers them."""

    def __init__(self, slo: Slo) -> None:
        self._slo = slo
        self.sent: list[Sent] = []

    async def post(self, route: str, path: str, body: Any, by: str = "ana", *, expect: int = 200) -> Any:
        """The JSON of the answer, whose status must be *expect*."""
        principal = Principal(by, "person", frozenset({"*"}), "api-key", "key-2")
        token = sign(principal, "slo", KEY, now_s=self._slo.clock.now().timestamp())
        headers = {"Idempotency-Key": f"key-{len(self.sent)}", "Authorization": f"Bearer {token}"}
        answer = await self._slo.call("POST", path, body, expect=expect, **headers)
        self.sent.append(Sent(route, path, body, headers, expect, answer))
        return answer


@pytest.fixture
async def slo(database: Database) -> AsyncGenerator[Slo]:
    """The slo service, which may ask servers of this machine."""
    async with running_slo(database, source_hosts="127.0.0.1") as service:
        yield service


async def _story(slo: Slo, send: Sender) -> None:
    """Every POST verb succeeds once, and is followed by what would refuse it a second time, or answer otherwise."""

    async def do(verb: str, body: Any, by: str = "ana") -> Any:
        return await send.post(f"{POLICIES}/{{service}}:{verb}", f"{POLICY}:{verb}", body, by)

    async def stands(state: str) -> bool:
        return (await slo.call("GET", POLICY))["state"] == state

    async def owed() -> Any:
        return (await slo.call("GET", POLICY))["obligations"]

    await send.post("/v1/slos", "/v1/slos", document(), expect=201)
    await send.post("/v1/slos", "/v1/slos", [document(), document("other")], expect=207)
    await send.post(POLICIES, POLICIES, {"service": "checkout-api", **DOCUMENT}, expect=201)
    await do("sign", {"version": 1, "side": "development", "reason": "fair"})
    await do("sign", {"version": 1, "side": "sre", "reason": "fair"}, "bo")

    proposal = {"document": document(target=0.98), "reason": "users do not notice"}
    put = [await send.post("/v1/slos/{slo}:propose", f"{SLO}:propose", proposal, expect=201) for _ in range(3)]
    ids = [answer["open"]["proposal"] for answer in put]
    await send.post("/v1/slos/{slo}:withdraw", f"{SLO}:withdraw", {"proposal": ids[2], "reason": "again"})
    declined = await send.post("/v1/slos/{slo}:propose", f"{SLO}:propose", proposal, expect=201)
    body = {"proposal": declined["open"]["proposal"], "side": "sre", "reason": "too weak"}
    await send.post("/v1/slos/{slo}:decline", f"{SLO}:decline", body, "bo")
    agreed = (await send.post("/v1/slos/{slo}:propose", f"{SLO}:propose", proposal, expect=201))["open"]["proposal"]
    for side, by in (("development", "ana"), ("sre", "bo"), ("product", "dan")):
        body = {"proposal": agreed, "side": side, "reason": "fair"}
        await send.post("/v1/slos/{slo}:agree", f"{SLO}:agree", body, by)

    made = await send.post("/v1/adjustments", "/v1/adjustments", ADJUSTMENT, expect=201)
    await send.post("/v1/adjustments/{adjustment}:end", f"/v1/adjustments/{made['id']}:end", {"reason": "moved"})

    hour = buckets(NOW - HOUR, 60, 500, 1000)
    await send.post("/v1/slos/{slo}/measurements", f"{SLO}/measurements", hour, expect=202)
    many = {"items": [{"slo": NAME, **buckets(NOW - 2 * HOUR, 60, 500, 1000)}]}
    await send.post("/v1/measurements", "/v1/measurements", many, expect=202)
    await eventually(lambda: stands("frozen"))

    expires = (NOW + HOUR).isoformat()
    glass = {"deployment": "v42", "reason": "r", "follow_up": "f", "follow_up_due": "2026-11-25", "expires": expires}
    await do("break-glass", glass)
    await do("use-glass", {"deployment": "v42"})
    wrong = {"about": "calculation", "side": "development", "reason": "the probe was broken"}
    raised = (await do("disagree", wrong))["disagreements"][0]["id"]
    settled = {"disagreement": raised, "outcome": "upheld", "reason": "it was not"}
    await do("settle", settled, "cleo")
    exempt = {"kind": "miscategorised_errors", "slos": [NAME], "reason": "r", "evidence": "e"}
    (granted,) = (await do("exempt", exempt | {"requested_by": "ana", "expires": expires}, "bo"))["exemptions"]
    await do("revoke", {"exemption": granted["id"], "reason": "somebody noticed"}, "bo")

    elsewhere = Elsewhere("incidents", slo.running.resources.bus, slo.clock)
    about = {"incident": "i1", "number": "INC-1", "service": "checkout-api", "title": "down", "at": NOW}
    await elsewhere.says("incident.declared", "incident/i1", **about, impact_started=NOW - HOUR)
    await elsewhere.says("incident.resolved", "incident/i1", **about)
    await eventually(owed)
    await do("fulfil", {"obligation": "postmortem:i1", "evidence": "https://wiki.example.com/7"})

    source = {"name": "prometheus", "address": "http://127.0.0.1:9"}
    await send.post("/v1/sources", "/v1/sources", source, expect=201)
    await slo.call("POST", "/v1/slos", polled("asked"), expect=201)
    asked = {"from": (NOW - DAY).isoformat(), "until": NOW.isoformat()}
    await send.post("/v1/slos/{slo}:backfill", "/v1/slos/asked:backfill", asked, expect=202)


async def _afterwards(slo: Slo) -> None:
    """Nothing is as it was."""
    await slo.call("PUT", POLICY, DOCUMENT | {"executive": "eve", "signers": {"development": ["eve"], "sre": ["kim"]}})
    await slo.call("PUT", "/v1/sources/prometheus", {"address": "http://127.0.0.1:10"})
    for name in (NAME, "other", "asked"):
        await slo.call("DELETE", f"/v1/slos/{name}")


@memory_is_enough
async def test_every_verb_gives_its_first_answer_again(slo: Slo) -> None:
    send = Sender(slo)
    await _story(slo, send)
    await _afterwards(slo)
    client = slo.running.client
    for sent in send.sent:
        again = await client.post(sent.path, json=sent.body, headers=sent.headers)
        assert (again.status_code, again.json()) == (sent.status, sent.answer), sent.path
        assert again.headers["Idempotency-Replayed"] == "true"

    document = (await client.get("/openapi.json")).json()
    posts = {path for path, verbs in document["paths"].items() if "post" in verbs}
    assert posts == {sent.route for sent in send.sent} | ASKS_ONLY
