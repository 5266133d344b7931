"""Composite SLOs through the API and the worker."""

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from libs.events.adapters import open_bus
from libs.events.testing import FrozenClock
from services.slo.collector import Collector
from services.slo.config import SloSettings
from services.slo.domain.openslo.resolution import DELAY
from services.slo.domain.openslo.resolution import WHEN_MISSING as MISSING
from tests.fixtures.services import Database, eventually
from tests.fixtures.slo import MINUTE, NOW, Slo, buckets, document, running_slo

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
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


async def test_a_component_whose_data_stops_counts_as_the_composite_says_after_a_delay(slo: Slo) -> None:
    rules = {"bad": "bad", "good": "b=good, bad", "ignored": "bad, b=ignore", "by-default": ""}
    await define(slo, document("a"), document("b"))
    for name, rule in rules.items():
        await define(slo, composite(name, annotations={MISSING: rule, DELAY: "15m"} if rule else None, a=1, b=1))

    async def slis(total: int) -> dict[str, float]:
        return {name: (await slo.status(name, total=total))["sli"] for name in rules}

    await slo.measure(NOW - HOUR, 60, 10, 10, "a")
    await slo.measure(NOW - HOUR, 60, 5, 10, "b")
    assert set((await slis(1200)).values()) == {0.75}
    slo.clock.advance(14 * MINUTE)
    await slo.measure(NOW, 14, 10, 10, "a")
    assert set((await slis(1340)).values()) == {0.75}
    slo.clock.advance(6 * MINUTE)
    await slo.measure(NOW + 14 * MINUTE, 6, 10, 10, "a")
    # b: half of 60 minutes were good, and 20 are missing
    assert await slis(1400) == {"bad": 0.6875, "good": 0.8125, "ignored": 0.75, "by-default": 0.75}
    explained = await slo.call("GET", "/v1/slos/bad/explain")
    assert [(c["name"], c["sli"], c["missing_minutes"]) for c in explained["components"]] == [
        ("a", 1.0, 0),
        ("b", 0.375, 20),
    ]
    assert sum(c["error_budget_consumed"] for c in explained["components"]) == explained["error_budget_consumed"]
    spells = explained["buckets"]
    assert sum(s["error_budget_consumed"] for s in spells["items"]) + spells["others"] == pytest.approx(3.125)


@pytest.mark.parametrize(
    ("annotation", "value", "code"),
    [
        (MISSING, "worse", "one_of"),
        (MISSING, "cart=bad", "unknown_reference"),
        (DELAY, "1w", "out_of_range"),
        (DELAY, "25h", "out_of_range"),
    ],
)
async def test_what_makes_no_rule_for_missing_data_is_refused_with_its_place(
    slo: Slo, annotation: str, value: str, code: str
) -> None:
    await define(slo, document("a"))
    wrong = composite("both", annotations={annotation: value}, a=1)
    refused = await slo.call("POST", "/v1/slos", wrong, expect=422)
    assert [(e["code"], e["pointer"]) for e in refused["errors"]] == [
        (code, f"/metadata/annotations/{annotation.replace('/', '~1')}")
    ]


