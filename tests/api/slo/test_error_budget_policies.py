"""An error-budget policy from the first draft to a thaw, through the service's routes, and what the gate says."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.events.envelope import Context, Metadata
from libs.events.rebuild import rebuilding
from libs.events.testing import FrozenClock
from libs.events.views import Views
from libs.web.internal_auth import Principal, sign
from services.slo.domain.budget.events import BudgetAssessed
from services.slo.domain.policy.standing import SloBudget
from services.slo.projections.error_budget_policies import ERROR_BUDGET_POLICIES
from services.slo.reactions import OBSERVING, observe, observing
from tests.fixtures.services import KEY, Elsewhere, eventually, memory_is_enough
from tests.fixtures.slo import MINUTE, NAME, NOW, Slo, document

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
POLICIES, POLICY = "/v1/error-budget-policies", "/v1/error-budget-policies/checkout-api"
GATE, STANDING = "/v1/release-gate/checkout-api", "/v1/services/checkout-api/error-budget"
DOCUMENT: dict[str, Any] = {
    "executive": "cleo",
    "signers": {"development": ["ana"], "sre": ["bo"], "product": ["dan"]},
    "revisit_by": "2027-11-21",
}


def as_(name: str, kind: Any = "person", *, clock: FrozenClock, scopes: frozenset[str] = frozenset({"*"})) -> str:
    """The token of somebody else."""
    principal = Principal(name, kind, scopes, "api-key", "key-2")
    return f"Bearer {sign(principal, 'slo', KEY, now_s=clock.now().timestamp())}"


async def do(slo: Slo, verb: str, body: Mapping[str, Any], by: str = "ana", *, expect: int = 200, **more: Any) -> Any:
    """A verb of the policy, by somebody."""
    return await slo.call(
        "POST", f"{POLICY}:{verb}", body, expect=expect, Authorization=as_(by, clock=slo.clock, **more)
    )


async def sign_both(slo: Slo, version: int = 1) -> Any:
    """Development and SRE sign."""
    await do(slo, "sign", {"version": version, "side": "development", "reason": "fair"})
    return await do(slo, "sign", {"version": version, "side": "sre", "reason": "fair"}, "bo")


async def in_force(slo: Slo) -> None:
    """An SLO, and a policy that both sides have signed."""
    await slo.define()
    await slo.call("POST", POLICIES, {"service": "checkout-api", **DOCUMENT}, expect=201)
    assert (await sign_both(slo))["in_force"]


async def outage(slo: Slo) -> None:
    """A bad hour that spends fifty times the budget."""
    await slo.measure(NOW - HOUR, 60, 500, 1000)


async def stands(slo: Slo, state: str) -> Any:
    """The policy as soon as the service is said to stand there."""

    async def found() -> Any:
        policy = await slo.call("GET", POLICY)
        return policy if policy["state"] == state else None

    return await eventually(found)


async def said(slo: Slo) -> list[str]:
    """What was said of the policy so far."""
    recorded = await slo.running.resources.store.load("error-budget-policy/checkout-api")
    return [each.type.removeprefix("io.concordat.slo.policy.").removesuffix(".v1") for each in recorded]


async def test_a_signed_policy_freezes_when_the_budget_is_spent_and_thaws_when_it_is_back(slo: Slo) -> None:
    await in_force(slo)
    assert (await slo.call("GET", GATE))["decision"] == "allow"
    await outage(slo)
    frozen = await stands(slo, "frozen")
    assert frozen["reason"].startswith(f"{NAME} has spent 5000 % of its error budget (28d): releases are frozen")
    denied = await slo.call("GET", GATE)
    assert (denied["decision"], denied["reasons"][0]["code"], denied["budget"]["slo"]) == ("deny", "frozen", NAME)
    passed = await slo.call("GET", f"{GATE}?change=p0")
    assert (passed["decision"], passed["reasons"][0]["code"]) == ("allow", "change-passes")
    shown = await slo.call("GET", STANDING)
    assert (shown["state"], shown["frozen"], shown["worst"]["consumed"]) == ("frozen", True, 50.0)

    await slo.measure(NOW - 56 * HOUR, 55 * 60, 1000, 1000)
    thawed = await stands(slo, "recovering")
    assert thawed["since"] == NOW.isoformat().replace("+00:00", "Z")
    assert (await slo.call("GET", GATE))["reasons"][0]["code"] == "recovering"
    moved = ["state-changed", "frozen", "state-changed", "unfrozen"]
    assert await said(slo) == ["written", "signed", "signed", *moved]


async def test_a_signature_over_a_spent_budget_freezes_in_the_same_moment(slo: Slo) -> None:
    await slo.define()
    await outage(slo)
    await slo.figures(NAME, lambda figures: figures.state == "violated")
    await slo.call("POST", POLICIES, {"service": "checkout-api", **DOCUMENT}, expect=201)
    unsigned = await stands(slo, "exhausted")
    assert (unsigned["in_force"], unsigned["missing"]) == (False, ["development", "sre"])
    assert (await slo.call("GET", GATE))["reasons"][0]["code"] == "policy-unsigned"
    assert (await sign_both(slo))["state"] == "frozen"


async def test_an_exemption_thaws_and_its_end_freezes_again_by_itself(slo: Slo) -> None:
    await in_force(slo)
    await outage(slo)
    await stands(slo, "frozen")
    asked = {"kind": "company_wide_network", "reason": "the backbone was down", "evidence": "INC-7"}
    asked |= {"requested_by": "ana", "expires": (NOW + HOUR).isoformat()}
    granted = await do(slo, "exempt", asked, "bo")
    assert (granted["state"], granted["exemptions"][0]["approver"]) == ("exhausted", "bo")
    assert (await slo.call("GET", GATE))["reasons"][0]["code"] == "exempted"
    upcoming = (await slo.call("GET", STANDING))["upcoming"]
    assert [due["kind"] for due in upcoming] == ["exemption-expires", "revisit"]
    slo.clock.advance(HOUR)
    await stands(slo, "frozen")
    assert (await slo.call("GET", STANDING))["exemptions"] == []


async def test_a_revoked_exemption_freezes_at_once(slo: Slo) -> None:
    await in_force(slo)
    await outage(slo)
    await stands(slo, "frozen")
    asked = {"kind": "miscategorised_errors", "slos": [NAME], "reason": "nobody noticed", "evidence": "a graph"}
    asked |= {"requested_by": "ana", "expires": (NOW + DAY).isoformat()}
    (exemption,) = (await do(slo, "exempt", asked, "bo"))["exemptions"]
    revoked = await do(slo, "revoke", {"exemption": exemption["id"], "reason": "somebody did"}, "bo")
    assert (revoked["state"], revoked["exemptions"][0]["revoked_at"] is not None) == ("frozen", True)


async def test_broken_glass_lets_the_first_deployment_through_that_says_so_and_no_other(slo: Slo) -> None:
    await in_force(slo)
    await outage(slo)
    await stands(slo, "frozen")
    glass = {"reason": "customers cannot pay", "follow_up": "ask why", "follow_up_due": "2026-11-25"}
    await do(slo, "break-glass", glass | {"expires": (NOW + HOUR).isoformat()}, "bo")
    ci = frozenset({"release-gate.read", "release-gate.write"})
    await do(slo, "use-glass", {"deployment": "checkout-42"}, "ci", kind="machine", scopes=ci)
    assert (await slo.call("GET", f"{GATE}?deployment=checkout-42"))["reasons"][0]["code"] == "glass-broken"
    other = await slo.call("GET", f"{GATE}?deployment=checkout-43")
    assert (other["decision"], other["reasons"][1]["code"]) == ("deny", "glass-used")
    refused = await do(slo, "use-glass", {"deployment": "checkout-43"}, expect=409)
    assert refused["code"] == "no-glass"


async def test_the_executive_decides_a_disagreement(slo: Slo) -> None:
    await in_force(slo)
    await outage(slo)
    await stands(slo, "frozen")
    asked = {"about": "calculation", "side": "development", "reason": "the probe was broken"}
    (raised,) = (await do(slo, "disagree", asked))["disagreements"]
    assert [each["id"] for each in (await slo.call("GET", STANDING))["disagreements"]] == [raised["id"]]
    lifted = {"disagreement": raised["id"], "outcome": "lifted", "reason": "it was"}
    lifted |= {"until": (NOW + DAY).isoformat()}
    refused = await do(slo, "settle", lifted, "bo", expect=403)
    assert (refused["code"], refused["who_can"]) == ("not-a-signer", ["cleo"])
    assert (await do(slo, "settle", lifted, "cleo"))["state"] == "exhausted"


async def test_what_was_known_on_a_day_can_be_asked(slo: Slo) -> None:
    await in_force(slo)
    await slo.figures(NAME, lambda figures: figures.state == "undefined")
    before = NOW + HOUR
    slo.clock.advance(2 * HOUR)
    await outage(slo)
    await stands(slo, "frozen")
    then = f"?as_of={before.isoformat().replace('+00:00', 'Z')}"
    assert (await slo.call("GET", POLICY + then))["state"] == "healthy"
    shown = await slo.call("GET", STANDING + then)
    assert (shown["state"], shown["budgets"][0]["state"]) == ("healthy", "undefined")
    early = f"?as_of={(NOW - HOUR).isoformat().replace('+00:00', 'Z')}"
    assert (await slo.call("GET", POLICY + early, expect=404))["code"] == "not-found"
    assert (await slo.call("GET", STANDING + early))["budgets"] == []


async def test_a_new_version_waits_beside_the_one_in_force(slo: Slo) -> None:
    await in_force(slo)
    stricter = DOCUMENT | {"unfreeze_remaining": {"value": 0.1, "source": "agreed in November"}, "reason": "it hovers"}
    draft = await slo.call("PUT", POLICY, stricter)
    assert (draft["version"], draft["draft"]["version"], draft["draft"]["missing"]) == (1, 2, ["development", "sre"])
    assert draft["draft"]["document"]["unfreeze_remaining"]["value"] == 0.1
    refused = await do(slo, "sign", {"version": 1, "side": "sre"}, "bo", expect=409)
    assert (refused["code"], refused["version"]) == ("version-outdated", 2)

    async def listed() -> Any:
        items = (await slo.call("GET", f"{POLICIES}?in_force=true&state=healthy"))["items"]
        return items[0] if items and items[0]["draft"] else None

    item = await eventually(listed)
    assert (item["service"], item["version"], item["draft"]) == ("checkout-api", 1, 2)
    assert (await slo.call("GET", f"{POLICIES}?state=frozen"))["items"] == []
    assert (await sign_both(slo, 2))["version"] == 2


async def test_one_large_incident_makes_a_postmortem_due_and_a_published_one_with_a_p0_is_enough(slo: Slo) -> None:
    await in_force(slo)
    await outage(slo)
    await stands(slo, "frozen")
    elsewhere = Elsewhere("incidents", slo.running.resources.bus, slo.clock)
    about = {"incident": "i1", "number": "INC-1", "service": "checkout-api", "severity": "sev1", "by": "bo", "at": NOW}
    declared = about | {"title": "down", "impact_started": NOW - HOUR, "detected": NOW}
    await elsewhere.says("incident.declared", "incident/i1", **declared)
    await elsewhere.says("incident.mitigated", "incident/i1", **about)

    async def owed() -> Any:
        return (await slo.call("GET", STANDING))["owed"]

    (due,) = await eventually(owed)
    assert (due["id"], due["kind"], due["slo"], due["share"]) == ("postmortem:i1", "postmortem", NAME, 50.0)
    assert "postmortem-owed" in [reason["code"] for reason in (await slo.call("GET", GATE))["reasons"]]

    paper = {"postmortem": "p1", "incident": "i1", "number": "INC-1", "service": "checkout-api", "title": "t"}
    await elsewhere.says("postmortem.published", "postmortem/p1", **paper, by="bo", at=NOW)
    action = {"action": "a1", "incident": "i1", "postmortem": "p1", "service": "checkout-api", "priority": "P0"}
    await elsewhere.says("action.opened", "action/a1", **action)

    async def done() -> bool:
        return not await owed()

    assert await eventually(done)
    (shown,) = (await slo.call("GET", POLICY))["obligations"]
    assert shown["evidence"] == "postmortem p1 with P0 action a1"
    assert (await said(slo)).count("postmortem-required") == 1


async def test_an_incident_that_spent_little_makes_nothing_due(slo: Slo) -> None:
    await in_force(slo)
    await slo.measure(NOW - 10 * HOUR, 600, 999, 1000)
    await slo.figures(NAME, lambda figures: figures.total == 600_000)
    elsewhere = Elsewhere("incidents", slo.running.resources.bus, slo.clock)
    about = {"incident": "i1", "number": "INC-1", "title": "slow", "service": "checkout-api", "at": NOW}
    await elsewhere.says("incident.declared", "incident/i1", **about, impact_started=NOW - HOUR)
    await elsewhere.says("incident.resolved", "incident/i1", **about)
    large = about | {"incident": "i2", "number": "INC-2"}
    await elsewhere.says("incident.declared", "incident/i2", **large, impact_started=NOW - 10 * HOUR)
    await slo.measure(NOW - 9 * HOUR, 10, 500, 1000)
    await slo.figures(NAME, lambda figures: figures.state == "at_risk")
    await elsewhere.says("incident.resolved", "incident/i2", **large)

    async def owed() -> Any:
        return (await slo.call("GET", STANDING))["owed"]

    assert [each["id"] for each in await eventually(owed)] == ["postmortem:i2"]


async def test_a_class_of_outages_that_spent_the_quarter_needs_an_item_in_the_next_plan(slo: Slo) -> None:
    """Two outages of 3,000 bad events each; the quarter will have 2,649,600 events and some, so 26,500 to spend."""
    await in_force(slo)
    began = NOW.replace(month=10, day=1, hour=0)
    for day in range(52):
        await slo.measure(began + day * DAY, 24 * 60 if day < 51 else 600, 20, 20)
    await slo.measure(NOW - HOUR, 30, 0, 100)
    await slo.measure(NOW - 10 * HOUR, 30, 0, 100)
    await slo.status(total=806_400 + 2 * 2_400)
    elsewhere = Elsewhere("incidents", slo.running.resources.bus, slo.clock)
    for number, since in ((1, NOW - HOUR), (2, NOW - 10 * HOUR)):
        about = {"incident": f"i{number}", "number": f"INC-{number}", "service": "checkout-api", "title": "down"}
        at = since + 30 * MINUTE
        await elsewhere.says("incident.declared", f"incident/i{number}", **about, at=since, impact_started=since)
        await elsewhere.says("incident.resolved", f"incident/i{number}", **about, at=at)
        await elsewhere.says("incident.classified", f"incident/i{number}", **about, at=at, outage_class="retry-storm")

    async def owed() -> Any:
        return [each for each in (await slo.call("GET", STANDING))["owed"] if each["kind"] == "quarterly_item"]

    (due,) = await eventually(owed)
    assert (due["id"], due["slo"]) == ("quarterly-item:retry-storm:2026-Q4", NAME)
    assert due["share"] == pytest.approx(6_000 / 26_500, rel=0.01)
    assert "puts a P0 item on its plan for 2027-Q1" in due["reason"]
    assert "quarterly-item-owed" in [reason["code"] for reason in (await slo.call("GET", GATE))["reasons"]]
    await do(slo, "fulfil", {"obligation": due["id"], "evidence": "https://plan.example.com/2027-Q1"})
    assert not await owed()


async def test_what_is_due_is_said_on_its_day(slo: Slo) -> None:
    await in_force(slo)
    await outage(slo)
    await stands(slo, "frozen")
    glass = {"reason": "customers cannot pay", "follow_up": "ask why", "expires": (NOW + HOUR).isoformat()}
    for due in ("2026-11-25", "2026-11-26"):
        broken = await do(slo, "break-glass", glass | {"follow_up_due": due}, "bo")
    first, second = (each["id"] for each in broken["glasses"])
    done = await do(slo, "fulfil", {"obligation": f"follow-up:{first}", "evidence": "INC-7"}, "bo")
    assert (done["glasses"][0]["follow_up_evidence"], done["glasses"][1]["followed_up_at"]) == ("INC-7", None)
    slo.clock.advance(6 * DAY)

    async def reminded() -> Any:
        return [kind for kind in await said(slo) if kind.endswith("-due")]

    assert await eventually(reminded) == ["follow-up-due"]
    shown = await slo.call("GET", STANDING)
    assert [each["id"] for each in shown["follow_ups"]] == [second]
    assert "follow-up-owed" in [reason["code"] for reason in shown["reasons"]]
    slo.clock.advance(365 * DAY)

    async def again() -> Any:
        return len(await reminded()) == 2

    await eventually(again)
    assert await reminded() == ["follow-up-due", "revisit-due"]


@memory_is_enough
async def test_a_budget_heard_of_again_says_nothing_again(slo: Slo) -> None:
    await in_force(slo)
    await outage(slo)
    await stands(slo, "frozen")
    was = await said(slo)
    resources = slo.running.resources
    react = observing(resources).act[BudgetAssessed]
    heard = [each for each in await resources.store.load(f"budget/{NAME}") if each.type.endswith("assessed.v1")]
    for recorded in (*heard, *heard):
        context = Context.of_reaction(recorded, OBSERVING, slo.clock.now())
        await react(resources.registry.decode(recorded), recorded, context)
    assert await said(slo) == was


async def test_many_who_look_at_once_say_it_once(slo: Slo) -> None:
    await in_force(slo)
    await outage(slo)
    await stands(slo, "frozen")
    slo.clock.advance(DAY)  # an exemption that nobody heard the end of: all of them see it at the same time
    asked = {"kind": "miscategorised_errors", "reason": "nobody noticed", "evidence": "a graph"}
    asked |= {"requested_by": "ana", "expires": (NOW + DAY + MINUTE).isoformat()}
    assert (await do(slo, "exempt", asked, "bo"))["state"] == "exhausted"
    was = await said(slo)
    later = NOW + 2 * DAY
    contexts = [Context.of_request(later, Metadata(actor=str(number))) for number in range(10)]
    resources = slo.running.resources
    await asyncio.gather(*(observe(resources, "checkout-api", context) for context in contexts))
    assert await said(slo) == [*was, "state-changed", "frozen"]


@memory_is_enough
async def test_the_gate_tells_a_service_without_a_policy_from_one_that_nobody_knows(slo: Slo) -> None:
    said = await slo.call("GET", GATE)
    assert (said["decision"], said["policy_version"]) == ("allow", 0)
    assert [reason["code"] for reason in said["reasons"]] == ["no-policy", "no-slo"]
    assert (await slo.call("GET", "/v1/release-gate/chekcout-api", expect=404))["code"] == "unknown-service"
    assert (await slo.call("GET", STANDING))["policy_version"] is None


@memory_is_enough
async def test_a_pipeline_asks_with_a_scope_of_its_own(slo: Slo) -> None:
    key = as_("ci", "machine", clock=slo.clock, scopes=frozenset({"release-gate.read"}))
    assert (await slo.call("GET", GATE, Authorization=key))["decision"] == "allow"
    assert (await slo.call("GET", POLICIES, Authorization=key, expect=403))["scope"] == "error-budget-policies.read"


@memory_is_enough
@pytest.mark.parametrize(
    ("change", "code", "pointer"),
    [
        ({"signers": {"development": ["ana"], "sre": []}}, "invalid-policy", "/signers/sre"),
        ({"passes_freeze": ["normal"]}, "invalid-policy", "/passes_freeze"),
        ({"at_risk": {"value": 1.5, "source": "x"}}, "invalid-policy", "/at_risk"),
        ({"at_risk": {"value": "NaN", "source": "x"}}, "invalid", "/at_risk/value"),
        ({"at_risk": {"value": 0.5}}, "invalid", "/at_risk/source"),
        ({"executve": "cleo"}, "invalid", "/executve"),
        ({"service": "nobody"}, "unknown-service", "/service"),
    ],
)
async def test_a_policy_that_makes_no_sense_is_refused_with_its_place(
    slo: Slo, change: Mapping[str, Any], code: str, pointer: str
) -> None:
    refused = await slo.call("POST", POLICIES, {"service": "checkout-api", **DOCUMENT, **change}, expect=422)
    assert (refused["code"], refused["errors"][0]["pointer"]) == (code, pointer)


@memory_is_enough
async def test_every_refusal_says_who_can_or_what_to_do(slo: Slo) -> None:
    await slo.define()
    missing = await slo.call("GET", POLICY, expect=404)
    assert "POST /v1/error-budget-policies" in missing["detail"]
    await slo.call("POST", POLICIES, {"service": "checkout-api", **DOCUMENT}, expect=201)
    again = await slo.call("POST", POLICIES, {"service": "checkout-api", **DOCUMENT, "executive": "eve"}, expect=409)
    assert again["code"] == "policy-exists"
    robot = await do(slo, "sign", {"version": 1, "side": "sre"}, "ci", kind="machine", expect=403)
    assert (robot["code"], robot["who_can"]) == ("person-required", ["bo"])
    wrong = await do(slo, "sign", {"version": 1, "side": "sre"}, "ana", expect=403)
    assert (wrong["code"], wrong["who_can"]) == ("not-a-signer", ["bo"])
    whole = {"reason": "r", "follow_up": "f", "follow_up_due": "2026-11-25", "expires": (NOW + HOUR).isoformat()}
    assert (await do(slo, "break-glass", whole, expect=409))["code"] == "not-frozen"
    exempt = {"kind": "p0", "reason": "r", "evidence": "e", "requested_by": "ana", "expires": (NOW + HOUR).isoformat()}
    assert (await do(slo, "exempt", exempt, "ana", expect=403))["code"] == "second-person-required"
    late = exempt | {"expires": (NOW + 29 * DAY).isoformat()}
    assert (await do(slo, "exempt", late, "bo", expect=422))["latest"] == "2026-12-19T10:00:00Z"
    assert (await do(slo, "exempt", exempt | {"slos": ["nothing"]}, "bo", expect=422))["code"] == "unknown-slo"
    empty = await do(slo, "exempt", exempt | {"reason": " "}, "bo", expect=422)
    assert (empty["code"], empty["errors"][0]["pointer"]) == ("text-missing", "/reason")
    for verb, field in (("revoke", "exemption"), ("fulfil", "obligation")):
        body = {field: "nothing"} | ({"evidence": "x"} if verb == "fulfil" else {})
        assert (await do(slo, verb, body, expect=404))["code"] == "not-found"


async def test_a_freeze_ends_with_the_slo_that_caused_it(slo: Slo) -> None:
    await in_force(slo)
    await outage(slo)
    await stands(slo, "frozen")
    frozen_at = slo.clock.now()
    slo.clock.advance(HOUR)
    await slo.call("DELETE", f"/v1/slos/{NAME}")
    await stands(slo, "recovering")
    assert (await slo.call("GET", GATE))["reasons"][0]["code"] == "no-slo"
    then = f"?as_of={frozen_at.isoformat().replace('+00:00', 'Z')}"
    assert [budget["slo"] for budget in (await slo.call("GET", STANDING + then))["budgets"]] == [NAME]


@memory_is_enough
async def test_a_freeze_ends_when_the_slo_is_about_another_service_now(slo: Slo) -> None:
    await in_force(slo)
    await outage(slo)
    await stands(slo, "frozen")
    await slo.lifecycle.says("service.registered", "service/search", service="search")
    await slo.knows("search")
    await slo.call("PUT", f"/v1/slos/{NAME}", document(service="search"))
    await stands(slo, "recovering")


async def test_the_read_models_of_a_policy_are_the_same_after_a_rebuild(slo: Slo) -> None:
    await in_force(slo)
    await outage(slo)
    await stands(slo, "frozen")
    resources = slo.running.resources
    head = await resources.store.head()
    await resources.views.wait_applied("error_budget_policies", "slo", resources.store.epoch, 0, head, 5)
    before = await resources.views.dump(ERROR_BUDGET_POLICIES)
    was = await said(slo)
    async for _ in rebuilding(resources, ERROR_BUDGET_POLICIES):
        pass
    assert await resources.views.dump(ERROR_BUDGET_POLICIES) == before
    assert (before[0][0], await said(slo)) == ("checkout-api", was)


class Behind:
    """Read models that answer once what they showed before."""

    def __init__(self, views: Views, before: tuple[SloBudget, ...]) -> None:
        self._views, self._before = views, [before]

    async def read(self, query: Any, *args: Any) -> Any:
        """The budgets of before, then those of now."""
        return self._before.pop() if self._before else await self._views.read(query, *args)


@memory_is_enough
async def test_whoever_read_older_budgets_does_not_have_the_last_word(slo: Slo) -> None:
    await in_force(slo)
    await outage(slo)
    await stands(slo, "frozen")
    before = (SloBudget(NAME, "met", 0.1, 0.9, 1.0),)
    late: Any = Behind(slo.running.resources.views, before)
    resources = replace(slo.running.resources, views=late)
    await observe(resources, "checkout-api", Context.of_request(NOW, Metadata(actor="late")))
    assert (await slo.call("GET", POLICY))["state"] == "frozen"
