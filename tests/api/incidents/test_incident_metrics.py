"""The figures of incidents over HTTP: what counts, by what, and as a table."""

import csv
import io
from datetime import timedelta
from typing import Any

from libs.events.testing import FrozenClock
from tests.fixtures.services import Elsewhere, Running, eventually, memory_is_enough

OUTAGE = {"title": "=Checkout fails", "service": "checkout-api", "severity": "sev2"}


async def test_figures_count_what_was_no_drill_by_what_the_service_was_then(
    incidents: Running, lifecycle: Elsewhere, clock: FrozenClock
) -> None:
    for more in ({}, {"severity": "sev1"}, {"test": True}, {}, {}):
        await incidents.call("POST", "/v1/incidents", OUTAGE | more, expect=201)
    clock.advance(timedelta(minutes=10))
    await incidents.call("POST", "/v1/incidents/INC-1:acknowledge")
    await incidents.call("POST", "/v1/incidents/INC-4:cancel")
    await incidents.call("POST", "/v1/incidents/INC-5:merge", {"into": "INC-1"})
    await lifecycle.says(
        "service.phase-changed", "service/checkout-api", service="checkout-api", to_phase="deprecation"
    )
    clock.advance(timedelta(minutes=10))
    await incidents.call("POST", "/v1/incidents/INC-1:classify", {"outage_class": "retry-storm"})
    last = await incidents.client.post("/v1/incidents/INC-1:resolve")
    path, own = "/v1/metrics/incidents", {"Consistency_Token": last.headers["Consistency-Token"]}

    async def told() -> Any:
        found = await incidents.call("GET", f"{path}?by=phase", **own)
        return found["items"] and found["items"][0]["key"] and found

    metrics = await eventually(told)
    assert [(each["key"], each["incidents"]) for each in metrics["items"]] == [("limited_availability", 2)]
    assert metrics["excluded"] == {"test": 1, "cancelled": 1, "merged": 1}
    total = metrics["total"]
    assert (total["mtta"]["n"], total["mtta"]["mean_s"], total["mtta"]["still_open"]) == (1, 600, 1)
    assert (total["mttr"]["mean_s"], total["mttr"]["missing"]) == (1200, 0)

    severe = await incidents.call("GET", f"{path}?by=severity&severity=sev1", **own)
    assert [(each["key"], each["mttr"]["mean_s"]) for each in severe["items"]] == [("sev1", None)]
    table = list(csv.DictReader(io.StringIO((await incidents.client.get(f"{path}?by=cause&format=csv")).text)))
    assert [(line["key"], line["mttr_mean_s"]) for line in table] == [("", ""), ("retry-storm", "1200.0")]
    lines = list(csv.DictReader(io.StringIO((await incidents.client.get(f"{path}/export")).text)))
    assert [line["number"] for line in lines] == ["INC-1", "INC-2"]


@memory_is_enough
async def test_a_period_that_is_empty_is_refused(incidents: Running) -> None:
    refused = await incidents.call("GET", "/v1/metrics/incidents?since=2027-01-01T00:00:00Z", expect=422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("invalid-period", "since")


@memory_is_enough
async def test_without_pages_nobody_was_interrupted(incidents: Running) -> None:
    told = await incidents.call("GET", "/v1/metrics/incidents/interruptions")
    assert (told["total"]["pages"], told["items"]) == (0, [])
