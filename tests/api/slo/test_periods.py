"""An SLO's history, and the same past under another promise."""

from datetime import timedelta

from tests.fixtures.services import eventually, memory_is_enough
from tests.fixtures.slo import MINUTE, NAME, NOW, Slo, document

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PERIODS = f"/v1/slos/{NAME}/periods"
WHAT_IF = f"/v1/slos/{NAME}:what-if"
# slo.md's vector: occurrences 94.0678 %, timeslices 60 %, ratio-timeslices 91.5714 % of target 95 %
GOOD = (2, 10, 12, 13, 13, 12, 13, 13, 12, 11)
TOTAL = (4, 10, 12, 13, 14, 15, 14, 13, 12, 11)


async def _vector(slo: Slo) -> None:
    await slo.call("POST", "/v1/slos", document(target=0.95), expect=201)
    for i, (good, total) in enumerate(zip(GOOD, TOTAL, strict=True)):
        await slo.measure(NOW - (10 - i) * MINUTE, 1, good, total)
    await slo.status(total=118)


async def test_a_month_is_a_page_of_history_and_the_one_that_runs_is_projected(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - 40 * DAY, 60, 98, 100)  # 12 October
    await slo.measure(NOW - HOUR, 60, 100, 100)
    await slo.status(total=6_000)
    items = (await slo.call("GET", f"{PERIODS}?by=month"))["items"]
    assert [(p["start"], p["end"], p["total"], p["error_budget_remaining"]) for p in items] == [
        ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", 6_000, 1.0),
        ("2026-10-01T00:00:00Z", "2026-11-01T00:00:00Z", 6_000, -1.0),
    ]
    running, october = items
    assert (running["until"], october["until"]) == ("2026-11-21T10:00:00Z", october["end"])
    assert (october["state"], october["projected"]) == ("violated", None)
    assert running["projected"]["total"] == 6_000 * 30 * 24 / (20 * 24 + 10)
    assert october["coverage"] == 60 / (31 * 24 * 60)


async def test_months_are_those_of_the_zone(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - HOUR, 1, 1, 1)
    await slo.status(total=1)
    (item,) = (await slo.call("GET", f"{PERIODS}?by=month&zone=Asia/Kolkata"))["items"]
    assert (item["start"], item["end"]) == ("2026-10-31T18:30:00Z", "2026-11-30T18:30:00Z")
    refused = await slo.call("GET", f"{PERIODS}?by=month&zone=Mars/Olympus", expect=422)
    assert refused["code"] == "invalid-window"


async def test_rolling_windows_stand_back_to_back_and_come_in_pages(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - 60 * DAY, 1, 1, 2)
    await slo.measure(NOW - 30 * DAY, 1, 3, 4)
    await slo.measure(NOW - MINUTE, 1, 5, 5)
    await slo.status(total=5)
    whole = (await slo.call("GET", PERIODS))["items"]
    assert [p["total"] for p in whole] == [5, 4, 2]
    paged = []
    token = ""
    for _ in range(3):
        page = await slo.call("GET", f"{PERIODS}?page_size=1&page_token={token}")
        token = page["next_page_token"]
        paged += page["items"]
    assert (paged, token) == (whole, "")


async def test_a_period_is_judged_by_what_was_promised_at_its_end(slo: Slo) -> None:
    await slo.define(target=0.9)
    await slo.measure(NOW - HOUR, 60, 95, 100)
    slo.clock.advance(40 * DAY)
    await slo.call("PUT", f"/v1/slos/{NAME}", document(target=0.99))
    await slo.measure(NOW + 40 * DAY - HOUR, 60, 95, 100)
    await slo.status(total=6_000)
    items = (await slo.call("GET", f"{PERIODS}?by=month"))["items"]
    assert [(p["revision"], p["target"], p["state"]) for p in items] == [(2, 0.99, "violated"), (1, 0.9, "met")]


@memory_is_enough
async def test_an_slo_without_measurements_has_one_period_that_is_undefined(slo: Slo) -> None:
    await slo.define()
    (item,) = (await slo.call("GET", f"{PERIODS}?by=day"))["items"]
    assert (item["state"], item["sli"], item["projected"]) == ("undefined", None, None)
    refused = await slo.call("GET", f"{PERIODS}?order_by=total", expect=400)
    assert refused["code"] == "invalid-order"
    refused = await slo.call("GET", f"{PERIODS}?page_token=bm8", expect=400)
    assert refused["code"] == "invalid-page-token"


