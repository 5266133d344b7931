"""Alerts after they fired: history, the input versions behind it, and what late data says about it."""

from datetime import timedelta
from typing import Any

from tests.fixtures.services import eventually
from tests.fixtures.slo import MINUTE, NAME, NOW, Slo, buckets, document

HOUR = timedelta(hours=1)


async def _alerts(slo: Slo, count: int, **holds: object) -> list[dict[str, Any]]:
    """The alerts as soon as there are *count* with these values."""

    async def found() -> Any:
        items = (await slo.call("GET", f"/v1/slos/{NAME}/alerts"))["items"]
        return items if sum(holds.items() <= item.items() for item in items) == count else None

    return await eventually(found)


async def _fired(slo: Slo) -> dict[str, Any]:
    """The one alert that an hour of failures fires; the budget is exhausted by it."""
    await slo.define()
    await slo.measure(NOW - HOUR, 60, 700, 1000)
    (alert,) = await _alerts(slo, 1)
    return alert


async def test_an_alert_says_what_it_was_decided_from(slo: Slo) -> None:
    alert = await _fired(slo)
    told = {name: alert[name] for name in ("tier", "input_version", "data_until", "target", "op", "policy", "no_data")}
    assert told == {
        "tier": "page-5m-1h",
        "input_version": 60,
        "data_until": "2026-11-21T10:00:00Z",
        "target": 0.99,
        "op": "gt",
        "policy": "",
        "no_data": False,
    }
    assert (alert["state"], alert["correction"], alert["resolved_input_version"]) == ("firing", None, None)


async def test_a_replaced_bucket_corrects_an_alert_and_never_unfires_it(slo: Slo) -> None:
    """All minutes but the last ten turn out to have been good: 30 is 5 over the hour, which would not have fired."""
    before = await _fired(slo)
    await slo.measure(NOW - HOUR, 50, 1000, 1000)
    (after,) = await _alerts(slo, 1, state="resolved")

    async def corrected() -> Any:
        (alert,) = (await slo.call("GET", f"/v1/slos/{NAME}/alerts"))["items"]
        return alert["correction"]

    correction = await eventually(corrected)
    assert (correction["would_fire"], correction["burn_rate_short"], correction["burn_rate_long"]) == (False, 30.0, 5.0)
    assert correction["input_version"] == 110
    kept = ("id", "fired_at", "burn_rate_short", "burn_rate_long", "input_version", "data_until")
    assert {name: after[name] for name in kept} == {name: before[name] for name in kept}

    await slo.measure(NOW - HOUR, 50, 700, 1000)  # and back again

    async def stands() -> bool:
        (alert,) = (await slo.call("GET", f"/v1/slos/{NAME}/alerts"))["items"][-1:]
        return bool(alert["correction"]["would_fire"])

    await eventually(stands)


async def test_data_that_goes_on_corrects_nothing(slo: Slo) -> None:
    await _fired(slo)
    slo.clock.advance(10 * MINUTE)
    await slo.measure(NOW, 10, 1000, 1000)
    (alert,) = await _alerts(slo, 1, state="resolved")
    assert alert["resolved_input_version"] == 70
    await slo.call("POST", f"/v1/slos/{NAME}/measurements", buckets(NOW - 3 * HOUR, 1, 5, 5), expect=202)
    await slo.status(total=70_005)
    assert (await _alerts(slo, 1))[0]["correction"] is None


async def test_the_conditions_of_an_slo_say_what_it_alerts_on_and_what_is_left_out(slo: Slo) -> None:
    await slo.define(target=0.9)
    told = await slo.call("GET", f"/v1/slos/{NAME}/alert-conditions")
    assert [item["name"] for item in told["items"]] == ["page-30m-6h", "ticket-2h-1d", "ticket-6h-3d"]
    assert "a burn rate above 13.44 is impossible" in told["warnings"][0]
    page = told["items"][0]
    assert (page["factor"], page["share_of_budget"], page["targets"]) == (5.6, 0.05, [])


async def test_data_that_stops_is_told_where_the_policy_asks_for_it(slo: Slo) -> None:
    rate = {"kind": "burnrate", "op": "gt", "threshold": 10, "lookbackWindow": "1h"}
    policy = {
        "kind": "AlertPolicy",
        "metadata": {"name": "dead"},
        "spec": {
            "alertWhenNoData": True,
            "conditions": [
                {
                    "kind": "AlertCondition",
                    "metadata": {"name": "quiet"},
                    "spec": {"severity": "page", "condition": rate},
                }
            ],
            "notificationTargets": [
                {"kind": "AlertNotificationTarget", "metadata": {"name": "on-call"}, "spec": {"target": "webhook"}}
            ],
        },
    }
    defined = document()
    defined["spec"]["alertPolicies"] = [policy]
    await slo.call("POST", "/v1/slos", defined, expect=201)
    await slo.measure(NOW - HOUR, 60, 1000, 1000)
    await slo.status(total=60_000)
    slo.clock.advance(HOUR + MINUTE)
    (alert,) = await _alerts(slo, 1, state="firing")
    assert (alert["tier"], alert["policy"], alert["no_data"], alert["data_until"]) == (
        "dead.quiet",
        "dead",
        True,
        "2026-11-21T10:00:00Z",
    )
    await slo.measure(NOW + HOUR, 1, 1000, 1000)
    await _alerts(slo, 1, state="resolved")
