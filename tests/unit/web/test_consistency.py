import asyncio
import base64

import httpx
import pytest
from sqlalchemy import insert

from libs.events.ledger import Checkpoint
from libs.events.resources import Resources
from libs.events.views_tables import CHECKPOINTS
from libs.web.consistency import ConsistencyToken, wait_s

HEADER = "Consistency-Token"


def token(resources: Resources, **changes: object) -> str:
    parts = {"service": "demo", "epoch": resources.store.epoch, "partition": 3, "position": 7, "published": 5}
    return ConsistencyToken(**(parts | changes)).encode()  # type: ignore[arg-type]  the test's own


async def applied(resources: Resources, service: str, epoch: str, partition: int, position: int) -> None:
    resources.views.moved("counters", {(service, partition): Checkpoint(epoch, position + 1, position)})


async def test_a_read_without_a_token_does_not_wait(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/counters")).status_code == 200


async def test_a_read_that_shows_the_write_echoes_its_token(client: httpx.AsyncClient, resources: Resources) -> None:
    await applied(resources, "demo", resources.store.epoch, 0, 7)
    sent = token(resources)
    answer = await client.get("/v1/counters", headers={HEADER: sent})
    assert (answer.status_code, answer.headers[HEADER]) == (200, sent)


async def test_a_read_that_would_not_show_the_write_is_refused(client: httpx.AsyncClient, resources: Resources) -> None:
    await applied(resources, "demo", resources.store.epoch, 0, 6)
    answer = await client.get("/v1/counters", headers={HEADER: token(resources), "Prefer": "wait=0"})
    assert (answer.status_code, answer.json()["code"]) == (503, "projection-behind")
    assert answer.headers["Retry-After"] == "1"


async def test_the_write_of_another_service_is_waited_for_as_far_as_it_was_published(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    await applied(resources, "other", "e", 3, 5)
    answer = await client.get("/v1/counters", headers={HEADER: token(resources, service="other", epoch="e")})
    assert answer.status_code == 200


async def test_the_write_of_a_service_that_the_list_does_not_follow_is_not_waited_for(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    answer = await client.get("/v1/counters", headers={HEADER: token(resources, service="stranger")})
    assert answer.status_code == 200


async def test_a_token_of_a_log_that_is_gone_is_409(client: httpx.AsyncClient, resources: Resources) -> None:
    answer = await client.get("/v1/counters", headers={HEADER: token(resources, epoch="before")})
    assert (answer.status_code, answer.json()["code"]) == (409, "epoch-gone")


async def test_a_token_of_a_log_that_another_service_lost_is_409(
    client: httpx.AsyncClient, resources: Resources
) -> None:
    row = {"consumer": "counters", "generation": 1, "service": "other", "epoch": "2", "partition": 3}
    checkpoint = insert(CHECKPOINTS).values(row | {"position": 1, "next": 2})
    await resources.views.write(lambda connection: connection.execute(checkpoint))
    headers = {HEADER: token(resources, service="other", epoch="1"), "Prefer": "wait=0"}
    answer = await client.get("/v1/counters", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (409, "epoch-gone")


async def test_a_token_of_a_log_that_is_not_read_yet_is_503(client: httpx.AsyncClient, resources: Resources) -> None:
    row = {"consumer": "counters", "generation": 1, "service": "other", "epoch": "1", "partition": 3}
    checkpoint = insert(CHECKPOINTS).values(row | {"position": 1, "next": 2})
    await resources.views.write(lambda connection: connection.execute(checkpoint))
    headers = {HEADER: token(resources, service="other", epoch="2"), "Prefer": "wait=0"}
    answer = await client.get("/v1/counters", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (503, "projection-behind")


async def test_a_read_waits_for_the_projector(client: httpx.AsyncClient, resources: Resources) -> None:
    reading = asyncio.create_task(client.get("/v1/counters", headers={HEADER: token(resources)}))
    await asyncio.sleep(0)
    await applied(resources, "demo", resources.store.epoch, 0, 7)
    assert (await reading).status_code == 200


@pytest.mark.parametrize(
    "sent",
    [
        "",
        "x",
        "????",
        base64.urlsafe_b64encode(b"{}").decode(),
        base64.urlsafe_b64encode(b'["demo","e",12,1,1]').decode(),
        base64.urlsafe_b64encode(b'["demo","e",0,1,2]').decode(),
        base64.urlsafe_b64encode(b'["demo","e",0,99999999999999999999,1]').decode(),
        base64.urlsafe_b64encode(b'["demo","e",0,1,1,1]').decode(),
        base64.urlsafe_b64encode(b"\xff").decode(),
    ],
)
async def test_garbage_is_400(client: httpx.AsyncClient, sent: str) -> None:
    answer = await client.get("/v1/counters", headers={HEADER: sent})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-consistency-token")


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [("", 2), ("wait=5", 5), ("wait=0", 0), ("wait=600", 10), ("respond-async, wait=3", 3), ("wait=x", 2)],
)
def test_a_request_says_how_long_it_waits(prefer: str, seconds: float) -> None:
    assert wait_s(prefer) == seconds
