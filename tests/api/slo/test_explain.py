"""What spent the budget, when it will be gone, and whether there is traffic enough."""

from datetime import timedelta
from typing import Any

import pytest

from tests.fixtures.services import Elsewhere, eventually
from tests.fixtures.slo import MINUTE, NAME, NOW, Slo, buckets, document

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EXPLAIN = f"/v1/slos/{NAME}/explain"
FORECAST = f"/v1/slos/{NAME}/forecast"


@pytest.fixture
async def incidents(slo: Slo) -> Elsewhere:
    return Elsewhere("incidents", slo.running.resources.bus, slo.clock)


async def _declared(incidents: Elsewhere, number: int, since: object) -> None:
    await incidents.says(
        "incident.declared",
        f"incident/{number}",
        incident=f"id-{number}",
        number=f"INC-{number}",
        service="checkout-api",
        title="Slow",
        at=since,
    )


async def test_shares_of_incidents_and_the_rest_add_up_to_what_was_consumed(slo: Slo, incidents: Elsewhere) -> None:
    await slo.define()
    await slo.measure(NOW - 4 * HOUR, 60, 100, 100)
    await slo.measure(NOW - 3 * HOUR, 60, 90, 100)
    await slo.measure(NOW - 2 * HOUR, 60, 95, 100)
    await slo.status(total=18_000)
    await _declared(incidents, 1, NOW - 3 * HOUR)
    await incidents.says("incident.mitigated", "incident/1", incident="id-1", at=NOW - 2 * HOUR)
    await incidents.says("incident.resolved", "incident/1", incident="id-1", at=NOW - HOUR)
    await _declared(incidents, 2, NOW - 150 * MINUTE)
    await _declared(incidents, 3, NOW - 3 * HOUR)
    await incidents.says("incident.cancelled", "incident/3", incident="id-3")

    async def explained() -> Any:
        got = await slo.call("GET", EXPLAIN)
        return (
            got
            if [(i["id"], i["until"] is None) for i in got["incidents"]["items"]]
            == [
                ("id-1", False),
                ("id-2", True),
            ]
            else None
        )

    got = await eventually(explained)
    first, second = got["incidents"]["items"]
    assert got["error_budget_consumed"] == pytest.approx(5.0)  # 900 of 180
    assert (first["title"], first["until"]) == ("INC-1 Slow", "2026-11-21T08:00:00Z")
    assert first["error_budget_consumed"] == pytest.approx((300 + 150) / 180)
    assert second["error_budget_consumed"] == pytest.approx((150 + 300) / 180)
    assert (first["touched"], second["touched"]) == (pytest.approx(600 / 180), pytest.approx(600 / 180))
    assert got["incidents"]["unexplained"] == 0.0
    assert got["deployments"] == {"items": [], "unexplained": got["error_budget_consumed"]}
    worst = got["buckets"]
    assert [(s["start"], s["error_budget_consumed"]) for s in worst["items"]] == [
        ("2026-11-21T07:00:00Z", pytest.approx(600 / 180)),
        ("2026-11-21T08:00:00Z", pytest.approx(300 / 180)),
    ]
    assert worst["others"] == 0.0
    few = (await slo.call("GET", f"{EXPLAIN}?most=1"))["buckets"]
    assert few["others"] == pytest.approx(300 / 180)


async def test_a_deployment_is_looked_at_until_it_is_rolled_back(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - 2 * HOUR, 120, 90, 100)
    await slo.status(total=12_000)
    for number, at in ((1, NOW - 2 * HOUR), (2, NOW - HOUR)):
        await slo.lifecycle.says(
            "deployment.recorded", f"d/{number}", deployment=f"d{number}", service="checkout-api", version="1.2", at=at
        )
    await slo.lifecycle.says("deployment.rolled-back", "d/2", deployment="d2", at=NOW - 45 * MINUTE)

    async def explained() -> Any:
        found = (await slo.call("GET", EXPLAIN))["deployments"]
        return found if [d["until"] for d in found["items"]][1:] == ["2026-11-21T09:15:00Z"] else None

    found = await eventually(explained)
    assert [d["error_budget_consumed"] for d in found["items"]] == [pytest.approx(5.0), pytest.approx(1.25)]
    assert found["unexplained"] == pytest.approx(10 - 6.25)


