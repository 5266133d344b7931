"""Engagements over HTTP: from request to end, with services that come and go."""

from typing import Any

import pytest

from libs.events.testing import FrozenClock
from services.lifecycle.contract import SERVICE
from tests.fixtures import reviews
from tests.fixtures.engagements import DAY, ENGAGEMENTS, PRIORITIES, Engaged, active, request, teams_and_service
from tests.fixtures.lifecycle_api import IN_MEMORY, ROBOT, signed_in
from tests.fixtures.services import Running, eventually

SERVICE_PATH = "/v1/services/checkout-api"


async def test_an_engagement_goes_from_request_to_a_hand_back_and_ends(lifecycle: Running, clock: FrozenClock) -> None:
    engaged = await active(lifecycle)

    shown = await engaged.get()
    assert (shown["state"], shown["model"], shown["allowed"]) == ("active", "full", ["change-model", "start-handback"])
    assert (await lifecycle.call("GET", SERVICE_PATH))["sre_team"] == "sre-pay"
    assert (await engaged.do(":change-model", {"model": "part_time", "reason": "calm"}))["model"] == "part_time"

    await engaged.hand_back()
    handed = await engaged.get()
    assert (handed["state"], handed["re_entry"]) == ("handed_back", ["a rewrite"])
    assert (await lifecycle.call("GET", SERVICE_PATH))["sre_team"] is None

    ended = await engaged.do(":disengage", {"ending": "dev_self_sufficient", "reason": "calm for months"})
    assert (ended["state"], ended["ending"], ended["allowed"]) == ("disengaged", "dev_self_sufficient", [])
    assert [stay["standing"] for stay in ended["history"]] == [
        "requested",
        "accepted",
        "active",
        "active",
        "handback_pending",
        "handed_back",
        "disengaged",
    ]


async def test_the_past_is_read_as_it_was_known_then(lifecycle: Running, clock: FrozenClock) -> None:
    engaged = await active(lifecycle)
    then = clock.now()
    clock.advance(DAY)
    await engaged.do(":change-model", {"model": "embedded", "reason": "a hard quarter"})

    past = {"as_of": then.isoformat()}
    before = await lifecycle.client.get(engaged.path, params=past)

    async def listed() -> list[str]:
        answer = await lifecycle.client.get(ENGAGEMENTS, params=past)
        return [each["model"] for each in answer.json()["items"]]

    assert await eventually(listed) == ["full"]
    service = await lifecycle.client.get(SERVICE_PATH, params={"as_of": (then - DAY).isoformat()})

    assert (before.json()["model"], (await engaged.get())["model"]) == ("full", "embedded")
    assert service.status_code == 404


async def test_engagements_are_found_by_team_state_and_service(lifecycle: Running) -> None:
    engaged = await active(lifecycle, "checkout-api", "cart")
    other = await request(lifecycle, "cart")

    async def found(query: str) -> Any:
        return [each["id"] for each in (await lifecycle.call("GET", f"{ENGAGEMENTS}?{query}"))["items"]]

    expected = {
        "dev_team=checkout": [other.id, engaged.id],
        "state=active": [engaged.id],
        "service=checkout-api": [engaged.id],
    }

    async def all_are_found() -> bool:
        return {query: await found(query) for query in expected} == expected

    await eventually(all_are_found)
    assert await found("sre_team=nobody") == []


async def test_a_service_has_one_active_engagement_at_a_time(lifecycle: Running) -> None:
    engaged = await active(lifecycle)
    other = await request(lifecycle)
    await other.do(":triage", {"decision": "accepted", "reason": "x"}, by=other.bo)

    problem = await other.do(":activate", expect=409)

    assert (problem["code"], problem["engagement"]) == ("service-engaged", engaged.id)
    assert (await other.get())["state"] == "accepted"


async def test_services_come_and_go(lifecycle: Running) -> None:
    engaged = await active(lifecycle)
    cart = {"name": "cart", "owner_team": "checkout", "tier": 2}
    await lifecycle.call("POST", "/v1/services", cart, expect=201)

    joined = await engaged.do("/services", {"service": "cart", "reason": "the same stack"})
    assert joined["services"] == ["checkout-api", "cart"]
    assert (await lifecycle.call("GET", "/v1/services/cart"))["engagement"] == engaged.id

    left = await engaged.do("/services/checkout-api:remove")
    assert left["services"] == ["cart"]
    assert (await lifecycle.call("GET", SERVICE_PATH))["engagement"] is None


