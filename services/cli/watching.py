"""`concordat incidents watch`: what is open now, then what happens, line by line."""

import asyncio
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final
from urllib.parse import urlencode

import httpx

from services.cli.errors import REFUSED, UNREACHABLE, CliError
from services.cli.remote import Gateway, refusal

Line = dict[str, Any]

_OPEN: Final = (("state", "triage"), ("state", "active"), ("state", "mitigated"))
_REMEMBERED: Final = 500  # events: a server that was killed publishes its last ones again
_ALL: Final = ("page_size", "1000")
_PATIENCE_S: Final = 60.0  # a stream says that it lives more often than that
_AGAIN_S: Final = 1.0
_FAMILY: Final = "io.concordat.incidents."
_SAID: Final = (
    *("text", "title", "summary", "stage", "person", "role", "milestone", "time", "into_number"),
    *("relation", "other_number", "outage_class", "affected"),
    *("version", "slo", "state", "reason"),  # of deployments and error budgets
)


async def watch(url: str, api_key: str, incident: str, services: list[str], *, forever: bool) -> AsyncIterator[Line]:
    """What is open, then each event of incidents; a stream that breaks goes on where it stopped.

    Args:
        url: The gateway.
        api_key: Sent as `X-API-Key`.
        incident: Only this one, by number or id, with deployments and error budgets of its service; empty: all.
        services: Only those of these; empty: all.
        forever: Whether to come back when the stream ends.

    Raises:
        CliError: The gateway refused, or cannot be reached.
    """
    named = [("service", service) for service in services]
    path = f"/v1/incidents/{incident}/timeline/stream" if incident else f"/v1/events/stream?{urlencode(named)}"
    last, told = "", deque[str](maxlen=_REMEMBERED)
    async with httpx.AsyncClient(base_url=url, headers={"X-API-Key": api_key}, timeout=_PATIENCE_S) as client:
        while True:
            try:
                async for place, event in events_of(client, path, last):
                    if not last:  # the stream stands: what changes behind this place is told by it
                        async for line in _open_now(url, api_key, incident, named):
                            yield line
                    last = place
                    if event and event["id"] not in told and (incident or event["type"].startswith(_FAMILY)):
                        told.append(event["id"])
                        yield {"item": happened(event)}
            except (httpx.TransportError, _AwayError) as error:
                if not last or not forever:
                    message = f"{url} cannot be reached ({error or type(error).__name__}); is it running? see --url"
                    raise CliError(message, UNREACHABLE) from error
            if not forever:
                return
            await asyncio.sleep(_AGAIN_S)


class _AwayError(Exception):
    """The gateway answers, but cannot serve: it is about to end, or has just begun."""


async def _open_now(url: str, api_key: str, incident: str, named: list[tuple[str, str]]) -> AsyncIterator[Line]:
    async with Gateway(url, api_key) as gateway:
        if incident:
            yield {"item": _as_it_is(await gateway.call("GET", f"/v1/incidents/{incident}"))}
            return
        page = await gateway.call("GET", f"/v1/incidents?{urlencode([*_OPEN, *named, _ALL])}")
        for found in reversed(page["items"]):
            yield {"item": _as_it_is(found)}


def as_text(item: Mapping[str, Any]) -> str:
    """One line about an incident, as people read it."""
    return f"{item['at']}  {item['number']:<8} {item['severity']:<5} {item['service']:<20} {item['what']}".rstrip()


async def events_of(client: httpx.AsyncClient, path: str, last: str) -> AsyncIterator[tuple[str, Line]]:
    """The place after each block of the stream, and its event, if it has one; from behind *last* on.

    Raises:
        CliError: The gateway refused.
        TransportError, _AwayError: It is not there, for now.
    """
    headers = {"Last-Event-ID": last} if last else {}
    async with client.stream("GET", path, headers=headers) as answer:
        if answer.is_error:
            await answer.aread()
            if answer.is_server_error:
                raise _AwayError(refusal(answer))
            raise CliError(refusal(answer), REFUSED)
        block: dict[str, str] = {}
        async for line in answer.aiter_lines():
            if line:
                name, _, value = line.partition(": ")
                block[name] = value
            elif block:
                last = block.get("id", last)
                yield last, json.loads(block["data"]) if "data" in block else {}
                block = {}


def _as_it_is(incident: Mapping[str, Any]) -> Line:
    state = incident["stage"] or incident["state"]
    return {
        "at": incident["declared"],
        "number": incident["number"],
        "severity": incident["severity"],
        "service": incident["service"],
        "what": f"{state}: {incident['title']}",
    }


def happened(event: Mapping[str, Any]) -> Line:
    """What an event of the stream tells of an incident."""
    data = event["data"]
    kind = " ".join(event["type"].split(".")[3:-1]).removeprefix("incident ")  # of io.concordat.<service>.<kind>.v1
    said = " ".join(_text(data[name]) for name in _SAID if data.get(name))
    return {
        "at": event["time"],
        "number": data.get("number", ""),
        "severity": data.get("severity", ""),
        "service": data.get("service", ""),
        "what": f"{kind}: {said}" if said else kind,
    }


def _text(value: Any) -> str:  # noqa: ANN401  a field of an event
    """A text as it is; of affected services their names."""
    return ", ".join(each["service"] for each in value) if isinstance(value, list) else str(value)
