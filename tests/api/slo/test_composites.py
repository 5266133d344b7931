"""Composite SLOs through the API and the worker."""

from datetime import timedelta
from typing import Any

from tests.fixtures.services import eventually
from tests.fixtures.slo import NOW, Slo, buckets, document

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
EVERY = "concordat.io/composite-missing"
_PUSH = {"metricSource": {"type": "concordat", "spec": {"query": "push"}}}


def composite(name: str, target: float = 0.9, /, annotations: object = None, **parts: float) -> dict[str, Any]:
    """A composite of the SLOs that *parts* name, each with its weight."""
    made = document(name)
    del made["spec"]["indicator"]
    made["metadata"] |= {"annotations": annotations} if annotations else {}
    made["spec"]["objectives"] = [
        {"target": target, "indicatorRef": part, "compositeWeight": weight} for part, weight in parts.items()
    ]
    return made


def _buckets(minutes: int) -> dict[str, Any]:
    return buckets(NOW - HOUR, minutes, 1, 1)


async def define(slo: Slo, *documents: dict[str, Any]) -> None:
    """Define SLOs."""
    for each in documents:
        await slo.call("POST", "/v1/slos", each, expect=201)


async def test_components_count_by_their_weight(slo: Slo) -> None:
    await define(slo, document("a"), document("b"), composite("both", a=3, b=1))
    await slo.measure(NOW - HOUR, 60, 90, 100, "a")
    await slo.measure(NOW - HOUR, 60, 1, 1, "b")
    status = await slo.status("both", total=6060)
    assert (status["sli"], status["good"], status["target"], status["input_version"]) == (0.925, 5460, 0.9, 120)
    assert (status["error_budget_consumed"], status["state"]) == (0.75, "at_risk")
    assert status["burn_rates"]["1h"] == 0.75
    assert status["data_until"] == "2026-11-21T10:00:00Z"
    assert status["coverage"] == 60 / 40320


async def test_a_composite_is_said_and_alerts_as_every_slo(slo: Slo) -> None:
    await define(slo, document("a"), document("b"), composite("both", 0.99, a=1, b=3))
    await slo.said("both", "budget.assessed")
    await slo.measure(NOW - HOUR, 60, 100, 100, "b")
    await slo.figures("both", lambda figures: figures.state == "met")
    await slo.measure(NOW - HOUR, 60, 60, 100, "a")
    exhausted, fired = await slo.said("both", "budget.exhausted", "alert.fired", figures=False)
    alert = fired["event"]
    assert (exhausted["event"].error_budget_remaining, alert.input_version) == (-9, 120)
    assert (alert.tier, alert.burn_rate_short, alert.burn_rate_long) == ("page-30m-6h", 10, 10)

    async def listed() -> Any:
        found = (await slo.call("GET", "/v1/slos?state=violated&order_by=budget_remaining"))["items"]
        return [each["error_budget_remaining"] for each in found if each["name"] == "both"]

    assert await eventually(listed) == [-9]
    gate = await slo.call("GET", "/v1/release-gate/checkout-api")
    assert "both" in str(gate)


async def test_composites_may_hold_composites_and_indicators_of_their_own(slo: Slo) -> None:
    outer = composite("outer", inner=1)
    outer["spec"]["objectives"].append(
        {
            "target": 0.8,
            "compositeWeight": 3,
            "indicator": {
                "metadata": {"name": "cart"},
                "spec": {"ratioMetric": {"counter": True, "good": _PUSH, "total": _PUSH}},
            },
        }
    )
    await define(slo, document("a"), document("b"), composite("inner", a=1, b=1), outer)
    assert (await slo.call("GET", "/v1/slos/outer"))["target"] == 0.825
    await slo.measure(NOW - HOUR, 60, 80, 100, "a")
    await slo.measure(NOW - HOUR, 60, 100, 100, "b")
    await slo.measure(NOW - HOUR, 60, 90, 100, "outer.cart")
    assert (await slo.status("outer", total=18_000))["sli"] == 0.9
    sent = {
        "items": [
            {"slo": "outer.cart"} | _buckets(1),
            {"slo": "outer.pay"} | _buckets(1),
            {"slo": "outer"} | _buckets(1),
        ]
    }
    kept = await slo.call("POST", "/v1/measurements", sent, expect=207)
    assert [(each["status"], each.get("problem", {}).get("code")) for each in kept["items"]] == [
        (202, None),
        (404, "not-found"),
        (422, "composite-not-measured"),
    ]
    assert kept["items"][2]["problem"]["errors"][0]["pointer"] == "/items/2/slo"
    refused = await slo.call("POST", "/v1/slos/inner/measurements", _buckets(1), expect=422)
    assert "send measurements of a, b" in refused["detail"]
