import gzip
import json
from contextlib import suppress

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.web.limits import MAX_DEPTH, parse_json
from libs.web.problems import Problem

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")),
    lambda inner: (
        st.lists(inner)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0")), inner)
    ),
    max_leaves=20,
)


@given(JSON, st.booleans())
def test_what_can_be_kept_is_read_as_it_was_written(value: object, ascii_only: bool) -> None:  # noqa: FBT001
    assert parse_json(json.dumps(value, ensure_ascii=ascii_only).encode()) == value


@given(st.binary(max_size=40))
def test_any_bytes_are_json_or_a_problem(body: bytes) -> None:
    with suppress(Problem):
        parse_json(body)


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        (b'{"name": "err', 400, None),
        (b"\xff\xfe", 400, None),
        (b'"\xed\xa0\x80"', 400, None),
        (b'{"a": NaN}', 400, None),
        (b'{"a": -Infinity}', 400, None),
        (b'{"a": {"b": 1, "c": 2, "b": 3}}', 400, "/a"),
        (b'[[{"a/b": {"x": 1, "x": 1}}]]', 400, "/0/0/a~1b"),
        (b'{"a": [1, 9223372036854775808]}', 422, "/a/1"),
        (b'{"a": 1e999}', 422, "/a"),
        (b'{"a": ' + b"9" * 5000 + b"}", 400, None),
        (b'{"a": "x\\u0000y"}', 422, "/a"),
        (b'{"a": ["\\ud800"]}', 422, "/a/0"),
        (b'{"\\u0000": 1}', 422, "/\0"),
        (b"[" * 100 + b"]" * 100, 400, "/0" * (MAX_DEPTH + 1)),
        (b"[" * 100_000, 400, ""),
        (b'["[", ' + b'["]", "[", ' * 40 + b"1" + b"]" * 41, 400, "/1" + "/2" * (MAX_DEPTH - 1) + "/0"),
        (b'{"a": "\x01"}', 400, None),
        (b"\xef\xbb\xbf{}", 400, None),
        (b"{} {}", 400, None),
    ],
)
def test_what_cannot_be_kept_is_refused_with_its_place(body: bytes, status: int, pointer: str | None) -> None:
    with pytest.raises(Problem) as caught:
        parse_json(body)
    assert caught.value.status == status
    assert [place.pointer for place in caught.value.errors] == ([] if pointer is None else [pointer])


def test_a_surrogate_pair_is_one_character() -> None:
    assert parse_json(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_a_wide_body_is_not_a_deep_one() -> None:
    assert len(parse_json(b"[" + b",".join([b"{}"] * 1000) + b"]")) == 1000


async def test_a_body_that_says_it_is_too_large_is_413(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/counters", json={"name": "errors", "note": "x" * 10_000})
    assert (answer.status_code, answer.json()["code"]) == (413, "body-too-large")


async def test_a_body_that_turns_out_too_large_is_413(client: httpx.AsyncClient) -> None:
    async def chunks():  # noqa: ANN202
        for _ in range(11):
            yield b"x" * 1000

    answer = await client.post("/v1/counters", content=chunks(), headers={"Content-Type": "application/json"})
    assert answer.status_code == 413


async def test_a_compressed_body_is_415_and_says_what_is_taken(client: httpx.AsyncClient) -> None:
    sent = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = await client.post("/v1/counters", content=gzip.compress(b'{"name": "errors"}'), headers=sent)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported-encoding")
    assert (answer.headers["Accept-Encoding"], answer.json()["errors"][0]["pointer"]) == (
        "identity",
        "Content-Encoding",
    )


async def test_a_body_that_says_it_is_as_it_is_is_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/v1/counters", json={"name": "errors"}, headers={"Content-Encoding": "Identity"})
    assert answer.status_code == 201


@pytest.mark.parametrize("path", ["/v1/counters/a%00b", "/v1/counters/a%0Ab", "/v1/counters?order_by=a%00"])
async def test_a_control_character_outside_the_body_is_refused(client: httpx.AsyncClient, path: str) -> None:
    answer = await client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (400, "control-character")


async def test_the_places_of_a_problem_are_json_whatever_was_sent(client: httpx.AsyncClient) -> None:
    headers = {"Content-Type": "application/json"}
    answer = await client.post("/v1/counters", content=b'{"name": "\\ud800"}', headers=headers)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/name"
