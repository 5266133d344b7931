"""People with keys and webhooks, and the senders of alerts, as a story about them needs them."""

import asyncio
import json
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from tests.fixtures.paging import Receiver, Taken

_PATIENCE_S = 90.0
_PAUSE_S = 0.05


@dataclass
class Crew:
    """Everybody who talks to Concordat, each in their own name.

    Args:
        http: A client of the gateway without a key.
        receiver: Where people's webhooks lead to.
        keys: The API keys of people, by label.
        senders: The keys of integrations.
        accepted: What alerts were answered with 202, by dedup key.
    """

    http: httpx.AsyncClient
    receiver: Receiver
    keys: dict[str, str] = field(default_factory=dict[str, str])
    senders: dict[str, str] = field(default_factory=dict[str, str])
    accepted: set[str] = field(default_factory=set[str])

    async def send(self, method: str, path: str, body: object = None, *, by: str = "bo", **headers: str) -> Any:
        """The answer, whatever it is, to a person."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        key = {"X-API-Key": self.keys[by]} if by else {}
        return await self.http.request(method, path, json=body, headers={"Prefer": "wait=10", **key, **named})

    async def call(
        self, method: str, path: str, body: object = None, *, by: str = "bo", expect: int = 200, **headers: str
    ) -> Any:
        """The JSON of an answer that must have the status *expect*."""
        answer = await self.send(method, path, body, by=by, **headers)
        assert answer.status_code == expect, f"{method} {path} by {by}: {answer.status_code} {answer.text}"
        return answer.json() if "json" in answer.headers.get("content-type", "") else answer.text

    async def eventually(self, path: str, holds: Callable[[Any], bool], *, by: str = "bo") -> Any:
        """The answer of *path* once it *holds*: what crosses between services takes a moment."""

        async def asked() -> Any:
            answer = await self.call("GET", path, by=by)
            return answer if holds(answer) else None

        return await within_patience(path, asked)

    async def once_known(self, path: str, body: object) -> Any:
        """The answer of creating what names something that another service may not have heard of yet."""

        async def made() -> Any:
            answer = await self.send("POST", path, body)
            assert answer.status_code in {201, 422}, answer.text
            return answer.json() if answer.status_code == 201 else None

        return await within_patience(path, made)

    async def enqueue(self, key: str, action: str = "trigger") -> None:
        """As a client of PagerDuty."""
        payload = {"summary": f"orders of {key} wait", "source": key, "severity": "critical", "component": "orders"}
        event = {"routing_key": self.senders["pd"], "event_action": action, "dedup_key": key, "payload": payload}
        await self.call("POST", "/v2/enqueue", event, by="", expect=202)
        self.accepted.add(key)

    async def notify(self, keys: list[str], status: str) -> None:
        """As an Alertmanager."""
        now = datetime.now(UTC)
        alerts = [
            {
                "status": status,
                "labels": {"alertname": "SlowCheckout", "instance": key, "severity": "critical"},
                "annotations": {"summary": f"{key} answers slowly"},
                "startsAt": (now - timedelta(minutes=1)).isoformat(),
                "endsAt": now.isoformat() if status == "resolved" else "0001-01-01T00:00:00Z",
                "fingerprint": key,
            }
            for key in keys
        ]
        group = '{}:{alertname="SlowCheckout"}'
        told = {"version": "4", "groupKey": group, "status": status, "receiver": "concordat", "alerts": alerts}
        authorization = f"Bearer {self.senders['am']}"
        path = "/v1/integrations/am/alertmanager"
        await self.call("POST", path, told, by="", expect=202, Authorization=authorization)
        self.accepted |= set(keys)

    def pages(self, person: str = "") -> list[Taken]:
        """The calls that arrived, for *person* or for all."""
        said = self.receiver.by(person) if person else self.receiver.taken
        return [each for each in said if content(each)["type"] == "incident.page"]

    async def page(self, person: str, number: int) -> dict[str, Any]:
        """What the *number*-th call of somebody says, once it has arrived."""

        async def arrived() -> Any:
            ids = list(dict.fromkeys(each.id for each in self.pages(person)))
            return ids[number - 1 :] and next(each for each in self.pages(person) if each.id == ids[number - 1])

        return content(await within_patience(f"page {number} of {person}", arrived))["data"]

    async def noted(self, person: str, pages: int) -> None:
        """So many calls of somebody are known to have arrived, and are not made again."""

        def all_of_them(said: Any) -> bool:
            return sum(each["kind"] == "page" for each in said["items"]) == pages

        await self.eventually(f"/v1/notifications?person={person}&state=delivered", all_of_them)

    async def take_on(self, page: dict[str, Any]) -> None:
        """Acknowledge by the link: looking at it does nothing yet."""
        link = page["acknowledge_url"]
        shown = await self.call("GET", link, by="")
        assert "<button" in shown
        assert (await self.call("GET", f"/v1/incidents/{page['incident']}"))["acknowledged"] is None
        assert f"Acknowledged by {page['person']}" in await self.call("POST", link, by="")
        incident = await self.call("GET", f"/v1/incidents/{page['incident']}")
        assert (incident["state"], incident["acknowledged_by"]) == ("active", page["person"])


def content(taken: Taken) -> dict[str, Any]:
    """What a message says."""
    said: dict[str, Any] = json.loads(taken.body)
    return said


async def within_patience(what: str, found: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """The first answer of *found* that says yes."""
    deadline = time.monotonic() + _PATIENCE_S
    while not (answer := await found()):
        assert time.monotonic() < deadline, f"{what}: not within {_PATIENCE_S:.0f} s"
        await asyncio.sleep(_PAUSE_S)
    return answer