async def test_the_past_under_another_method_is_that_of_the_vector(slo: Slo) -> None:
    await _vector(slo)
    answers = {
        method: (await slo.call("POST", WHAT_IF, {"method": method}))["proposed"]["items"][-1]
        for method in ("Occurrences", "Timeslices", "RatioTimeslices")
    }
    assert [(round(a["sli"], 6), round(a["error_budget_consumed"], 5)) for a in answers.values()] == [
        (0.940678, 1.18644),
        (0.6, 8.0),
        (0.915714, 1.68571),
    ]


async def test_what_would_be_stands_beside_what_is(slo: Slo) -> None:
    await _vector(slo)
    asked = {"target": 0.9, "window": "7d", "from": "2026-11-20T10:00:00Z"}
    answer = await slo.call("POST", WHAT_IF, asked)
    was, would = answer["promised"], answer["proposed"]
    assert (was["target"], was["window"], was["violated"], len(was["items"])) == (0.95, "28d", 1, 2)
    assert (would["target"], would["window"], would["violated"], len(would["items"])) == (0.9, "7d", 0, 2)
    assert (answer["revision"], answer["input_version"]) == (1, 10)
    status = await slo.call("GET", f"/v1/slos/{NAME}/status")
    assert was["items"][-1]["error_budget_remaining"] == status["error_budget_remaining"]
    assert status["revision"] == 1


async def test_a_calendar_can_be_tried(slo: Slo) -> None:
    await _vector(slo)
    answer = await slo.call("POST", WHAT_IF, {"window": "1M", "zone": "Europe/Berlin"})
    assert answer["proposed"]["window"] == "1M Europe/Berlin"
    assert [(p["start"], p["total"]) for p in answer["proposed"]["items"]] == [
        ("2026-09-30T22:00:00Z", 0),
        ("2026-10-31T23:00:00Z", 118),
    ]


@memory_is_enough
async def test_what_cannot_be_tried_is_refused(slo: Slo) -> None:
    await slo.define()
    for wrong, code in (
        ({"zone": "UTC"}, "invalid-window"),
        ({"window": "1M", "zone": "Mars/Olympus"}, "invalid-window"),
        ({"time_slice_window": "367d", "method": "Timeslices"}, "invalid"),
        ({"window": "2Y", "zone": "UTC"}, "invalid"),
        ({"from": "2020-01-01T00:00:00Z"}, "invalid-range"),
        ({"from": "2026-12-01T00:00:00Z"}, "invalid-range"),
        ({"target": 1}, "invalid"),
    ):
        assert (await slo.call("POST", WHAT_IF, wrong, expect=422))["code"] == code, wrong
    await slo.call("POST", "/v1/slos/nobody:what-if", {}, expect=404)


async def test_what_both_sides_excused_counts_nowhere(slo: Slo) -> None:
    await slo.define()
    await slo.measure(NOW - 3 * HOUR, 60, 1000, 1000)
    await slo.measure(NOW - HOUR, 60, 500, 1000)
    await slo.status(total=120_000)
    excused = {
        "slos": [NAME],
        "effect": "remove",
        "start": (NOW - HOUR).isoformat(),
        "duration": "PT1H",
        "reason": "the database was moved",
        "agreed_by": {"development": "ana", "sre": "bo"},
    }
    await slo.call("POST", "/v1/adjustments", excused, expect=201)

    async def applied() -> bool:
        return (await slo.call("GET", f"{PERIODS}?by=month"))["items"][0]["total"] == 60_000

    assert await eventually(applied)
    (month,) = (await slo.call("GET", f"{PERIODS}?by=month"))["items"]
    window = (await slo.call("POST", WHAT_IF, {"target": 0.999}))["proposed"]["items"][-1]
    explained = await slo.call("GET", f"/v1/slos/{NAME}/explain")
    last = (await slo.call("GET", f"/v1/slos/{NAME}/series?step=1h"))["points"][-1]
    assert (month["error_budget_remaining"], window["error_budget_remaining"]) == (1.0, 1.0)
    assert (explained["error_budget_consumed"], explained["buckets"]["items"]) == (0.0, [])
    assert (last["total"], last["error_budget_remaining"]) == (None, 1.0)
