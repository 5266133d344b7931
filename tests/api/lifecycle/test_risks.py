"""The risk register through its routes: proposed, assessed, accepted within the error budget, and what ends that."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from libs.events.envelope import Context, Metadata
from libs.events.rebuild import rebuilding
from libs.events.testing import FrozenClock
from libs.web.internal_auth import Principal
from services.lifecycle.config import LifecycleSettings, load_policies
from services.lifecycle.contract import RISK_REGISTER
from services.lifecycle.domain.risk_register.commands import Accept
from services.lifecycle.domain.risk_register.events import Promise
from services.lifecycle.domain.service.commands import Actor
from services.lifecycle.projections.risks import RISKS, risks_of
from services.lifecycle.reactions.risks import risk_reactions
from tests.fixtures.lifecycle_api import BO, IN_MEMORY, signed_in
from tests.fixtures.reviews import teams
from tests.fixtures.services import Elsewhere, Running, eventually

DAY = timedelta(days=1)
POLICY = load_policies(LifecycleSettings()).risks
VECTOR = {"ttd_minutes": 60, "ttr_minutes": 120, "users_fraction": 0.25, "mtbf_days": 90}
SMALL = {"ttd_minutes": 0, "ttr_minutes": 100, "users_fraction": 1, "mtbf_days": 365.25}
EVE = Principal("eve", "person", frozenset({"*"}), "api-key", "key-5")  # of the team, as Ana is
BUDGET = "/v1/services/checkout-api/risk-budget"


async def promised(
    service: Running, slo: Elsewhere, target: float, revision: int = 1, of: str = "checkout-api"
) -> dict[str, Any]:
    """The budget once it is that of an SLO with *target*."""
    told = {"slo": "availability", "service": of, "revision": revision, "target": target}
    await slo.says("slo.defined", "slo/availability", **told)
    return await budget_once(service, {"slo": "availability", "target": target, "revision": revision}, of)


async def budget_once(service: Running, promise: dict[str, Any] | None, of: str = "checkout-api") -> dict[str, Any]:
    async def found() -> dict[str, Any] | None:
        budget = await service.call("GET", f"/v1/services/{of}/risk-budget")
        return budget if budget["promise"] == promise else None

    return await eventually(found)


async def propose(service: Running, estimate: dict[str, Any] | None = None, **fields: Any) -> dict[str, Any]:
    body = {"service": "checkout-api", "title": "The payment provider is down", "cause": "dependency-failure"}
    numbers = {"estimate": estimate, "basis": "INC-7"} if estimate else {}
    return await service.call("POST", "/v1/risks", {**body, **numbers, **fields}, expect=201)


async def accept(service: Running, risk: str, *, expect: int = 200, days: int = 100) -> dict[str, Any]:
    until = (service.resources.clock.now() + days * DAY).isoformat()
    body = {"until": until, "reason": "for now"}
    return await signed_in(service, EVE).call("POST", f"/v1/risks/{risk}:accept", body, expect=expect)


async def declared(incidents: Elsewhere, incident: str, number: str, **told: Any) -> None:
    told = {"service": "checkout-api", "severity": "sev2", "at": incidents.clock.now(), **told}
    await incidents.says("incident.declared", f"incident/{incident}", incident=incident, number=number, **told)


async def stands(service: Running, risk: str, state: str) -> dict[str, Any]:
    async def found() -> dict[str, Any] | None:
        answer = await service.call("GET", f"/v1/risks/{risk}")
        return answer if answer["state"] == state else None

    return await eventually(found)


async def test_the_vector_of_the_source_is_too_big_at_three_nines_and_fits_at_99_5(
    lifecycle: Running, slo: Elsewhere
) -> None:
    await teams(lifecycle)
    budget = await promised(lifecycle, slo, 0.999)
    assert (budget["minutes"], budget["cap"]) == (pytest.approx(525.96), pytest.approx(131.49))
    assert budget["limits"]["largest"]["source"].startswith("CRE")
    risk = await propose(lifecycle, VECTOR)
    assert risk["assessment"]["bad_minutes"] == pytest.approx(182.6, abs=0.05)
    assert (risk["too_big"], risk["next"][0]["who"]) == (True, ["team checkout"])

    problem = await accept(lifecycle, risk["id"], expect=409)
    await promised(lifecycle, slo, 0.995, 2)
    accepted = await accept(lifecycle, risk["id"])

    assert (problem["code"], problem["cap"]) == ("too-big", pytest.approx(131.49))
    assert (accepted["state"], accepted["acceptance"]["promise"]["target"]) == ("accepted", 0.995)
    assert accepted["next"] == []
    after = await lifecycle.call("GET", BUDGET)
    assert after["unallocated"] == pytest.approx(2629.8 - 182.625)


async def test_a_stricter_slo_ends_an_acceptance_by_itself(lifecycle: Running, slo: Elsewhere) -> None:
    await teams(lifecycle)
    await promised(lifecycle, slo, 0.995)
    risk = (await propose(lifecycle, VECTOR))["id"]
    await accept(lifecycle, risk)

    await promised(lifecycle, slo, 0.999, 2)
    ended = await stands(lifecycle, risk, "assessed")

    assert ended["acceptance_ended"]["because"] == "slo_changed"
    assert "131.5 bad minutes a year at 0.999" in ended["acceptance_ended"]["reason"]
    await promised(lifecycle, slo, 0.995, 3)
    await accept(lifecycle, risk)
    await slo.says("slo.ended", "slo/availability", slo="availability", service="checkout-api")
    assert (await stands(lifecycle, risk, "assessed"))["acceptance_ended"][
        "reason"
    ] == "the service has no SLO any more"
    none = await budget_once(lifecycle, None)
    assert none["next"][0]["what"] == "define an SLO"


async def test_an_slo_that_moves_to_another_service_leaves_no_budget_behind(lifecycle: Running, slo: Elsewhere) -> None:
    await teams(lifecycle)
    await lifecycle.call("POST", "/v1/services", {"name": "till-api", "owner_team": "checkout"}, expect=201)
    await promised(lifecycle, slo, 0.995)
    risk = (await propose(lifecycle, VECTOR))["id"]
    await accept(lifecycle, risk)

    await promised(lifecycle, slo, 0.995, 2, of="till-api")

    assert (await stands(lifecycle, risk, "assessed"))["acceptance_ended"]["because"] == "slo_changed"
    assert (await lifecycle.call("GET", BUDGET))["promise"] is None


async def test_the_budget_is_never_given_away_twice(lifecycle: Running, slo: Elsewhere) -> None:
    await teams(lifecycle)
    await promised(lifecycle, slo, 0.999)
    risks = [(await propose(lifecycle, SMALL, title=f"risk {n}"))["id"] for n in range(7)]
    until = (lifecycle.resources.clock.now() + DAY).isoformat()
    bo = signed_in(lifecycle, EVE).client

    answers = await asyncio.gather(
        *(bo.post(f"/v1/risks/{risk}:accept", json={"until": until, "reason": "for now"}) for risk in risks)
    )

    assert sorted(answer.status_code for answer in answers) == [200] * 5 + [409] * 2
    assert {answer.json()["code"] for answer in answers if answer.status_code == 409} == {"budget-allocated"}
    budget = await lifecycle.call("GET", BUDGET)
    assert (budget["accepted"], budget["unallocated"]) == (pytest.approx(500), pytest.approx(25.96))


@IN_MEMORY
async def test_what_was_accepted_while_the_slo_changed_is_looked_at_again(lifecycle: Running, slo: Elsewhere) -> None:
    await teams(lifecycle)
    await promised(lifecycle, slo, 0.995)
    risk = (await propose(lifecycle, VECTOR))["id"]
    await accept(lifecycle, risk)
    await promised(lifecycle, slo, 0.999, 2)
    await stands(lifecycle, risk, "assessed")  # the change was acted on
    now = lifecycle.resources.clock.now()
    seen_before = Accept(
        service="checkout-api",
        risk=risk,
        until=now + DAY,
        promise=Promise("availability", 0.995, 1),
        policy=POLICY,
        by=Actor("bo", is_person=True),
        reason="it fitted a moment ago",
        at=now,
    )

    context = Context.of_request(now, Metadata(actor="bo"))
    await lifecycle.resources.handler.handle(RISK_REGISTER, "checkout-api", seen_before, context)

    assert (await stands(lifecycle, risk, "assessed"))["acceptance_ended"]["because"] == "slo_changed"


@IN_MEMORY
async def test_an_acceptance_that_is_heard_of_before_its_slo_does_not_end(lifecycle: Running, slo: Elsewhere) -> None:
    def at(place: int) -> Context:
        return Context.of_request(lifecycle.resources.clock.now() + place * timedelta(seconds=1), Metadata(actor="bo"))

    await teams(lifecycle)
    risk = await propose(lifecycle, SMALL)
    command = Accept(
        service="checkout-api",
        risk=risk["id"],
        until=at(0).at + 100 * DAY,
        promise=Promise("availability", 0.999, 1),
        policy=POLICY,
        by=Actor("bo", is_person=True),
        reason="",
        at=at(0).at,
    )
    await lifecycle.resources.handler.handle(RISK_REGISTER, "checkout-api", command, at(0))
    recorded = (await lifecycle.resources.store.load(RISK_REGISTER.stream("checkout-api")))[-1]
    reactions = {each.name: each for each in risk_reactions(lifecycle.resources, POLICY)}
    event = reactions["lifecycle.acceptances"].events.decode(recorded)

    await reactions["lifecycle.acceptances"].act[type(event)](event, recorded, at(1))

    assert (await lifecycle.call("GET", f"/v1/risks/{risk['id']}"))["state"] == "accepted"
    await promised(lifecycle, slo, 0.9995)  # of which the cap is 65.7
    await stands(lifecycle, risk["id"], "assessed")


async def test_an_acceptance_ends_at_its_time(lifecycle: Running, slo: Elsewhere, clock: FrozenClock) -> None:
    await teams(lifecycle)
    await promised(lifecycle, slo, 0.995)
    risk = (await propose(lifecycle, VECTOR))["id"]
    await accept(lifecycle, risk, days=10)
    clock.advance(10 * DAY)

    ended = await stands(lifecycle, risk, "assessed")

    assert ended["acceptance_ended"]["because"] == "expired"
    assert ended["next"][0]["who"] == ["anybody but ana"]


async def test_a_classified_incident_counts_for_the_risks_of_its_cause(
    lifecycle: Running, slo: Elsewhere, incidents: Elsewhere, clock: FrozenClock
) -> None:
    await teams(lifecycle)
    await promised(lifecycle, slo, 0.995)
    risk = (await propose(lifecycle, VECTOR))["id"]
    other = (await propose(lifecycle, VECTOR, cause="overload"))["id"]
    clock.advance(30 * DAY)
    told = {"incident": "i1", "service": "checkout-api", "outage_class": "dependency-failure", "at": clock.now()}
    heard = await incidents.says("incident.classified", "incident/i1", **told)
    await declared(incidents, "i2", "INC-2")
    await incidents.repeats(heard)

    async def realised() -> dict[str, Any] | None:
        answer = await lifecycle.call("GET", f"/v1/risks/{risk}")
        return answer if answer["realised"] else None

    seen = await eventually(realised)
    assert [each["incident"] for each in seen["realised"]] == ["i1"]
    assert seen["observed"]["mtbf_days"] == 30
    assert seen["next"][0]["why"] == "it has happened since: i1"
    by_hand = await lifecycle.call("POST", f"/v1/risks/{other}:realise", {"incident": "INC-2", "ttr_minutes": 30})
    assert ([each["incident"] for each in by_hand["realised"]], by_hand["observed"]["ttr_minutes"]) == (["i2"], 30)
    anew = {**VECTOR, "mtbf_days": 30, "basis": "i1"}
    assert (await lifecycle.call("POST", f"/v1/risks/{risk}:assess", anew))["next"][0]["verb"].endswith(":accept")


async def test_an_incident_says_what_the_risk_really_costs_and_is_taken_over(
    lifecycle: Running, slo: Elsewhere, incidents: Elsewhere, clock: FrozenClock
) -> None:
    await teams(lifecycle)
    await promised(lifecycle, slo, 0.995)
    risk = (await propose(lifecycle, VECTOR))["id"]
    await accept(lifecycle, risk)
    nothing = await lifecycle.call("POST", f"/v1/risks/{risk}:reestimate", {}, expect=409)
    clock.advance(40 * DAY)
    began, seen, over = clock.now(), clock.now() + timedelta(minutes=30), clock.now() + timedelta(hours=30)
    await declared(incidents, "i1", "INC-1", at=seen, impact_started=began, detected=seen)
    await lifecycle.call("POST", f"/v1/risks/{risk}:realise", {"incident": "INC-1", "users_fraction": 0.5})
    clock.advance(2 * DAY)
    told = {"incident": "i1", "number": "INC-1", "service": "checkout-api", "severity": "sev2"}
    await incidents.says("incident.resolved", "incident/i1", **told, at=over)

    async def timed() -> dict[str, Any] | None:
        answer = await lifecycle.call("GET", f"/v1/risks/{risk}")
        return answer if answer["observed"]["ttr_minutes"] == 29.5 * 60 else None

    answer = await eventually(timed)
    assert answer["observed"]["ttd_minutes"] == 30
    assert (nothing["code"], answer["next"][0]["verb"]) == ("nothing-observed", f"/v1/risks/{risk}:reestimate")
    anew = await lifecycle.call("POST", f"/v1/risks/{risk}:reestimate", {})
    assert (anew["assessment"]["basis"], anew["state"]) == ("observed: i1", "assessed")
    assert anew["acceptance_ended"]["because"] == "reassessed"


@IN_MEMORY
async def test_a_risk_is_made_smaller_eliminated_or_transferred(lifecycle: Running, incidents: Elsewhere) -> None:
    await teams(lifecycle)
    risk = await propose(lifecycle)
    path = f"/v1/risks/{risk['id']}"
    assert risk["next"][0]["what"] == "say how bad it is: The payment provider is down"
    refused = await accept(lifecycle, risk["id"], expect=409)
    assert (refused["code"], "assess" in refused["allowed"]) == ("illegal-step", True)
    plan = {"plan": "a second provider", "owner": "ana", "due": "2027-02-01"}

    begun = await lifecycle.call("POST", f"{path}:mitigate", plan)
    assessed = await lifecycle.call("POST", f"{path}:assess", {**VECTOR, "basis": "INC-7"})
    no_slo = await accept(lifecycle, risk["id"], expect=409)
    gone = await lifecycle.call("POST", f"{path}:eliminate", {"url": "https://x.example", "reason": "not called"})
    unheard = await lifecycle.call("POST", f"{path}:realise", {"incident": "INC-8"}, expect=422)
    assert (unheard["code"], unheard["errors"][0]["pointer"]) == ("unknown-reference", "/incident")
    await declared(incidents, "i9", "INC-9")
    again = await lifecycle.call("POST", f"{path}:realise", {"incident": "INC-9"})
    borne = await lifecycle.call("POST", f"{path}:transfer", {"to": "the provider", "reason": "signed"})

    assert (begun["state"], begun["next"][0]["who"], begun["next"][0]["due"]) == ("mitigating", ["ana"], "2027-02-01")
    assert (assessed["state"], no_slo["code"], gone["state"]) == ("assessed", "no-slo", "eliminated")
    assert (again["state"], borne["state"]) == ("proposed", "transferred")


@IN_MEMORY
@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"service": "nobody"}, "/service"),
        ({"title": ""}, "/title"),
        ({"estimate": {**VECTOR, "users_fraction": 25}}, "/estimate/users_fraction"),
        ({"estimate": {**VECTOR, "mtbf_days": 1e-310}}, "/estimate/mtbf_days"),
        ({"estimate": {**VECTOR, "ttd_minutes": -1}}, "/estimate/ttd_minutes"),
        ({"likelihood": "high"}, "/likelihood"),
    ],
)
async def test_what_is_no_risk_is_refused_with_its_place(
    lifecycle: Running, body: dict[str, Any], pointer: str
) -> None:
    await teams(lifecycle)

    problem = await lifecycle.call(
        "POST", "/v1/risks", {"service": "checkout-api", "title": "a risk", **body}, expect=422
    )

    assert problem["errors"][0]["pointer"] == pointer


@IN_MEMORY
async def test_only_those_who_live_with_a_service_decide_about_its_risks(lifecycle: Running, slo: Elsewhere) -> None:
    await teams(lifecycle)
    await promised(lifecycle, slo, 0.995)
    risk = f"/v1/risks/{(await propose(lifecycle, VECTOR))['id']}"
    stranger = signed_in(lifecycle, BO)
    until = (lifecycle.resources.clock.now() + DAY).isoformat()
    asked: list[tuple[str, dict[str, str]]] = [
        ("accept", {"until": until, "reason": "for now"}),
        ("eliminate", {"url": "https://git.example/9", "reason": "gone"}),
        ("transfer", {"to": "a provider", "reason": "by contract"}),
    ]

    for verb, body in asked:
        refused = await stranger.call("POST", f"{risk}:{verb}", body, expect=403)
        assert refused["code"] == "not-an-approver"
        assert "eve" in refused["approvers"]


@IN_MEMORY
async def test_dates_and_people_are_checked(lifecycle: Running, slo: Elsewhere) -> None:
    await teams(lifecycle)
    await promised(lifecycle, slo, 0.995)
    risk = (await propose(lifecycle, VECTOR))["id"]
    until = (lifecycle.resources.clock.now() + DAY).isoformat()

    late = await accept(lifecycle, risk, days=400, expect=422)
    own = await lifecycle.call("POST", f"/v1/risks/{risk}:accept", {"until": until, "reason": "mine"}, expect=403)
    past = {"plan": "p", "owner": "ana", "due": "2026-11-20"}
    due = await lifecycle.call("POST", f"/v1/risks/{risk}:mitigate", past, expect=422)

    assert (late["errors"][0]["pointer"], own["code"], due["errors"][0]["pointer"]) == (
        "/until",
        "somebody-else",
        "/due",
    )
    await lifecycle.call("GET", "/v1/risks/no-such", expect=404)
    await lifecycle.call("GET", "/v1/services/nobody/risk-budget", expect=404)


@IN_MEMORY
async def test_what_makes_every_risk_worse_can_be_tried_out(lifecycle: Running, slo: Elsewhere) -> None:
    await teams(lifecycle)
    await promised(lifecycle, slo, 0.999)
    risk = (await propose(lifecycle, SMALL))["id"]
    await accept(lifecycle, risk)

    mild = await lifecycle.call("GET", f"{BUDGET}?more_often=0.5")
    hard = await lifecycle.call("GET", f"{BUDGET}?ttd_minutes=600")

    assert (mild["systemic"]["bad_minutes"], mild["systemic"]["still_fits"]) == (50, True)
    assert (hard["systemic"]["bad_minutes"], hard["systemic"]["still_fits"]) == (600, False)
    assert (await lifecycle.call("GET", BUDGET))["systemic"] is None


async def test_risks_are_listed_and_read_as_they_were_known_then(
    lifecycle: Running, slo: Elsewhere, clock: FrozenClock
) -> None:
    await teams(lifecycle)
    await promised(lifecycle, slo, 0.995)
    first = (await propose(lifecycle, VECTOR))["id"]
    then = clock.now().isoformat().replace("+00:00", "Z")
    clock.advance(DAY)
    await accept(lifecycle, first)
    second = await lifecycle.client.post("/v1/risks", json={"service": "checkout-api", "title": "another"})
    token = {"Consistency_Token": second.headers["Consistency-Token"]}

    async def listed(query: str) -> list[tuple[str, str]]:
        found = await lifecycle.call("GET", f"/v1/risks{query}", **token)
        return [(each["id"], each["state"]) for each in found["items"]]

    other = second.json()["id"]
    assert await listed("?service=checkout-api") == [(other, "proposed"), (first, "accepted")]
    assert await listed("?state=accepted") == [(first, "accepted")]
    assert await listed(f"?as_of={then}") == [(first, "assessed")]
    assert await listed(f"?as_of={then}&state=accepted") == []
    assert (await lifecycle.call("GET", f"/v1/risks/{first}?as_of={then}"))["acceptance"] is None
    await lifecycle.call("GET", f"/v1/risks/{other}?as_of={then}", expect=404)
    clock.advance(DAY)
    await promised(lifecycle, slo, 0.99, 2)
    budget = await lifecycle.call("GET", f"{BUDGET}?as_of={then}")
    assert (budget["promise"]["target"], budget["accepted"]) == (0.995, 0)


async def test_a_rebuilt_read_model_shows_the_same(lifecycle: Running, slo: Elsewhere) -> None:
    await teams(lifecycle)
    await promised(lifecycle, slo, 0.995)
    risk = (await propose(lifecycle, VECTOR))["id"]
    await propose(lifecycle, title="another")
    answer = await signed_in(lifecycle, EVE).client.post(
        f"/v1/risks/{risk}:mitigate", json={"plan": "p", "owner": "ana", "due": "2027-02-01"}
    )
    await lifecycle.call("GET", "/v1/risks", Consistency_Token=answer.headers["Consistency-Token"])
    views = lifecycle.resources.views
    before = await views.read(risks_of, "checkout-api")

    async for _ in rebuilding(lifecycle.resources, RISKS):
        pass

    assert [(each.state, each.bad_minutes) for each in before.risks] == [
        ("mitigating", pytest.approx(182.6, abs=0.05)),
        ("proposed", None),
    ]
    assert await views.read(risks_of, "checkout-api") == before
