import httpx

from libs.events.resources import Resources
from libs.events.worker import Figures, Worker
from libs.web.metrics import WORKERS


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


async def test_a_worker_is_asked_how_it_is_doing_when_the_metrics_are_read(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    worker = Worker(resources)
    worker.figures = Figures(lag={("teams", "lifecycle"): 4}, relay_lag=3, relay_lag_s=7.5, dead_letters={"teams": 2})
    WORKERS.watch(worker)
    text = (await client.get("/metrics")).text
    assert 'concordat_projection_lag_events{projection="teams",service="demo",source="lifecycle"} 4.0' in text
    assert 'concordat_relay_lag_events{service="demo"} 3.0' in text
    assert 'concordat_relay_lag_seconds{service="demo"} 7.5' in text
    assert 'concordat_dead_letters{projection="teams",service="demo"} 2.0' in text
