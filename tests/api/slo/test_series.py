"""An SLO over time, over HTTP."""

from datetime import timedelta

from tests.fixtures.services import memory_is_enough
from tests.fixtures.slo import MINUTE, NAME, NOW, Slo, document

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


async def test_each_step_has_its_counts_and_the_budget_at_its_end(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - 2 * HOUR, 60, 990, 1000)
    await slo.measure(NOW - HOUR, 60, 980, 1000)
    await slo.status(total=120_000)
    series = await slo.call("GET", f"/v1/slos/{NAME}/series?from=2026-11-21T07:00:00Z&step=1h")
    assert (series["step"], series["input_version"]) == ("1h", 120)
    assert [(p["at"], p["good"], p["total"], p["sli"], p["error_budget_remaining"]) for p in series["points"]] == [
        ("2026-11-21T07:00:00Z", None, None, None, None),
        ("2026-11-21T08:00:00Z", 59_400, 60_000, 0.99, 0.0),
        ("2026-11-21T09:00:00Z", 58_800, 60_000, 0.98, -0.5),
    ]


async def test_the_last_budget_is_that_of_the_status_whatever_the_step(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - 30 * DAY, 120, 1, 2)
    await slo.measure(NOW - 3 * DAY, 90, 995, 1000)
    await slo.measure(NOW - HOUR, 50, 985, 1000)
    slo.clock.advance(13 * MINUTE + timedelta(seconds=7))
    status = await slo.status(total=140_000)
    for step in ("1m", "7m", "1h", "1d"):
        since = (NOW - DAY).isoformat().replace("+00:00", "Z")
        last = (await slo.call("GET", f"/v1/slos/{NAME}/series?from={since}&step={step}"))["points"][-1]
        assert last["error_budget_remaining"] == status["error_budget_remaining"], step
        assert last["coverage"] == status["coverage"], step


async def test_a_minute_with_no_events_is_zero_and_an_absent_one_is_not(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - 2 * MINUTE, 1, 0, 0)
    await slo.measure(NOW - 3 * MINUTE, 1, 5, 5)
    await slo.status(total=5)
    points = (await slo.call("GET", f"/v1/slos/{NAME}/series?from=2026-11-21T09:57:00Z&step=1m"))["points"]
    assert [(p["good"], p["total"], p["sli"]) for p in points] == [(5, 5, 1.0), (0, 0, None), (None, None, None)]


async def test_points_are_judged_by_the_revision_of_their_time(slo: Slo) -> None:
    await slo.define()
    slo.clock.advance(2 * HOUR)
    await slo.measure(NOW, 120, 99, 100)
    await slo.status(total=12_000)
    await slo.call("PUT", f"/v1/slos/{NAME}", document(target=0.5))
    slo.clock.advance(HOUR)
    series = await slo.call("GET", f"/v1/slos/{NAME}/series?from=2026-11-21T10:00:00Z&step=1h")
    assert [(p["revision"], p["target"], p["error_budget_remaining"]) for p in series["points"]] == [
        (1, 0.99, 0.0),
        (2, 0.5, 0.98),
        (2, 0.5, 0.98),
    ]


@memory_is_enough
async def test_the_step_fits_the_range_unless_it_is_asked_for(slo: Slo) -> None:
    await slo.define()
    week = await slo.call("GET", f"/v1/slos/{NAME}/series")
    assert (week["step"], len(week["points"])) == ("1h", 168)
    years = await slo.call("GET", f"/v1/slos/{NAME}/series?from=2015-01-01T00:00:00Z")
    assert (years["step"], len(years["points"])) == ("28d", 156)


@memory_is_enough
async def test_too_many_points_are_refused_with_a_step_that_fits(slo: Slo) -> None:
    await slo.define()
    refused = await slo.call("GET", f"/v1/slos/{NAME}/series?step=1m", expect=400)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("too-many-points", "step")
    assert "1h" in refused["detail"]
    backwards = "from=2026-11-21T09:00:00Z&until=2026-11-20T09:00:00Z"
    refused = await slo.call("GET", f"/v1/slos/{NAME}/series?{backwards}", expect=400)
    assert (refused["code"], refused["errors"][0]["pointer"]) == ("empty-range", "from")
    await slo.call("GET", f"/v1/slos/{NAME}/series?step=5s", expect=422)
    await slo.call("GET", "/v1/slos/nobody/series", expect=404)


async def test_a_status_of_the_past_is_judged_by_what_was_promised_then(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - HOUR, 60, 98, 100)
    await slo.status(total=6_000)
    slo.clock.advance(HOUR)
    await slo.call("PUT", f"/v1/slos/{NAME}", document(target=0.5))
    past = await slo.call("GET", f"/v1/slos/{NAME}/status?at=2026-11-21T10:00:00Z")
    now = await slo.call("GET", f"/v1/slos/{NAME}/status")
    assert [(s["revision"], s["target"], s["state"]) for s in (past, now)] == [(1, 0.99, "violated"), (2, 0.5, "met")]


async def test_a_status_hints_at_when_the_budget_is_gone(slo: Slo) -> None:
    """The last day burns at 2, and a fifth of the budget is left: a tenth of the 28 days."""
    await slo.define()
    await slo.measure(NOW - 2 * DAY, 60, 1000, 1000)
    await slo.measure(NOW - HOUR, 40, 980, 1000)
    status = await slo.status(total=100_000)
    assert (round(status["error_budget_remaining"], 9), status["burn_rates"]["1d"]) == (0.2, 2.0)
    assert status["exhausted_at_this_rate"].startswith("2026-11-24T05:12:00")
    await slo.measure(NOW - HOUR, 40, 900, 1000)
    await slo.figures(NAME, lambda figures: figures.state == "violated")
    gone = await slo.call("GET", f"/v1/slos/{NAME}/status")
    assert (gone["state"], gone["exhausted_at_this_rate"]) == ("violated", None)


@memory_is_enough
async def test_an_slo_that_ended_keeps_its_history(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - HOUR, 60, 98, 100)
    await slo.status(total=6_000)
    await slo.call("DELETE", f"/v1/slos/{NAME}")
    for path in ("series", "periods", "explain", "forecast", "suggestions", "status?at=2026-11-21T10:00:00Z"):
        await slo.call("GET", f"/v1/slos/{NAME}/{path}")
