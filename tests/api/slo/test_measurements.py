"""Measurements over HTTP, and the status that follows from them."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from libs.events.bus import MEASUREMENTS, OutRecord
from libs.events.errors import BusUnavailableError
from services.slo.measurements.access_log import read_access_log
from tests.fixtures.services import eventually, memory_is_enough
from tests.fixtures.slo import MINUTE, NAME, NOW, Slo, buckets

PATH = f"/v1/slos/{NAME}/measurements"
EXCERPT = Path(__file__).parents[2] / "data" / "access.log"


async def test_counts_become_figures(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - timedelta(hours=2), 120, 995, 1000)
    status = await slo.status(total=120_000)
    assert (status["good"], status["sli"], status["state"]) == (119_400, 0.995, "met")
    assert (status["error_budget_consumed"], status["error_budget_remaining"]) == (0.5, 0.5)
    assert status["coverage"] == 120 / 40_320
    assert status["burn_rates"] == dict.fromkeys(("5m", "30m", "1h", "2h", "6h", "1d", "3d"), 0.5)
    assert (status["window_start"], status["window_end"]) == ("2026-10-24T10:00:00Z", "2026-11-21T10:00:00Z")
    assert (status["data_until"], status["data_age_s"]) == ("2026-11-21T10:00:00Z", 0.0)
    assert (status["revision"], status["input_version"]) == (1, 120)


async def test_a_minute_sent_again_replaces_what_was_sent(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - 2 * MINUTE, 1, 5, 10)
    await slo.status(total=10)
    slo.clock.advance(timedelta(seconds=1))
    await slo.measure(NOW - 2 * MINUTE, 1, 9, 11)
    assert (await slo.status(total=11))["good"] == 9


async def test_sources_add_up_and_revisions_win_whenever_they_arrive(slo: Slo) -> None:
    await slo.define()
    for source, revision, total in (("eu", 2, 20), ("eu", 1, 999), ("us", 1, 3)):
        body = buckets(NOW - MINUTE, 1, 0, total) | {"source": source, "revision": revision}
        await slo.call("POST", PATH, body, expect=202)
    assert (await slo.status(total=23))["coverage"] == 1 / 40_320


async def test_absent_zero_and_no_events_are_three_things(slo: Slo) -> None:
    await slo.define()
    assert (await slo.status(total=0))["data_until"] is None
    await slo.measure(NOW - 5 * MINUTE, 5, 0, 0)

    async def observed() -> Any:
        status = await slo.status(total=0, at=NOW)
        return status if status["coverage"] else None

    zero = await eventually(observed)
    assert (zero["state"], zero["sli"], zero["coverage"]) == ("undefined", None, 5 / 40_320)
    assert zero["burn_rates"]["5m"] is None
    await slo.measure(NOW - 5 * MINUTE, 1, 0, 7)
    assert (await slo.status(total=7))["sli"] == 0.0


async def test_an_access_log_is_read_as_of_its_own_time(slo: Slo) -> None:
    await slo.define()
    log = read_access_log(EXCERPT)
    body = {"buckets": [{"start": b.start.isoformat(), "good": b.good, "total": b.total} for b in log.buckets]}
    assert await slo.call("POST", PATH, body, expect=202) == {"slo": NAME, "accepted": 12}
    status = await slo.status(total=240, at=datetime(2026, 11, 20, 12, tzinfo=UTC))
    assert (status["good"], status["coverage"]) == (239, 12 / 40_320)
    before = await slo.status(total=0, at=datetime(2026, 11, 20, 10, tzinfo=UTC))
    assert before["state"] == "undefined"


@pytest.mark.parametrize(
    ("bucket", "pointer", "code"),
    [
        ({"start": "2026-11-21T09:00:00Z", "good": 3, "total": 2}, "/buckets/0/good", "good-exceeds-total"),
        ({"start": "2026-11-21T09:00:30Z", "good": 1, "total": 2}, "/buckets/0/start", "off-grid"),
        ({"start": "2026-11-21T10:06:00Z", "good": 1, "total": 2}, "/buckets/0/start", "in-the-future"),
        ({"start": "2026-11-21T09:00:00", "good": 1, "total": 2}, "/buckets/0/start", "no-offset"),
        ({"start": "0001-01-01T00:00:00Z", "good": 1, "total": 2}, "/buckets/0/start", "before-1970"),
        ({"start": "9999-12-31T23:59:00-01:00", "good": 1, "total": 2}, "/buckets/0/start", "in-the-future"),
        ({"start": "2026-11-21T09:00:00Z", "good": -1, "total": 2}, "/buckets/0/good", "negative"),
        ({"start": "2026-11-21T09:00:00Z", "good": 1.5, "total": 2}, "/buckets/0/good", "not-whole"),
        ({"start": "2026-11-21T09:00:00Z", "good": True, "total": 2}, "/buckets/0/good", "not-whole"),
        ({"start": "2026-11-21T09:00:00Z", "good": "1", "total": 2}, "/buckets/0/good", "not-whole"),
        ({"start": "2026-11-21T09:00:00Z", "good": 1, "total": 2**62}, "/buckets/0/total", "too-large"),
        ({"start": "2026-11-21T09:00:00Z", "good": 1}, "/buckets/0/total", "missing-field"),
        ({"start": "2026-11-21T09:00:00Z", "good": 1, "total": 2, "bad": 1}, "/buckets/0/bad", "unknown-field"),
    ],
)
async def test_a_wrong_bucket_is_refused_with_its_place_and_nothing_is_kept(
    slo: Slo, bucket: dict[str, Any], pointer: str, code: str
) -> None:
    await slo.define()
    refused = await slo.call("POST", PATH, {"buckets": [bucket]}, expect=422)
    assert [(error["pointer"], error["code"]) for error in refused["errors"]] == [(pointer, code)]
    assert refused["errors"][0]["remedy"]


@pytest.mark.parametrize("at", ["yesterday", "2026-11-21T10:00:00", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
async def test_a_time_that_cannot_be_counted_is_refused(slo: Slo, at: str) -> None:
    await slo.define()
    refused = await slo.call("GET", f"/v1/slos/{NAME}/status?at={at}", expect=422)
    assert refused["errors"][0]["pointer"] == "at"


@pytest.mark.parametrize("at", ["1970-01-01T00:00:00Z", "9000-12-31T23:59:59.999999Z", "2026-11-21T10:00:00.5%2B01:00"])
async def test_any_other_time_has_figures(slo: Slo, at: str) -> None:
    await slo.define()
    assert (await slo.call("GET", f"/v1/slos/{NAME}/status?at={at}"))["state"] == "undefined"


async def test_measurements_of_what_is_not_defined_are_refused(slo: Slo) -> None:
    assert (await slo.call("POST", PATH, buckets(NOW - MINUTE, 1, 1, 1), expect=404))["code"] == "not-found"


async def test_of_many_slos_each_has_a_result_of_its_own(slo: Slo) -> None:
    await slo.define("a")
    await slo.define("b")
    items = [
        {"slo": "a", **buckets(NOW - MINUTE, 1, 4, 4)},
        {"slo": "nothing", **buckets(NOW - MINUTE, 1, 4, 4)},
        {"slo": "b", **buckets(NOW - MINUTE, 1, 5, 4)},
    ]
    answer = await slo.call("POST", "/v1/measurements", {"items": items}, expect=207)
    assert [item["status"] for item in answer["items"]] == [202, 404, 422]
    assert answer["items"][2]["problem"]["errors"][0]["pointer"] == "/items/2/buckets/0/good"
    assert answer["items"][1]["problem"]["errors"][0]["pointer"] == "/items/1/slo"
    await slo.status("a", total=4)
    assert (await slo.status("b", total=0))["state"] == "undefined"


async def test_what_is_fine_of_a_batch_is_kept_and_named(slo: Slo) -> None:
    await slo.define()
    sent = buckets(NOW - 10 * MINUTE, 10, 4, 5)["buckets"]
    sent[3]["good"], sent[4]["total"], sent[9]["start"] = 6, 5.5, sent[0]["start"]
    answer = await slo.call("POST", PATH, {"buckets": sent}, expect=207)
    assert (answer["accepted"], answer["refused"], answer["kept"]) == (7, 3, [[0, 3], [5, 9]])
    assert [(error["pointer"], error["code"]) for error in answer["errors"]] == [
        ("/buckets/3/good", "good-exceeds-total"),
        ("/buckets/4/total", "not-whole"),
        ("/buckets/9/start", "duplicate-minute"),
    ]
    assert (await slo.status(total=35))["good"] == 28


@memory_is_enough
@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity"])
async def test_what_is_no_number_costs_its_bucket_only(slo: Slo, number: str) -> None:
    await slo.define()
    wrong, right = ((NOW - age * MINUTE).isoformat() for age in (2, 1))
    rows = ((wrong, number), (right, "2"))
    sent = ",".join(f'{{"start": "{start}", "good": 1, "total": {total}}}' for start, total in rows)
    body = f'{{"buckets": [{sent}]}}'
    answer = await slo.running.client.post(PATH, content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["kept"]) == (207, [[1, 2]])
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/buckets/0/total", "not-a-number")
    refused = await slo.running.client.post(
        "/v1/slos", content=b'{"a": NaN}', headers={"Content-Type": "application/json"}
    )
    assert refused.status_code in {400, 422}


async def test_a_minute_of_an_slo_and_source_comes_once_in_a_request(slo: Slo) -> None:
    await slo.define("a")
    item = {"slo": "a", **buckets(NOW - MINUTE, 1, 4, 4)}
    answer = await slo.call("POST", "/v1/measurements", {"items": [item, item, item | {"source": "eu"}]}, expect=207)
    assert [each["status"] for each in answer["items"]] == [202, 422, 202]
    assert answer["items"][1]["problem"]["errors"][0]["code"] == "duplicate-minute"
    await slo.status("a", total=8)


async def test_counts_of_slos_that_are_all_fine_are_accepted(slo: Slo) -> None:
    await slo.define("a")
    items = [{"slo": "a", **buckets(NOW - MINUTE, 1, 4, 4)}]
    answer = await slo.call("POST", "/v1/measurements", {"items": items}, expect=202)
    assert answer == {"items": [{"slo": "a", "status": 202, "accepted": 1}]}


@memory_is_enough
async def test_a_million_rows_are_too_many_at_once(slo: Slo) -> None:
    await slo.define()
    sent = b'{"buckets": [' + b",".join([b"{}"] * 1_000_000) + b"]}"
    answer = await slo.running.client.post(PATH, content=sent, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/buckets")
    rows = b",".join([b'{"start": "2026-11-21T09:00:00Z", "good": 1, "total": 1}'] * 200_000)
    sent = b'{"buckets": [' + rows + b"]}"
    answer = await slo.running.client.post(PATH, content=sent, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


async def test_a_record_that_holds_no_measurement_is_passed_over(slo: Slo) -> None:
    await slo.define()
    wrong = (b"{", b"{}", b'{"slo":"a","start":"2026-11-21T09:00:30Z","source":"x","revision":1,"good":1,"total":1}')
    await slo.running.resources.bus.publisher().publish([OutRecord(MEASUREMENTS.name, NAME, value) for value in wrong])
    await slo.measure(NOW - MINUTE, 1, 1, 1)
    await slo.status(total=1)


async def test_while_the_bus_is_away_measurements_are_asked_for_again(
    slo: Slo, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Away:
        async def publish(self, *_: object, **__: object) -> None:
            raise BusUnavailableError

    await slo.define()
    monkeypatch.setattr(slo.running.resources.bus, "publisher", Away)
    answer = await slo.running.client.post(PATH, json=buckets(NOW - MINUTE, 1, 1, 1))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")


async def test_a_month_of_minutes_is_taken_in_one_request(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - timedelta(days=28), 40_320, 999, 1000)
    status = await slo.status(total=40_320_000)
    assert (status["coverage"], status["sli"], status["state"]) == (1.0, 0.999, "met")
