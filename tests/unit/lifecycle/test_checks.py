"""What each check finds, row by row."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.lifecycle.domain.checks import (
    attestation,
    error_budget_left_and_no_freeze,
    no_open_sev1_2_incident,
    owner_and_tier_set,
    slo_met_with_coverage,
)
from services.lifecycle.domain.facts import Exhausted, OpenIncident, Slo
from tests.fixtures.lifecycle import NOW, POLICY, assessment, evidence, facts, slo

SHORT = {"window_start": NOW - timedelta(days=7)}
STALE = {"window_start": NOW - timedelta(days=31), "window_end": NOW - timedelta(days=2, seconds=1)}
LONG = {"window_start": NOW - timedelta(days=90)}
EXHAUSTED = Exhausted("exhausted-1", NOW - timedelta(days=1))


@pytest.mark.parametrize(
    ("owner", "tier", "expected", "detail"),
    [
        ("checkout", 1, "pass", "tier 1, owned by checkout"),
        ("", 1, "fail", "not set: owner_team"),
        ("checkout", 0, "fail", "not set: tier"),
        ("", 0, "fail", "not set: owner_team, tier"),
    ],
)
def test_owner_and_tier(owner: str, tier: int, expected: str, detail: str) -> None:
    finding = owner_and_tier_set(POLICY, facts(owner_team=owner, tier=tier), NOW)

    assert (finding.result, finding.detail) == (expected, detail)
    assert [found.values for found in finding.evidence] == [{"owner_team": owner or None, "tier": tier or None}]


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "pass"),
        ({"sli": 0.99, "remaining": 0.0}, "pass"),  # exactly on target is met
        ({"state": "at_risk"}, "pass"),  # most of the budget is spent, and yet it is met
        (LONG, "pass"),  # a longer window says more
        ({"coverage": 0.95}, "pass"),
        ({"coverage": 0.9499}, "unknown"),
        ({"coverage": 0.0, "sli": None, "state": "undefined", "remaining": None}, "unknown"),
        ({"sli": 0.9899, "state": "violated"}, "fail"),
        ({"sli": 0.9899, "state": "violated", "coverage": 0.01}, "fail"),  # whatever the coverage
        (SHORT, "unknown"),
        (STALE, "unknown"),
        ({**STALE, "sli": 0.5, "state": "violated"}, "unknown"),  # what was then says nothing about now
        ({"revision": 2}, "unknown"),
    ],
)
def test_slo_met_with_coverage(fields: dict[str, Any], expected: str) -> None:
    finding = slo_met_with_coverage(POLICY, facts(slos=(slo(**fields),)), NOW)

    assert finding.result == expected
    assert [found.id for found in finding.evidence] == ["assessed-1"]
    assert bool(finding.how_to_fix) == (expected != "pass")


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, "pass"),
        ({"remaining": 0.0001}, "pass"),
        ({"remaining": 0.0}, "fail"),
        ({"remaining": -3.0, "coverage": 0.01}, "fail"),  # whatever the coverage
        ({"remaining": None, "sli": None}, "unknown"),
        (STALE, "unknown"),
        ({"revision": 2}, "unknown"),
    ],
)
def test_error_budget_left(fields: dict[str, Any], expected: str) -> None:
    finding = error_budget_left_and_no_freeze(POLICY, facts(slos=(slo(**fields),)), NOW)

    assert finding.result == expected


def test_a_freeze_holds_until_the_budget_has_recovered_whatever_is_left() -> None:
    frozen = replace(slo(remaining=0.9), exhausted=EXHAUSTED)

    finding = error_budget_left_and_no_freeze(POLICY, facts(slos=(frozen,)), NOW)

    assert (finding.result, finding.evidence[0].id) == ("fail", "exhausted-1")


@pytest.mark.parametrize("check", [slo_met_with_coverage, error_budget_left_and_no_freeze])
@pytest.mark.parametrize("slos", [(), (Slo("checkout-availability", 1),)], ids=["no-slo", "never-assessed"])
def test_nothing_known_of_an_slo_is_unknown_and_says_what_to_do(check: Any, slos: tuple[Slo, ...]) -> None:
    finding = check(POLICY, facts(slos=slos), NOW)

    assert finding.result == "unknown"
    assert "send measurements" in finding.how_to_fix


def test_the_worst_slo_decides_and_is_named_with_every_other_as_bad() -> None:
    slos = (slo("good"), slo("thin", coverage=0.5), slo("bad", sli=0.9), slo("worse", sli=0.8))

    finding = slo_met_with_coverage(POLICY, facts(slos=slos), NOW)

    assert finding.result == "fail"
    assert [part.split(":")[0] for part in finding.detail.split("; ")] == ["bad", "worse"]
    assert len(finding.evidence) == 4


def test_an_slo_without_enough_data_outweighs_one_that_is_met() -> None:
    finding = slo_met_with_coverage(POLICY, facts(slos=(slo("good"), slo("thin", coverage=0.5))), NOW)

    assert (finding.result, finding.detail.split(":")[0]) == ("unknown", "thin")


def test_the_values_that_were_looked_at_are_kept() -> None:
    (found,) = slo_met_with_coverage(POLICY, facts(slos=(slo(),)), NOW).evidence

    assert found.values == {
        "slo": "checkout-availability",
        "revision": 1,
        "state": "met",
        "target": 0.99,
        "sli": 0.995,
        "coverage": 1.0,
        "error_budget_remaining": 0.5,
    }


@pytest.mark.parametrize(
    ("severities", "expected"),
    [((), "pass"), (("sev3", "sev4"), "pass"), (("sev2",), "fail"), (("sev4", "sev1"), "fail")],
)
def test_no_open_sev1_2_incident(severities: tuple[str, ...], expected: str) -> None:
    incidents = tuple(
        OpenIncident(f"i{n}", f"INC-{n}", severity, NOW) for n, severity in enumerate(severities, start=1)
    )

    finding = no_open_sev1_2_incident(POLICY, facts(incidents=incidents), NOW)

    assert finding.result == expected


def test_every_severe_incident_is_named() -> None:
    incidents = (
        OpenIncident("i1", "INC-1", "sev1", NOW),
        OpenIncident("i2", "INC-2", "sev3", NOW),
        OpenIncident("i3", "INC-3", "sev2", NOW),
    )

    finding = no_open_sev1_2_incident(POLICY, facts(incidents=incidents), NOW)

    assert finding.how_to_fix == "resolve INC-1 (sev1), INC-3 (sev2)"
    assert [found.id for found in finding.evidence] == ["i1", "i3"]


@pytest.mark.parametrize(("days_ago", "expected"), [(0, "pass"), (30, "pass"), (30.001, "unknown")])
def test_a_rollback_drill_counts_for_thirty_days(days_ago: float, expected: str) -> None:
    known = facts(attestations={"rollback_drill": evidence("rollback_drill", days_ago=days_ago)})

    finding = attestation("rollback_drill", POLICY.checks["rollback_drill"], known, NOW)

    assert finding.result == expected
    assert [found.id for found in finding.evidence] == ["rollback_drill-1"]


def test_what_was_never_attested_is_unknown() -> None:
    finding = attestation("rollback_drill", POLICY.checks["rollback_drill"], facts(), NOW)

    assert (finding.result, finding.evidence) == ("unknown", ())


@pytest.mark.parametrize(("days_ago", "expected"), [(10, "pass"), (11, "unknown")])
def test_a_review_from_before_the_phase_began_does_not_count_where_a_new_one_is_asked(
    days_ago: float, expected: str
) -> None:
    known = facts(
        phase_since=NOW - timedelta(days=10),
        attestations={"readiness_review": evidence("readiness_review", days_ago=days_ago)},
    )

    finding = attestation("readiness_review", POLICY.checks["readiness_review"], known, NOW)

    assert finding.result == expected


def test_an_assessment_from_the_future_of_our_clock_is_fresh() -> None:
    ahead = assessment(window_end=NOW + timedelta(hours=1), window_start=NOW - timedelta(days=27, hours=23))

    finding = slo_met_with_coverage(POLICY, facts(slos=(Slo("s", 1, ahead),)), NOW)

    assert finding.result == "pass"
