"""The inbox over HTTP: what waits for whom, until it is done, and who may look."""

from datetime import timedelta
from typing import Any

from libs.events.testing import FrozenClock
from libs.web.internal_auth import Principal
from tests.fixtures.engagements import PRIORITIES, active, once, shift_closes, teams_and_service
from tests.fixtures.lifecycle_api import BO, IN_MEMORY, ROBOT, attest, register, signed_in
from tests.fixtures.reviews import held, teams
from tests.fixtures.services import ANA, Elsewhere, Running, eventually

INBOX = "/v1/inbox"
CY, DI, EVE = (Principal(name, "person", frozenset({"*"}), "api-key", name) for name in ("cy", "di", "eve"))
WAIVER = {
    "service": "checkout-api",
    "check": "load_test",
    "risk_owner": "cy",
    "reason": "the load generator is being replaced",
    "compensating_control": {
        "what": "a cap on requests at the edge",
        "url": "https://wiki.example/caps",
        "implemented_at": "2026-11-20T10:00:00Z",
    },
    "expires_at": "2026-12-20T10:00:00Z",
}
DAY = timedelta(days=1)


async def waits_for(service: Running, who: Principal, kind: str, count: int, query: str = "") -> list[dict[str, Any]]:
    """What of *kind* waits for somebody, as soon as it is *count* things."""

    async def found() -> dict[str, Any] | None:
        answer = await signed_in(service, who).call("GET", f"{INBOX}?kind={kind}{query}")
        assert answer["total"] == answer["counts"].get(kind, 0)
        return answer if answer["total"] == count else None

    return (await eventually(found) or {})["items"]


async def test_a_move_back_waits_for_everybody_in_both_teams_but_who_asked_until_it_is_decided(
    lifecycle: Running,
) -> None:
    await teams_and_service(lifecycle)
    asked = {"to": "limited_availability", "reason": "it falls over"}
    moved = await lifecycle.call("POST", "/v1/services/checkout-api:transition", asked, expect=202)

    (item,) = await waits_for(lifecycle, CY, "transition_approval", 1)

    assert item["how"] == f"POST /v1/transitions/{moved['id']}:approve"
    assert (item["service"], item["team"], item["who"], item["role"]) == (
        "checkout-api",
        "checkout",
        ["cy"],
        "approver",
    )
    assert item["why"] == "ana asked: it falls over"
    assert await waits_for(lifecycle, EVE, "transition_approval", 0) == []
    assert (await lifecycle.call("GET", f"{INBOX}?kind=transition_approval"))["items"] == []

    await signed_in(lifecycle, CY).call("POST", item["how"].removeprefix("POST "), {"reason": "yes"})
    await waits_for(lifecycle, CY, "transition_approval", 0)


async def test_a_waiver_waits_for_the_leads_and_near_its_end_for_whoever_answers_for_the_risk(
    lifecycle: Running, clock: FrozenClock
) -> None:
    engaged = await active(lifecycle)
    waiver = await lifecycle.call("POST", "/v1/waivers", WAIVER, expect=201)

    (item,) = await waits_for(lifecycle, BO, "waiver_approval", 1)
    assert (item["who"], item["subject"]) == (["bo"], f"/v1/waivers/{waiver['id']}")  # Ana asked, Cy leads nobody
    await waits_for(lifecycle, CY, "waiver_approval", 0)

    await engaged.bo.call("POST", item["how"].removeprefix("POST "), {"reason": "agreed"})
    await waits_for(lifecycle, BO, "waiver_approval", 0)
    await waits_for(lifecycle, CY, "waiver_ending", 0)
    clock.advance(20 * DAY)
    (ends,) = await waits_for(lifecycle, CY, "waiver_ending", 1)
    assert (ends["due"], ends["why_yours"]) == ("2026-12-20", "it is yours")
    assert ends["what"] == "meet load_test, or have bo renew the waiver"
    await waits_for(lifecycle, BO, "waiver_ending", 0)


