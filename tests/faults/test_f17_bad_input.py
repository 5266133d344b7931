"""F17: bad input on every route, through the gateway: a problem naming the place, never a 500, the log unchanged."""

import re
from collections.abc import AsyncGenerator, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from services.cli.serve import Embedded, embedded
from services.gateway.auth.admin_key import ensure_admin_key

BODIES: Mapping[str, bytes] = {
    "nothing": b"",
    "truncated": b'{"name": "checkout", "kind": "de',
    "10 MB": b'{"name": "' + b"x" * 10_000_000 + b'"}',
    "nested arrays": b"[" * 50_000,
    "nested objects": b'{"a":' * 200 + b"1" + b"}" * 200,
    "an array": b"[]",
    "a string": b'"checkout"',
    "a number": b"42",
    "null": b"null",
    "an unknown field": b'{"no_such_field": 1}',
    "wrong types": b'{"name": 7, "kind": [], "title": {}, "service": 1.5, "reason": {"a": 1}, "to": 3, "buckets": "x"}',
    "a raw control character": b'{"name": "a\x01b"}',
    "an escaped NUL": b'{"name": "a\\u0000b", "reason": "a\\u0000b", "title": "a\\u0000b"}',
    "half a surrogate pair": b'{"name": "\\ud800", "reason": "\\ud800", "title": "\\ud800"}',
    "a huge integer": b'{"name": ' + b"9" * 400 + b', "tier": ' + b"9" * 400 + b"}",
    "an endless integer": b'{"tier": ' + b"9" * 5_000 + b"}",
    "a huge float": b'{"tier": 1e999}',
    "NaN": b'{"tier": NaN}',
    "Infinity": b'{"tier": -Infinity}',
    "a key twice": b'{"name": "a", "name": "b"}',
    "no UTF-8": b'{"name": "\xff\xfe"}',
    "a byte order mark": b"\xef\xbb\xbf{}",
    "a YAML bomb": b"a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]\n",
    "a YAML tag": b"!!python/object/apply:os.system [ls]",
}
HEADERS: Mapping[str, Mapping[str, str]] = {
    "a key of two words": {"Idempotency-Key": "a b"},
    "a long key": {"Idempotency-Key": "k" * 300},
    "an If-Match without quotes": {"If-Match": "3"},
    "a made-up token": {"Consistency-Token": "????"},
    "a token out of range": {"Consistency-Token": "WyJzbG8iLCJlIiw5OSwxLDFd"},
    "a made-up cursor": {"Last-Event-ID": "????"},
    "a trace that is none": {"traceparent": "00-zz-zz-zz"},
    "another type": {"Content-Type": "application/x-www-form-urlencoded"},
    "a type that is none": {"Content-Type": "//"},
}
QUERIES = (
    "no_such_parameter=1",
    "page_size=-1",
    "page_size=x",
    "page_token=x",
    "order_by=%00",
    "as_of=x",
    "at=9",
    "%ff=%00",
)
SEGMENTS = ("x", "%00", "%2e%2e", "a%0ab", "x" * 3_000, "\u00e9", "%ff", "INC-99999999999999999999", "-1")


@dataclass(frozen=True)
class Operation:
    """A method of a path of the document."""

    method: str
    path: str

    def at(self, segment: str) -> str:
        """The path with *segment* for each parameter."""
        return re.sub(r"\{[^}]+\}", segment, self.path)


@dataclass(frozen=True)
class House:
    """The whole installation in this process."""

    embedded: Embedded
    client: httpx.AsyncClient

    def operations(self) -> Iterator[Operation]:
        document: Mapping[str, Any] = self.embedded.gateway.openapi()
        for path, item in document["paths"].items():
            for method in item.keys() & {"get", "post", "put", "patch", "delete"}:
                if not path.endswith("/stream"):  # it would not end; its parameters are tried below
                    yield Operation(method.upper(), path)

    async def heads(self) -> dict[str, int]:
        return {name: await part.resources.store.head() for name, part in self.embedded.parts.items()}