async def test_what_comes_back_needs_a_review_of_what_has_changed(lifecycle: Running, clock: FrozenClock) -> None:
    engaged = await active(lifecycle)
    await engaged.hand_back()

    problem = await engaged.do(":activate", expect=422)
    assert problem["code"] == "delta-review-missing"

    at = clock.advance(DAY)
    evidence = {"kind": "delta_readiness_review", "at": at.isoformat(), "url": "https://wiki.example/delta"}
    stored = await lifecycle.call("POST", f"{SERVICE_PATH}/evidence", evidence, expect=201)

    async def let_in() -> Any:
        answer = await lifecycle.client.post(f"{engaged.path}:activate", json={"reason": "the rewrite"})
        return answer.json() if answer.status_code == 200 else None

    back = await eventually(let_in)
    assert back["state"] == "active"
    assert (await lifecycle.resources.handler.load(SERVICE, "checkout-api")).state.profile.engaged.since == at
    (event,) = [
        each
        for each in await lifecycle.resources.store.load(f"engagement/{engaged.id}")
        if each.type.endswith("activated.v1") and stored["id"].encode() in each.data
    ]
    assert event


async def test_a_request_that_is_declined_says_what_there_is_instead(lifecycle: Running) -> None:
    await teams_and_service(lifecycle)
    engaged = await request(lifecycle)
    body = {"decision": "declined", "reason": "no room"}

    problem = await engaged.do(":triage", body, by=engaged.bo, expect=422)
    assert problem["errors"][0]["pointer"] == "/instead"
    body |= {"instead": "consultation", "guidance": "office hours on Tuesday"}
    declined = await engaged.do(":triage", body, by=engaged.bo)

    assert (declined["state"], declined["instead"], declined["allowed"]) == ("declined", "consultation", [])
    assert declined["next"][0]["who"] == "checkout"
    assert (await engaged.do(":activate", expect=409))["code"] == "illegal-verb"


@IN_MEMORY
async def test_only_a_lead_speaks_for_a_team(lifecycle: Running) -> None:
    await teams_and_service(lifecycle)
    engaged = await request(lifecycle)

    problem = await engaged.do(":triage", {"decision": "accepted", "reason": "x"}, expect=403)
    assert (problem["code"], problem["speakers"]) == ("not-a-speaker", ["bo"])
    robot = signed_in(lifecycle, ROBOT)
    await engaged.do(":triage", {"decision": "accepted", "reason": "x"}, by=robot, expect=403)


@IN_MEMORY
@pytest.mark.parametrize(
    ("changed", "code", "pointer"),
    [
        ({"sre_team": "nobody"}, "unknown-reference", "/sre_team"),
        ({"sre_team": "checkout"}, "wrong-kind-of-team", "/sre_team"),
        ({"dev_team": "sre-pay"}, "wrong-kind-of-team", "/dev_team"),
        ({"services": ["nothing"]}, "unknown-reference", "/services"),
        ({"services": ["foreign"]}, "not-owned", "/services"),
        ({"services": []}, "invalid", "/services"),
        ({"model": "magic"}, "invalid", "/model"),
    ],
)
async def test_what_a_request_names_must_be_there_and_fit(
    lifecycle: Running, changed: dict[str, Any], code: str, pointer: str
) -> None:
    await teams_and_service(lifecycle)
    await lifecycle.call("POST", "/v1/services", {"name": "foreign"}, expect=201)
    body = {"sre_team": "sre-pay", "dev_team": "checkout", "services": ["checkout-api"], "model": "full", "reason": "x"}

    problem = await lifecycle.call("POST", ENGAGEMENTS, body | changed, expect=422)

    assert (problem["code"], problem["errors"][0]["pointer"]) == (code, pointer)


