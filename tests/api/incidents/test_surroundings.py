"""What other services say while an incident lasts: in its timeline, and on the screen of who works on it."""

from datetime import timedelta
from typing import Any

from libs.events.testing import FrozenClock
from tests.fixtures.paging import person
from tests.fixtures.services import Elsewhere, Running, eventually, memory_is_enough

OUTAGE = {"title": "Checkout fails", "service": "checkout-api", "severity": "sev2"}
CATALOGUE = {
    "links": [
        {"title": "Restart", "url": "https://wiki.example/restart", "kind": "runbook"},
        {"title": "Errors", "url": "https://graphs.example/1", "kind": "dashboard"},
        {"title": "Chat", "url": "https://chat.example", "kind": ""},
    ],
    "code": [{"repository": "https://git.example/shop", "path": "checkout/", "owner": "checkout"}],
}


async def deploys(lifecycle: Elsewhere, name: str, version: str) -> None:
    about = {"deployment": name, "service": "checkout-api", "at": lifecycle.clock.now()}
    more = {"version": version, "result": "succeeded", "url": f"https://ci.example/{name}", "by": "ci"}
    await lifecycle.says("deployment.recorded", f"deployment/{name}", **about, **more)


async def assesses(slo: Elsewhere, name: str, service: str, remaining: float) -> None:
    said = {"slo": name, "service": service, "state": "at_risk", "error_budget_remaining": remaining}
    await slo.says("budget.assessed", f"budget/{name}", **said, at=slo.clock.now())


async def test_the_screen_and_the_timeline_show_what_happened_around_it(
    incidents: Running, lifecycle: Elsewhere, slo: Elsewhere, clock: FrozenClock
) -> None:
    for owner, catalogue in (("shop", None), ("shop", CATALOGUE), ("payments", None)):  # told when it has changed
        said = {"service": "checkout-api", "owner_team": owner, "at": clock.now(), "catalogue": catalogue}
        await lifecycle.says("service.changed", "service/checkout-api", **said)
    depends = {"service": "checkout-api", "on": "search-api", "criticality": "hard", "at": clock.now()}
    await lifecycle.says("dependency.declared", "dependencies/checkout-api", **depends)
    await assesses(slo, "checkout-availability", "checkout-api", 0.8)
    await deploys(lifecycle, "run-1", "1.42.0")
    await incidents.call("POST", "/v1/people", person("ana", "checkout") | {"zone": "Asia/Tokyo"}, expect=201)
    clock.advance(timedelta(minutes=10))
    await incidents.call("POST", "/v1/incidents", OUTAGE, expect=201)
    await incidents.call("POST", "/v1/incidents", OUTAGE | {"service": "search-api"}, expect=201)
    clock.advance(timedelta(minutes=10))
    await assesses(slo, "checkout-availability", "checkout-api", 0.5)
    await assesses(slo, "search-availability", "search-api", 0.1)
    taken_back = {"deployment": "run-1", "reason": "errors", "at": clock.now()}
    await lifecycle.says("deployment.rolled-back", "deployment/run-1", **taken_back)

    async def told() -> Any:
        view = await incidents.call("GET", "/v1/incidents/INC-1/responder-view")
        around = view["budgets"] and view["budgets"][0]["spent"] and view["dependencies"][0]["budgets"]
        whole = around and view["recent_deployments"][0]["rolled_back_at"] and view["dependencies"][0]["open_incidents"]
        by_her_clocks = any("11:10 UTC (20:10 Asia/Tokyo)" in step for step in view["next"])  # she asks
        return whole and view["runbooks"] and by_her_clocks and view

    view = await eventually(told)
    assert (view["owner_team"], view["phase"]) == ("payments", "limited_availability")
    assert [view[name][0]["title"] for name in ("runbooks", "dashboards", "links")] == ["Restart", "Errors", "Chat"]
    assert view["repositories"][0]["owner"] == "checkout"
    assert view["budgets"][0]["remaining"] == 0.5
    assert round(view["budgets"][0]["spent"], 3) == 0.3
    assert [each["number"] for each in view["dependencies"][0]["open_incidents"]] == ["INC-2"]
    assert view["next"][0].startswith("nobody has taken it on")

    suspected = await incidents.call("POST", "/v1/incidents/INC-1/deployments", {"deployment": "run-1"})
    assert [(each["version"], each["suspected"]) for each in suspected["deployments"]] == [("1.42.0", True)]
    items = (await incidents.call("GET", "/v1/incidents/INC-1/timeline"))["items"]
    assert [
        (item["kind"], item["text"], item["starred"]) for item in items if item["kind"] in {"deployment", "budget"}
    ] == [
        ("budget", "SLO checkout-availability is at_risk, 80% of its error budget is left", False),
        ("deployment", "1.42.0 deployed (succeeded)", True),
        ("deployment", "deployment run-1 rolled back: errors", True),
        ("budget", "SLO checkout-availability is at_risk, 50% of its error budget is left", False),
    ]
    cleared = await incidents.call("POST", "/v1/incidents/INC-1/deployments/run-1:remove")
    assert cleared["deployments"] == []

    await incidents.call("POST", "/v1/incidents/INC-1:cancel")
    clock.advance(timedelta(minutes=10))
    await incidents.call("POST", "/v1/incidents", OUTAGE, expect=201)
    await deploys(lifecycle, "run-2", "1.42.1")

    async def around(number: int) -> list[str]:
        view = await incidents.call("GET", f"/v1/incidents/INC-{number}/responder-view")
        return [each["deployment"] for each in view["recent_deployments"]]

    async def heard() -> bool:
        return "run-2" in await around(3)

    assert await eventually(heard)
    assert await around(1) == ["run-1"]  # what comes when it is over has nothing to do with it
    told_later = (await incidents.call("GET", "/v1/incidents/INC-1/timeline"))["items"]
    assert not any("1.42.1" in item["text"] for item in told_later)


@memory_is_enough
async def test_a_deployment_that_nobody_told_of_is_refused(incidents: Running) -> None:
    await incidents.call("POST", "/v1/incidents", OUTAGE, expect=201)
    refused = await incidents.call("POST", "/v1/incidents/INC-1/deployments", {"deployment": "run-9"}, expect=422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("unknown-reference", "/deployment")
