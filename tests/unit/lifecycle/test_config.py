"""A policy that cannot be used stops the start, and names the place."""

from pathlib import Path

import pytest

from libs.events.errors import SetupError
from services.lifecycle.config import LifecycleSettings, load_policies

TEXT = LifecycleSettings().gate_policy.read_text(encoding="utf-8")


def test_every_number_of_the_policy_names_its_source() -> None:
    policy = load_policies(LifecycleSettings()).gates

    numbers = [
        policy.evaluation_valid_days,
        policy.grandfathering_days,
        policy.review_every_days,
        policy.waivers.max_days,
        policy.waivers.renewals,
        *(number for check in policy.checks.values() for _, number in check.limits()),
    ]

    assert all(number.source for number in numbers)
    assert all(check.source for check in policy.checks.values())


def test_the_policy_knows_which_gates_look_for_a_kind_of_evidence() -> None:
    policy = load_policies(LifecycleSettings()).gates

    assert policy.gates_asking_for("design_review") == ("active_development",)
    assert policy.gates_asking_for("stateless") == ("active_development", "limited_availability")
    assert policy.gates_asking_for("security_review") == ("active_development", "limited_availability")
    assert policy.gates_asking_for("desgin_review") == ()
    assert policy.gates_asking_for("owner_and_tier_set") == ()


@pytest.mark.parametrize(
    ("was", "now", "named"),
    [
        ("version:", "edition:", "/edition: is not a field here"),
        ("value: 14,", "value: soon,", "/evaluation_valid_days/value: Input should be a valid number"),
        ("value: 14,", 'value: "14",', "/evaluation_valid_days/value: Input should be a valid number"),
        ("value: 14,", "value: -1,", "/evaluation_valid_days/value: must not be negative"),
        ('source: "[D] long enough', 'sauce: "[D] long enough', "/evaluation_valid_days/source: is missing; send it"),
        ('source: "[D] budgets are assessed daily"}', 'source: " "}', "/review_every_days/source: every number says"),
        ("  abandoned: [hand", "  abandonned: [hand", "/gates/abandoned: missing"),
        ("  abandoned: [hand", "  retirement: []\n  abandoned: [hand", "/gates/retirement: leads nowhere"),
        ("[no_traffic, no_dep", "[no_traffic, sunrise, no_dep", "/gates/unsupported/1: sunrise is not among"),
        (
            "[no_traffic, no_dep",
            "[no_traffic, no_traffic, no_dep",
            "/gates/unsupported/1: no_traffic stands here twice",
        ),
        ("  active_development: [owner", "  active_development: [nobody, owner", "/keeps/active_development/0: nobody"),
        ("    max_age_days: {value: 365", "    max_age: {value: 365", "/checks/design_review/max_age: is not a field"),
        ("met_by: [security_review]", "met_by: [security_check]", "/checks/security_review_opened/met_by/0"),
        (
            "met_by: [production_rollback]",
            "met_by: [rollback_drill]",
            "/checks/rollback_drill/met_by: goes round in a circle: rollback_drill > rollback_drill",
        ),
        ("      days: {value: 7", "      weeks: {value: 7", "/checks/sli_emitting/numbers/days: is missing"),
        ("      days: {value: 7", "      weeks: {value: 7", "/checks/sli_emitting/numbers/weeks: is not looked at"),
        ("blocking_tiers: [1]\n", "blocking_tiers: [5]\n", "/checks/rota_is_large_enough/blocking_tiers: 5 is no tier"),
        ("applies_in: [limited_availability", "applies_in: [limited", "/checks/no_traffic/applies_in/0"),
        ("active_development>general", "general", "/approval/approvers/general_availability: no transition"),
        ('    "4": {roles', '    "5": {roles', "/waivers/approvers/4: nobody could approve"),
        ("[owner_lead, sre_lead]\n", "[boss]\n", "/approval/approvers/active_development>general_availability/roles/0"),
        ("  design_review:\n", "  owner_and_tier_set:\n", "stands here twice"),
        ("checks:", "checks: [", "line"),
    ],
)
def test_a_wrong_policy_is_refused_with_its_place(was: str, now: str, named: str, tmp_path: Path) -> None:
    assert was in TEXT
    path = tmp_path / "policy.yaml"
    path.write_text(TEXT.replace(was, now, 1), encoding="utf-8")

    with pytest.raises(SetupError, match="CONCORDAT_GATE_POLICY") as refusal:
        load_policies(LifecycleSettings(gate_policy=path))

    assert named in str(refusal.value)


def test_every_fault_of_a_policy_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "policy.yaml"
    path.write_text(
        TEXT.replace("value: 14,", "value: soon,", 1).replace("waivable: false", "waivable: no", 1) + "x: 1\n"
    )

    with pytest.raises(SetupError) as refusal:
        load_policies(LifecycleSettings(gate_policy=path))

    assert all(place in str(refusal.value) for place in ("/evaluation_valid_days/value", "/x"))


def test_a_policy_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="CONCORDAT_GATE_POLICY"):
        load_policies(LifecycleSettings(gate_policy=tmp_path / "none.yaml"))