@IN_MEMORY
async def test_a_full_engagement_does_not_end_without_a_hand_back_but_a_consulting_one_does(lifecycle: Running) -> None:
    engaged = await active(lifecycle)
    end = {"ending": "never_needed_takeover", "reason": "advice was enough"}

    problem = await engaged.do(":disengage", end, expect=409)
    assert problem["allowed"] == ["start-handback", "change-model"]
    await engaged.do(":change-model", {"model": "consulting", "reason": "calm"})

    assert (await engaged.do(":disengage", end))["state"] == "disengaged"
    assert (await lifecycle.call("GET", SERVICE_PATH))["sre_team"] is None


@IN_MEMORY
async def test_a_hand_back_is_settled_line_by_line(lifecycle: Running, clock: FrozenClock) -> None:
    engaged = await active(lifecycle)
    await engaged.do(":start-handback", {"receiver": "checkout", "reason": "they run it"})
    done = {"evidence": "https://wiki.example/done"}

    problem = await engaged.do("/handback/shadowing:settle", done, expect=409)
    assert problem["code"] == "too-early"
    problem = await engaged.do("/handback/receiver-accepts:settle", done, by=engaged.bo, expect=403)
    assert problem["speakers"] == ["ana"]
    await engaged.do("/handback/receiver-accepts:settle", done)
    await engaged.do("/handback/risks-owned:settle", {"applies": False}, expect=422)
    await engaged.do("/handback/risks-owned:settle", {"applies": False, "reason": "no open risk"})
    await engaged.do("/handback/nothing:settle", done, expect=404)

    problem = await engaged.do(":hand-back", {"re_entry": ["x"], "reason": "y"}, expect=409)
    assert problem["code"] == "checklist-open"
    assert len(problem["errors"]) == 9
    states = {item["id"]: item["state"] for item in (await engaged.get("/handback"))["items"]}
    assert (states["receiver-accepts"], states["risks-owned"], states["shadowing"]) == (
        "done",
        "not_applicable",
        "open",
    )

    assert (await engaged.do(":activate"))["state"] == "active"
    assert (await lifecycle.call("GET", SERVICE_PATH))["sre_team"] == "sre-pay"


@IN_MEMORY
async def test_an_edition_holds_when_both_leads_have_acknowledged_it(lifecycle: Running) -> None:
    engaged = await active(lifecycle)
    proposed = await engaged.put("priorities", PRIORITIES)
    assert (proposed["in_force"], proposed["draft"]["missing"]) == (None, ["dev", "sre"])

    await engaged.do("/priorities:acknowledge", {"version": 1, "side": "sre"}, expect=403)
    half = await engaged.do("/priorities:acknowledge", {"version": 1, "side": "dev"})
    assert [step["who"] for step in half["next"]] == ["sre-pay"]
    agreed = await engaged.do("/priorities:acknowledge", {"version": 1, "side": "sre"}, by=engaged.bo)
    assert (agreed["in_force"]["acknowledged"], agreed["draft"]) == ({"dev": "ana", "sre": "bo"}, None)

    swapped = {"entries": PRIORITIES["entries"][::-1], "reason": "the zone first"}
    newer = await engaged.put("priorities", swapped)
    assert (newer["in_force"]["version"], newer["draft"]["version"]) == (1, 2)
    problem = await engaged.do("/priorities:acknowledge", {"version": 1, "side": "dev"}, expect=409)
    assert (problem["code"], problem["newest"]) == ("edition-superseded", 2)


@IN_MEMORY
@pytest.mark.parametrize(
    ("part", "entries", "pointer"),
    [
        ("priorities", [PRIORITIES["entries"][0], PRIORITIES["entries"][0] | {"title": "b"}], "/entries"),
        ("goals", [{"id": "a", "kind": "velocity", "title": "t"}], "/entries/0"),
        ("goals", [{"id": "a", "kind": "velocity", "title": "t", "metric": "lead_time"}], "/entries/0/target"),
        ("goals", [{"id": "a", "kind": "velocity", "title": "t", "metric": "m", "target": 1}] * 2, "/entries/1/id"),
        ("working-agreements", [{"id": "a", "occasion": "review", "title": "t", "text": "t"}] * 2, "/entries/1/id"),
        (
            "ground-rules",
            [
                {
                    "id": "a",
                    "metric": "moon",
                    "comparison": "at_most",
                    "limit": 1,
                    "window_days": 7,
                    "action": "b",
                    "owner": "c",
                }
            ],
            "/entries/0/metric",
        ),
    ],
)
async def test_an_edition_that_contradicts_itself_is_refused_with_its_place(
    lifecycle: Running, part: str, entries: list[Any], pointer: str
) -> None:
    engaged = await active(lifecycle)

    problem = await engaged.put(part, {"entries": entries, "reason": "x"}, expect=422)

    assert (problem["code"], problem["errors"][0]["pointer"]) == ("invalid-edition", pointer)


