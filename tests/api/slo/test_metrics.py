"""What Prometheus scrapes of SLOs."""

import asyncio
from datetime import timedelta
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from services.slo.config import SloSettings
from services.slo.metrics import keep_fleet
from tests.fixtures.services import eventually
from tests.fixtures.slo import NAME, NOW, Slo

HOUR = timedelta(hours=1)


async def _scraped(slo: Slo) -> dict[str, float]:
    text = (await slo.running.client.get("/metrics")).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {f"{s.name}{sorted(s.labels.values())}": s.value for s in samples if s.name.startswith("concordat_slo")}


async def test_an_slo_has_its_figures_and_the_fleet_its_counts(slo: Slo) -> None:
    await slo.define()
    await slo.define("quiet")
    await slo.measure(NOW - HOUR, 60, 500, 1000)

    async def told() -> Any:
        found = await _scraped(slo)
        firing, judged = found.get("concordat_slo_alerts_firing['page']"), f"concordat_slo_sli{of_slo}" in found
        return found if firing and judged else None

    of_slo = f"['checkout-api', '{NAME}']"
    found = await eventually(told)
    assert found[f"concordat_slo_target{of_slo}"] == 0.99
    assert found[f"concordat_slo_sli{of_slo}"] == 0.5
    assert found[f"concordat_slo_error_budget_remaining{of_slo}"] == -49.0
    assert found[f"concordat_slo_coverage{of_slo}"] == 60 / 40_320
    assert "concordat_slo_sli['checkout-api', 'quiet']" not in found
    assert (found["concordat_slos['violated']"], found["concordat_slos['undefined']"]) == (1, 1)
    assert found["concordat_slos_left_out[]"] == 0


async def test_only_so_many_slos_have_series_of_their_own(slo: Slo) -> None:
    for name in ("a", "b", "c"):
        await slo.define(name)
    settings = SloSettings(metrics_slos=2, tick_s=60)
    stopped = asyncio.Event()
    stopped.set()

    async def told() -> Any:
        await keep_fleet(slo.running.resources, settings, stopped)
        found = await _scraped(slo)
        return found if found["concordat_slos['undefined']"] == 3 and found["concordat_slos_left_out[]"] else None

    found = await eventually(told)
    assert found["concordat_slos_left_out[]"] == 1
    assert [name for name in found if name.startswith("concordat_slo_target")] == [
        "concordat_slo_target['a', 'checkout-api']",
        "concordat_slo_target['b', 'checkout-api']",
    ]
