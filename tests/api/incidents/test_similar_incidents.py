"""Whether something like an incident happened before, in the words of each database."""

from typing import Any

from tests.fixtures.services import Running, eventually


async def test_the_nearest_comes_first_and_says_why(incidents: Running) -> None:
    said = [
        {"title": "Checkout answers 502", "service": "checkout-api", "severity": "sev2"},
        {"title": "Search waits for an index", "service": "search-api", "severity": "sev3"},
        {"title": "Queries of checkout are slow", "service": "checkout-api", "severity": "sev3"},
        {"title": "Checkout answers 502 again", "service": "checkout-api", "severity": "sev2"},
    ]
    for body in said:
        await incidents.call("POST", "/v1/incidents", body, expect=201)
    storm = {"outage_class": "retry-storm"}
    for number in ("INC-2", "INC-4"):
        await incidents.call("POST", f"/v1/incidents/{number}:classify", storm)
    note = {"text": "The cache of the index was cold."}
    await incidents.call("POST", "/v1/incidents/INC-2/timeline", note, expect=201)

    async def found() -> Any:
        return (await incidents.call("GET", "/v1/incidents?q=cold%20caches"))["items"]

    assert [item["number"] for item in await eventually(found)] == ["INC-2"]
    items = (await incidents.call("GET", "/v1/incidents/INC-4/similar"))["items"]
    assert [item["number"] for item in items] == ["INC-2", "INC-1", "INC-3"]
    assert items[0]["because"] == ["the same class, retry-storm"]
    assert items[1]["because"] == ["both say checkout, answer, 502", "the same service, checkout-api"]
    await incidents.call("POST", "/v1/incidents/INC-1:merge", {"into": "INC-3"})

    async def without() -> Any:
        nearest = (await incidents.call("GET", "/v1/incidents/INC-4/similar?limit=2"))["items"]
        return [item["number"] for item in nearest] == ["INC-2", "INC-3"]

    assert await eventually(without)
    assert (await incidents.call("GET", "/v1/incidents/INC-9/similar", expect=404))["code"] == "not-found"
