"""Sources of measurements over HTTP."""

from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import pytest

from services.slo.config import SloSettings
from tests.fixtures.services import Database, memory_is_enough
from tests.fixtures.slo import NAME, NOW, Slo, polled, running_slo

PROMETHEUS = {
    "apiVersion": "openslo/v1",
    "kind": "DataSource",
    "metadata": {"name": "prometheus"},
    "spec": {"type": "Prometheus", "connectionDetails": {}},
}
NOBODY: dict[str, Any] = {"name": "prometheus", "address": "http://127.0.0.1:9"}


@pytest.fixture
async def slo(database: Database) -> AsyncGenerator[Slo]:
    """The slo service, which may ask servers of this machine."""
    async with running_slo(database, source_hosts="127.0.0.1, *.internal") as service:
        yield service


async def test_a_source_is_defined_changed_listed_and_retired(slo: Slo) -> None:
    made = await slo.call("POST", "/v1/sources", NOBODY, expect=201)
    assert (made["name"], made["revision"], made["state"]) == ("prometheus", 1, "unknown")
    changed = await slo.call("PUT", "/v1/sources/prometheus", {"address": "http://127.0.0.1:9", "concurrency": 8})
    assert (changed["revision"], changed["settings"]["concurrency"]) == (2, 8)
    retired = await slo.running.client.delete("/v1/sources/prometheus?reason=moved")
    assert (retired.status_code, retired.json()["state"]) == (200, "retired")
    token = retired.headers["Consistency-Token"]
    (item,) = (await slo.call("GET", "/v1/sources?state=retired", Consistency_Token=token))["items"]
    assert (item["name"], item["state"]) == ("prometheus", "retired")
    assert (await slo.call("POST", "/v1/sources", NOBODY, expect=409))["code"] == "source-retired"


@memory_is_enough
async def test_a_source_can_be_read_as_soon_as_it_is_defined(slo: Slo) -> None:
    await slo.call("POST", "/v1/sources", NOBODY, expect=201)
    assert (await slo.call("GET", "/v1/sources/prometheus"))["name"] == "prometheus"
    assert (await slo.call("GET", "/v1/sources/other", expect=404))["code"] == "not-found"


@memory_is_enough
async def test_a_name_keeps_its_settings_until_put_changes_them(slo: Slo) -> None:
    await slo.call("POST", "/v1/sources", NOBODY, expect=201)
    assert (await slo.call("POST", "/v1/sources", NOBODY, expect=201))["revision"] == 1
    other = NOBODY | {"address": "http://127.0.0.1:10"}
    assert (await slo.call("POST", "/v1/sources", other, expect=409))["code"] == "source-exists"


