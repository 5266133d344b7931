"""Commands that are a client of a running gateway."""

import json
import sys
from collections.abc import AsyncIterator
from itertools import islice
from pathlib import Path
from typing import Any, Self

import httpx

from services.cli.errors import REFUSED, UNREACHABLE, CliError
from services.slo.measurements.access_log import read_access_log

Line = dict[str, Any]
_BUCKETS_PER_REQUEST = 2_000
_SERVER_ERROR = 500


class Gateway:
    """The gateway's API; refusals become `CliError`."""

    def __init__(self, url: str, api_key: str) -> None:
        self._client = httpx.AsyncClient(base_url=url, headers={"X-API-Key": api_key}, timeout=30)
        self._url = url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def call(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401  whatever the route answers
        """The JSON that the gateway answers; None for no content.

        Raises:
            CliError: It refused, or cannot be reached.
        """
        content = None if body is None else json.dumps(body).encode()
        answer = await self.send(method, path, content)
        return answer.json() if answer.content else None

    async def send(
        self, method: str, path: str, content: bytes | None, media_type: str = "application/json"
    ) -> httpx.Response:
        """The gateway's answer; a PATCH is of what the resource is now, so that it is read before.

        Raises:
            CliError: It refused, or cannot be reached.
        """
        headers = {} if content is None else {"Content-Type": media_type}
        if method == "PATCH" and (etag := (await self.send("GET", path, None)).headers.get("ETag")):
            headers["If-Match"] = etag
        try:
            answer = await self._client.request(method, path, content=content, headers=headers)
        except httpx.TransportError as error:
            message = f"{self._url} cannot be reached ({type(error).__name__}); is it running? see --url"
            raise CliError(message, UNREACHABLE) from error
        if answer.is_error:
            raise CliError(refusal(answer), UNREACHABLE if answer.status_code >= _SERVER_ERROR else REFUSED)
        return answer


async def request(url: str, api_key: str, method: str, path: str, body: str) -> str:
    """What the gateway answers to one request, indented if it is JSON.

    Args:
        url: The gateway.
        api_key: Sent as `X-API-Key`.
        method: HTTP's.
        path: With its query.
        body: JSON, `@FILE` (YAML by its ending), `@-` for standard input, or empty for none.
    """
    media_type = "application/yaml" if body.endswith((".yaml", ".yml")) else "application/json"
    match body:
        case "":
            content = None
        case "@-":
            content = sys.stdin.buffer.read()
        case _ if body.startswith("@"):
            content = Path(body[1:]).read_bytes()  # noqa: ASYNC240  before anything else happens
        case _:
            content = body.encode()
    async with Gateway(url, api_key) as gateway:
        answer = await gateway.send(method, path, content, media_type)
    try:
        return json.dumps(answer.json(), indent=2, ensure_ascii=False)
    except ValueError:
        return answer.text


async def send_access_log(url: str, api_key: str, slo: str, file: Path) -> AsyncIterator[Line]:
    """Count *file* into minutes and send them as measurements of *slo*; may be repeated."""
    log = read_access_log(file)
    buckets = iter(log.buckets)
    sent = 0
    async with Gateway(url, api_key) as gateway:
        while page := list(islice(buckets, _BUCKETS_PER_REQUEST)):
            body = {
                "buckets": [
                    {"start": bucket.start.isoformat(), "good": bucket.good, "total": bucket.total} for bucket in page
                ]
            }
            await gateway.call("POST", f"/v1/slos/{slo}/measurements", body)
            sent += len(page)
            yield {"progress": {"label": f"send {slo}", "done": sent, "total": len(log.buckets)}}
    good, total = sum(bucket.good for bucket in log.buckets), sum(bucket.total for bucket in log.buckets)
    yield {"summary": {"buckets": sent, "good": good, "total": total, "unreadable_lines": log.unreadable}}


def refusal(answer: httpx.Response) -> str:
    """What the gateway refused, in one line that says each thing once."""
    try:
        problem = answer.json()
        said = f"{answer.status_code} {problem['code']}: {problem['detail']}"
        places = [(place.get("pointer", ""), place["detail"]) for place in problem.get("errors", ())]
        match places:
            case [(pointer, detail)] if detail == problem["detail"]:  # said already; where it stands is not
                return f"{said} ({pointer})" if pointer else said
            case _:
                return said + "".join(f"; {pointer}: {detail}" for pointer, detail in places)
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code} {answer.reason_phrase}: {answer.text[:200]}"
