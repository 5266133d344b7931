"""A policy that cannot be used stops the start, and names the place."""

from pathlib import Path

import pytest

from libs.events.errors import SetupError
from services.lifecycle.config import LifecycleSettings, load_policy

TEXT = LifecycleSettings().gate_policy.read_text(encoding="utf-8")


def test_every_number_of_the_policy_names_its_source() -> None:
    policy = load_policy(LifecycleSettings().gate_policy)

    numbers = [
        policy.evaluation_valid_days,
        policy.grandfathering_days,
        policy.slo_window_days,
        policy.slo_coverage,
        policy.assessment_fresh_days,
        *(check.max_age_days for check in policy.checks.values() if check.max_age_days),
    ]

    assert all(number.source for number in numbers)
    assert all(check.source for check in policy.checks.values())


def test_the_policy_knows_which_gates_look_for_a_kind_of_evidence() -> None:
    policy = load_policy(LifecycleSettings().gate_policy)

    assert policy.gates_asking_for("design_review") == ("active_development",)
    assert policy.gates_asking_for("desgin_review") == ()
    assert policy.gates_asking_for("owner_and_tier_set") == ()


@pytest.mark.parametrize(
    ("was", "now", "named"),
    [
        ("version:", "edition:", "version"),
        ("value: 14,", "value: soon,", "evaluation_valid_days.value"),
        ("  deprecation: [sunset_plan]\n", "", "gates.deprecation: missing"),
        ("  deprecation: [", "  retirement: [sunset_plan]\n  deprecation: [", "gates.retirement: leads nowhere"),
        ("[sunset_plan]", "[sunset_plan, sunrise]", "gates.deprecation: sunrise"),
        (
            '    max_age_days: {value: 365, source: "[D] a design',
            '    max_age: {value: 365, source: "[D] a design',
            "checks.design_review",
        ),
        ("applies_in: [limited_availability", "applies_in: [limited", "applies_in"),
        ("checks:", "checks: [", "line"),
    ],
)
def test_a_wrong_policy_is_refused_with_its_place(was: str, now: str, named: str, tmp_path: Path) -> None:
    assert was in TEXT
    path = tmp_path / "policy.yaml"
    path.write_text(TEXT.replace(was, now, 1), encoding="utf-8")

    with pytest.raises(SetupError, match="CONCORDAT_GATE_POLICY") as refusal:
        load_policy(path)

    assert named in str(refusal.value)


def test_a_policy_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="CONCORDAT_GATE_POLICY"):
        load_policy(tmp_path / "none.yaml")