async def test_an_edited_weight_or_component_rewrites_no_history(slo: Slo) -> None:
    await define(slo, document("a"), document("b"), composite("both", a=1, b=1))
    await slo.measure(NOW - HOUR, 30, 10, 10, "a")
    await slo.measure(NOW - HOUR / 2, 30, 0, 10, "a")
    await slo.measure(NOW - HOUR, 60, 10, 10, "b")
    assert (await slo.status("both", total=1200))["sli"] == 0.75

    slo.clock.advance(HOUR)
    assert (await slo.call("PUT", "/v1/slos/both", composite("both", a=3, b=1)))["revision"] == 2
    slo.clock.advance(HOUR)
    await slo.call("PUT", "/v1/slos/a", document("a", 0.5))
    assert (await slo.call("GET", "/v1/slos/both"))["revision"] == 2  # targets of components are their own
    sliced = document("a", 0.5)
    sliced["spec"] |= {
        "budgetingMethod": "Timeslices",
        "objectives": [{"target": 0.5, "timeSliceTarget": 0.9, "timeSliceWindow": "1h"}],
    }
    await slo.call("PUT", "/v1/slos/a", sliced)

    async def told(moment: datetime) -> tuple[int, float]:
        at = moment.isoformat().replace("+00:00", "Z")
        status = await slo.call("GET", f"/v1/slos/both/status?at={at}")
        return status["revision"], status["sli"]

    assert await told(NOW) == (1, 0.75)
    assert await told(NOW + HOUR) == (2, 0.625)
    assert await told(NOW + 2 * HOUR) == (3, 0.25)
    query = "from=2026-11-21T09:00:00Z&until=2026-11-21T12:00:00Z&step=1h"
    points = (await slo.call("GET", f"/v1/slos/both/series?{query}"))["points"]
    assert [(p["revision"], p["sli"], p["total"], p["error_budget_remaining"]) for p in points] == [
        (1, 0.75, 1200, -1.5),
        (2, None, None, -2.75),
        (3, None, None, -6.5),
    ]
    periods = (await slo.call("GET", "/v1/slos/both/periods"))["items"]
    assert [(p["revision"], p["sli"]) for p in periods] == [(3, 0.25)]


async def test_what_excuses_a_component_excuses_it_in_the_composite(slo: Slo) -> None:
    await define(slo, document("a"), document("b"), composite("both", a=1, b=1))
    await slo.measure(NOW - HOUR, 30, 10, 10, "a")
    await slo.measure(NOW - HOUR / 2, 30, 0, 10, "a")
    await slo.measure(NOW - HOUR, 60, 10, 10, "b")
    await slo.figures("both", lambda figures: figures.state == "violated")
    excuse = {
        "slos": ["a"],
        "effect": "remove",
        "start": "2026-11-21T09:30:00Z",
        "duration": "PT30M",
        "reason": "the database was maintained",
        "agreed_by": {"development": "ana", "sre": "bo"},
    }
    await slo.call("POST", "/v1/adjustments", excuse, expect=201)
    assert (await slo.status("both", total=900))["sli"] == 1.0
    assert (await slo.figures("both", lambda figures: figures.state == "met")).total == 900


async def test_a_component_cannot_end_before_its_composite_which_stays_readable(slo: Slo) -> None:
    await define(slo, document("a"), composite("only", a=1))
    await slo.measure(NOW - HOUR, 60, 10, 10, "a")
    await slo.status("only", total=600)
    assert (await slo.call("DELETE", "/v1/slos/a", expect=409))["used_by"] == ["SLO/only"]
    await slo.call("DELETE", "/v1/slos/only")
    await slo.call("DELETE", "/v1/slos/a")
    assert (await slo.status("only", total=600))["sli"] == 1.0


async def test_components_may_be_taken_in_by_other_processes(slo: Slo) -> None:
    names = [f"part-{number}" for number in range(8)]
    other, stop = Collector(slo.running.resources, SloSettings(tick_s=0.1)), asyncio.Event()
    working = asyncio.create_task(other.run(stop))
    await define(slo, *map(document, names), composite("all", **dict.fromkeys(names, 1)))
    await define(slo, composite("some", **dict.fromkeys(names[:4], 1)))
    for minute in range(3):
        for name in names:
            await slo.measure(NOW - (minute + 1) * MINUTE, 1, 0, 10, name)
        if minute == 1:  # one leaves
            stop.set()
            await working
    for name, total in (("all", 240), ("some", 120)):
        await slo.status(name, total=total)
        await slo.figures(name, lambda figures: figures.state == "violated")
    slo.clock.advance(DAY)  # the figures are repeated once a day
    assert (await slo.figures("all", lambda figures: figures.at > NOW)).input_version == 24
    assert (await slo.figures("some", lambda figures: figures.at > NOW)).input_version == 12


async def test_a_restart_changes_nothing(database: Database) -> None:
    clock = FrozenClock(NOW)
    async with open_bus(SloSettings(data_dir=database.data_dir), clock) as bus:
        async with running_slo(database, clock, bus) as slo:
            await define(slo, document("a"), document("b"), composite("both", a=3, b=1))
            await slo.measure(NOW - HOUR, 60, 0, 10, "a")
            await slo.measure(NOW - HOUR, 60, 10, 10, "b")
            await slo.status("both", total=1200)
            before = await slo.call("GET", "/v1/slos/both")
        async with running_slo(database, clock, bus, slo.lifecycle) as slo:
            assert await slo.call("GET", "/v1/slos/both") == before
            await slo.measure(NOW - 2 * HOUR, 1, 0, 7, "a")
            assert (await slo.status("both", total=1207))["input_version"] == 121


