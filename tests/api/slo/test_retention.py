"""Buckets of days of which only hours are kept."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import pytest

from libs.events.bus import MEASUREMENTS
from services.slo.measurements.buckets import journaled
from services.slo.measurements.retention import gone
from tests.fixtures.services import Database, eventually
from tests.fixtures.slo import MINUTE, NAME, NOW, Slo, buckets, running_slo

KEPT_D = 4
OLD, DAY = NOW - 2 * MINUTE, int(NOW.timestamp()) // 86_400


@pytest.fixture
async def slo(database: Database) -> AsyncGenerator[Slo]:
    """The slo service, some days after it counted something whose minutes it keeps no longer."""
    async with running_slo(database, minutes_kept_d=KEPT_D) as service:
        await service.define()
        await service.measure(OLD, 2, 3, 4)
        await service.status(total=8)
        views = service.running.resources.views

        async def merged() -> bool:
            return not await views.read(journaled, range(MEASUREMENTS.partitions))

        async def pruned() -> bool:
            return bool(await views.read(gone, {(NAME, DAY)}))

        for passed, done in ((timedelta(hours=2), merged), (timedelta(days=KEPT_D + 2), pruned)):
            service.clock.advance(passed)
            await eventually(done)
        yield service


async def test_a_bucket_that_comes_too_late_is_refused_and_the_others_are_kept(slo: Slo) -> None:
    now = slo.clock.now()
    sent = [*buckets(OLD, 2, 9, 9)["buckets"], *buckets(now - MINUTE, 1, 1, 1)["buckets"]]
    answer = await slo.call("POST", f"/v1/slos/{NAME}/measurements", {"buckets": sent}, expect=207)
    assert (answer["accepted"], answer["kept"]) == (1, [[2, 3]])
    assert [(each["pointer"], each["code"]) for each in answer["errors"]] == [
        ("/buckets/0/start", "too-late"),
        ("/buckets/1/start", "too-late"),
    ]
    assert "CONCORDAT_MINUTES_KEPT_D" in answer["errors"][0]["remedy"]
    items = [{"slo": NAME, "buckets": sent[:1]}, {"slo": NAME, "buckets": sent[2:], "source": "eu"}]
    each = (await slo.call("POST", "/v1/measurements", {"items": items}, expect=207))["items"]
    assert [one["status"] for one in each] == [422, 202]
    assert each[0]["problem"]["errors"][0]["code"] == "too-late"
    assert (await slo.status(total=10))["good"] == 8


async def test_a_line_that_comes_too_late_is_refused(slo: Slo) -> None:
    times = (OLD, slo.clock.now() - MINUTE)
    text = "start,good,total\n" + "".join(f"{at.isoformat()},1,1\n" for at in times)
    path = f"/v1/slos/{NAME}/measurements"
    answer = await slo.running.client.post(path, content=text, headers={"Content-Type": "text/csv"})
    assert (answer.status_code, answer.json()["kept"]) == (207, [[3, 4]])
    assert [(each["line"], each["code"]) for each in answer.json()["errors"]] == [(2, "too-late")]


async def test_a_day_of_the_past_that_nothing_was_counted_on_is_not_too_late(slo: Slo) -> None:
    await slo.measure(NOW - timedelta(days=20), 1, 1, 1)
    await slo.status(total=9)