@memory_is_enough
@pytest.mark.parametrize(
    ("settings", "code", "pointer"),
    [
        ({"address": "http://169.254.169.254/latest"}, "source-not-allowed", "/address"),
        ({"address": "http://user:word@127.0.0.1"}, "invalid-source", "/address"),
        ({"auth": {"kind": "bearer", "secret": "token"}}, "invalid-source", "/insecure"),
        ({"auth": {"kind": "bearer", "secret": "../token"}, "insecure": True}, "invalid-source", "/auth/secret"),
        ({"concurrency": 65}, "invalid", "/concurrency"),
        ({"kind": "graphite"}, "invalid", "/kind"),
    ],
)
async def test_settings_that_cannot_work_or_are_not_safe_are_refused_with_their_place(
    slo: Slo, settings: dict[str, Any], code: str, pointer: str
) -> None:
    refused = await slo.call("POST", "/v1/sources", NOBODY | settings, expect=422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == (code, pointer)


@memory_is_enough
async def test_a_source_that_slos_need_is_not_retired(slo: Slo) -> None:
    await slo.call("POST", "/v1/sources", NOBODY, expect=201)
    made = await slo.running.client.post("/v1/slos", json=polled())
    token = made.headers["Consistency-Token"]
    refused = await slo.call("DELETE", "/v1/sources/prometheus", expect=409, Consistency_Token=token)
    assert (refused["code"], refused["slos"]) == ("source-needed", [NAME])


@memory_is_enough
async def test_only_a_polled_slo_has_a_past_to_read(slo: Slo) -> None:
    await slo.define()
    asked = {"from": (NOW - timedelta(days=1)).isoformat(), "until": NOW.isoformat()}
    for method, path, body in (("POST", ":backfill", asked), ("GET", "/polling", None)):
        refused = await slo.call(method, f"/v1/slos/{NAME}{path}", body, expect=409)
        assert refused["code"] == "not-polled"


@memory_is_enough
async def test_a_backfill_needs_a_range_of_the_past(slo: Slo) -> None:
    await slo.call("POST", "/v1/slos", [polled(), PROMETHEUS], expect=207)
    for since, until in ((NOW, NOW - timedelta(days=1)), (NOW, NOW + timedelta(days=1))):
        asked = {"from": since.isoformat(), "until": until.isoformat()}
        assert (await slo.call("POST", f"/v1/slos/{NAME}:backfill", asked, expect=422))["code"] == "empty-range"


@memory_is_enough
async def test_a_backfill_asked_for_again_goes_on_and_another_range_takes_its_place(slo: Slo) -> None:
    await slo.call("POST", "/v1/slos", [polled(), PROMETHEUS], expect=207)
    asked = {"from": (NOW - timedelta(days=1)).isoformat(), "until": NOW.isoformat()}
    path = f"/v1/slos/{NAME}:backfill"
    longer = asked | {"from": (NOW - timedelta(days=2)).isoformat()}
    for body, minutes in ((asked, 1440), (asked, 1440), (longer, 2880)):
        progress = (await slo.call("POST", path, body, expect=202))["backfill"]
        assert (progress["minutes"], progress["minutes_done"]) == (minutes, 0)


def data_source(**details: Any) -> dict[str, Any]:
    """An OpenSLO DataSource."""
    spec = {"type": "Prometheus", "connectionDetails": details}
    return {"apiVersion": "openslo/v1", "kind": "DataSource", "metadata": {"name": "prometheus"}, "spec": spec}


async def test_a_data_source_of_type_prometheus_is_a_source(slo: Slo) -> None:
    path = "/v1/openslo/DataSource/prometheus"
    stored = await slo.call("PUT", path, data_source(url="http://127.0.0.1:9", concurrency=8))
    assert stored["warnings"] == []
    source = await slo.call("GET", "/v1/sources/prometheus")
    assert (source["settings"]["address"], source["settings"]["concurrency"]) == ("http://127.0.0.1:9", 8)
    await slo.call("PUT", path, data_source(url="http://127.0.0.1:10"))
    assert (await slo.call("GET", "/v1/sources/prometheus"))["revision"] == 2


@memory_is_enough
async def test_an_slo_and_the_source_it_is_polled_from_may_come_together(slo: Slo) -> None:
    made = await slo.call("POST", "/v1/slos", [polled(), data_source(url="http://127.0.0.1:9")], expect=207)
    assert [each["warnings"] for each in made["items"]] == [[], []]
    assert (await slo.call("GET", f"/v1/slos/{NAME}"))["warnings"] == []


@memory_is_enough
@pytest.mark.parametrize(
    ("details", "said"),
    [
        ({"url": "http://elsewhere:9090"}, "CONCORDAT_SOURCE_HOSTS"),
        ({}, "address: is missing; send it"),
        ({"url": "http://127.0.0.1:9", "token": "secret"}, "token: is not a field here; remove it"),
        ({"url": "http://user:word@127.0.0.1:9"}, "holds a user or a password"),
    ],
)
async def test_a_data_source_that_cannot_be_polled_is_stored_and_says_why_not(
    slo: Slo, details: dict[str, Any], said: str
) -> None:
    stored = await slo.call("PUT", "/v1/openslo/DataSource/prometheus", data_source(**details))
    (warning,) = stored["warnings"]
    assert said in warning
    await slo.call("GET", "/v1/sources/prometheus", expect=404)


@pytest.mark.parametrize(
    ("hosts", "address", "may"),
    [
        ("", "http://localhost:9090", False),
        ("localhost", "http://localhost:9090", True),
        ("localhost:9090", "http://localhost:9090/prometheus", True),
        ("localhost:9090", "http://localhost:22", False),
        ("Prometheus.example.com:443", "https://prometheus.EXAMPLE.com", True),
        ("*.example.com", "https://example.com", False),
        ("example.com", "https://example.com.evil.org", False),
        ("example.com", "https://example.com@evil.org", False),
        ("*", "https://anything", True),
        ("example.com", "nothing", False),
        ("*", "http://example.com:port", False),
        ("*", "http://[::1", False),
    ],
)
def test_only_hosts_of_the_settings_are_asked(hosts: str, address: str, may: bool) -> None:  # noqa: FBT001
    assert SloSettings(source_hosts=hosts).may_ask(address) is may
