import httpx
import pytest

from libs.web.etag import matches, strong, weak


async def test_a_read_has_the_version_of_its_stream(client: httpx.AsyncClient) -> None:
    await client.post("/v1/counters", json={"name": "errors"})
    answer = await client.get("/v1/counters/errors")
    assert (answer.headers["ETag"], answer.json()) == ('"1"', {"name": "errors", "value": 0})


async def test_what_the_caller_has_is_not_sent_again(client: httpx.AsyncClient) -> None:
    await client.post("/v1/counters", json={"name": "errors"})
    answer = await client.get("/v1/counters/errors", headers={"If-None-Match": '"1"'})
    assert (answer.status_code, answer.content, answer.headers["ETag"]) == (304, b"", '"1"')


@pytest.mark.parametrize(
    ("header", "expected"),
    [(None, False), ("*", True), ('"1"', False), ('"1", "2"', True), ('W/"2"', True), ("2", False)],
)
def test_tags_are_compared_weakly(header: str | None, expected: bool) -> None:  # noqa: FBT001
    assert matches(header, strong(2)) is expected


def test_a_weak_tag_is_of_the_content() -> None:
    assert weak(b"a") == weak(b"a") != weak(b"b")
