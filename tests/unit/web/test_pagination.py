from typing import Any

import httpx
import pytest
from starlette.requests import Request

from libs.web.pagination import Page, Paging
from libs.web.problems import Problem


async def names(client: httpx.AsyncClient, **params: object) -> list[str]:
    """All names of a list, page by page, as a client follows it."""
    found: list[str] = []
    token = ""
    while True:
        answer = await client.get("/v1/counters", params=params | {"page_token": token})
        assert answer.status_code == 200, answer.text
        page = answer.json()
        found += [item["name"] for item in page["items"]]
        token = page["next_page_token"]
        if not token:
            assert "Link" not in answer.headers
            return found


async def test_the_pages_of_a_list_are_the_list(client: httpx.AsyncClient) -> None:
    assert await names(client, page_size=4) == [f"c{number:02}" for number in range(25)]


@pytest.mark.parametrize("direction", ["", " asc", " desc"])
async def test_the_pages_of_an_ordered_list_are_the_list(client: httpx.AsyncClient, direction: str) -> None:
    rows = sorted((number % 3 + 1, f"c{number:02}") for number in range(25))
    expected = [name for _, name in (reversed(rows) if direction == " desc" else rows)]
    assert await names(client, page_size=4, order_by=f"size{direction}") == expected


async def test_a_filter_may_be_repeated(client: httpx.AsyncClient) -> None:
    assert await names(client, page_size=3, size=[1, 2]) == [f"c{n:02}" for n in range(25) if n % 3 != 2]


async def test_a_page_links_to_the_next_with_the_filter(client: httpx.AsyncClient) -> None:
    answer = await client.get("/v1/counters", params={"page_size": 2, "size": 1})
    target, _, rel = answer.headers["Link"].partition("; ")
    following = await client.get(target.strip("<>"))
    assert rel == 'rel="next"'
    assert [item["name"] for item in following.json()["items"]] == ["c06", "c09"]


@pytest.mark.parametrize("size", [0, 1001, 100_000])
async def test_a_size_out_of_bounds_is_brought_inside(client: httpx.AsyncClient, size: int) -> None:
    answer = await client.get("/v1/counters", params={"page_size": size})
    assert len(answer.json()["items"]) == 25


async def test_a_token_of_another_filter_is_refused(client: httpx.AsyncClient) -> None:
    token = (await client.get("/v1/counters", params={"page_size": 2})).json()["next_page_token"]
    answer = await client.get("/v1/counters", params={"page_size": 2, "size": 1, "page_token": token})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-page-token")


async def test_a_token_may_come_with_another_page_size(client: httpx.AsyncClient) -> None:
    token = (await client.get("/v1/counters", params={"page_size": 2})).json()["next_page_token"]
    answer = await client.get("/v1/counters", params={"page_size": 1, "page_token": token})
    assert [item["name"] for item in answer.json()["items"]] == ["c02"]


@pytest.mark.parametrize("token", ["x", "????", "W10", "WyJhIiwxXQ", "e30"])
async def test_a_made_up_token_is_refused(client: httpx.AsyncClient, token: str) -> None:
    answer = await client.get("/v1/counters", params={"page_token": token})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-page-token")


@pytest.mark.parametrize("order", ["colour", "size down", "size desc desc", "-size"])
async def test_an_order_that_is_not_offered_is_refused(client: httpx.AsyncClient, order: str) -> None:
    answer = await client.get("/v1/counters", params={"order_by": order})
    assert (answer.status_code, answer.json()["code"]) == (400, "invalid-order")


@pytest.mark.parametrize("size", ["-1", "x", "1.5", "9" * 5000])
async def test_a_size_that_is_none_is_refused(client: httpx.AsyncClient, size: str) -> None:
    assert (await client.get("/v1/counters", params={"page_size": size})).status_code == 422


def cut(names: str, token: str = "", *, shown: str = "abcdefgh") -> Page[str]:
    """Two of *names*, a letter each, in their order."""
    scope: dict[str, Any] = {
        "type": "http",
        "path": "/v1/letters",
        "query_string": b"",
        "headers": [],
        "state": {"headers": []},
    }
    return Paging(Request(scope), 2, token, "").cut(names, place=str, shown=lambda name: name in shown)


def test_a_list_that_is_at_hand_is_cut_into_pages_in_its_own_order() -> None:
    first = cut("hgfedcba", shown="hfdb")
    second = cut("hgfedcba", first.next_page_token, shown="hfdb")

    assert (first.items, second.items, second.next_page_token) == (["h", "f"], ["d", "b"], "")


def test_a_page_goes_on_behind_an_item_that_the_filter_has_left_out_since() -> None:
    first = cut("abcd")
    assert cut("abcd", first.next_page_token, shown="acd").items == ["c", "d"]


def test_a_token_behind_an_item_that_never_was_is_refused() -> None:
    token = cut("abcd").next_page_token
    with pytest.raises(Problem, match="start again"):
        cut("xyz", token)
