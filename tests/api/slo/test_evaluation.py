"""What the worker says about measurements: figures, thresholds and alerts."""

from datetime import timedelta

from libs.events.adapters import open_bus
from libs.events.testing import FrozenClock
from services.slo.config import SloSettings
from tests.fixtures.services import Database, eventually
from tests.fixtures.slo import MINUTE, NAME, NOW, Slo, running_slo

HOUR = timedelta(hours=1)
MONTH = timedelta(days=28)
ASSESSED, FIRED, RESOLVED = "budget.assessed", "alert.fired", "alert.resolved"
EXHAUSTED, RECOVERED = "budget.exhausted", "budget.recovered"


async def test_a_new_slo_is_said_to_be_undefined(slo: Slo) -> None:
    await slo.define()
    (said,) = await slo.said(NAME, ASSESSED)
    assert (said["event"].state, said["event"].sli, said["event"].coverage) == ("undefined", None, 0.0)


async def test_a_bad_hour_exhausts_the_budget_and_fires_and_good_weeks_bring_it_back(slo: Slo) -> None:
    await slo.define()
    await slo.said(NAME, ASSESSED)
    await slo.measure(NOW - HOUR, 60, 700, 1000)
    _, violated, exhausted, fired = await slo.said(NAME, ASSESSED, ASSESSED, EXHAUSTED, FIRED)
    assert (violated["event"].state, violated["event"].input_version) == ("violated", 60)
    assert exhausted["event"].error_budget_remaining == -29.0
    alert = fired["event"]
    assert (alert.severity, alert.short_window, alert.long_window, alert.factor) == ("page", "5m", "1h", 13.44)
    assert (alert.burn_rate_short, alert.burn_rate_long) == (30.0, 30.0)
    assert fired["recorded"].meta.actor == "slo"

    await slo.measure(NOW - MONTH, 40_320 - 60, 1000, 1000)
    back = await slo.figures(NAME, lambda figures: figures.coverage > 0.98)
    assert back.state == "met"

    slo.clock.advance(5 * MINUTE)
    await slo.measure(NOW, 5, 1000, 1000)
    _, _, recovered, resolved = await slo.said(NAME, EXHAUSTED, FIRED, RECOVERED, RESOLVED, figures=False)
    assert recovered["event"].error_budget_remaining > 0
    assert resolved["event"].alert == alert.alert

    async def listed() -> list[dict[str, object]]:
        return (await slo.call("GET", f"/v1/slos/{NAME}/alerts?state=resolved"))["items"]

    (shown,) = await eventually(listed)
    assert (shown["id"], shown["tier"], shown["severity"]) == (alert.alert, "page-5m-1h", "page")
    assert (shown["fired_at"], shown["resolved_at"]) == ("2026-11-21T10:00:00Z", "2026-11-21T10:05:00Z")
    assert (await slo.call("GET", f"/v1/slos/{NAME}/alerts?state=firing"))["items"] == []


async def test_an_outage_that_kills_the_telemetry_keeps_its_alert(slo: Slo) -> None:
    await slo.define()
    await slo.said(NAME, ASSESSED)
    await slo.measure(NOW - HOUR, 60, 700, 1000)
    await slo.said(NAME, ASSESSED, ASSESSED, EXHAUSTED, FIRED)
    slo.clock.advance(timedelta(hours=25))  # the figures are repeated once a day, which shows that it was evaluated
    await slo.said(NAME, ASSESSED, ASSESSED, EXHAUSTED, FIRED, ASSESSED)


async def test_history_that_is_sent_later_pages_nobody(slo: Slo) -> None:
    await slo.define()
    await slo.said(NAME, ASSESSED)
    await slo.measure(NOW - timedelta(days=3), 60, 500, 1000)
    await slo.said(NAME, ASSESSED, ASSESSED, EXHAUSTED)


async def test_data_that_is_minutes_late_fires_all_the_same(slo: Slo) -> None:
    await slo.define()
    await slo.said(NAME, ASSESSED)
    await slo.measure(NOW - HOUR - 20 * MINUTE, 60, 700, 1000)
    await slo.said(NAME, ASSESSED, ASSESSED, EXHAUSTED, FIRED)


async def test_figures_that_move_are_told_once_a_minute_and_states_at_once(slo: Slo) -> None:
    await slo.define()
    await slo.said(NAME, ASSESSED)
    await slo.measure(NOW - MINUTE, 1, 999, 1000)
    await slo.said(NAME, ASSESSED, ASSESSED)
    await slo.measure(NOW - 2 * MINUTE, 1, 997, 1000)
    await slo.status(total=2000)
    slo.clock.advance(MINUTE)
    *_, moved = await slo.said(NAME, ASSESSED, ASSESSED, ASSESSED)
    assert moved["event"].sli == 0.998


async def test_a_revision_is_assessed_at_once(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - HOUR, 60, 1000, 1000)
    await slo.status(total=60_000)
    document = (await slo.call("GET", f"/v1/slos/{NAME}"))["document"]
    document["spec"]["objectives"][0]["target"] = 0.5
    await slo.call("PUT", f"/v1/slos/{NAME}", document)

    async def revised() -> bool:
        recorded = await slo.running.resources.store.load(f"budget/{NAME}")
        return any(slo.running.resources.registry.decode(r).revision == 2 for r in recorded)

    assert await eventually(revised)


async def test_after_a_restart_everything_is_as_before_and_nothing_counts_twice(database: Database) -> None:
    settings = SloSettings(data_dir=database.data_dir)
    clock = FrozenClock(NOW)
    async with open_bus(settings, clock) as bus:
        async with running_slo(database, clock, bus) as slo:
            await slo.define()
            await slo.said(NAME, ASSESSED)
            await slo.measure(NOW - HOUR, 60, 700, 1000)
            await slo.said(NAME, ASSESSED, ASSESSED, EXHAUSTED, FIRED)
            before = await slo.call("GET", f"/v1/slos/{NAME}")
        async with running_slo(database, clock, bus, slo.lifecycle) as slo:
            assert await slo.call("GET", f"/v1/slos/{NAME}") == before
            await slo.measure(NOW - 2 * HOUR, 1, 7, 7)
            assert (await slo.status(total=60_007))["input_version"] == 61
            await slo.said(NAME, ASSESSED, ASSESSED, EXHAUSTED, FIRED)
