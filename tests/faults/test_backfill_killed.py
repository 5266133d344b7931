"""The process is killed (kill -9) in a backfill: the next one goes on where it was, and nothing is lost or doubled."""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.local.kafka import KafkaServer
from deploy.local.prometheus import PrometheusServer
from libs.web.internal_auth import sign
from tests.fixtures.postgres import MigratedDatabases
from tests.fixtures.servers import ROOT, ConcordatServer, RoleProcess
from tests.fixtures.services import ANA, KEY
from tests.fixtures.slo import polled

pytestmark = pytest.mark.prometheus

FIRST = 28_000_800  # a minute since the epoch, at which a day begins
DAYS = 12
SLOS = [f"slo-{number}" for number in range(4)]
SINCE = datetime.fromtimestamp(FIRST * 60, UTC)
UNTIL = SINCE + timedelta(days=DAYS)


def samples() -> str:
    """A counter scraped every minute: 10 requests a minute, of which 1 fails."""
    lines = ["# TYPE requests counter"]
    for code, step in (("200", 9), ("500", 1)):
        lines += [f'requests_total{{code="{code}"}} {n * step} {(FIRST + n) * 60}' for n in range(DAYS * 1440 + 1)]
    return "\n".join([*lines, "# EOF\n"])


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[ConcordatServer]:
    """An embedded installation that may ask servers of this machine."""
    monkeypatch.setenv("CONCORDAT_SOURCE_HOSTS", "127.0.0.1")
    running = ConcordatServer(tmp_path / "data")
    running.start()
    yield running
    running.kill()