async def test_an_acknowledgement_waits_for_the_lead_of_the_side_that_has_not_given_it(lifecycle: Running) -> None:
    engaged = await active(lifecycle)
    await engaged.put("priorities", PRIORITIES)
    (mine,) = await waits_for(lifecycle, BO, "acknowledgement", 1)
    assert (mine["how"], mine["team"]) == (f"POST {engaged.path}/priorities:acknowledge", "sre-pay")
    assert mine["why_yours"] == "you lead team sre-pay"
    await waits_for(lifecycle, DI, "acknowledgement", 0)  # a member is not the one who speaks

    await engaged.agree("priorities")

    await waits_for(lifecycle, BO, "acknowledgement", 0)


async def test_what_an_engagement_keeps_track_of_waits_for_its_owner_or_for_the_other_side(lifecycle: Running) -> None:
    engaged = await active(lifecycle)
    insight = {"title": "search is slow", "side": "sre", "topic": "bottleneck", "reason": "seen"}
    told = await engaged.do("/insights", insight, expect=201)
    (item,) = await waits_for(lifecycle, Principal("ana", "person", frozenset({"*"}), "api-key", "key-1"), "insight", 1)
    assert (item["how"], item["team"]) == (f"POST {engaged.path}/insights/{told['id']}:accept", "checkout")

    accepted = {"owner": "cy", "due": "2026-12-24", "reason": "next sprint"}
    await engaged.do(f"/insights/{told['id']}:accept", accepted)
    (item,) = await waits_for(lifecycle, CY, "insight", 1)
    assert (item["due"], item["overdue"], item["role"]) == ("2026-12-24", False, "owner")

    await engaged.do(f"/insights/{told['id']}:conclude", {"outcome": "an index", "reason": "done"})
    await waits_for(lifecycle, CY, "insight", 0)


async def test_a_review_waits_for_its_reviewers_and_a_finding_for_its_owner(lifecycle: Running) -> None:
    await teams(lifecycle)
    review = await held(lifecycle)
    (step,) = await waits_for(lifecycle, BO, "readiness_review", 1)
    assert (step["what"], step["role"]) == ("agree the scope with the team", "reviewer")
    assert step["how"] == f"POST {review.path}:engage"
    await review.do(":engage", by="bo")
    await review.do(":analyze", by="bo")
    path = f"/findings/{await review.found()}"
    await review.do(f"{path}:triage", {"owner": "eve", "due": "2026-12-01", "reason": "hers"})

    (item,) = await waits_for(lifecycle, EVE, "review_finding", 1)
    assert (item["subject"], item["how"]) == (f"{review.path}{path}", f"POST {review.path}{path}:start")

    await review.do(f"{path}:start", {"reason": "begun"})
    await waits_for(lifecycle, EVE, "review_finding", 1)
    await review.do(f"{path}:fix", {"url": "https://wiki.example/canary", "reason": "done"}, by="ana")
    await waits_for(lifecycle, EVE, "review_finding", 0)
    await waits_for(lifecycle, BO, "review_finding", 1)


async def test_what_a_postmortem_led_to_waits_for_its_owner_until_it_is_done(
    lifecycle: Running, incidents: Elsewhere, clock: FrozenClock
) -> None:
    await teams_and_service(lifecycle)
    told = {"action": "a1", "postmortem": "p1", "incident": "i1", "service": "checkout-api", "title": "cap retries"}
    told |= {"owner": "cy", "type": "prevent", "priority": "P1", "due": "2026-11-20", "at": clock.now()}
    await incidents.says("action.opened", "action/a1", **told)

    (item,) = await waits_for(lifecycle, CY, "postmortem_action", 1)
    assert (item["overdue"], item["how"]) == (True, "POST /v1/actions/a1:complete")
    told |= {"owner": "bo", "due": "2027-01-31"}
    await incidents.says("action.changed", "action/a1", **told)
    await waits_for(lifecycle, CY, "postmortem_action", 0)
    (item,) = await waits_for(lifecycle, BO, "postmortem_action", 1)
    assert item["overdue"] is False
    await incidents.says("action.completed", "action/a1", action="a1", service="checkout-api", at=clock.now())
    await waits_for(lifecycle, BO, "postmortem_action", 0)


