from tests.fixtures.paging import owned, people, written
from tests.fixtures.services import Elsewhere, Running, memory_is_enough


async def test_a_policy_is_written_read_changed_and_ended(incidents: Running, lifecycle: Elsewhere) -> None:
    await people(incidents, lifecycle, "ana", "bo")
    made = await written(incidents, repeat=1, acknowledgement_timeout="PT30M", hours={"days": ["saturday"]})
    assert made["steps"][0] == {
        "targets": [{"kind": "person", "name": "ana"}],
        "delay": "PT5M",
        "when": "always",
        "wait": False,
    }
    assert (made["default"], made["acknowledgement_timeout"]) == (True, "PT30M")
    assert made["hours"] == {"zone": "UTC", "days": ["saturday"], "start": "09:00", "end": "18:00", "holidays": []}

    changed = await incidents.call(
        "PATCH",
        "/v1/escalation-policies/checkout",
        {"repeat": 3, "acknowledgement_timeout": None},
        **{"If-Match": '"1"'},
    )
    assert (changed["repeat"], changed["acknowledgement_timeout"]) == (3, None)
    stale = await incidents.call(
        "PATCH", "/v1/escalation-policies/checkout", {"repeat": 4}, expect=412, **{"If-Match": '"1"'}
    )
    assert stale["code"] == "precondition-failed"

    answer = await incidents.client.delete("/v1/escalation-policies/checkout")
    assert answer.json()["ended"] is True
    token = {"Consistency-Token": answer.headers["Consistency-Token"]}
    listed = await incidents.call("GET", "/v1/escalation-policies?ended=true", **token)
    assert [each["name"] for each in listed["items"]] == ["checkout"]


@memory_is_enough
async def test_unknown_targets_and_circles_are_refused_with_their_place(
    incidents: Running, lifecycle: Elsewhere
) -> None:
    await people(incidents, lifecycle, "ana", "bo")
    await written(incidents)
    for kind in ("person", "team", "schedule"):
        stranger = [{"targets": [{"kind": kind, "name": "nobody"}]}]
        problem = await written(incidents, 422, name="other", default=False, steps=stranger)
        assert (problem["code"], problem["errors"][0]["pointer"]) == (
            "unknown-reference",
            "/steps/0/targets/0/name",
        )
    assert (await written(incidents, 422, name="other", team="nobody"))["errors"][0]["pointer"] == "/team"
    assert (await written(incidents, 422, name="other", then="nobody"))["errors"][0]["pointer"] == "/then"

    await written(incidents, name="second", default=False, then="checkout")
    circle = await incidents.call(
        "PATCH", "/v1/escalation-policies/checkout", {"then": "second"}, expect=422, **{"If-Match": '"1"'}
    )
    assert (circle["code"], circle["errors"][0]["pointer"]) == ("faulty-policy", "/then")
    assert "checkout > second > checkout" in circle["detail"]


@memory_is_enough
async def test_a_team_has_one_default_and_gives_it_up_first(incidents: Running, lifecycle: Elsewhere) -> None:
    await people(incidents, lifecycle, "ana", "bo")
    await written(incidents)
    assert (await written(incidents, 409, name="second"))["code"] == "default-taken"

    given_up = {"default": False}
    await incidents.call("PATCH", "/v1/escalation-policies/checkout", given_up, **{"If-Match": '"1"'})
    assert (await written(incidents, name="second"))["default"] is True


@memory_is_enough
async def test_a_service_names_a_policy_of_its_own_which_is_needed_then(
    incidents: Running, lifecycle: Elsewhere
) -> None:
    await people(incidents, lifecycle, "ana", "bo")
    await owned(incidents, lifecycle, "cart-api")
    await written(incidents)
    await written(incidents, name="carts", default=False)
    path = "/v1/services/cart-api/escalation"
    assert (await incidents.call("GET", path))["sides"][0]["policies"] == ["checkout"]

    named = await incidents.client.put(path, json={"dev": "carts"})
    assert named.json() == {"service": "cart-api", "dev": "carts", "sre": None}
    side = (await incidents.call("GET", path))["sides"][0]
    assert (side["policies"], side["why"]) == (["carts"], "the service names carts")
    assert (await incidents.call("PUT", path, {"dev": "nobody"}, expect=422))["errors"][0]["pointer"] == "/dev"

    token = {"Consistency-Token": named.headers["Consistency-Token"]}
    needed = await incidents.call("DELETE", "/v1/escalation-policies/carts", expect=409, **token)
    assert (needed["code"], "service cart-api" in needed["detail"]) == ("still-needed", True)


@memory_is_enough
async def test_a_dry_run_says_who_would_be_called_when(incidents: Running, lifecycle: Elsewhere) -> None:
    await people(incidents, lifecycle, "ana", "bo")
    await owned(incidents, lifecycle, "cart-api")
    await written(incidents, repeat=1)

    asked = {"service": "cart-api", "severity": "sev3", "at": "2026-11-21T03:00:00Z"}
    tried = await incidents.call("POST", "/v1/escalation-policies:dry-run", asked)

    assert [(call["at"][11:16], call["round"], call["person"], call["channels"]) for call in tried["calls"]] == [
        ("03:00", 1, "ana", ["webhook"]),
        ("03:05", 1, "bo", ["webhook"]),
        ("03:15", 2, "ana", ["webhook"]),
        ("03:20", 2, "bo", ["webhook"]),
    ]
    assert (tried["unassigned"], tried["quiet"]) == (False, False)


@memory_is_enough
async def test_a_dry_run_says_loudly_that_nobody_would_be_called(incidents: Running, lifecycle: Elsewhere) -> None:
    await people(incidents, lifecycle, "ana")
    await owned(incidents, lifecycle, "cart-api")

    tried = await incidents.call("POST", "/v1/escalation-policies:dry-run", {"service": "cart-api"})

    assert (tried["unassigned"], tried["told"], tried["calls"]) == (True, ["person/ana"], [])
    assert "checkout has no escalation policy" in tried["why"]