async def test_low_traffic_counts_by_component_and_its_weight(slo: Slo) -> None:
    await define(slo, document("much"), document("few"), composite("both", 0.9, much=1, few=1))
    await slo.measure(NOW - HOUR, 60, 1000, 1000, "much")
    await slo.measure(NOW - HOUR, 20, 1, 1, "few")
    await slo.status("both", total=60_020)
    found = await slo.call("GET", "/v1/slos/both/suggestions?failures=10")
    assert {item["component"] for item in found["items"]} == {"few"}
    # 10 failures weigh a half: 5 of N events burn faster than 5.6 while N < 5 / (5.6 * 0.1)
    (six_hours,) = [item for item in found["items"] if item["long_window"] == "6h"]
    assert six_hours["events_needed"] == 9


async def test_what_if_takes_another_target_but_no_method(slo: Slo) -> None:
    await define(slo, document("a"), document("b"), composite("both", a=1, b=1))
    await slo.measure(NOW - HOUR, 60, 8, 10, "a")
    await slo.measure(NOW - HOUR, 60, 10, 10, "b")
    await slo.status("both", total=1200)
    asked = {"target": 0.8, "from": "2026-11-21T10:00:00Z"}
    found = await slo.call("POST", "/v1/slos/both:what-if", asked)
    assert [found[kind]["items"][0]["error_budget_consumed"] for kind in ("promised", "proposed")] == [1.0, 0.5]
    refused = await slo.call("POST", "/v1/slos/both:what-if", {"method": "Timeslices"}, expect=422)
    assert refused["code"] == "invalid-method"


async def test_a_forecast_looks_at_all_components(slo: Slo) -> None:
    await define(slo, document("a"), document("b"), composite("both", a=1, b=1))
    for day in range(10):
        start = NOW - (day + 1) * DAY
        await slo.measure(start, 1440, 95, 100, "a")
        await slo.measure(start, 1440, 9, 10, "b")
    await slo.status("both", total=10 * 1440 * 110)
    found = await slo.call("GET", "/v1/slos/both/forecast")
    assert (found["not_enough_data"], found["expected"], found["back_test"]["tries"]) == (None, None, 8)
    await slo.call("PUT", "/v1/slos/both", composite("both", 0.95, a=1, b=1))
    found = await slo.call("GET", "/v1/slos/both/forecast")
    assert found["expected"] == "2026-11-21T10:00:00Z"  # it is overspent already


async def test_a_late_bucket_corrects_the_alert_of_a_composite(slo: Slo) -> None:
    await define(slo, document("a"), document("b"), composite("both", 0.99, a=1, b=3))
    await slo.said("both", "budget.assessed")
    await slo.measure(NOW - HOUR, 60, 100, 100, "b")
    await slo.figures("both", lambda figures: figures.state == "met")
    await slo.measure(NOW - HOUR, 60, 60, 100, "a")
    await slo.said("both", "budget.exhausted", "alert.fired", figures=False)
    await slo.measure(NOW - HOUR, 60, 100, 100, "a")

    async def corrected() -> Any:
        alerts = (await slo.call("GET", "/v1/slos/both/alerts"))["items"]
        return alerts and alerts[0]["correction"]

    assert (await eventually(corrected))["would_fire"] is False


async def test_a_composite_comes_back_as_it_was_sent_with_all_it_is_weighed_from(slo: Slo) -> None:
    sent = composite("both", annotations={MISSING: "bad"}, a=3, b=1)
    await define(slo, document("a"), document("b"), sent)
    assert await slo.call("GET", "/v1/slos/both/document", Accept="application/json") == sent
    whole = await slo.call("GET", "/v1/slos/both/document?references=true", Accept="application/json")
    assert [each["metadata"]["name"] for each in whole] == ["both", "a", "b"]