@IN_MEMORY
async def test_a_risk_waits_to_be_assessed_decided_and_made_smaller(lifecycle: Running) -> None:
    await teams_and_service(lifecycle)
    risk = await lifecycle.call("POST", "/v1/risks", {"service": "checkout-api", "title": "no zone"}, expect=201)
    path = f"/v1/risks/{risk['id']}"
    await waits_for(lifecycle, CY, "risk_assessment", 1)
    numbers = {"ttd_minutes": 0, "ttr_minutes": 10, "users_fraction": 1, "mtbf_days": 365}
    await signed_in(lifecycle, CY).call("POST", f"{path}:assess", {**numbers, "basis": "a drill"})
    await waits_for(lifecycle, CY, "risk_assessment", 0)
    assert (await lifecycle.call("GET", INBOX))["items"] == []  # Ana leads, but it was she who proposed it

    plan = {"plan": "a second zone", "owner": "eve", "due": "2026-12-01", "reason": "cheap"}
    await lifecycle.call("POST", f"{path}:mitigate", plan)
    (item,) = await waits_for(lifecycle, EVE, "risk_mitigation", 1)
    assert (item["due"], item["team"]) == ("2026-12-01", "checkout")
    await lifecycle.call("POST", f"{path}:eliminate", {"url": "https://wiki.example/zone", "reason": "built"})
    await waits_for(lifecycle, EVE, "risk_mitigation", 0)


@IN_MEMORY
async def test_a_list_is_filtered_counted_and_paged(lifecycle: Running) -> None:
    engaged = await active(lifecycle, "checkout-api", "cart")
    for title, due in (("b", "2026-12-02"), ("a", "2026-11-20")):
        plan = {"title": title, "topic": "product_for_sres", "owner": "cy", "due": due, "reason": "planned"}
        await engaged.do("/trainings", plan, expect=201)
    await waits_for(lifecycle, CY, "training", 2)
    cy = signed_in(lifecycle, CY)

    first = await cy.call("GET", f"{INBOX}?kind=training&page_size=1")
    rest = await cy.call("GET", f"{INBOX}?kind=training&page_size=1&page_token={first['next_page_token']}")

    assert [each["title"] for each in (*first["items"], *rest["items"])] == ["a", "b"]
    assert (first["total"], first["overdue"], rest["next_page_token"]) == (2, 1, "")
    assert [each["title"] for each in (await cy.call("GET", f"{INBOX}?due_before=2026-12-01"))["items"]] == ["a"]
    assert [each["title"] for each in (await cy.call("GET", f"{INBOX}?overdue=false"))["items"]] == ["b"]
    assert (await cy.call("GET", f"{INBOX}?service=till-api"))["counts"] == {}
    assert (await cy.call("GET", f"{INBOX}?service=cart&team=checkout"))["counts"] == {"training": 2}
    assert (await cy.call("GET", f"{INBOX}?order_by=due", expect=400))["code"] == "invalid-order"
    assert (await cy.call("GET", f"{INBOX}?kind=milestones", expect=422))["errors"]


@IN_MEMORY
async def test_an_inbox_is_read_by_its_person_by_people_of_the_same_team_and_by_machines(lifecycle: Running) -> None:
    engaged = await active(lifecycle)
    await engaged.put("priorities", PRIORITIES)
    await waits_for(lifecycle, BO, "acknowledgement", 1)

    shared = await signed_in(lifecycle, DI).call("GET", f"{INBOX}?person=bo&kind=acknowledgement")
    assert (shared["person"], shared["total"], shared["limited_to"]) == ("bo", 1, ["sre-pay"])
    problem = await lifecycle.call("GET", f"{INBOX}?person=bo", expect=403)
    assert problem["code"] == "not-your-team"
    robot = signed_in(lifecycle, ROBOT)
    assert (await robot.call("GET", f"{INBOX}?person=bo&kind=acknowledgement"))["total"] == 1
    assert (await robot.call("GET", INBOX, expect=400))["code"] == "person-required"


@IN_MEMORY
async def test_what_a_team_without_people_asks_for_is_shown_to_whoever_wants_to_see_it(lifecycle: Running) -> None:
    await lifecycle.call("POST", "/v1/teams", {"name": "till", "kind": "dev"}, expect=201)
    body = {"name": "till-api", "owner_team": "till", "tier": 1, "phase": "general_availability"}
    await lifecycle.call("POST", "/v1/services", body, expect=201)
    asked = {"to": "limited_availability", "reason": "it falls over"}
    await lifecycle.call("POST", "/v1/services/till-api:transition", asked, expect=202)

    (item,) = await waits_for(lifecycle, EVE, "transition_approval", 1, "&unclaimed=true")

    assert (item["who"], item["why_yours"]) == ([], "team till names nobody, so anybody may")
    await waits_for(lifecycle, EVE, "transition_approval", 0)
    assert (await lifecycle.call("GET", f"{INBOX}?unclaimed=true"))["counts"] == {}  # who asked does not approve


