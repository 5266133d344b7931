"""Capacity through its routes: demand comes in, is forecast, and a plan says by when more must be ordered."""

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest

from deploy.local.prometheus import PrometheusServer
from libs.events.rebuild import rebuilding
from libs.events.testing import FrozenClock
from services.lifecycle.domain.capacity.facts import CapacityFacts
from services.lifecycle.projections.capacity import CAPACITY as KNOWN
from services.lifecycle.projections.capacity import capacity_of
from tests.fixtures.engagements import active
from tests.fixtures.lifecycle_api import BO, IN_MEMORY, ROBOT, signed_in
from tests.fixtures.reviews import teams
from tests.fixtures.services import Database, Running, eventually, running

PATH = "/v1/services/checkout-api/capacity"
TODAY = date(2026, 11, 21)
SUPPLY = {
    "unit": "pod",
    "unit_capacity": 100,
    "tested_on": "2026-11-01",
    "url": "https://ci.example/31",
    "domains": [{"name": "zone-a", "units": 12}],
    "cost": {"amount": 85, "currency": "EUR"},
}
PLAN = {"horizon_days": 365, "lead_time_days": 42, "spare": 2, "utilisation": 0.7}
ESTIMATE = {"metric": "rps", "peak": 700, "start": "2026-11-21", "basis": "the old cart"}
LAUNCH = {"title": "Launch in France", "start": "2027-02-01", "delta": 200, "confidence": 0.5}
AUTOMATIC = {"side": "dev", "kind": "automatic", "trigger": "CPU above 60 %", "min_units": 2, "max_units": 20}


async def put(service: Running, part: str, body: dict[str, Any], expect: int = 200) -> dict[str, Any]:
    return await service.call("PUT", f"{PATH}/{part}", body, expect=expect)


async def planned(service: Running) -> dict[str, Any]:
    """700 rps take ten pods of 100 at 70 %, and two more; twelve are there."""
    await teams(service)
    await put(service, "estimate", ESTIMATE)
    await put(service, "supply", SUPPLY)
    return await put(service, "plan", PLAN)


async def listed(service: Running, query: str, *names: str) -> None:
    """Wait until the list holds the services of these *names*."""

    async def found() -> bool:
        answer = await service.call("GET", f"/v1/capacity{query}")
        return [each["service"] for each in answer["items"]] == list(names)

    await eventually(found)


def history(days: int) -> list[dict[str, Any]]:
    """Demand up to yesterday that grows by five a day, and is lower at the end of a week."""
    first = TODAY - timedelta(days=days)
    return [
        {"at": (first + timedelta(days=n)).isoformat(), "value": 1000 + 5 * n + (40 if n % 7 < 5 else 0)}
        for n in range(days)
    ]


async def test_a_plan_says_what_is_needed_and_when_there_is_too_little(lifecycle: Running) -> None:
    enough = await planned(lifecycle)
    assert enough["outlook"]["needs"] == [{"domain": "zone-a", "needed": 12, "there": 12}]
    assert (enough["outlook"]["ground"], enough["outlook"]["shortfall"]) == ("estimate", None)
    assert enough["outlook"]["cost"]["total"] == 12 * 85

    short = await put(lifecycle, "inorganic/launch-france", LAUNCH)

    found = {"day": "2027-02-01", "order_by": "2026-12-21", "domain": "zone-a", "needed": 14, "there": 12}
    assert short["outlook"]["shortfall"] == found
    assert short["next"][0]["what"] == "order 2 more for zone-a"
    assert short["next"][0]["due"] == "2026-12-21"
    await listed(lifecycle, "?short=true&order_by=order_by", "checkout-api")
    await listed(lifecycle, "?short=false")
    removed = await lifecycle.call("DELETE", f"{PATH}/inorganic/launch-france?reason=off")
    assert removed["outlook"]["shortfall"] is None
    await listed(lifecycle, "?short=true")
    await listed(lifecycle, "?service=checkout-api", "checkout-api")


