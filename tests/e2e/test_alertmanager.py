"""A real Alertmanager sends to Concordat, configured with a URL and a key."""

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from deploy.local.alertmanager import AlertmanagerServer
from tests.fixtures.servers import ConcordatServer


def test_it_fires_and_resolves_alerts_and_its_groups_are_incidents(
    concordat_server: ConcordatServer, tmp_path: Path
) -> None:
    headers = {"X-API-Key": concordat_server.api_key, "Prefer": "wait=10"}
    with httpx.Client(base_url=concordat_server.url, headers=headers, timeout=30) as http:
        for path, body in (
            ("/v1/teams", {"name": "checkout", "kind": "dev"}),
            ("/v1/services", {"name": "checkout-api", "owner_team": "checkout", "tier": 1}),
        ):
            assert http.post(path, json=body).status_code == 201
        made = http.post("/v1/integrations", json={"name": "am", "kind": "alertmanager", "service": "checkout-api"})
        webhook = f"{concordat_server.url}/v1/integrations/am/alertmanager"
        with AlertmanagerServer(tmp_path / "alertmanager", webhook, made.json()["key"]) as sender:
            fire(sender, "DiskFull", "db-1")
            fire(sender, "DiskFull", "db-2")
            fire(sender, "SlowCheckout", "web-1")
            alerts = eventually(http, "/v1/alerts", lambda found: len(found) == 3)
            assert {(alert["summary"], alert["state"]) for alert in alerts} == {
                ("disk of db-1", "triggered"),
                ("disk of db-2", "triggered"),
                ("disk of web-1", "triggered"),
            }
            eventually(http, "/v1/incidents", lambda found: sorted(len(each["alerts"]) for each in found) == [1, 2])

            fire(sender, "DiskFull", "db-1", over=True)  # the group still fires: a part of it is resolved
            eventually(http, "/v1/alerts", lambda found: states(found) == ["resolved", "triggered", "triggered"])
            fire(sender, "DiskFull", "db-2", over=True)
            eventually(http, "/v1/alerts", lambda found: states(found) == ["resolved", "resolved", "triggered"])
            eventually(http, "/v1/incidents", lambda found: states(found) == ["resolved", "triage"])


def fire(sender: AlertmanagerServer, name: str, instance: str, *, over: bool = False) -> None:
    """Tell Alertmanager that an alert fires, or that it is *over*."""
    now = datetime.now(UTC)
    alert = {
        "labels": {"alertname": name, "instance": instance, "severity": "critical"},
        "annotations": {"summary": f"disk of {instance}"},
        "startsAt": (now - timedelta(minutes=5)).isoformat(),
        "endsAt": (now if over else now + timedelta(hours=1)).isoformat(),
    }
    assert httpx.post(f"{sender.url}/api/v2/alerts", json=[alert]).status_code == 200


def states(found: list[dict[str, Any]]) -> list[str]:
    return sorted(each["state"] for each in found)


def eventually(http: httpx.Client, path: str, holds: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """The items of a list as soon as they are so; Alertmanager waits a second between two notifications of a group."""
    deadline = time.monotonic() + 60
    while not holds(found := http.get(path).json()["items"]):
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found
