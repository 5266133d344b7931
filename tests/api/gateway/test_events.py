"""What happened: lists for a service, for everyone, for the auditor."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from libs.events.testing import FrozenClock
from services.gateway.projections import PROJECTIONS
from services.gateway.projections.journal import JOURNAL
from tests.fixtures.elsewhere import Elsewhere
from tests.fixtures.golden import GOLDEN, recorded


@pytest.fixture
async def told(elsewhere: Elsewhere, clock: FrozenClock, worker: object) -> Elsewhere:
    """A service, its SLO, an incident, and a team; a minute between each."""
    await elsewhere.register("checkout-api")
    clock.advance(timedelta(minutes=1))
    slo = {"slo": "availability", "service": "checkout-api", "display_name": "", "revision": 1, "target": 0.999}
    await elsewhere.tell("slo/availability", "slo.slo.defined", **slo, window="28d")
    clock.advance(timedelta(minutes=1))
    incident = {"incident": "i1", "number": "INC-1", "service": "checkout-api", "severity": "sev2"}
    await elsewhere.tell("incident/i1", "incidents.incident.declared", **incident, title="down", reason="graphs")
    clock.advance(timedelta(minutes=1))
    await elsewhere.tell("team/checkout", "lifecycle.team.registered", team="checkout", kind="dev", display_name="")
    return elsewhere


def types(answer: httpx.Response) -> list[str]:
    return [item["type"].removeprefix("io.concordat.") for item in answer.json()["items"]]


async def test_everything_is_listed_the_newest_first(client: httpx.AsyncClient, told: Elsewhere) -> None:
    assert types(await told.seen(client, "/v1/events")) == [
        "lifecycle.team.registered.v1",
        "incidents.incident.declared.v1",
        "slo.slo.defined.v1",
        "lifecycle.service.registered.v1",
    ]


async def test_an_event_says_what_when_and_by_whom(client: httpx.AsyncClient, told: Elsewhere) -> None:
    item = (await told.seen(client, "/v1/events")).json()["items"][1]
    assert item.pop("id")
    assert item.pop("data")["title"] == "down"
    assert item == {
        "type": "io.concordat.incidents.incident.declared.v1",
        "service": "checkout-api",
        "subject": "incident/i1",
        "version": 1,
        "at": "2026-11-21T10:02:00Z",
        "recorded_at": "2026-11-21T10:02:00Z",
        "actor": "ana",
        "summary": "INC-1 declared (sev2): down",
        "reason": "graphs",
    }


async def test_the_timeline_of_a_service_holds_what_concerns_it(client: httpx.AsyncClient, told: Elsewhere) -> None:
    assert types(await told.seen(client, "/v1/services/checkout-api/timeline")) == [
        "incidents.incident.declared.v1",
        "slo.slo.defined.v1",
        "lifecycle.service.registered.v1",
    ]


async def test_the_timeline_of_an_unknown_service_is_404(client: httpx.AsyncClient, told: Elsewhere) -> None:
    answer = await client.get("/v1/services/nothing/timeline")
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("type=io.concordat.slo.slo.defined.v1", ["slo.slo.defined.v1"]),
        (
            "type=io.concordat.slo.slo.defined.v1&type=io.concordat.lifecycle.team.registered.v1",
            ["lifecycle.team.registered.v1", "slo.slo.defined.v1"],
        ),
        ("service=checkout-api&since=2026-11-21T10:02:00Z", ["incidents.incident.declared.v1"]),
        ("service=other", []),
        ("since=2026-11-21T11:02:30%2B01:00", ["lifecycle.team.registered.v1"]),
        ("order_by=recorded_at&page_size=1", ["lifecycle.service.registered.v1"]),
    ],
)
async def test_filters_narrow_the_list(
    client: httpx.AsyncClient, told: Elsewhere, query: str, expected: list[str]
) -> None:
    assert types(await told.seen(client, f"/v1/events?{query}")) == expected


@pytest.mark.parametrize("order", ["", "&order_by=recorded_at", "&order_by=recorded_at desc"])
async def test_pages_together_are_the_list(client: httpx.AsyncClient, told: Elsewhere, order: str) -> None:
    whole = types(await told.seen(client, f"/v1/events?page_size=100{order}"))
    token, found = "", list[str]()
    while True:
        page = await client.get(f"/v1/events?page_size=1&page_token={token}{order}")
        found += types(page)
        token = page.json()["next_page_token"]
        if not token:
            break
    assert found == whole


async def test_the_audit_says_through_which_key_and_request(client: httpx.AsyncClient, told: Elsewhere) -> None:
    await told.seen(client, "/v1/audit")
    item = (await client.get("/v1/audit?actor=ana")).json()["items"][0]
    assert (item["actor"], item["auth_method"], item["client"], item["request_id"]) == ("ana", "api-key", "k1", "r1")


async def test_the_audit_knows_of_api_keys_but_not_their_hashes(client: httpx.AsyncClient, told: Elsewhere) -> None:
    body = {"owner": "ci", "owner_kind": "machine", "scopes": ["services.read"]}
    made = await client.post("/v1/api-keys", json=body)
    headers = {"Consistency-Token": made.headers["Consistency-Token"]}
    audit = await client.get("/v1/audit?actor=admin", headers=headers)
    item = audit.json()["items"][0]
    assert item["type"] == "io.concordat.gateway.api-key.created.v1"
    assert item["summary"] == f"API key {made.json()['id']} created for ci"
    assert item["data"]["scopes"] == ["services.read"]
    assert "hash" not in audit.text


async def test_what_never_left_the_gateway_is_no_event(client: httpx.AsyncClient, told: Elsewhere) -> None:
    assert "gateway" not in (await told.seen(client, "/v1/events")).text


async def test_keys_are_listed_with_those_that_are_over(client: httpx.AsyncClient, told: Elsewhere) -> None:
    body: dict[str, Any] = {"owner": "ci", "owner_kind": "machine", "scopes": ["services.read"]}
    made = [(await client.post("/v1/api-keys", json=body)).json()["id"] for _ in range(2)]
    revoked = await client.delete(f"/v1/api-keys/{made[0]}")
    headers = {"Consistency-Token": revoked.headers["Consistency-Token"]}
    items = (await client.get("/v1/api-keys?owner=ci", headers=headers)).json()["items"]
    assert [(item["id"], item["state"]) for item in items] == [(made[0], "revoked"), (made[1], "valid")]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_every_read_model_understands_every_event_ever_written(path: Path) -> None:
    written = recorded(path)
    for projection in PROJECTIONS:
        if written.type not in projection.events:
            continue
        event = projection.events.decode(written)
        if fold := projection.folds.get(type(event)):
            for key in fold.keys(event, written):
                fold.apply(None, event, written, key)


def test_the_journal_has_a_sentence_for_every_published_type() -> None:
    from services.incidents.contract import CONTRACT as INCIDENTS  # noqa: PLC0415  the contracts are only compared
    from services.lifecycle.contract import CONTRACT as LIFECYCLE  # noqa: PLC0415
    from services.slo.contract import CONTRACT as SLO  # noqa: PLC0415

    published = {kind.name for contract in (LIFECYCLE, SLO, INCIDENTS) for kind in contract if kind.published}
    assert published == {kind.name for kind in JOURNAL.events if kind.published}
