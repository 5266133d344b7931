"""SLOs whose counts come out of a real Prometheus."""

from collections.abc import AsyncGenerator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from deploy.local.prometheus import PrometheusServer
from libs.events.testing import FrozenClock
from tests.fixtures.services import Database, eventually, memory_is_enough
from tests.fixtures.slo import NAME, Slo, polled, running_slo, threshold

pytestmark = [pytest.mark.prometheus]

Start = Callable[..., PrometheusServer]
FIRST = 28_000_000  # a minute since the epoch
MINUTES = 3 * 1440
NOW = datetime.fromtimestamp((FIRST + MINUTES) * 60 + 40, UTC)  # the last minute ended 40 s ago


def samples(minutes: int = MINUTES) -> str:
    """Counters that were scraped every minute: 10 requests a minute of which 1 fails."""
    lines = ["# TYPE requests counter"]
    for code, step in (("200", 9), ("500", 1)):
        lines += [f'requests_total{{code="{code}"}} {n * step} {(FIRST + n) * 60}' for n in range(minutes + 1)]
    return "\n".join([*lines, "# EOF\n"])


@pytest.fixture
async def slo(database: Database) -> AsyncGenerator[Slo]:
    """The slo service, which may ask servers of this machine."""
    async with running_slo(database, FrozenClock(NOW), source_hosts="127.0.0.1") as service:
        yield service


async def source(slo: Slo, server: PrometheusServer, **settings: Any) -> Any:
    """Define a source."""
    body = {"name": "prometheus", "address": server.url} | settings
    return await slo.call("POST", "/v1/sources", body, expect=201)


async def health(slo: Slo, state: str) -> Any:
    """The source as soon as its health is *state*."""

    async def found() -> Any:
        answer = await slo.call("GET", "/v1/sources/prometheus")
        told = (answer["error"] is not None) == (state == "failing")
        return answer if answer["state"] == state and told else None

    return await eventually(found)


async def missed(slo: Slo, *names: str) -> Any:
    """What is wrong with the last of the SLOs *names*, as soon as they are all that is not read."""

    async def found() -> Any:
        faults = (await slo.call("GET", "/v1/sources/prometheus"))["failing_slos"]
        return faults[-1] if tuple(each["slo"] for each in faults) == names else None

    return await eventually(found)


async def test_what_a_prometheus_counted_becomes_the_figures_of_an_slo(slo: Slo, start_prometheus: Start) -> None:
    await source(slo, start_prometheus(samples()))
    assert (await slo.call("POST", "/v1/slos", polled(), expect=201))["warnings"] == []

    status = await slo.status(total=600)

    assert (status["good"], status["sli"], status["state"]) == (540, 0.9, "at_risk")
    working = await health(slo, "working")
    assert (working["slos"], working["error"], working["failing_slos"]) == (1, None, [])
    assert (working["lag_s"], working["read_until"]) == (
        40.0,
        (NOW - timedelta(seconds=40)).isoformat().replace("+00:00", "Z"),
    )
    live = (await slo.call("GET", f"/v1/slos/{NAME}/polling"))["live"]
    assert (live["done"], live["minutes"]) == (True, 60)


async def test_a_composites_own_indicator_is_polled_until_it_has_it_no_more(slo: Slo, start_prometheus: Start) -> None:
    await source(slo, start_prometheus(samples()))
    journey = polled("journey")
    indicator = journey["spec"].pop("indicator")
    indicator["metadata"]["name"] = "cart"
    journey["spec"]["objectives"] = [{"target": 0.9, "indicator": indicator}]
    assert (await slo.call("POST", "/v1/slos", journey, expect=201))["warnings"] == []

    status = await slo.status("journey", total=600)

    assert (status["sli"], (await health(slo, "working"))["slos"]) == (0.9, 1)
    live = (await slo.call("GET", "/v1/slos/journey.cart/polling"))["live"]
    assert (live["done"], live["minutes"]) == (True, 60)
    asked = {"from": _text(NOW - timedelta(hours=3)), "until": _text(NOW - timedelta(hours=2))}
    await slo.call("POST", "/v1/slos/journey.cart:backfill", asked, expect=202)
    await slo.status("journey", total=1200)
    indicator["metadata"]["name"] = "basket"
    await slo.call("PUT", "/v1/slos/journey", journey)

    async def followed() -> Any:
        found = await slo.call("GET", "/v1/slos/journey.basket/polling")
        return found["live"] and (await slo.call("GET", "/v1/sources/prometheus"))["slos"] == 1

    assert await eventually(followed)
    assert (await slo.call("GET", "/v1/slos/journey.cart/polling", expect=409))["code"] == "not-polled"


def _text(moment: datetime) -> str:
    return moment.replace(second=0).isoformat().replace("+00:00", "Z")


async def test_time_that_passes_is_read_when_it_has_settled(slo: Slo, start_prometheus: Start) -> None:
    slo.clock.advance(timedelta(hours=-1))
    await source(slo, start_prometheus(samples()))
    await slo.call("POST", "/v1/slos", polled(), expect=201)
    await slo.status(total=600)
    slo.clock.advance(timedelta(minutes=3))
    assert (await slo.status(total=630))["good"] == 567


