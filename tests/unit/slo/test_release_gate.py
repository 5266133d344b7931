"""The release gate: what it says about a change, why, and that its documentation is true."""

import json
import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events import codec
from services.slo.domain.policy.document import Change
from services.slo.domain.policy.events import (
    DisagreementRaised,
    Event,
    GlassUsed,
    PostmortemRequired,
    QuarterlyItemRequired,
)
from services.slo.domain.policy.reasons import Code
from services.slo.domain.policy.standing import SloBudget
from services.slo.domain.release_gate import Decision, decide
from tests.fixtures.policy import (
    BROKEN,
    BY_DEV,
    DOCUMENT,
    FROZEN,
    GRANTED,
    NOW,
    SERVICE,
    SIGNED,
    WRITTEN,
    budgets,
    changed,
    state_after,
)

PAGE = Path(__file__).parents[3] / "docs" / "release-gate.md"
SPENT = budgets(1.5)
CHANGES: tuple[Change, ...] = get_args(Change)


def gate(
    *past: Event, change: Change = "normal", seen: tuple[SloBudget, ...] = SPENT, deployment: str = ""
) -> Decision:
    return decide(change, state_after(*past), seen, NOW, deployment=deployment)


def codes(decision: Decision) -> list[Code]:
    return [reason.code for reason in decision.reasons]


def test_a_service_within_its_budget_releases() -> None:
    said = gate(*SIGNED, seen=budgets(0.6))
    assert (said.decision, said.state, codes(said)) == ("allow", "healthy", ["within-budget"])
    assert said.budget == budgets(0.6)[0]


def test_a_frozen_service_does_not_and_hears_what_to_do_and_by_whom() -> None:
    said = gate(*FROZEN)
    assert (said.decision, said.state, codes(said)) == ("deny", "frozen", ["frozen"])
    assert said.reasons[0].slo == "availability"
    assert said.reasons[0].text == (
        "availability has spent 150 % of its error budget (28d): releases are frozen until the service is back within"
        " its SLO (policy version 1, signed by ana for development and bo for sre). Development works on reliability;"
        " only p0 and security changes pass. Whoever disagrees asks cleo"
    )


def test_the_gate_closes_on_what_it_sees_before_anybody_said_so() -> None:
    assert gate(*SIGNED).decision == "deny"
    assert gate(*FROZEN, seen=budgets(1.0)).decision == "allow"


@pytest.mark.parametrize("change", ["p0", "security"])
def test_p0_and_security_fixes_pass_a_freeze(change: Change) -> None:
    said = gate(*FROZEN, change=change)
    assert (said.decision, codes(said)) == ("allow", ["change-passes", "frozen"])


def test_a_policy_that_lets_no_p0_pass_still_lets_an_exempted_one() -> None:
    strict = replace(WRITTEN, document=replace(DOCUMENT, passes_freeze=("security",)))
    past = (strict, *SIGNED[1:])
    assert gate(*past, change="p0").decision == "deny"
    exempted = replace(GRANTED, kind="p0", reason="payments fail")
    said = gate(*past, exempted, change="p0")
    assert (said.decision, codes(said)[0]) == ("allow", "exempted")
    assert gate(*past, exempted).decision == "deny"


def test_without_a_policy_nothing_stops_a_release_and_the_gate_says_so() -> None:
    said = gate()
    assert (said.decision, said.state, said.policy_version, codes(said)) == ("allow", None, 0, ["no-policy"])
    assert "development and SRE write and sign one" in said.reasons[0].text


def test_an_unsigned_policy_stops_nothing_and_the_gate_says_who_has_to_sign() -> None:
    said = gate(WRITTEN, BY_DEV)
    assert (said.decision, said.state, said.in_force, codes(said)) == ("allow", "exhausted", False, ["policy-unsigned"])
    assert "would freeze releases, but it binds nobody before it is signed by sre (bo)" in said.reasons[0].text


def test_an_undefined_budget_allows_and_says_why() -> None:
    said = gate(*SIGNED, seen=budgets(None))
    assert (said.decision, said.budget, codes(said)) == ("allow", None, ["budget-undefined"])
    assert "no events in 28d" in said.reasons[0].text
    assert codes(gate(*SIGNED, seen=())) == ["no-slo"]
    assert codes(gate(seen=())) == ["no-policy", "no-slo"]


def test_an_undefined_budget_beside_a_violated_one_allows_nothing() -> None:
    said = gate(*SIGNED, seen=budgets(None, 1.1))
    assert (said.decision, codes(said)) == ("deny", ["frozen", "budget-undefined"])


def test_every_slo_that_freezes_has_its_reason_the_worst_first() -> None:
    said = gate(*SIGNED, seen=budgets(1.2, 0.2, 1.3))
    assert [reason.slo for reason in said.reasons] == ["slo-2", "slo-0"]
    assert said.budget is not None
    assert said.budget.slo == "slo-2"


def test_a_service_at_risk_or_recovering_releases_with_advice() -> None:
    assert codes(gate(*SIGNED, seen=budgets(0.8))) == ["at-risk"]
    assert "releases freeze" in gate(*SIGNED, seen=budgets(0.8)).reasons[0].text
    assert "were the policy signed by sre (bo)" in gate(WRITTEN, BY_DEV, seen=budgets(0.8)).reasons[0].text
    assert codes(gate(*FROZEN, seen=budgets(0.95))) == ["recovering"]