async def test_the_past_and_what_gates_know_are_the_same_after_a_rebuild(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await planned(lifecycle)
    then = clock.now()
    clock.advance(timedelta(hours=1))
    await put(lifecycle, "inorganic/launch-france", LAUNCH)
    await listed(lifecycle, "?short=true", "checkout-api")

    async for _ in rebuilding(lifecycle.resources, KNOWN):
        pass

    facts = await lifecycle.resources.views.read(capacity_of, "checkout-api")
    assert facts is not None
    assert facts.demand_known.startswith("700 rps")
    cover = facts.cover(TODAY, least_days=183, spare=2, stale_days=90)
    assert (cover.state, cover.outlook and cover.outlook.shortfall and cover.outlook.shortfall.needed) == (
        "unknown",  # demand is only estimated
        14,
    )
    assert await lifecycle.resources.views.read(capacity_of, "nothing-api") is None
    past = await lifecycle.call("GET", f"{PATH}?as_of={then.strftime('%Y-%m-%dT%H:%M:%SZ')}")
    assert (past["outlook"]["shortfall"], past["inorganic"]) == (None, [])
    to_come = await lifecycle.call("GET", f"{PATH}?as_of=9999-12-31T00:00:00Z")
    assert to_come["outlook"]["today"]["day"] == "2026-11-21"


@IN_MEMORY
async def test_a_shortfall_that_comes_into_sight_as_time_passes_is_told(lifecycle: Running, clock: FrozenClock) -> None:
    await planned(lifecycle)
    await put(lifecycle, "inorganic/launch-france", {**LAUNCH, "start": "2027-12-24"})
    await listed(lifecycle, "?short=false", "checkout-api")

    clock.advance(timedelta(days=40))

    await listed(lifecycle, "?short=true", "checkout-api")


@IN_MEMORY
async def test_at_first_each_answer_says_what_is_missing(lifecycle: Running) -> None:
    await teams(lifecycle)

    answer = await lifecycle.call("GET", PATH)

    assert (answer["missing"], answer["outlook"], answer["forecast"]["state"]) == (
        ["demand", "supply", "plan"],
        None,
        "none",
    )
    assert [step["path"].removeprefix(PATH) for step in answer["next"]] == ["/demand", "/supply", "/plan", "/strategy"]
    assert (await lifecycle.call("GET", f"{PATH}/forecast"))["weeks"] == []
    assert (await lifecycle.call("GET", "/v1/services/none/capacity", expect=404))["code"] == "not-found"


@IN_MEMORY
async def test_demand_comes_as_points_or_csv_and_is_listed_by_day(lifecycle: Running) -> None:
    await teams(lifecycle)
    points = [
        {"at": "2026-11-18", "value": 5},
        {"at": "2026-11-19T10:00:00Z", "value": 6},
        {"at": "2026-11-19T11:00:00Z", "value": 7},
        {"at": "2026-11-21T09:00:00Z", "value": 99},
    ]
    answer = await lifecycle.call("POST", f"{PATH}/demand", {"metric": "rps", "points": points})
    assert (answer["history"]["days"], answer["history"]["until"], answer["history"]["last"]) == (2, "2026-11-19", 7)

    csv = await lifecycle.client.post(
        f"{PATH}/demand:import-csv?metric=rps", content="at,value\n2026-11-20,8\n", headers={"Content-Type": "text/csv"}
    )

    assert (csv.status_code, csv.json()["history"]["source"]) == (200, "csv")
    first = await lifecycle.call("GET", f"{PATH}/demand?page_size=2")
    assert first["items"] == [{"day": "2026-11-18", "peak": 5.0}, {"day": "2026-11-19", "peak": 7.0}]
    rest = await lifecycle.call("GET", f"{PATH}/demand?page_size=2&page_token={first['next_page_token']}")
    assert rest == {"items": [{"day": "2026-11-20", "peak": 8.0}], "next_page_token": ""}
    some = await lifecycle.call("GET", f"{PATH}/demand?since=2026-11-19&until=2026-11-19")
    assert [each["peak"] for each in some["items"]] == [7.0]


@IN_MEMORY
async def test_too_little_history_is_answered_and_not_guessed_from(lifecycle: Running) -> None:
    await teams(lifecycle)
    await lifecycle.call("POST", f"{PATH}/demand", {"metric": "rps", "points": history(20)})

    answer = await forecast_once(lifecycle, "refused")

    assert (answer["forecast"]["code"], answer["missing"]) == ("too-little-history", ["demand", "supply", "plan"])
    assert "56 are needed" in answer["next"][0]["why"]


async def forecast_once(service: Running, state: str) -> dict[str, Any]:
    async def found() -> dict[str, Any] | None:
        answer = await service.call("GET", PATH)
        return answer if answer["forecast"]["state"] == state else None

    return await eventually(found, 100)  # another process imports a large library first


@IN_MEMORY
async def test_imported_demand_is_forecast_with_its_error_shown_beside_a_naive_one(lifecycle: Running) -> None:
    await teams(lifecycle)
    await put(lifecycle, "supply", {**SUPPLY, "domains": [{"name": "zone-a", "units": 36}]})
    await put(lifecycle, "plan", PLAN)
    await lifecycle.call("POST", f"{PATH}/demand", {"metric": "rps", "points": history(120)})

    answer = await forecast_once(lifecycle, "made")

    backtest = answer["forecast"]["backtest"]
    assert backtest["mape"] < 0.02 < backtest["naive_mape"]
    assert answer["outlook"]["ground"] == "forecast"
    weeks = await lifecycle.call("GET", f"{PATH}/forecast")
    first_short = next(each for each in weeks["weeks"] if each["short"])
    assert first_short["week"] == answer["outlook"]["shortfall"]["day"]
    assert (first_short["needed"], first_short["there"]) == (37, 36)

    async def heard() -> CapacityFacts | None:
        facts = await lifecycle.resources.views.read(capacity_of, "checkout-api")
        return facts if facts and facts.basis.forecast else None

    facts = await eventually(heard)
    assert facts.cover(TODAY, least_days=183, spare=2, stale_days=90).state == "short"
    assert facts.cover(TODAY, least_days=30, spare=2, stale_days=90).state == "covered"


@IN_MEMORY
async def test_a_scaling_strategy_holds_when_the_other_side_agrees(lifecycle: Running) -> None:
    engaged = await active(lifecycle)
    proposed = await lifecycle.call("PUT", f"{PATH}/strategy", AUTOMATIC)
    own = await lifecycle.call("POST", f"{PATH}/strategy:agree", {"side": "dev"}, expect=403)
    agreed = await engaged.bo.call("POST", f"{PATH}/strategy:agree", {"side": "sre"})

    assert (proposed["strategy"]["state"], proposed["strategy"]["in_force"]) == ("proposed", None)
    assert own["code"] == "second-side-required"
    assert (agreed["strategy"]["state"], agreed["strategy"]["agreed_by"]) == ("agreed", "bo")
    assert agreed["strategy"]["in_force"]["max_units"] == 20


@IN_MEMORY
async def test_without_an_sre_team_a_second_person_agrees_and_no_machine(lifecycle: Running) -> None:
    await teams(lifecycle)  # team checkout has the members ana and eve
    await put(lifecycle, "strategy", AUTOMATIC)

    for who, side in ((ROBOT, "dev"), (BO, "dev"), (BO, "sre")):
        body = {"side": side}
        answer = await signed_in(lifecycle, who).call("POST", f"{PATH}/strategy:agree", body, expect=403)
        assert answer["code"] == "second-side-required"


@IN_MEMORY
@pytest.mark.parametrize(
    ("method", "part", "body", "status", "code"),
    [
        ("PUT", "plan", {**PLAN, "horizon_days": 30}, 422, "invalid-capacity"),
        ("PUT", "supply", {**SUPPLY, "tested_on": "2026-12-01"}, 422, "invalid-capacity"),
        ("PUT", "supply", {**SUPPLY, "unit_capacity": 0}, 422, "invalid"),
        ("PUT", "inorganic/x", {**LAUNCH, "until": "2027-01-01"}, 422, "invalid-capacity"),
        ("PUT", "inorganic/X_1", LAUNCH, 422, "invalid"),
        ("DELETE", "inorganic/x", None, 404, "not-found"),
        ("PUT", "strategy", {**AUTOMATIC, "trigger": ""}, 422, "invalid-capacity"),
        ("POST", "strategy:agree", {"side": "dev"}, 409, "no-strategy"),
        ("POST", "demand", {"metric": "rps", "points": [{"at": "2026-11-21", "value": 5}]}, 422, "unusable-demand"),
        ("POST", "demand", {"metric": "rps", "points": [{"at": "2026-11-20", "value": -5}]}, 422, "invalid"),
        ("POST", "demand:import-prometheus", {"address": "http://10.0.0.1"}, 422, "source-not-allowed"),
    ],
)
async def test_what_cannot_be_is_refused(
    lifecycle: Running, method: str, part: str, body: dict[str, Any] | None, status: int, code: str
) -> None:
    await teams(lifecycle)
    if "address" in (body or {}):
        body = {"query": "up", "metric": "rps", "since": "2026-11-01T00:00:00Z", **(body or {})}

    answer = await lifecycle.call(method, f"{PATH}/{part}", body, expect=status)

    assert answer["code"] == code


@IN_MEMORY
async def test_demand_counted_in_something_else_takes_a_new_history(lifecycle: Running) -> None:
    await teams(lifecycle)
    body = {"metric": "rps", "points": [{"at": "2026-11-19", "value": 5}]}
    await lifecycle.call("POST", f"{PATH}/demand", body)

    refused = await lifecycle.call("POST", f"{PATH}/demand", {**body, "metric": "GB"}, expect=409)
    replaced = await lifecycle.call("POST", f"{PATH}/demand", {**body, "metric": "GB", "replace": True})

    assert (refused["code"], refused["metric"]) == ("metric-changed", "rps")
    assert (replaced["metric"], replaced["history"]["days"]) == ("GB", 1)


@IN_MEMORY
async def test_a_plan_that_changed_meanwhile_is_not_overwritten(lifecycle: Running) -> None:
    await planned(lifecycle)
    tag = (await lifecycle.client.get(PATH)).headers["ETag"]
    await put(lifecycle, "plan", {**PLAN, "spare": 1})

    answer = await lifecycle.call("PUT", f"{PATH}/plan", {**PLAN, "spare": 3}, expect=412, If_Match=tag)

    assert answer["code"] == "precondition-failed"


@IN_MEMORY
@pytest.mark.prometheus
async def test_demand_is_fetched_from_prometheus(
    database: Database, clock: FrozenClock, start_prometheus: Callable[..., PrometheusServer]
) -> None:
    noon = datetime(2026, 11, 18, 12, tzinfo=UTC).timestamp()
    lines = [f"load {100 + 10 * n} {noon + 3600 * 24 * n:.0f}" for n in range(3)]
    server = start_prometheus("\n".join(["# TYPE load gauge", *lines, "# EOF", ""]))
    body = {
        "address": server.url,
        "query": "max_over_time(load[1h])",
        "metric": "rps",
        "since": "2026-11-18T00:30:00Z",
        "until": "2026-11-20T23:30:00Z",
    }
    async with running("lifecycle", database, clock=clock, source_hosts="127.0.0.1,localhost") as service:
        await teams(service)

        answer = await service.call("POST", f"{PATH}/demand:import-prometheus", body)
        many = {**body, "query": "vector(1) or absent(load)", "step_s": 60, "since": "2026-01-01T00:00:00Z"}
        too_many = await service.call("POST", f"{PATH}/demand:import-prometheus", many, expect=422)
        wrong = await service.call("POST", f"{PATH}/demand:import-prometheus", {**body, "query": "sum("}, expect=502)

        assert (answer["history"]["days"], answer["history"]["last"]) == (3, 120)
        assert (too_many["code"], wrong["code"]) == ("invalid-range", "source-failed")
        assert "parse error" in wrong["detail"]


async def serve_load(token: str) -> asyncio.Server:
    """A server that tells 100 rps of every hour, to whom shows *token*."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        length = next(int(line.split(b":")[1]) for line in head.splitlines() if line.lower().startswith(b"content-len"))
        form = parse_qs((await reader.readexactly(length)).decode())
        times = range(int(float(form["start"][0])), int(float(form["end"][0])) + 1, int(form["step"][0]))
        values = [[at, "100"] for at in times]
        data = {"status": "success", "data": {"resultType": "matrix", "result": [{"values": values}]}}
        status = "200 OK" if f"Bearer {token}".encode() in head else "401 Unauthorized"
        body = json.dumps(data).encode() if status == "200 OK" else b"who are you?"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()

    return await asyncio.start_server(answer, "127.0.0.1", 0)


@IN_MEMORY
async def test_a_source_is_asked_for_the_days_that_are_over_by_who_may_ask(
    database: Database, clock: FrozenClock, tmp_path: Path
) -> None:
    secret = tmp_path / "prometheus-token"
    secret.write_text("wrong", encoding="utf-8")
    server = await serve_load("right")
    port = server.sockets[0].getsockname()[1]
    source: dict[str, Any] = {
        "address": f"http://127.0.0.1:{port}",
        "query": "sum(load)",
        "metric": "rps",
        "since": "2026-11-11",
        "auth": {"kind": "bearer", "secret": "prometheus-token"},
    }
    settings = {"source_hosts": "127.0.0.1", "secrets_dir": tmp_path}
    async with server, running("lifecycle", database, clock=clock, **settings) as service:
        await teams(service)

        async def state(wanted: str, days_behind: int | None) -> bool:
            found = (await service.call("GET", PATH))["demand_source"]
            return (found["state"], found["days_behind"]) == (wanted, days_behind)

        absent = await put(service, "demand-source", {**source, "auth": {"kind": "bearer", "secret": "no"}}, expect=422)
        elsewhere = await put(service, "demand-source", {**source, "address": "http://10.0.0.1"}, expect=422)
        await put(service, "demand-source", source)
        await eventually(lambda: state("failing", None))
        failing = await service.call("GET", PATH)
        secret.write_text("right", encoding="utf-8")
        clock.advance(timedelta(hours=1))
        await eventually(lambda: state("working", 0))
        first = await service.call("GET", PATH)
        clock.advance(timedelta(days=1))
        await eventually(lambda: state("working", 0))
        gone = await service.call("DELETE", f"{PATH}/demand-source")

    assert (absent["code"], elsewhere["code"]) == ("secret-missing", "source-not-allowed")
    assert "401" in failing["demand_source"]["detail"]
    assert f"{PATH}/demand-source" in [step["path"] for step in failing["next"]]
    assert (first["history"]["days"], first["history"]["until"], first["history"]["last"]) == (10, "2026-11-20", 100)
    assert (gone["demand_source"], gone["history"]["days"]) == (None, 11)


@IN_MEMORY
async def test_ordered_units_are_planned_with_until_they_are_there_or_overdue(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await planned(lifecycle)
    order = {"domain": "zone-a", "units": 4, "arrives": "2026-12-01", "confidence": 0.8}

    coming = await put(lifecycle, "orders/po-7", order)
    nowhere = await put(lifecycle, "orders/po-8", order | {"domain": "zone-x"}, expect=422)
    clock.advance(timedelta(days=20))
    late = await lifecycle.call("GET", PATH)
    there = await lifecycle.call("POST", f"{PATH}/orders/po-7:arrived", {"units": 3})
    gone = await lifecycle.call("DELETE", f"{PATH}/orders/po-7", expect=404)

    (one,) = coming["orders"]
    assert (one["order"], one["state"], one["counted"]) == ("po-7", "coming", 3)
    assert nowhere["errors"][0]["pointer"] == "/domain"
    assert [(each["state"], each["counted"]) for each in late["orders"]] == [("overdue", 0)]
    assert f"{PATH}/orders/po-7" in [step["path"] for step in late["next"]]
    assert (there["orders"], there["supply"]["domains"][0]["units"]) == ([], 15)
    assert gone["code"] == "not-found"


@IN_MEMORY
async def test_a_plan_is_bounded_by_the_tightest_metric(lifecycle: Running) -> None:
    await planned(lifecycle)
    memory = "metrics/GiB%20of%20memory"
    bound = {"unit_capacity": 8, "tested_on": "2026-11-12", "url": "https://ci.example/32"}

    unfed = await put(lifecycle, memory, bound)
    tight = await put(lifecycle, "estimate", {**ESTIMATE, "metric": "GiB of memory", "peak": 80})
    weeks = await lifecycle.call("GET", f"{PATH}/forecast")
    await listed(lifecycle, "?short=true", "checkout-api")
    first = await put(lifecycle, "metrics/rps", bound, expect=422)
    await lifecycle.call("GET", f"{PATH}/demand?metric=disk", expect=404)
    days = await lifecycle.call("GET", f"{PATH}/demand?metric=GiB%20of%20memory")
    dropped = await lifecycle.call("DELETE", f"{PATH}/{memory}")

    assert (unfed["outlook"]["metric"], unfed["metrics"][0]["outlook"]) == ("rps", None)
    assert any("GiB of memory" in step["what"] for step in unfed["next"])
    assert (tight["metric"], tight["outlook"]["metric"], tight["metrics"][0]["bounds"]) == (
        "rps",
        "GiB of memory",
        True,
    )
    assert tight["outlook"]["shortfall"]["needed"] == 17  # ceil(80 / 5.6) + 2
    assert (weeks["metric"], weeks["weeks"][0]["needed"]) == ("GiB of memory", 17)
    assert (first["errors"][0]["pointer"], days["items"]) == ("/metric", [])
    assert (dropped["metrics"], dropped["outlook"]["shortfall"]) == ([], None)