def command(server: ConcordatServer, *arguments: str) -> list[dict[str, Any]]:
    """What `concordat slo ...` says."""
    environment = os.environ | {"CONCORDAT_API_KEY": server.api_key, "CONCORDAT_URL": server.url}
    done = subprocess.run(  # noqa: S603  our own command
        [sys.executable, "-m", "services.cli.main", "slo", *arguments, "--json"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def send(server: ConcordatServer, method: str, path: str, body: object = None) -> Any:
    """The answer of the gateway."""
    headers = {"X-API-Key": server.api_key, "Prefer": "wait=10"}
    answer = httpx.request(method, server.url + path, json=body, headers=headers, timeout=30)
    assert answer.is_success, answer.text
    return answer.json()


@pytest.mark.timeout(240)
def test_a_backfill_goes_on_after_a_kill_and_every_minute_counts_once(
    server: ConcordatServer, start_prometheus: Callable[..., PrometheusServer]
) -> None:
    prometheus = start_prometheus(samples())
    send(server, "POST", "/v1/teams", {"name": "checkout", "kind": "dev", "display_name": "Checkout"})
    send(server, "POST", "/v1/services", {"name": "checkout-api", "owner_team": "checkout", "tier": 1})
    send(server, "POST", "/v1/sources", {"name": "prometheus", "address": prometheus.url, "concurrency": 1})
    asked = {"from": SINCE.isoformat(), "until": UNTIL.isoformat()}
    for slo in SLOS:
        send(server, "POST", "/v1/slos", polled(slo))
        send(server, "POST", f"/v1/slos/{slo}:backfill", asked)

    def done() -> list[int]:
        return [send(server, "GET", f"/v1/slos/{slo}/polling")["backfill"]["minutes_done"] for slo in SLOS]

    deadline = time.monotonic() + 60
    while min(before := done()) == 0:
        assert time.monotonic() < deadline
    server.kill()
    assert max(before) < DAYS * 1440, "killed too late to show anything"
    server.start()
    after = done()
    (said,) = command(server, "backfill", SLOS[0], "--from", asked["from"], "--until", asked["until"])
    for slo in SLOS[1:]:
        command(server, "backfill", slo, "--from", asked["from"], "--until", asked["until"])

    assert all(late >= early for early, late in zip(before, after, strict=True))
    assert said["summary"]["minutes"] == DAYS * 1440
    at = UNTIL.isoformat().replace("+00:00", "Z")
    for slo in SLOS:
        while (status := send(server, "GET", f"/v1/slos/{slo}/status?at={at}"))["total"] < DAYS * 14_400:
            assert time.monotonic() < deadline + 120, status
            time.sleep(0.1)  # what is published is taken in a moment later
        assert (status["good"], status["total"]) == (DAYS * 12_960, DAYS * 14_400)
        assert status["coverage"] == pytest.approx(DAYS / 28)


DEADLINE_S = 120.0  # the lease of a killed process runs out after 15 s, its place in the group after 10


@pytest.fixture
def database_url(migrated_databases: MigratedDatabases) -> Generator[str]:
    """The address of a database that an operator has migrated for slo."""
    url = migrated_databases.reserve()
    asyncio.run(migrated_databases.make(url, "slo"))
    yield url
    migrated_databases.drop(url)


@pytest.fixture
def roles(database_url: str, fresh_kafka_server: KafkaServer, tmp_path: Path) -> Generator[dict[str, RoleProcess]]:
    """The two roles of slo, on PostgreSQL and Kafka; only the API runs yet."""
    environment = {
        "CONCORDAT_DATABASE_URL": database_url,
        "CONCORDAT_KAFKA_BOOTSTRAP_SERVERS": fresh_kafka_server.bootstrap_servers,
        "CONCORDAT_INTERNAL_KEY": KEY,
        "CONCORDAT_DATA_DIR": str(tmp_path),
        "CONCORDAT_SOURCE_HOSTS": "127.0.0.1",
    }
    made = {role: RoleProcess("slo", role, environment, tmp_path / f"{role}.log") for role in ("api", "worker")}
    made["api"].start()
    yield made
    for role in made.values():
        role.kill()


def ask(api: RoleProcess, method: str, path: str, body: object = None) -> Any:
    """The answer of the service itself, as the gateway would ask."""
    headers = {"Authorization": f"Bearer {sign(ANA, 'slo', KEY, now_s=time.time())}"}
    answer = httpx.request(method, api.url + path, json=body, headers=headers, timeout=30)
    assert answer.is_success, answer.text
    return answer.json()


def wait_for(found: Callable[[], bool]) -> None:
    """Wait until *found*."""
    deadline = time.monotonic() + DEADLINE_S
    while not found():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.postgres
@pytest.mark.kafka
@pytest.mark.timeout(600)
def test_a_worker_killed_in_a_backfill_is_followed_by_one_that_goes_on(
    roles: dict[str, RoleProcess], start_prometheus: Callable[..., PrometheusServer]
) -> None:
    api, worker = roles["api"], roles["worker"]
    details = {"url": start_prometheus(samples()).url, "concurrency": 1}
    source = {"type": "Prometheus", "connectionDetails": details}
    documents = [
        {"apiVersion": "openslo/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        for kind, name, spec in (("Service", "checkout-api", {}), ("DataSource", "prometheus", source))
    ]
    worker.start()
    ask(api, "POST", "/v1/slos", [*documents, *map(polled, SLOS)])
    asked = {"from": SINCE.isoformat(), "until": UNTIL.isoformat()}
    for slo in SLOS:
        ask(api, "POST", f"/v1/slos/{slo}:backfill", asked)

    def done() -> list[int]:
        return [ask(api, "GET", f"/v1/slos/{slo}/polling")["backfill"]["minutes_done"] for slo in SLOS]

    wait_for(lambda: any(done()))
    worker.kill()
    before = done()
    assert min(before) < DAYS * 1440, "killed too late to show anything"
    worker.start()
    assert all(late >= early for early, late in zip(before, done(), strict=True))
    wait_for(lambda: done() == [DAYS * 1440] * len(SLOS))

    at = UNTIL.isoformat().replace("+00:00", "Z")
    for slo in SLOS:
        wait_for(lambda: ask(api, "GET", f"/v1/slos/{slo}/status?at={at}")["total"] >= DAYS * 14_400)  # noqa: B023
    found = [ask(api, "GET", f"/v1/slos/{slo}/status?at={at}") for slo in SLOS]
    sent = sum(each["input_version"] for each in found)
    minutes = len(SLOS) * DAYS * 1440
    print(f"killed after {sum(before)} of {minutes} minutes, {sent - minutes} were sent twice")  # noqa: T201  figures
    assert [(each["good"], each["total"]) for each in found] == [(DAYS * 12_960, DAYS * 14_400)] * len(SLOS)
    assert [each["coverage"] for each in found] == [pytest.approx(DAYS / 28)] * len(SLOS)