async def test_the_past_is_read_on_request_and_says_how_far_it_is(slo: Slo, start_prometheus: Start) -> None:
    await source(slo, start_prometheus(samples()))
    await slo.call("POST", "/v1/slos", polled(), expect=201)
    until = NOW - timedelta(seconds=40)
    asked = {"from": (until - timedelta(days=5)).isoformat(), "until": until.isoformat()}

    begun = await slo.call("POST", f"/v1/slos/{NAME}:backfill", asked, expect=202)

    assert (begun["backfill"]["minutes"], begun["backfill"]["minutes_done"]) == (5 * 1440, 0)
    assert (await slo.status(total=MINUTES * 10))["good"] == MINUTES * 9

    async def done() -> Any:
        backfill = (await slo.call("GET", f"/v1/slos/{NAME}/polling"))["backfill"]
        return backfill if backfill["done"] else None

    assert (await eventually(done))["minutes_done"] == 5 * 1440


async def test_a_source_that_fails_says_why_and_what_it_missed_is_read_later(slo: Slo, start_prometheus: Start) -> None:
    server = start_prometheus(samples())
    server.kill()
    await source(slo, server)
    await slo.call("POST", "/v1/slos", polled(), expect=201)
    failing = await health(slo, "failing")
    assert (failing["error"]["code"], failing["error"]["place"]) == ("source-unreachable", "address")
    assert failing["error"]["remedy"]
    await missed(slo, NAME)
    server.start()
    slo.clock.advance(timedelta(minutes=1))
    working = await health(slo, "working")
    assert working["failing_slos"] == []
    await slo.status(total=600)


async def test_a_threshold_is_polled_as_a_good_or_a_bad_minute(slo: Slo, start_prometheus: Start) -> None:
    """Every tenth minute is too slow, in two days of backfill as in the last hour."""
    values = [f"latency_seconds {0.7 if n % 10 == 0 else 0.2} {(FIRST + n) * 60}" for n in range(1, MINUTES + 1)]
    await source(slo, start_prometheus("\n".join(["# TYPE latency_seconds gauge", *values, "# EOF\n"])))
    assert (await slo.call("POST", "/v1/slos", threshold(), expect=201))["warnings"] == []
    status = await slo.status(total=60)
    assert (status["good"], status["sli"]) == (54, 0.9)
    until = NOW - timedelta(seconds=40)
    asked = {"from": (until - timedelta(days=2)).isoformat(), "until": until.isoformat()}
    await slo.call("POST", f"/v1/slos/{NAME}:backfill", asked, expect=202)
    assert (await slo.status(total=2880))["good"] == 2592


@memory_is_enough
async def test_a_threshold_under_timeslices_judges_the_minutes_of_a_slice(slo: Slo, start_prometheus: Start) -> None:
    values = [f"latency_seconds {0.7 if n % 10 in {1, 2} else 0.2} {(FIRST + n) * 60}" for n in range(1, MINUTES + 1)]
    await source(slo, start_prometheus("\n".join(["# TYPE latency_seconds gauge", *values, "# EOF\n"])))
    document = threshold()
    document["spec"]["budgetingMethod"] = "Timeslices"
    document["spec"]["objectives"][0] |= {"timeSliceTarget": 0.8, "timeSliceWindow": "5m"}
    await slo.call("POST", "/v1/slos", document, expect=201)
    status = await slo.status(total=60)
    assert (status["good"], status["sli"]) == (48, 0.5)  # of five minutes three are good, then all


@memory_is_enough
async def test_an_slo_whose_query_is_wrong_says_so_and_the_others_are_read(slo: Slo, start_prometheus: Start) -> None:
    await source(slo, start_prometheus(samples()))
    await slo.call("POST", "/v1/slos", polled(), expect=201)
    await slo.call("POST", "/v1/slos", polled("wrong", total="requests_total"), expect=201)
    await slo.status(total=600)
    assert (await missed(slo, "wrong"))["code"] == "query-many-series"
    assert (await health(slo, "working"))["error"] is None


@memory_is_enough
async def test_a_secret_is_a_file_that_the_source_names(slo: Slo, start_prometheus: Start, tmp_path: Path) -> None:
    bcrypt_of_test = "$2b$12$hNf2lSsxfm0.i4a.1kVpSOVyBCfIB51VRjgBUyv6kdnyTlgWj81Ay"  # of Prometheus's documentation
    server = start_prometheus(samples(), web_config=f"basic_auth_users: {{admin: '{bcrypt_of_test}'}}")
    auth = {"kind": "basic", "username": "admin", "secret": "password"}
    await source(slo, server, auth=auth, insecure=True)
    assert (await health(slo, "failing"))["error"]["code"] == "secret-missing"
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "password").write_text("test\n")
    assert (await health(slo, "working"))["settings"]["auth"] == auth
