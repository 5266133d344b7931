"""A production readiness review from the first request to the end of its approval, through the service's routes."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from libs.events.rebuild import rebuilding
from libs.events.testing import FrozenClock
from services.lifecycle.projections.readiness_reviews import READINESS_REVIEWS, review_of
from tests.fixtures.lifecycle_api import IN_MEMORY, ROBOT, signed_in
from tests.fixtures.reviews import REVIEWS, Held, asked, held, teams
from tests.fixtures.services import Running, eventually

DAY = timedelta(days=1)
CONDITION = {"text": "play the loss of a region", "owner": "ana", "due": "2026-12-04", "item": "drilled"}


async def stands(review: Held, state: str) -> dict[str, Any]:
    """The review once it stands there."""

    async def found() -> dict[str, Any] | None:
        answer = await review.read()
        return answer if answer["state"] == state else None

    return await eventually(found)


async def test_a_review_goes_from_request_to_continuous_improvement(lifecycle: Running) -> None:
    await teams(lifecycle)
    answer = await lifecycle.client.post(
        REVIEWS,
        json={
            "service": "checkout-api",
            "model": "simple",
            "template": "short",
            "reviewers": [{"person": "bo", "team": "sre-core"}, {"person": "ana", "team": "checkout"}],
            "decides_blockers": "bo",
        },
    )
    assert answer.status_code == 201, answer.text
    review = Held(lifecycle, answer.json())
    assert answer.headers["Location"] == review.path
    asked_for = answer.json()
    assert (asked_for["state"], asked_for["number"]) == ("requested", 1)
    assert [each["outside"] for each in asked_for["reviewers"]] == [True, False]
    assert asked_for["next"][0] == {
        "who": ["bo", "ana"],
        "what": "agree the scope with the team",
        "why": "a review begins with the two teams agreeing what is looked at, and by when",
        "verb": ":engage",
        "due": None,
    }
    assert asked_for["limits"]["approval_days"]["value"] == 365

    await review.ready()
    ready = await review.do(":collect", by="ana")
    assert ready["readiness"]["ready"]
    assert ready["next"][0]["who"] == ["bo"]
    approved = await review.do(":approve", {"looked_at": "dashboards, code, a drill"})
    assert (approved["state"], approved["approval"]["expires_at"]) == ("approved", "2027-11-21T10:00:00Z")
    for verb, step in ((":train", "training"), (":onboard", "onboarding"), (":continue", "continuous")):
        assert (await review.do(verb))["follow_up"] == step
    assert (await review.read())["next"] == []


@IN_MEMORY
async def test_all_answered_is_not_the_gate_the_blocking_items_of_the_phase_are(lifecycle: Running) -> None:
    await teams(lifecycle)
    review = await held(lifecycle)
    await review.ready()
    await review.answer("dashboard", verdict="not_met", note="half of it is missing")
    await review.answer("drilled", verdict="not_met", note="in spring")

    problem = await review.do(":approve", {"looked_at": "everything"}, expect=422)

    assert (problem["code"], problem["errors"]) == (
        "not-ready",
        [{"detail": "There is one. (not met: half of it is missing)", "pointer": "/answers/dashboard"}],
    )
    shown = (await review.read())["readiness"]
    assert (shown["answered"], shown["items"], shown["ready"]) == (2, 3, False)  # the third is asked of the platform


@IN_MEMORY
async def test_what_the_platform_knows_is_asked_at_the_moment_of_approval(lifecycle: Running) -> None:
    await teams(lifecycle)
    review = await held(lifecycle)
    await review.ready()
    assert (await review.do(":collect"))["readiness"]["met"] == 2
    lifecycle.resources.clock.advance(40 * DAY)  # a drill counts for thirty

    problem = await review.do(":approve", {"looked_at": "everything"}, expect=422)

    assert problem["errors"][0]["pointer"] == "/answers/rolled-back"


@IN_MEMORY
async def test_an_empty_list_of_findings_is_no_all_clear(lifecycle: Running) -> None:
    await teams(lifecycle)
    review = await held(lifecycle)
    await review.ready()

    problem = await review.do(":approve", expect=422)

    assert (problem["code"], problem["errors"][0]["pointer"]) == ("text-missing", "/looked_at")


async def test_what_is_conditional_becomes_a_condition_that_is_met_or_overdue(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await teams(lifecycle)
    review = await held(lifecycle)
    await review.ready()
    await review.answer("drilled", verdict="not_met", note="in December")
    finding = await review.found("conditional")
    bare = await review.do(":approve", expect=422)
    assert "item drilled" in bare["detail"]
    other = {"text": "bound the retries", "owner": "eve", "due": "2026-12-10", "finding": finding}
    approved = await review.do(":approve", {"conditions": [CONDITION, other]})
    assert approved["state"] == "approved_with_conditions"
    assert approved["next"][0] == {
        "who": ["ana"],
        "what": "meet the condition, then have a reviewer confirm it: play the loss of a region",
        "why": "the approval depends on it",
        "verb": "/conditions/1:meet",
        "due": "2026-12-04",
    }

    seen = {"url": "https://wiki.example/drills/7"}
    refused = await review.do("/conditions/1:meet", seen, by="ana", expect=403)
    assert refused["who_can"] == ["bo", "cy"]
    met = await review.do("/conditions/1:meet", seen, by="cy")
    assert (met["state"], met["approval"]["conditions"][0]["confirmed_by"]) == ("approved_with_conditions", "cy")
    clock.advance(20 * DAY)

    async def overdue() -> dict[str, Any] | None:
        answer = await review.read()
        return answer if answer["approval"]["conditions"][1]["state"] == "overdue" else None

    late = await eventually(overdue)
    assert "overdue" in late["next"][0]["what"]
    assert (await review.do("/conditions/2:meet", seen))["state"] == "approved"


async def test_an_approval_expires_after_a_year_by_itself(lifecycle: Running, clock: FrozenClock) -> None:
    await teams(lifecycle)
    review = await held(lifecycle)
    await review.ready()
    await review.do(":approve", {"looked_at": "everything"})
    clock.advance(364 * DAY)
    soon = await review.read()
    assert (soon["state"], soon["next"][-1]["due"]) == ("approved", "2027-11-21")
    clock.advance(DAY)

    expired = await stands(review, "expired")

    assert expired["next"][0]["what"] == f"ask for a new review with delta_of {review.id}"
    events = await lifecycle.resources.store.load(f"readiness-review/{review.id}")
    assert events[-1].type == "io.concordat.lifecycle.review.expired.v1"


async def test_a_major_change_ends_the_approval_and_a_delta_review_takes_its_place(lifecycle: Running) -> None:
    await teams(lifecycle)
    first = await held(lifecycle)
    await first.ready()
    finding = await first.found("advisory")
    await first.do(":approve", {})
    problem = await asked(lifecycle, delta_of=first.id, changed=["no-such"], expect=422)
    assert problem["errors"][0]["pointer"] == "/changed/0"

    changed = await first.do(":report-major-change", {"reason": "another database"}, by="ana")
    second = await held(lifecycle, delta_of=first.id, changed=["change"])

    assert (changed["state"], changed["end"]["reason"]) == ("expired", "another database")
    read = await second.read()
    assert (read["number"], read["delta_of"], read["supersedes"]) == (2, first.id, first.id)
    items = (await lifecycle.call("GET", f"{second.path}/answers"))["items"]
    carried = {each["item"]["id"]: each["answer"] and each["answer"]["carried_from"] for each in items}
    assert carried == {"dashboard": first.id, "drilled": first.id, "rolled-back": None}
    (going_on,) = (await lifecycle.call("GET", f"{second.path}/findings"))["items"]
    assert going_on["carried_from"] == finding
    for verb in (":engage", ":analyze", ":improve"):
        await second.do(verb)
    assert (await second.do(":approve"))["state"] == "approved"
    assert (await first.read())["end"]["superseded_by"] == second.id


@IN_MEMORY
async def test_a_deployment_that_changes_what_was_reviewed_ends_the_approval(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await teams(lifecycle)
    review = await held(lifecycle)
    await review.ready()
    await review.do(":approve", {"looked_at": "everything"})
    clock.advance(DAY)
    body = {"service": "checkout-api", "version": "2.0", "major_change": "orders are kept in another database"}

    async def deploy(name: str, **fields: Any) -> None:
        await lifecycle.call("POST", "/v1/deployments", {"id": name, **body, **fields}, expect=201)

    await deploy("on-trial", environment="staging")
    await deploy("in-vain", result="failed")
    await deploy("as-ever", major_change="")
    await deploy("before", at=(clock.now() - 2 * DAY).isoformat())
    await deploy("at-last")

    expired = await stands(review, "expired")

    assert expired["end"]["reason"] == "deployment at-last: orders are kept in another database"
    assert expired["end"]["by"] == "ana"
    assert (await lifecycle.call("GET", "/v1/deployments/at-last"))["major_change"] == body["major_change"]


async def test_findings_of_all_services_are_found_by_owner_state_and_day(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await teams(lifecycle)
    shop = await held(lifecycle)
    await lifecycle.call("POST", "/v1/services", {"name": "till", "owner_team": "checkout", "tier": 2}, expect=201)
    till = await held(lifecycle, service="till")
    late, early, other = await shop.found(), await shop.found("advisory"), await till.found()
    for review, finding, owner, due in ((shop, late, "ana", "2026-11-22"), (till, other, "eve", "2026-12-24")):
        await review.do(f"/findings/{finding}:triage", {"owner": owner, "due": due}, by="cy")
    then = clock.now().isoformat().replace("+00:00", "Z")
    clock.advance(3 * DAY)
    answer = await shop.cy.client.post(f"{shop.path}/findings/{early}:reject", json={"reason": "it is meant so"})
    token = {"Consistency_Token": answer.headers["Consistency-Token"]}

    async def listed(query: str) -> list[str]:
        return [each["id"] for each in (await lifecycle.call("GET", f"/v1/findings?{query}", **token))["items"]]

    assert await listed("") == [late, early, other]
    assert await listed("service=till") == [other]
    assert await listed("owner=ana&owner=eve") == [late, other]
    assert await listed("state=rejected") == [early]
    assert await listed("severity=blocking&service=checkout-api") == [late]
    assert await listed("overdue=true") == [late]
    assert await listed(f"as_of={then}&state=open") == [early]
    assert await listed(f"as_of={then}&overdue=true") == []
    page = await lifecycle.call("GET", "/v1/findings?page_size=2", **token)
    rest = await lifecycle.call("GET", f"/v1/findings?page_size=2&page_token={page['next_page_token']}", **token)
    assert [each["id"] for each in rest["items"]] == [other]


@IN_MEMORY
async def test_a_finding_that_goes_on_in_a_later_review_is_listed_once(lifecycle: Running) -> None:
    await teams(lifecycle)
    first = await held(lifecycle)
    await first.ready()
    await first.found("advisory")
    await first.do(":approve", {})
    answer = await lifecycle.client.post(
        REVIEWS,
        json={
            "service": "checkout-api",
            "model": "simple",
            "template": "short",
            "reviewers": [{"person": "bo", "team": "sre-core"}],
            "decides_blockers": "bo",
            "delta_of": first.id,
        },
    )
    token = {"Consistency_Token": answer.headers["Consistency-Token"]}

    async def reviews() -> list[str]:
        return [each["review"] for each in (await lifecycle.call("GET", "/v1/findings", **token))["items"]]

    second = answer.json()["id"]
    assert await reviews() == [second]
    given_up = await lifecycle.client.post(f"{REVIEWS}/{second}:withdraw", json={"reason": "later"})
    token = {"Consistency_Token": given_up.headers["Consistency-Token"]}
    assert await reviews() == []


@IN_MEMORY
async def test_answers_and_findings_come_in_pages(lifecycle: Running) -> None:
    await teams(lifecycle)
    review = await held(lifecycle)
    found = [await review.found(), await review.found("advisory"), await review.found("advisory")]

    async def pages(path: str) -> list[list[str]]:
        seen, token = [], ""
        while True:
            page = await lifecycle.call("GET", f"{path}&page_size=2&page_token={token}")
            seen.append([each["id"] if "id" in each else each["item"]["id"] for each in page["items"]])
            if not (token := page["next_page_token"]):
                return seen

    assert await pages(f"{review.path}/answers?blocks=false") == [["dashboard", "drilled"], ["rolled-back"]]
    assert await pages(f"{review.path}/answers?axis=change") == [["rolled-back"]]
    assert await pages(f"{review.path}/findings?state=open") == [found[:2], found[2:]]
    assert await pages(f"{review.path}/findings?severity=blocking") == [found[:1]]

    async def more() -> dict[str, Any] | None:
        page = await lifecycle.call("GET", "/v1/review-templates?page_size=1")
        return page if page["next_page_token"] else None

    one = await eventually(more)
    two = await lifecycle.call("GET", f"/v1/review-templates?page_size=1&page_token={one['next_page_token']}")
    names = [each["name"] for each in (*one["items"], *two["items"])]
    assert (names, two["next_page_token"]) == (["production-readiness", "short"], "")


async def test_a_service_has_one_review_under_way_at_a_time(lifecycle: Running) -> None:
    await teams(lifecycle)

    answers = await asyncio.gather(*(lifecycle.client.post(REVIEWS, json=body()) for _ in range(4)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    (made,) = (answer.json()["id"] for answer in answers if answer.status_code == 201)
    refused = [answer.json() for answer in answers if answer.status_code == 409]
    assert {(problem["code"], problem["review"]) for problem in refused} == {("review-underway", made)}
    review = Held(lifecycle, {"id": made})
    await review.do(":withdraw", {"reason": "the launch is off"})
    assert (await asked(lifecycle))["number"] == 2


def body() -> dict[str, Any]:
    """A request for a review."""
    return {
        "service": "checkout-api",
        "model": "simple",
        "template": "short",
        "reviewers": [{"person": "bo", "team": "sre-core"}],
        "decides_blockers": "bo",
    }


@IN_MEMORY
@pytest.mark.parametrize(
    ("fields", "code", "pointer"),
    [
        ({"service": "nobody"}, "unknown-reference", "/service"),
        ({"template": "nothing"}, "unknown-reference", "/template"),
        ({"template_version": 7}, "unknown-reference", "/template"),
        ({"delta_of": "r0"}, "unknown-reference", "/delta_of"),
        ({"changed": ["dashboard"]}, "no-delta", "/changed"),
        ({"reviewers": []}, "invalid", "/reviewers"),
        ({"reviewers": [{"person": "bo", "team": "nobody"}]}, "unknown-reference", "/reviewers/0/team"),
        ({"reviewers": [{"person": "zoe", "team": "sre-core"}]}, "invalid-reviewers", "/reviewers/0/person"),
        ({"reviewers": [{"person": "eve", "team": "checkout"}]}, "invalid-reviewers", "/reviewers"),
        ({"reviewers": [{"person": "bo", "team": "sre-core"}] * 2}, "invalid-reviewers", "/reviewers/1/person"),
        ({"reviewers": [{"person": "bo", "team": "sre-core"}] * 4}, "invalid-reviewers", "/reviewers"),
        ({"decides_blockers": "ana"}, "invalid-reviewers", "/decides_blockers"),
        ({"model": "framework"}, "invalid-frameworks", "/frameworks"),
        ({"frameworks": [{"name": "go-service", "version": "2"}]}, "invalid-frameworks", "/frameworks"),
        ({"target_phase": "deprecation"}, "nothing-asked", "/target_phase"),
        ({"modle": "early"}, "invalid", "/modle"),
    ],
)
async def test_what_cannot_be_reviewed_is_refused_with_its_place(
    lifecycle: Running, fields: dict[str, Any], code: str, pointer: str
) -> None:
    await teams(lifecycle)

    problem = await asked(lifecycle, expect=422, **fields)

    assert (problem["code"], problem["errors"][0]["pointer"]) == (code, pointer)


@IN_MEMORY
async def test_a_step_that_is_not_possible_names_those_that_are(lifecycle: Running) -> None:
    await teams(lifecycle)
    review = await held(lifecycle)

    problem = await review.do(":approve", {"looked_at": "nothing"}, expect=409)

    assert (problem["code"], problem["state"]) == ("illegal-step", "requested")
    assert problem["allowed"] == ["engage", "answer", "decline", "withdraw"]


@IN_MEMORY
async def test_reviewers_are_people_and_only_one_of_them_decides(lifecycle: Running) -> None:
    await teams(lifecycle)
    review = await held(lifecycle)
    robot = signed_in(lifecycle, ROBOT)

    stranger = await review.do(":engage", by="ana", expect=403)
    machine = await robot.call("POST", f"{review.path}:engage", {}, expect=403)
    await review.ready()
    other = await review.do(":approve", {"looked_at": "everything"}, by="cy", expect=403)

    assert (stranger["code"], stranger["who_can"]) == ("somebody-else", ["bo", "cy"])
    assert "machine" in machine["detail"]
    assert other["who_can"] == ["bo"]


@IN_MEMORY
async def test_a_declined_review_says_what_would_make_the_service_ready(lifecycle: Running) -> None:
    await teams(lifecycle)
    review = await held(lifecycle)

    problem = await review.do(":decline", {"guidance": " "}, expect=422)
    declined = await review.do(":decline", {"guidance": "split the database", "reason": "no way back"})

    assert problem["errors"][0]["pointer"] == "/guidance"
    assert (declined["state"], declined["end"]["guidance"]) == ("declined", "split the database")
    assert declined["next"][0]["who"] == ["team checkout"]
    assert (await review.do(":engage", expect=409))["allowed"] == []


@IN_MEMORY
async def test_reviewers_change_only_by_a_reader_of_the_newest_version(lifecycle: Running) -> None:
    await teams(lifecycle)
    review = await held(lifecycle)
    change = {"reviewers": [{"person": "cy", "team": "sre-core"}], "decides_blockers": "cy", "reason": "Bo is away"}

    await lifecycle.call("PATCH", review.path, change, expect=428)
    await review.bo.call("PATCH", review.path, change, If_Match='"1"', expect=412)
    tag = (await lifecycle.client.get(review.path)).headers["ETag"]
    refused = await lifecycle.call("PATCH", review.path, change, If_Match=tag, expect=403)
    changed = await review.bo.call("PATCH", review.path, change, If_Match=tag)

    assert "review" in refused["detail"]  # who asked does not choose who approves
    assert (changed["decides_blockers"], [each["person"] for each in changed["reviewers"]]) == ("cy", ["cy"])


async def test_lists_are_filtered_by_service_state_and_reviewer(lifecycle: Running) -> None:
    await teams(lifecycle)
    await lifecycle.call("POST", "/v1/services", {"name": "till-api", "owner_team": "checkout"}, expect=201)
    first = await held(lifecycle)
    last = await lifecycle.client.post(REVIEWS, json={**body(), "service": "till-api"})
    token = {"Consistency_Token": last.headers["Consistency-Token"]}

    async def ids(query: str, **headers: str) -> list[str]:
        listed = await lifecycle.call("GET", f"{REVIEWS}{query}", **(headers or token))
        return [each["id"] for each in listed["items"]]

    other = last.json()["id"]
    assert await ids("") == [other, first.id]
    assert await ids("?service=checkout-api") == [first.id]
    assert await ids("?reviewer=cy") == [first.id]
    assert await ids("?state=analysis") == []
    assert await ids("?state=requested&reviewer=bo&order_by=requested_at") == [first.id, other]
    answer = await first.bo.client.post(f"{first.path}:engage", json={})
    assert await ids("?state=engagement", Consistency_Token=answer.headers["Consistency-Token"]) == [first.id]
    listed = await lifecycle.call("GET", f"{REVIEWS}?page_size=1", **token)
    assert (listed["items"][0]["next"][0]["verb"], bool(listed["next_page_token"])) == (":engage", True)


async def test_a_review_is_read_as_it_was_known_then(lifecycle: Running, clock: FrozenClock) -> None:
    await teams(lifecycle)
    review = await held(lifecycle)
    before = clock.now()
    clock.advance(DAY)
    await review.do(":engage")
    finding = await review.found()
    answer = await review.cy.client.post(f"{review.path}:analyze", json={})
    then = before.isoformat().replace("+00:00", "Z")

    assert (await lifecycle.call("GET", f"{review.path}?as_of={then}"))["state"] == "requested"
    assert (await lifecycle.call("GET", f"{review.path}/findings?as_of={then}"))["items"] == []
    await lifecycle.call("GET", f"{review.path}/findings/{finding}?as_of={then}", expect=404)
    token = {"Consistency_Token": answer.headers["Consistency-Token"]}
    listed = await lifecycle.call("GET", f"{REVIEWS}?state=requested&as_of={then}", **token)
    assert [each["state"] for each in listed["items"]] == ["requested"]
    assert (await lifecycle.call("GET", f"{REVIEWS}?state=analysis&as_of={then}", **token))["items"] == []
    long_ago = (before - DAY).isoformat().replace("+00:00", "Z")
    await lifecycle.call("GET", f"{review.path}?as_of={long_ago}", expect=404)


async def test_a_gate_is_told_of_the_review_that_speaks_for_the_service(lifecycle: Running, clock: FrozenClock) -> None:
    await teams(lifecycle)
    facts = await lifecycle.resources.views.read(review_of, "checkout-api")
    assert facts is None
    review = await held(lifecycle, template="production-readiness")
    finding = await review.found()
    for verb in (":engage", ":analyze"):
        await review.do(verb)
    await review.do(f"/findings/{finding}:triage", {"owner": "ana", "due": "2026-12-01"})
    until = clock.now() + 10 * DAY
    waiver = {"control": "by hand", "control_url": "https://x.example", "until": until.isoformat(), "reason": "soon"}
    await review.do(f"/findings/{finding}:waive", waiver)
    answer = await review.ana.client.put(
        f"{review.path}/answers/security-reviewed", json={"verdict": "met", "url": "https://wiki.example/9"}
    )
    await lifecycle.call("GET", REVIEWS, Consistency_Token=answer.headers["Consistency-Token"])

    facts = await lifecycle.resources.views.read(review_of, "checkout-api")

    assert facts is not None
    assert (facts.review, facts.state, facts.is_at_least_in_analysis) == (review.id, "analysis", True)
    assert not facts.is_approved(clock.now())
    assert facts.open_blocking_findings(clock.now()) == ()
    assert [each.finding for each in facts.open_blocking_findings(until)] == [finding]
    assert facts.is_security_opened
    assert "security-reviewed" not in facts.open_security_items(2)
    assert "data-classified" in facts.open_security_items(2)


async def test_a_rebuilt_read_model_shows_the_same(lifecycle: Running, clock: FrozenClock) -> None:
    await teams(lifecycle)
    review = await held(lifecycle)
    await review.ready()
    finding = await review.found()
    await review.do(f"/findings/{finding}:triage", {"owner": "ana", "due": "2026-12-01"})
    await review.do(f"/findings/{finding}:start", by="ana")
    await review.do(f"/findings/{finding}:fix", {"url": "https://git.example/42"}, by="ana")
    await review.do(f"/findings/{finding}:verify")
    answer = await review.bo.client.post(f"{review.path}:approve", json={"conditions": [CONDITION]})
    await lifecycle.call("GET", REVIEWS, Consistency_Token=answer.headers["Consistency-Token"])
    views = lifecycle.resources.views
    before = await views.read(review_of, "checkout-api")

    async for _ in rebuilding(lifecycle.resources, READINESS_REVIEWS):
        pass

    assert before is not None
    assert before.state == "approved_with_conditions"
    assert await views.read(review_of, "checkout-api") == before
    assert before.overdue_conditions(clock.now() + 14 * DAY) == before.conditions
