"""Notification targets: what is sent to whom, until it arrives, and what is not."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import msgspec
import pytest

from libs.events.rebuild import request_rebuild
from libs.events.testing import FrozenClock
from services.slo.projections.slo_alerts import SLO_ALERTS
from tests.fixtures.services import Database, eventually, memory_is_enough
from tests.fixtures.slo import MINUTE, NAME, NOW, Slo, document, running_slo

HOUR = timedelta(hours=1)


def _kind(kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    return {"kind": kind, "metadata": {"name": name}, "spec": spec}


RATE = {"kind": "burnrate", "op": "gt", "threshold": 10, "lookbackWindow": "1h"}
CONDITION = _kind("AlertCondition", "burning", {"severity": "page", "condition": RATE})
POLICY = _kind(
    "AlertPolicy",
    "pages",
    {
        "alertWhenBreaching": True,
        "alertWhenResolved": True,
        "conditions": [CONDITION],
        "notificationTargets": [_kind("AlertNotificationTarget", "on-call", {"target": "webhook"})],
    },
)


@dataclass
class Hook:
    """A webhook's receiver: what came, and what it answers next (the last answer stays)."""

    answers: list[int] = field(default_factory=lambda: [200])
    came: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list[Any])
    port: int = 0

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.port}/alerts"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Take one request."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in head[1:] if line)
        body = msgspec.json.decode(await reader.readexactly(int(headers["content-length"])))
        self.came.append((headers, body))
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        writer.write(
            f"HTTP/1.1 {status} X\r\nlocation: {self.url}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n".encode()
        )
        await writer.drain()
        writer.close()


@asynccontextmanager
async def _hook(*answers: int) -> AsyncGenerator[Hook]:
    hook = Hook(list(answers) or [200])
    server = await asyncio.start_server(hook.serve, "127.0.0.1", 0)
    hook.port = server.sockets[0].getsockname()[1]
    async with server:
        yield hook


@asynccontextmanager
async def _running(database: Database) -> AsyncGenerator[Slo]:
    async with running_slo(database, FrozenClock(NOW), webhook_hosts="127.0.0.1") as slo:
        yield slo


async def _burning(slo: Slo) -> None:
    """An SLO whose policy pages, and an hour of failures."""
    slo_document = document()
    slo_document["spec"]["alertPolicies"] = [POLICY]
    await slo.call("POST", "/v1/slos", slo_document, expect=201)
    await slo.measure(NOW - HOUR, 60, 700, 1000)


async def _deliveries(slo: Slo, *states: str) -> list[dict[str, Any]]:
    """What is in the log, the oldest first, as soon as it is in these *states*."""

    async def found() -> Any:
        items = (await slo.call("GET", f"/v1/notification-deliveries?slo={NAME}"))["items"][::-1]
        return items if [item["state"] for item in items] == list(states) else None

    return await eventually(found)


async def test_a_policys_target_hears_of_the_beginning_and_the_end_of_its_alert(database: Database) -> None:
    async with _hook() as hook, _running(database) as slo:
        await slo.call("PUT", "/v1/notification-targets/on-call", {"url": hook.url})
        await _burning(slo)
        (begun,) = await _deliveries(slo, "delivered")
        assert (begun["kind"], begun["target"], begun["attempts"], begun["status"]) == ("firing", "on-call", 1, 200)

        slo.clock.advance(5 * MINUTE)
        await slo.measure(NOW, 5, 1000, 1000)
        await _deliveries(slo, "delivered", "delivered")

    (_, firing), (headers, resolved) = hook.came
    assert (firing["version"], firing["status"], resolved["status"]) == ("4", "firing", "resolved")
    (alert,), (ended,) = firing["alerts"], resolved["alerts"]
    assert alert["labels"]["sloth_id"] == f"checkout-api-{NAME}"
    assert (alert["labels"]["alertname"], alert["labels"]["severity"]) == ("ErrorBudgetBurn", "page")
    assert (alert["labels"], alert["fingerprint"]) == (ended["labels"], ended["fingerprint"])
    assert (alert["startsAt"], alert["endsAt"]) == ("2026-11-21T10:00:00+00:00", "0001-01-01T00:00:00Z")
    assert ended["endsAt"] == "2026-11-21T10:05:00+00:00"
    assert "concordat-delivery" in headers


