from datetime import timedelta

from libs.events.testing import FrozenClock
from tests.fixtures.lifecycle_api import IN_MEMORY
from tests.fixtures.services import Running

TEAM = {"name": "checkout", "kind": "dev", "display_name": "Checkout"}


async def test_a_team_is_registered_read_and_changed(lifecycle: Running) -> None:
    created = await lifecycle.client.post("/v1/teams", json=TEAM)

    assert (created.status_code, created.headers["Location"]) == (201, "/v1/teams/checkout")
    assert created.json() == {**TEAM, "registered_at": "2026-11-21T10:00:00Z"}
    found = await lifecycle.client.get("/v1/teams/checkout")
    assert (found.json(), found.headers["ETag"]) == (created.json(), created.headers["ETag"])

    changed = await lifecycle.call(
        "PATCH", "/v1/teams/checkout", {"display_name": "Till"}, If_Match=found.headers["ETag"]
    )

    assert changed["display_name"] == "Till"


async def test_a_name_is_given_once_even_for_the_same_content(lifecycle: Running) -> None:
    await lifecycle.call("POST", "/v1/teams", TEAM, expect=201)

    problem = await lifecycle.call("POST", "/v1/teams", TEAM, expect=409)

    assert (problem["code"], problem["errors"][0]["pointer"]) == ("name-taken", "/name")


@IN_MEMORY
async def test_a_name_that_is_no_label_is_refused_with_its_place_and_a_remedy(lifecycle: Running) -> None:
    problem = await lifecycle.call("POST", "/v1/teams", {**TEAM, "name": "Check Out"}, expect=422)

    (place,) = problem["errors"]
    assert place["pointer"] == "/name"
    assert "lower-case letters, digits and hyphens" in place["detail"]


async def test_a_change_from_what_was_once_so_is_refused(lifecycle: Running) -> None:
    await lifecycle.call("POST", "/v1/teams", TEAM, expect=201)
    await lifecycle.call("PATCH", "/v1/teams/checkout", {"display_name": "Till"}, If_Match='"1"')

    await lifecycle.call("PATCH", "/v1/teams/checkout", {"display_name": "Shop"}, expect=412, If_Match='"1"')
    await lifecycle.call("PATCH", "/v1/teams/checkout", {"display_name": "Shop"}, expect=428)


@IN_MEMORY
async def test_a_team_that_does_not_exist_is_not_found(lifecycle: Running) -> None:
    await lifecycle.call("GET", "/v1/teams/checkout", expect=404)
    await lifecycle.call("PATCH", "/v1/teams/checkout", {}, expect=404, If_Match='"1"')


async def test_a_list_shows_the_caller_what_the_caller_has_written(lifecycle: Running) -> None:
    for name, kind in (("search", "dev"), ("checkout", "dev"), ("core-sre", "sre")):
        written = await lifecycle.client.post("/v1/teams", json={"name": name, "kind": kind})
    token = {"Consistency-Token": written.headers["Consistency-Token"]}

    first = await lifecycle.call("GET", "/v1/teams?page_size=2", **token)
    rest = await lifecycle.call("GET", f"/v1/teams?page_size=2&page_token={first['next_page_token']}", **token)
    sre = await lifecycle.call("GET", "/v1/teams?kind=sre", **token)

    assert [team["name"] for team in first["items"] + rest["items"]] == ["checkout", "core-sre", "search"]
    assert rest["next_page_token"] == ""
    assert [team["name"] for team in sre["items"]] == ["core-sre"]


async def test_as_of_answers_what_was_known_then(lifecycle: Running, clock: FrozenClock) -> None:
    before = clock.now()
    registered = clock.advance(timedelta(hours=1))
    await lifecycle.call("POST", "/v1/teams", TEAM, expect=201)
    clock.advance(timedelta(hours=1))
    changed = await lifecycle.client.patch(
        "/v1/teams/checkout", json={"display_name": "Till"}, headers={"If-Match": '"1"'}
    )
    token = {"Consistency-Token": changed.headers["Consistency-Token"]}

    then = await lifecycle.call("GET", f"/v1/teams/checkout?as_of={registered:%Y-%m-%dT%H:%M:%SZ}")
    listed = await lifecycle.call("GET", f"/v1/teams?as_of={registered:%Y-%m-%dT%H:%M:%SZ}", **token)
    earlier = await lifecycle.call("GET", f"/v1/teams?as_of={before:%Y-%m-%dT%H:%M:%SZ}", **token)

    assert (then["display_name"], listed["items"]) == ("Checkout", [then])
    assert earlier["items"] == []
    await lifecycle.call("GET", f"/v1/teams/checkout?as_of={before:%Y-%m-%dT%H:%M:%SZ}", expect=404)
