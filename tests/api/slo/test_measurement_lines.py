"""Measurements as CSV and JSON lines."""

import json
from typing import Any

import pytest

from tests.fixtures.services import memory_is_enough
from tests.fixtures.slo import MINUTE, NAME, NOW, Slo, buckets

ONE, MANY = f"/v1/slos/{NAME}/measurements", "/v1/measurements"


def csv(*rows: tuple[object, ...], header: str = "start,good,total") -> str:
    """A file of counts."""
    return "\n".join([header, *(",".join(map(str, row)) for row in rows), ""])


def minutes(number: int, good: int, total: int) -> list[tuple[str, int, int]]:
    """Equal counts of the last *number* minutes."""
    return [((NOW - (number - each) * MINUTE).isoformat(), good, total) for each in range(number)]


async def send(slo: Slo, path: str, text: str, kind: str = "text/csv", expect: int = 202, **headers: str) -> Any:
    """The answer to lines."""
    answer = await slo.running.client.post(path, content=text, headers={"Content-Type": kind} | headers)
    assert answer.status_code == expect, answer.text
    return answer.json()


async def test_a_csv_body_is_counted(slo: Slo) -> None:
    await slo.define()
    text = csv(*minutes(5000, 9, 10))
    assert await send(slo, ONE, text, "text/csv; charset=utf-8") == {"accepted": 5000}
    assert (await slo.status(total=50_000))["good"] == 45_000


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/jsonl"])
async def test_json_lines_are_counted(slo: Slo, kind: str) -> None:
    await slo.define()
    lines = [json.dumps({"start": start, "good": good, "total": total}) for start, good, total in minutes(3, 4, 5)]
    assert await send(slo, ONE, "\r\n".join(lines), kind) == {"accepted": 3}
    await slo.status(total=15)


async def test_lines_may_be_of_many_slos(slo: Slo) -> None:
    await slo.define("a")
    await slo.define("b")
    rows = [(name, *row) for name in ("a", "b", "nothing", "no\x00name") for row in minutes(2, 4, 5)]
    answer = await send(slo, MANY, csv(*rows, header="slo,start,good,total"), expect=207)
    assert (answer["accepted"], answer["refused"], answer["kept"]) == (4, 4, [[2, 6]])
    assert {(each["code"], each["field"]) for each in answer["errors"]} == {("unknown-slo", "slo")}
    assert [each["line"] for each in answer["errors"]] == [6, 7, 8, 9]
    for name in ("a", "b"):
        await slo.status(name, total=10)


@memory_is_enough
async def test_wrong_lines_are_named_and_right_ones_kept(slo: Slo) -> None:
    await slo.define()
    rows: list[tuple[object, ...]] = [*minutes(6, 4, 5)]
    rows[1], rows[2] = ("yesterday", 1, 2), (*rows[2][:2], 5.5)
    answer = await send(slo, ONE, csv(*rows, rows[0]), expect=207)
    assert (answer["accepted"], answer["refused"], answer["kept"]) == (4, 3, [[2, 3], [5, 8]])
    assert [(each["line"], each["field"], each["code"]) for each in answer["errors"]] == [
        (3, "start", "not-a-time"),
        (4, "total", "not-whole"),
        (8, "start", "duplicate-minute"),
    ]
    assert all(each["detail"] and each["remedy"] for each in answer["errors"])
    await slo.status(total=20)


@memory_is_enough
@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("start,good\n", "missing-column"),
        ("<html>", "missing-column"),
        ("start,good,total\nx,1,2\n", "not-a-time"),
        ("start,good,total\n\xff,1,2\n", "not-a-time"),
    ],
)
async def test_when_no_line_can_be_kept_it_says_why(slo: Slo, text: str, code: str) -> None:
    await slo.define()
    answer = await slo.running.client.post(ONE, content=text.encode("latin-1"), headers={"Content-Type": "text/csv"})
    assert answer.status_code == 422
    assert (answer.json()["code"], answer.json()["errors"][0]["code"]) == ("invalid-measurements", code)


@memory_is_enough
@pytest.mark.parametrize("text", ["", "\n\n", "start,good,total\n"])
async def test_a_body_without_lines_is_refused(slo: Slo, text: str) -> None:
    await slo.define()
    assert (await send(slo, ONE, text, expect=422))["title"] == "There is no line"


@memory_is_enough
async def test_source_and_revision_are_in_the_query(slo: Slo) -> None:
    await slo.define()
    for source, revision, total in (("eu", 2, 20), ("eu", 1, 999), ("us", 1, 3)):
        await send(slo, f"{ONE}?source={source}&revision={revision}", csv(*minutes(1, 0, total)))
    await slo.call("POST", f"{ONE}?source=asia&revision=7", buckets(NOW - MINUTE, 1, 0, 100), expect=202)
    await slo.call("POST", f"{ONE}?source=asia", buckets(NOW - MINUTE, 1, 0, 4) | {"source": "eu2"}, expect=202)
    await slo.status(total=20 + 3 + 100 + 4)


@memory_is_enough
async def test_lines_of_what_is_not_defined_are_refused(slo: Slo) -> None:
    assert (await send(slo, ONE, csv(*minutes(1, 1, 1)), expect=404))["code"] == "not-found"


@memory_is_enough
async def test_a_body_of_another_type_is_refused(slo: Slo) -> None:
    await slo.define()
    refused = await send(slo, ONE, csv(*minutes(1, 1, 1)), "text/plain", expect=415)
    assert (refused["code"], "text/csv" in refused["detail"]) == ("unsupported-media-type", True)


@memory_is_enough
async def test_a_million_lines_are_too_many_at_once_and_nothing_of_them_is_kept(slo: Slo) -> None:
    await slo.define()
    refused = await send(slo, ONE, csv(*minutes(1_000_000, 1, 1)), expect=413)
    assert (refused["code"], "in parts" in refused["detail"]) == ("body-too-large", True)
    many = await send(slo, ONE, "start,good,total\n" * 100_002, expect=413)
    assert (many["code"], "concordat slo import" in many["detail"]) == ("too-many-lines", True)
    await send(slo, ONE, csv(*minutes(1, 2, 2)))
    assert (await slo.status(total=2))["input_version"] == 1


@memory_is_enough
async def test_the_same_key_gets_the_first_answer(slo: Slo) -> None:
    await slo.define()
    key = {"Idempotency-Key": "one"}
    text = csv(*minutes(2, 1, 1))
    assert await send(slo, ONE, text, **key) == await send(slo, ONE, text, **key)
    assert (await send(slo, ONE, csv(*minutes(1, 1, 1)), expect=422, **key))["code"] == "idempotency-key-reused"
