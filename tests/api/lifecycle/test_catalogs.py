"""The catalogues through their routes."""

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