@IN_MEMORY
async def test_working_agreements_begin_as_templates_and_hold_when_both_sides_say_so(
    lifecycle: Running, clock: FrozenClock
) -> None:
    engaged = await active(lifecycle)
    shipped = await lifecycle.call("GET", "/v1/working-agreement-templates?occasion=release&occasion=incident")
    entries = [{name: one[name] for name in ("id", "occasion", "title", "text")} for one in shipped["templates"]]

    proposed = await engaged.put("working-agreements", {"entries": entries, "reason": "to begin with"})
    await engaged.do("/working-agreements:acknowledge", {"version": 1, "side": "dev"})
    agreed = await engaged.do("/working-agreements:acknowledge", {"version": 1, "side": "sre"}, by=engaged.bo)
    then = clock.now().isoformat().replace("+00:00", "Z")
    clock.advance(DAY)
    await engaged.put("working-agreements", {"entries": entries[:1], "reason": "less"})

    assert all(one["source"] for one in shipped["templates"])
    assert (proposed["draft"]["missing"], proposed["note"]) == (["dev", "sre"], "nothing is agreed about reviews")
    assert agreed["in_force"]["acknowledged"] == {"dev": "ana", "sre": "bo"}
    past = await lifecycle.call("GET", f"{engaged.path}/working-agreements?as_of={then}")
    assert (past["draft"], len(past["in_force"]["entries"])) == (None, 2)


@IN_MEMORY
async def test_every_answer_says_who_must_do_what_next_and_why(lifecycle: Running) -> None:
    await teams_and_service(lifecycle)
    engaged = await request(lifecycle)

    (step,) = (await engaged.get())["next"]
    assert (step["who"], step["how"]) == ("sre-pay", f"POST {engaged.path}:triage")
    await engaged.do(":triage", {"decision": "accepted", "reason": "x"}, by=engaged.bo)
    steps = (await engaged.get())["next"]
    assert [step["what"] for step in steps[:2]] == ["begin", "write down both sides' priorities"]
    assert all(step["why"] for step in steps)


@IN_MEMORY
async def test_concurrent_changes_are_no_lost_updates(lifecycle: Running) -> None:
    engaged = await active(lifecycle)
    body = {"model": "embedded", "reason": "x"}
    await lifecycle.call("POST", f"{engaged.path}:change-model", body, If_Match='"5"')

    await lifecycle.call("POST", f"{engaged.path}:change-model", body | {"model": "full"}, expect=412, If_Match='"5"')


@IN_MEMORY
async def test_an_approved_readiness_review_lets_a_service_come_back(lifecycle: Running, clock: FrozenClock) -> None:
    await reviews.teams(lifecycle)
    engaged = Engaged(lifecycle, "")
    for number in (1, 2):
        body = {"sre_team": "sre-core", "dev_team": "checkout", "services": ["checkout-api"], "model": "consulting"}
        engaged.id = (await lifecycle.call("POST", ENGAGEMENTS, {**body, "reason": "x"}, expect=201))["id"]
        await engaged.do(":triage", {"decision": "accepted", "reason": "x"}, by=engaged.bo)
        if number == 1:
            await engaged.do(":activate")
            await engaged.do(":disengage", {"ending": "optimised", "reason": "calm"})
    clock.advance(DAY)
    assert (await engaged.do(":activate", expect=422))["code"] == "delta-review-missing"

    review = await reviews.held(lifecycle)
    await review.ready()
    await review.do(":approve", {"looked_at": "what has changed"})

    async def let_in() -> bool:
        return (await lifecycle.client.post(f"{engaged.path}:activate", json={"reason": "back"})).is_success

    assert await eventually(let_in)
