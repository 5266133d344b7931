"""Clients that were written for PagerDuty, with nothing changed but the host they send to."""

import time
from typing import Any

import httpx
import pagerduty
import pypd
import pytest

from tests.fixtures.servers import ConcordatServer

PAYLOAD = {"summary": "disk of db-1 is full", "source": "db-1", "severity": "critical"}


@pytest.fixture
def routing_key(concordat_server: ConcordatServer) -> str:
    """Of an integration of a service that exists."""
    made: Any = {}
    with httpx.Client(base_url=concordat_server.url, headers={"X-API-Key": concordat_server.api_key}) as client:
        for path, body in (
            ("/v1/teams", {"name": "checkout", "kind": "dev", "display_name": "Checkout"}),
            ("/v1/services", {"name": "checkout-api", "owner_team": "checkout", "tier": 1}),
            ("/v1/integrations", {"name": "pd", "kind": "pagerduty", "service": "checkout-api"}),
        ):
            answer = client.post(path, json=body)
            assert answer.status_code == 201, answer.text
            made = answer.json()
    return made["routing_key"]


def read(server: ConcordatServer, path: str) -> list[dict[str, Any]]:
    headers = {"X-API-Key": server.api_key, "Prefer": "wait=10"}
    return httpx.get(f"{server.url}{path}", headers=headers).json()["items"]


def test_they_trigger_acknowledge_resolve_and_tell_of_changes(
    concordat_server: ConcordatServer, routing_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    official = official_client(concordat_server, routing_key)
    keyless = official.trigger("latency of checkout", "prometheus", severity="error")
    images = [{"src": "https://x/y.png"}]
    assert official.trigger("disk full", "db-1", dedup_key="disk/db-1", images=images) == "disk/db-1"
    assert official.acknowledge("disk/db-1") == "disk/db-1"
    assert official.resolve(keyless) == keyless
    official.submit("checkout-api 1.42.0 deployed", source="ci", timestamp="2026-11-21T10:00:00Z")
    official.close()
    with official_client(concordat_server, "x" * 32) as stranger, pytest.raises(pagerduty.HttpError) as refused:
        stranger.trigger("disk full", "db-1")
    assert refused.value.response.json()["status"] == "invalid event"

    monkeypatch.setattr(pypd.EventV2, "base_url", f"{concordat_server.url}/v2/enqueue")
    event = {"routing_key": routing_key, "event_action": "trigger", "dedup_key": "disk/db-2", "payload": PAYLOAD}
    assert pypd.EventV2.create(data=event)["status"] == "success"
    assert pypd.EventV2.create(data=event | {"event_action": "resolve"})["dedup_key"] == "disk/db-2"
    with pytest.raises(pypd.errors.BadRequest):
        pypd.EventV2.create(data=event | {"routing_key": "x" * 32})

    found = {alert["dedup_key"]: alert["state"] for alert in wait_for(concordat_server, "/v1/alerts", 3)}
    assert found == {keyless: "resolved", "disk/db-1": "acknowledged", "disk/db-2": "resolved"}
    for path in ("/v1/changes", "/v1/deployments"):
        assert wait_for(concordat_server, path, 1)[0]["summary"] == "checkout-api 1.42.0 deployed"


def official_client(server: ConcordatServer, key: str) -> pagerduty.EventsApiV2Client:
    client = pagerduty.EventsApiV2Client(key)
    client._url = server.url  # it insists on https, which a proxy before the gateway speaks
    return client


def wait_for(server: ConcordatServer, path: str, number: int) -> list[dict[str, Any]]:
    """The items of a list once there are so many, and none fires that was resolved."""
    deadline = time.monotonic() + 30
    while True:
        items = read(server, path)
        settled = [each for each in items if each.get("state") != "triggered"]
        if len(settled) == number or time.monotonic() > deadline:
            return items
        time.sleep(0.05)
