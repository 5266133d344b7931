"""Design reviews through their routes: written, submitted, read by somebody from outside, and what gates see of it."""

from datetime import timedelta
from typing import Any

import pytest

from libs.events.rebuild import rebuilding
from libs.events.testing import FrozenClock
from services.lifecycle.projections.design_work import DESIGN_WORK, design_review_of
from tests.fixtures.lifecycle_api import BO, IN_MEMORY, ROBOT, signed_in
from tests.fixtures.reviews import teams
from tests.fixtures.services import Running

DAY = timedelta(days=1)
REVIEWS = "/v1/design-reviews"
DESIGN: dict[str, Any] = {
    "title": "Pay by invoice",
    "goals": [{"id": "pay-later", "text": "Customers pay within 14 days"}],
    "constraints": ["no card data is stored"],
    "alternatives": [{"title": "ask the provider", "why_not": "it charges for each question"}],
    "decisions": [{"text": "a table of our own", "why": "asked often", "serves": ["pay-later"]}],
}


async def opened(service: Running, **fields: Any) -> str:
    """The path of a design review that Ana opens."""
    body = {"service": "checkout-api", **DESIGN, **fields}
    return f"{REVIEWS}/{(await service.call('POST', REVIEWS, body, expect=201))['id']}"


async def test_a_design_is_written_submitted_sent_back_and_approved_from_outside(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await teams(lifecycle)
    bo = signed_in(lifecycle, BO)
    path = await opened(lifecycle, decisions=[])
    then = clock.now().isoformat().replace("+00:00", "Z")
    clock.advance(DAY)
    refused = await lifecycle.call("POST", f"{path}:submit", expect=422)
    assert [each["pointer"] for each in refused["errors"]] == ["/decisions"]

    await lifecycle.call("PUT", path, DESIGN)
    submitted = await lifecycle.call("POST", f"{path}:submit")
    asked = await bo.call("POST", f"{path}:request-changes", {"changes": "say what happens at the limit"})
    await lifecycle.call("PUT", path, {**DESIGN, "constraints": ["at most 500 euros"]})
    await lifecycle.call("POST", f"{path}:submit")
    own = await lifecycle.call("POST", f"{path}:approve", {"reason": "mine"}, expect=403)
    answer = await bo.client.post(f"{path}:approve", json={"reason": "the limit is clear"})

    assert submitted["next"][0]["who"] == ["a person from outside checkout, not ana"]
    assert (asked["state"], asked["next"][0]["why"]) == ("changes_requested", "say what happens at the limit")
    assert (own["code"], own["who_can"]) == ("somebody-else", ["a person from outside checkout, not ana"])
    approved = answer.json()
    assert (approved["state"], approved["decided"]["by"], approved["rounds"]) == ("approved", "bo", 2)
    assert (approved["allowed"], approved["next"], approved["gaps"]) == ([], [], [])
    token = {"Consistency_Token": answer.headers["Consistency-Token"]}
    listed = await lifecycle.call("GET", f"{REVIEWS}?service=checkout-api&state=approved", **token)
    assert [each["id"] for each in listed["items"]] == [approved["id"]]
    assert (await lifecycle.call("GET", f"{REVIEWS}?state=draft"))["items"] == []
    past = await lifecycle.call("GET", f"{REVIEWS}?as_of={then}&state=draft")
    assert [each["state"] for each in past["items"]] == ["draft"]
    assert (await lifecycle.call("GET", f"{path}?as_of={then}"))["gaps"][0]["pointer"] == "/decisions"
    views = lifecycle.resources.views
    facts = await views.read(design_review_of, "checkout-api")
    assert facts is not None
    assert (facts.state, facts.approved_by, facts.title) == ("approved", "bo", "Pay by invoice")
    assert await views.read(design_review_of, "nobody") is None
    async for _ in rebuilding(lifecycle.resources, DESIGN_WORK):
        pass
    assert await views.read(design_review_of, "checkout-api") == facts


@IN_MEMORY
async def test_two_who_change_it_at_the_same_time_do_not_overwrite_each_other(lifecycle: Running) -> None:
    await teams(lifecycle)
    path = await opened(lifecycle)
    read = await lifecycle.client.get(path)
    await lifecycle.call("PUT", path, {**DESIGN, "title": "Pay by invoice, later"})

    late = await lifecycle.client.put(path, json=DESIGN, headers={"If-Match": read.headers["ETag"]})

    assert late.status_code == 412
    assert (await lifecycle.call("GET", path))["title"] == "Pay by invoice, later"
    again = await lifecycle.client.get(path, headers={"If-None-Match": late.headers.get("ETag", '"2"')})
    assert again.status_code == 304


@IN_MEMORY
@pytest.mark.parametrize(
    ("fields", "pointer"),
    [
        ({"service": "nobody"}, "/service"),
        ({"title": ""}, "/title"),
        ({"owner": "ana"}, "/owner"),
        ({"goals": [{"id": "a", "text": "x"}, {"id": "a", "text": "y"}], "decisions": []}, "/goals/1/id"),
        ({"decisions": [{"text": "x", "serves": ["fame"]}]}, "/decisions/0/serves/0"),
    ],
)
async def test_what_is_no_design_is_refused_with_its_place(
    lifecycle: Running, fields: dict[str, Any], pointer: str
) -> None:
    await teams(lifecycle)

    problem = await lifecycle.call("POST", REVIEWS, {"service": "checkout-api", **DESIGN, **fields}, expect=422)

    assert problem["errors"][0]["pointer"] == pointer


@IN_MEMORY
async def test_a_machine_approves_nothing_and_what_is_not_there_is_unknown(lifecycle: Running) -> None:
    await teams(lifecycle)
    path = await opened(lifecycle, id="design-7")
    await opened(lifecycle, id="design-7")  # sent again, nothing happens
    early = await signed_in(lifecycle, BO).call("POST", f"{path}:approve", {"reason": "fine"}, expect=409)
    await lifecycle.call("POST", f"{path}:submit")

    robot = await signed_in(lifecycle, ROBOT).call("POST", f"{path}:approve", {"reason": "green"}, expect=403)
    gone = await lifecycle.call("POST", f"{path}:withdraw", {"reason": "not wanted"})

    assert (early["code"], early["allowed"], robot["code"]) == (
        "illegal-step",
        ["revise", "submit", "withdraw"],
        "somebody-else",
    )
    assert (gone["state"], gone["withdrawn_because"]) == ("withdrawn", "not wanted")
    other = {"service": "checkout-api", **DESIGN, "title": "another", "id": "design-7"}
    assert (await lifecycle.call("POST", REVIEWS, other, expect=409))["code"] == "recorded-otherwise"
    await lifecycle.call("GET", f"{REVIEWS}/no-such", expect=404)
    await lifecycle.call("POST", f"{REVIEWS}/no-such:approve", {"reason": "x"}, expect=404)