def test_an_exemption_in_force_opens_the_gate_until_the_moment_it_expires() -> None:
    past = (*SIGNED, GRANTED, changed("exhausted"))
    said = gate(*past)
    assert (said.decision, codes(said)) == ("allow", ["exempted"])
    assert "bo exempted it as company_wide_network until 2026-12-05 10:00 UTC: the backbone was down" in (
        said.reasons[0].text
    )
    policy = state_after(*past)
    assert decide("normal", policy, SPENT, GRANTED.expires - timedelta(microseconds=1)).decision == "allow"
    assert decide("normal", policy, SPENT, GRANTED.expires).decision == "deny"


def test_broken_glass_lets_its_deployment_through_as_often_as_it_asks_and_no_other() -> None:
    used = GlassUsed(SERVICE, "g1", "checkout-42", "deployed", "ci", NOW)
    for past in ((*FROZEN, BROKEN), (*FROZEN, BROKEN, used)):
        said = gate(*past, deployment="checkout-42")
        assert (said.decision, codes(said)) == ("allow", ["glass-broken", "frozen"])
        assert "Afterwards, by 2026-11-25: write down why the canary missed it" in said.reasons[0].text
        for other in ("checkout-43", ""):
            said = gate(*past, deployment=other)
            assert (said.decision, codes(said)) == ("deny", ["frozen", "glass-used"])


def test_glass_broken_for_anybody_lets_the_first_through_and_closes_behind_it() -> None:
    anybodys = replace(BROKEN, deployment="")
    assert gate(*FROZEN, anybodys).decision == "allow"
    used = GlassUsed(SERVICE, "g1", "checkout-42", "deployed", "ci", NOW)
    assert gate(*FROZEN, anybodys, used, deployment="checkout-42").decision == "allow"
    assert gate(*FROZEN, anybodys, used).decision == "deny"


def test_broken_glass_ends_in_the_moment_it_expires() -> None:
    policy = state_after(*FROZEN, BROKEN)
    for at, expected in ((BROKEN.expires - timedelta(microseconds=1), "allow"), (BROKEN.expires, "deny")):
        assert decide("normal", policy, SPENT, at, deployment="checkout-42").decision == expected


def test_a_fix_that_passes_anyway_does_not_need_the_glass() -> None:
    assert codes(gate(*FROZEN, BROKEN, change="p0", deployment="checkout-42"))[0] == "change-passes"


def test_budget_to_spare_is_said() -> None:
    said = gate(*SIGNED, seen=budgets(0.2))
    assert codes(said) == ["within-budget", "budget-to-spare"]


def test_what_is_owed_disputed_or_outdated_is_said_and_stops_nothing() -> None:
    past = (
        replace(WRITTEN, document=replace(DOCUMENT, revisit_by=date(2026, 11, 20))),
        *SIGNED[1:],
        DisagreementRaised(SERVICE, 1, "d1", "calculation", "development", "cleo", "bots", "ana", NOW),
        PostmortemRequired(SERVICE, 1, "postmortem:INC-7", "INC-7", "availability", 0.3, 0.2, "write it", NOW),
        QuarterlyItemRequired(
            SERVICE, 1, "quarterly-item:dns:2026-Q3", "dns", "2026-Q3", "2026-Q4", "latency", 0.3, 0.2, "plan it", NOW
        ),
    )
    said = gate(*past, seen=budgets(0.6))
    assert said.decision == "allow"
    assert codes(said) == [
        "within-budget",
        "disagreement-open",
        "postmortem-owed",
        "quarterly-item-owed",
        "policy-outdated",
    ]
    assert said.reasons[1].text == "ana (development) disagrees: bots. cleo decides"


PASTS = [(), (WRITTEN,), (WRITTEN, BY_DEV), SIGNED, FROZEN, (*FROZEN, GRANTED), (*FROZEN, BROKEN)]


@given(
    st.sampled_from(PASTS),
    st.sampled_from(CHANGES),
    st.lists(st.none() | st.floats(0, 3, allow_nan=False), max_size=3),
    st.sampled_from(["", "checkout-42", "checkout-43"]),
)
def test_every_decision_has_a_reason_and_only_a_freeze_denies(
    past: tuple[Event, ...], change: Change, shares: list[float | None], deployment: str
) -> None:
    said = gate(*past, change=change, seen=budgets(*shares), deployment=deployment)
    assert (said.decision == "deny") == (codes(said)[0] == "frozen")
    assert all(reason.text for reason in said.reasons)
    assert set(codes(said)) <= set(get_args(Code))


def test_the_answer_in_the_documentation_is_the_answer() -> None:
    block = re.search(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert block is not None
    assert json.loads(codec.encode(gate(*FROZEN))) == json.loads(block[1])


def test_every_reason_code_stands_in_the_documentation() -> None:
    assert set(re.findall(r"^\| `([a-z0-9-]+)` \| (?:allow|deny|advice) \|", PAGE.read_text(), re.MULTILINE)) == set(
        get_args(Code)
    )
