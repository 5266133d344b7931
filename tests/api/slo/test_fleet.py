"""All SLOs in one list."""

from datetime import timedelta

from tests.fixtures.services import eventually
from tests.fixtures.slo import NOW, Slo, document

HOUR = timedelta(hours=1)


async def _names(slo: Slo, query: str) -> list[str]:
    return [item["name"] for item in (await slo.call("GET", f"/v1/slos?{query}"))["items"]]


async def test_the_lowest_budget_comes_first_and_the_unknown_ones_last(slo: Slo) -> None:
    for name, good in (("a", 998), ("b", None), ("c", 900), ("d", 991)):
        await slo.define(name)
        if good is not None:
            await slo.measure(NOW - HOUR, 60, good, 1000, name)
            await slo.figures(name, lambda figures: figures.total == 60_000)

    async def listed() -> bool:
        return await _names(slo, "order_by=budget_remaining") == ["c", "d", "a", "b"]

    assert await eventually(listed)
    assert await _names(slo, "order_by=budget_remaining desc") == ["b", "a", "d", "c"]
    assert await _names(slo, "state=at_risk&state=violated&order_by=budget_remaining") == ["c", "d"]
    first = await slo.call("GET", "/v1/slos?order_by=budget_remaining&page_size=3")
    token = first["next_page_token"]
    assert await _names(slo, f"order_by=budget_remaining&page_size=3&page_token={token}") == ["b"]


async def test_a_team_sees_the_slos_of_the_services_it_owns(slo: Slo) -> None:
    said = slo.lifecycle.says
    await said("service.registered", "service/search", service="search", owner_team="find")
    await slo.knows("search")
    await slo.call("POST", "/v1/slos", document("a"), expect=201)
    await slo.call("POST", "/v1/slos", document("b", service="search"), expect=201)

    async def listed() -> bool:
        return await _names(slo, "team=find") == ["b"]

    assert await eventually(listed)
    await said("service.changed", "service/checkout-api", service="checkout-api", owner_team="find")

    async def both() -> bool:
        return await _names(slo, "team=find&team=nobody") == ["a", "b"]

    assert await eventually(both)
    assert await _names(slo, "team=find&service=search") == ["b"]
