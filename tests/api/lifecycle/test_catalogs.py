"""The catalogues through their routes."""

from datetime import timedelta
from typing import Any

from libs.events.testing import FrozenClock
from tests.fixtures.lifecycle_api import IN_MEMORY
from tests.fixtures.services import Running


@IN_MEMORY
async def test_catalogues_are_listed_by_group_and_word_and_read_one_by_one(lifecycle: Running) -> None:
    whole = await lifecycle.call("GET", "/v1/catalogs/antipatterns")
    grouped = await lifecycle.call("GET", "/v1/catalogs/antipatterns?group=containers&q=probe")
    one = await lifecycle.call("GET", "/v1/catalogs/antipatterns/retry-storm")
    pattern = await lifecycle.call("GET", f"/v1/catalogs/patterns/{one['patterns'][0]}")

    assert (whole["version"], len(whole["items"]) >= 20) == ("2026-11", True)
    assert [each["id"] for each in grouped["items"]] == ["liveness-by-dependency"]
    assert {"symptom", "consequence", "remedy", "how_to_check", "sources"} <= set(one)
    assert pattern["name"] == "Bounded retry"
    assert len((await lifecycle.call("GET", "/v1/catalogs/patterns?group=microservices"))["items"]) >= 5
    missing = await lifecycle.call("GET", "/v1/catalogs/patterns/circuit-braker", expect=404)
    assert missing["nearest"][0] == "circuit-breaker"
    await lifecycle.call("GET", "/v1/catalogs/patterns?group=mainframes", expect=422)


OWN = """
version: 0
antipatterns:
  - id: shared-cron-host
    name: Shared cron host
    aliases: [cron-host]
    symptom: Jobs of many teams run on one host, and nobody knows whose.
    consequence: One job that fills the disk stops all of them.
    remedy: Run each job where its service runs.
    how_to_check: List the owners of the jobs of each host.
    groups: [cloud-native]
    patterns: [bulkhead]
    sources: [our postmortems of 2026]
"""


@IN_MEMORY
async def test_an_installation_has_entries_of_its_own_as_yaml_in_and_out(
    lifecycle: Running, clock: FrozenClock
) -> None:
    async def put(text: str, expect: int) -> Any:
        answer = await lifecycle.client.put("/v1/catalogs/own?reason=postmortems", content=text.encode())
        assert answer.status_code == expect, answer.text
        return answer.json()

    before, then = await lifecycle.call("GET", "/v1/catalogs/own"), f"{clock.now():%Y-%m-%dT%H:%M:%SZ}"
    await lifecycle.call("GET", "/v1/catalogs/own/document", expect=404)
    clock.advance(timedelta(hours=1))
    published = await put(OWN, 200)
    whole = await lifecycle.call("GET", "/v1/catalogs/antipatterns?q=cron")
    one = await lifecycle.call("GET", "/v1/catalogs/antipatterns/cron-host")
    document = (await lifecycle.client.get("/v1/catalogs/own/document")).text
    outdated = await put(OWN.replace("shared-cron-host", "cron-of-all"), 409)
    shadowing = await put(OWN.replace("shared-cron-host", "retry-storm").replace("version: 0", "version: 1"), 422)
    misspelt = await put(OWN.replace("symptom:", "symptoms:"), 422)

    assert (before["version"], published["version"], published["reason"]) == (0, 1, "postmortems")
    assert (whole["version"], whole["own"], one["id"]) == ("2026-11+1", ["shared-cron-host"], "shared-cron-host")
    assert await put(document, 200) == published
    assert (outdated["code"], outdated["errors"][0]["pointer"]) == ("catalog-outdated", "/version")
    assert (shadowing["code"], shadowing["errors"][0]["pointer"]) == ("invalid-catalog", "/antipatterns/0/id")
    assert "/antipatterns/0/symptoms" in [each["pointer"] for each in misspelt["errors"]]
    assert (await lifecycle.call("GET", f"/v1/catalogs/own?as_of={then}"))["version"] == 0
    assert (await lifecycle.call("GET", "/v1/catalogs/own?version=1"))["antipatterns"] == [one]
    await lifecycle.call("GET", "/v1/catalogs/own?version=2", expect=404)