@IN_MEMORY
async def test_what_a_service_lacks_in_its_phase_waits_for_the_leads_of_its_team_until_it_is_shown(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await register(lifecycle, phase="limited_availability", grandfathered_until=(clock.now() + 10 * DAY).isoformat())
    team = await lifecycle.client.get("/v1/teams/checkout")
    people = {"members": ["cy", "di"], "leads": ["cy"]}
    await lifecycle.call("PATCH", "/v1/teams/checkout", people, If_Match=team.headers["ETag"])
    clock.advance(11 * DAY)
    evaluate = "/v1/services/checkout-api/standing:evaluate"
    await lifecycle.call("POST", evaluate)

    (item,) = await waits_for(lifecycle, CY, "phase_at_risk", 1)

    assert (item["how"], item["role"]) == (f"POST {evaluate}", "lead")
    await waits_for(lifecycle, DI, "phase_at_risk", 0)
    await attest(lifecycle, "sli_emitting", "rota_with_a_developer", days_ago=0)
    await lifecycle.call("POST", evaluate)
    await waits_for(lifecycle, CY, "phase_at_risk", 0)


@IN_MEMORY
async def test_capacity_waits_to_be_ordered_from_a_month_before_its_day_until_it_is_there(
    lifecycle: Running, clock: FrozenClock
) -> None:
    await teams_and_service(lifecycle)
    path = "/v1/services/checkout-api/capacity"
    estimate = {"metric": "rps", "peak": 690, "start": "2026-11-21", "growth_a_year": 0.1, "basis": "the old cart"}
    await lifecycle.call("PUT", f"{path}/estimate", estimate)
    supply = {"unit": "pod", "unit_capacity": 100, "tested_on": "2026-11-01", "url": "https://ci.example/31"}
    await lifecycle.call("PUT", f"{path}/supply", {**supply, "domains": [{"name": "zone-a", "units": 12}]})
    plan = {"horizon_days": 365, "lead_time_days": 7, "spare": 2, "utilisation": 0.7}
    short = (await lifecycle.call("PUT", f"{path}/plan", plan))["outlook"]["shortfall"]
    assert await waits_for(lifecycle, ANA, "capacity_order", 0) == []

    clock.advance(timedelta(days=29))
    (item,) = await waits_for(lifecycle, ANA, "capacity_order", 1)

    assert (item["due"], item["who"], item["how"]) == (short["order_by"], ["ana"], f"PUT {path}/supply")
    await lifecycle.call("PUT", f"{path}/supply", {**supply, "domains": [{"name": "zone-a", "units": 14}]})
    await waits_for(lifecycle, ANA, "capacity_order", 0)


async def test_a_design_of_a_service_without_sres_waits_for_those_who_lead_sre_teams_and_its_writers(
    lifecycle: Running,
) -> None:
    await teams_and_service(lifecycle)
    design = {
        "service": "checkout-api",
        "title": "Pay by invoice",
        "goals": [{"id": "pay-later", "text": "Customers pay within 14 days"}],
        "constraints": ["no card data is stored"],
        "alternatives": [{"title": "ask the provider", "why_not": "it charges for each question"}],
        "decisions": [{"text": "a table of our own", "why": "asked often", "serves": ["pay-later"]}],
    }
    eve = signed_in(lifecycle, EVE)
    path = f"/v1/design-reviews/{(await eve.call('POST', '/v1/design-reviews', design, expect=201))['id']}"
    await eve.call("POST", f"{path}:submit")

    (item,) = await waits_for(lifecycle, BO, "design_review", 1)

    assert (item["team"], item["service"], item["who"]) == ("sre-pay", "checkout-api", ["bo"])
    assert await waits_for(lifecycle, DI, "design_review", 0) == []
    await signed_in(lifecycle, BO).call("POST", f"{path}:request-changes", {"changes": "say more"})
    (item,) = await waits_for(lifecycle, EVE, "design_changes", 1)  # who is in no team
    assert (item["subject"], item["why"]) == (path, "say more")


async def test_a_finding_waits_for_its_owner_whatever_their_team(lifecycle: Running, clock: FrozenClock) -> None:
    await teams_and_service(lifecycle)
    read_up = {"url": "https://wiki.example/checkout", "sent_at": (clock.now() - 2 * DAY).isoformat()}
    asked = {"service": "checkout-api", "title": "Before the sales", "pre_read": read_up}
    opened = await lifecycle.call("POST", "/v1/architecture-reviews", asked, expect=201)
    held = {
        "participants": [{"person": "ana", "side": "dev"}, {"person": "bo", "side": "sre"}],
        "components": [{"name": "db", "criticality": "critical", "redundancy": 0, "failure_domains": ["zone-a"]}],
        "decisions": ["two zones"],
    }
    await lifecycle.call("POST", f"/v1/architecture-reviews/{opened['id']}:hold", held)
    findings = "/v1/services/checkout-api/architecture-findings"

    async def found() -> Any:
        return (await lifecycle.call("GET", findings))["items"]

    (finding,) = await eventually(found)
    path = f"{findings}/{finding['id']}"
    await lifecycle.call("POST", f"{path}:triage", {"owner": "eve", "due": "2026-12-24", "reason": "she knows it"})

    async def of_checkout() -> Any:
        """The item, once the read model of services knows whose affair it is."""
        (item,) = await waits_for(lifecycle, EVE, "architecture_finding", 1)
        return item if item["team"] else None

    item = await eventually(of_checkout)
    assert (item["subject"], item["how"], item["team"]) == (path, f"POST {path}:start", "checkout")


@IN_MEMORY
async def test_a_breach_waits_for_the_owner_of_its_rule_who_may_be_in_neither_team(
    lifecycle: Running, incidents: Elsewhere, clock: FrozenClock
) -> None:
    engaged = await active(lifecycle)
    agreement = {"id": "freeze", "occasion": "release", "title": "No Friday", "text": "nothing on Fridays"}
    await engaged.put("working-agreements", {"entries": [agreement], "reason": "calm"})
    await engaged.rule(owner="eve")
    await shift_closes(incidents, 5)
    await once(engaged, "/ground-rules/status", lambda page: page["items"][0]["value"] == 5)
    clock.advance(DAY)

    (item,) = await waits_for(lifecycle, EVE, "breach", 1)

    assert (item["team"], item["role"], item["who"]) == (None, "owner", ["eve"])
    assert len(await waits_for(lifecycle, BO, "breach", 1)) == 1
    how = [each["how"] for each in await waits_for(lifecycle, BO, "acknowledgement", 1)]
    assert how == [f"POST {engaged.path}/working-agreements:acknowledge"]
    answer = {"step": "feature_freeze", "reason": "one noisy alert"}
    await signed_in(lifecycle, EVE).call("POST", f"{engaged.path}/breaches/pages-1:answer", answer)
    assert await waits_for(lifecycle, EVE, "breach", 0) == []


async def test_a_postmortem_that_is_due_waits_for_the_lead_to_be_drafted_and_then_published(
    lifecycle: Running, incidents: Elsewhere
) -> None:
    await teams_and_service(lifecycle)
    told = {"incident": "i1", "number": "INC-1", "service": "checkout-api", "at": incidents.clock.now()}
    days = {"draft_due": "2026-11-20", "publish_due": "2026-12-11"}

    await incidents.says("postmortem.required", "postmortem-duty/i1", **told, **days)
    (draft,) = await waits_for(lifecycle, ANA, "postmortem", 1)
    await incidents.says("postmortem.drafted", "postmortem/p1", **told, postmortem="p1")

    async def drafted() -> Any:
        (item,) = (await lifecycle.call("GET", f"{INBOX}?kind=postmortem"))["items"]
        return item if item["how"].endswith(":submit") else None

    publish = await eventually(drafted)
    await incidents.says("postmortem.published", "postmortem/p1", **told, postmortem="p1")

    assert (draft["overdue"], draft["due"], draft["how"]) == (True, "2026-11-20", "POST /v1/postmortems")
    assert (publish["overdue"], publish["due"], publish["subject"]) == (False, "2026-12-11", "/v1/postmortems/p1")
    assert await waits_for(lifecycle, ANA, "postmortem", 0) == []