async def test_what_is_undefined_is_not_explained(slo: Slo) -> None:
    await slo.define()
    got = await slo.call("GET", EXPLAIN)
    assert (got["error_budget_consumed"], got["incidents"]["items"], got["buckets"]["items"]) == (None, [], [])


async def test_a_steady_burn_is_forecast_with_an_interval_and_its_back_test(slo: Slo) -> None:
    await slo.call("POST", "/v1/slos", document(target=0.95), expect=201)
    some = [buckets(NOW - 14 * DAY + n * HOUR, 1, 90, 100)["buckets"][0] for n in range(14 * 24)]
    await slo.call("POST", f"/v1/slos/{NAME}/measurements", {"buckets": some}, expect=202)
    await slo.status(total=33_600)
    got = await slo.call("GET", FORECAST)
    assert (got["seen_from"], got["not_enough_data"]) == ("2026-11-21T10:00:00Z", None)
    assert got["earliest"] == got["expected"] == got["latest"] == "2026-11-21T10:00:00Z"  # it is gone already
    assert got["back_test"]["inside"] == 1.0
    assert (got["until"], got["back_test"]["model"]) == ("2026-12-19T10:00:00Z", "flat")


async def test_too_little_data_is_said_instead_of_guessing(slo: Slo) -> None:
    await slo.define()
    got = await slo.call("GET", FORECAST)
    assert (got["expected"], got["back_test"]) == (None, None)
    assert "no events" in got["not_enough_data"]


async def test_little_traffic_gets_suggestions_that_the_alert_needs(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - HOUR, 60, 1, 1)
    await slo.status(total=60)
    got = await slo.call("GET", f"/v1/slos/{NAME}/suggestions")
    item = got["items"][0]
    assert (item["tier"], item["events_needed"]) == ("page-5m-1h", 8)
    assert {s["kind"] for s in item["suggestions"]} >= {"merge", "synthetic_traffic"}
    await slo.measure(NOW - 2 * HOUR, 60, 1000, 1000)
    await slo.status(total=60_060)
    got = await slo.call("GET", f"/v1/slos/{NAME}/suggestions")
    assert "page-5m-1h" not in [item["tier"] for item in got["items"]]


async def test_what_users_felt_of_an_incident_of_another_service_is_its_share_too(
    slo: Slo, incidents: Elsewhere
) -> None:
    await slo.define()
    await slo.measure(NOW - 2 * HOUR, 60, 90, 100)
    await slo.status(total=6_000)
    elsewhere = {"incident": "id-9", "number": "INC-9", "service": "search-api", "title": "Slow"}
    await incidents.says("incident.declared", "incident/9", **elsewhere, at=NOW - 2 * HOUR)
    await incidents.says("incident.mitigated", "incident/9", incident="id-9", at=NOW - HOUR)
    half = {"service": "checkout-api", "until": NOW - 90 * MINUTE}
    await incidents.says("incident.impact-changed", "incident/9", **elsewhere, affected=[half], at=NOW)

    async def shares() -> Any:
        return (await slo.call("GET", EXPLAIN))["incidents"]["items"]

    [share] = await eventually(shares)
    assert (share["id"], share["until"]) == ("id-9", "2026-11-21T08:30:00Z")
    assert share["error_budget_consumed"] == pytest.approx(300 / 60)
    await incidents.says(
        "incident.impact-changed", "incident/9", **elsewhere, affected=[], gone=["checkout-api"], at=NOW
    )

    async def gone() -> Any:
        return not await shares()

    assert await eventually(gone)