@pytest.fixture
async def house(tmp_path: Path) -> AsyncGenerator[House]:
    settings = {"service_wait_s": 0, "facts_wait_s": 0, "owner_timeout_s": 120}
    async with embedded(data_dir=tmp_path, database_url="memory:", **settings) as installation:
        key = await ensure_admin_key(installation.parts["gateway"].resources, tmp_path)
        headers = {"X-API-Key": key.read_text(encoding="ascii").strip()}
        transport = httpx.ASGITransport(installation.gateway)
        async with httpx.AsyncClient(transport=transport, base_url="http://gateway", headers=headers) as client:
            yield House(installation, client)


def fault(answer: httpx.Response, what: str) -> str | None:
    """What is wrong with *answer*, if anything."""
    request = f"{answer.request.method} {answer.request.url.path[:80]} with {what}: {answer.status_code}"
    if answer.status_code >= 500:
        return f"{request} {answer.text[:200]}"
    if answer.status_code < 400:
        return None
    if answer.headers.get("content-type") == "application/json" and answer.request.url.path.startswith("/v2/"):
        told = answer.json()  # PagerDuty's clients are answered in its words
        return None if told["status"] and told["message"] and told["errors"] else f"{request} {told}"
    if answer.headers.get("content-type") != "application/problem+json":
        return f"{request} is no problem document"
    document = answer.json()
    if not (document["detail"] and document["code"] and document["status"] == answer.status_code):
        return f"{request} {document}"
    return None


async def test_no_body_on_any_route_gives_a_500_or_changes_the_log(house: House) -> None:
    before, faults, tried = await house.heads(), list[str](), 0
    for operation in house.operations():
        if operation.method == "GET":
            continue
        for what, body in BODIES.items():
            for content_type in ("application/json", "application/yaml"):
                answer = await house.client.request(
                    operation.method,
                    operation.at("x"),
                    content=body,
                    headers={"Content-Type": content_type, "If-Match": '"1"'},
                )
                tried += 1
                faults += filter(None, [fault(answer, f"{what} as {content_type}")])

    print(f"F17: {tried} bodies, {len(faults)} faults")  # noqa: T201  the test's figures
    assert faults == []
    assert await house.heads() == before


async def test_no_header_parameter_or_segment_on_any_route_gives_a_500_or_changes_the_log(house: House) -> None:
    before, faults, tried = await house.heads(), list[str](), 0
    for operation in house.operations():
        for what, headers in HEADERS.items():
            answer = await house.client.request(
                operation.method,
                operation.at("x"),
                content=b"{}",
                headers={"Content-Type": "application/json"} | headers,
            )
            tried += 1
            faults += filter(None, [fault(answer, what)])
        targets = [f"{operation.at('x')}?{query}" for query in QUERIES] + [operation.at(each) for each in SEGMENTS]
        for target in targets:
            answer = await house.client.request(operation.method, target)
            tried += 1
            faults += filter(None, [fault(answer, target[:60])])

    print(f"F17: {tried} requests, {len(faults)} faults")  # noqa: T201  the test's figures
    assert faults == []
    assert await house.heads() == before


async def test_an_unknown_parameter_is_named_on_every_route(house: House) -> None:
    for operation in house.operations():
        answer = await house.client.request(
            operation.method,
            f"{operation.at('x')}?no_such_parameter=1",
            content=b"{}",
            headers={"Content-Type": "application/json", "If-Match": '"1"'},
        )
        assert answer.status_code == 400, f"{operation}: {answer.text}"
        assert [place["pointer"] for place in answer.json()["errors"]] == ["no_such_parameter"]


@pytest.mark.parametrize(
    ("body", "status", "said"),
    [
        ("truncated", 400, "line 1, column"),
        ("10 MB", 413, "larger than"),
        ("nested arrays", 400, "deeper"),
        ("nested objects", 400, "deeper"),
        ("wrong types", 422, "/name"),
        ("an unknown field", 422, "/no_such_field"),
        ("an escaped NUL", 422, "/name"),
        ("half a surrogate pair", 422, "/name"),
        ("a huge integer", 422, "/name"),
        ("a huge float", 422, "/tier"),
        ("NaN", 400, "NaN"),
        ("a key twice", 400, "'name' twice"),
        ("no UTF-8", 400, "byte 10"),
    ],
)
async def test_a_refused_body_names_its_place(house: House, body: str, status: int, said: str) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await house.client.post("/v1/services", content=BODIES[body], headers=headers)
    assert answer.status_code == status, answer.text
    assert said in answer.json()["detail"]
