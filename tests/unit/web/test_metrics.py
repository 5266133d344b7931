import httpx

from libs.web.metrics import GAUGES_READ, Reading


async def test_requests_are_counted_by_template_and_not_by_path(client: httpx.AsyncClient) -> None:
    await client.get("/v1/counters/one-of-many")
    await client.get("/v1/nowhere/at-all")
    text = (await client.get("/metrics")).text
    assert 'concordat_http_requests_total{method="GET",route="/v1/counters/{name}",service="demo",status="404"}' in text
    assert 'route="unknown"' in text
    assert "one-of-many" not in text
    assert "at-all" not in text


async def test_commands_are_timed(client: httpx.AsyncClient) -> None:
    await client.post("/v1/counters", json={"name": "timed"})
    assert 'concordat_command_seconds_count{service="demo"}' in (await client.get("/metrics")).text


async def test_a_gauge_is_asked_when_it_is_read(client: httpx.AsyncClient) -> None:
    GAUGES_READ.on_read("concordat_relay_lag_events", lambda: [Reading(("demo",), 3)])
    assert 'concordat_relay_lag_events{service="demo"} 3.0' in (await client.get("/metrics")).text