async def test_what_fails_is_sent_again_later_and_its_end_waits_for_it(database: Database) -> None:
    async with _hook(503, 200) as hook, _running(database) as slo:
        await slo.call("PUT", "/v1/notification-targets/on-call", {"url": hook.url})
        await _burning(slo)

        async def tried() -> Any:
            (item,) = await _deliveries(slo, "pending")
            return item if item["status"] else None

        waits = await eventually(tried)
        assert (waits["detail"], waits["next_attempt_at"]) == ("answered 503", "2026-11-21T10:00:10Z")
        slo.clock.advance(5 * MINUTE)
        await slo.measure(NOW, 5, 1000, 1000)
        first, _ = await _deliveries(slo, "delivered", "delivered")
        assert first["attempts"] == 2
    assert [body["status"] for _, body in hook.came] == ["firing", "firing", "resolved"]
    assert len({headers["concordat-delivery"] for headers, _ in hook.came}) == 2


async def test_a_refusal_is_final(database: Database) -> None:
    async with _hook(403) as hook, _running(database) as slo:
        await slo.call("PUT", "/v1/notification-targets/on-call", {"url": hook.url})
        await _burning(slo)
        (item,) = await _deliveries(slo, "failed")
        assert item["detail"] == "refused with 403; correct the url or its secret"
    assert len(hook.came) == 1


@memory_is_enough
async def test_a_redirect_is_not_followed(database: Database) -> None:
    async with _hook(302) as hook, _running(database) as slo:
        await slo.call("PUT", "/v1/notification-targets/on-call", {"url": hook.url})
        await _burning(slo)

        async def tried() -> Any:
            (item,) = await _deliveries(slo, "pending")
            return item["detail"] == "answered 302"

        await eventually(tried)
    assert len(hook.came) == 1


@memory_is_enough
async def test_a_target_without_an_address_is_waited_for_and_given_up_after_a_day(database: Database) -> None:
    async with _running(database) as slo:
        await _burning(slo)

        async def tried() -> Any:
            (item,) = await _deliveries(slo, "pending")
            return item["detail"] == "no address is set; PUT /v1/notification-targets/on-call"

        await eventually(tried)
        slo.clock.advance(timedelta(hours=24))
        (item,) = await _deliveries(slo, "failed")
        assert item["detail"].startswith("given up after a day; ")


@memory_is_enough
async def test_a_rebuild_of_read_models_sends_nothing(database: Database) -> None:
    async with _hook() as hook, _running(database) as slo:
        await slo.call("PUT", "/v1/notification-targets/on-call", {"url": hook.url})
        await _burning(slo)
        await _deliveries(slo, "delivered")
        before = await slo.running.resources.views.serving("slo_alerts")
        await request_rebuild(slo.running.resources.views, SLO_ALERTS)

        async def rebuilt() -> bool:
            return await slo.running.resources.views.serving("slo_alerts") != before

        await eventually(rebuilt)
    assert len(hook.came) == 1


@memory_is_enough
@pytest.mark.parametrize(
    ("address", "code", "pointer"),
    [
        ({"url": "http://169.254.169.254/latest"}, "host-not-allowed", "/url"),
        ({"url": "http://localhost:9093/"}, "host-not-allowed", "/url"),
        ({"url": "http://me:pw@127.0.0.1/"}, "invalid-notification-target", "/url"),
        ({"url": "http://127.0.0.1/?token=x"}, "invalid-notification-target", "/url"),
        ({"url": "http://127.0.0.1/", "secret": "hook"}, "invalid-notification-target", "/url"),
        ({"url": "https://127.0.0.1/", "secret": "../key"}, "invalid-notification-target", "/secret"),
        ({"url": "ftp://127.0.0.1/"}, "invalid-notification-target", "/url"),
    ],
)
async def test_an_address_that_is_not_allowed_or_not_safe_is_refused(
    database: Database, address: dict[str, str], code: str, pointer: str
) -> None:
    async with _running(database) as slo:
        problem = await slo.call("PUT", "/v1/notification-targets/on-call", address, expect=422)
    assert problem["code"] == code
    assert [error["pointer"] for error in problem["errors"]] == [pointer]


@memory_is_enough
async def test_targets_are_listed_read_and_removed(database: Database) -> None:
    async with _running(database) as slo:
        made = await slo.call("PUT", "/v1/notification-targets/on-call", {"url": "https://127.0.0.1/a", "secret": "k"})
        assert made == {"name": "on-call", "url": "https://127.0.0.1/a", "secret": "k", "allowed": True}

        async def listed() -> Any:
            return (await slo.call("GET", "/v1/notification-targets"))["items"]

        assert await eventually(listed) == [made]
        assert await slo.call("GET", "/v1/notification-targets/on-call") == made
        await slo.call("DELETE", "/v1/notification-targets/on-call")
        await slo.call("DELETE", "/v1/notification-targets/on-call", expect=404)
        await slo.call("GET", "/v1/notification-targets/on-call", expect=404)
