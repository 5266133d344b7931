"""What each check finds, row by row: each passes, fails, and is unknown."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any, NamedTuple

import pytest

from services.lifecycle.domain.architecture.facts import ArchitectureFacts, DesignReviewFacts, OpenFinding
from services.lifecycle.domain.capacity.events import (
    Backtest,
    Domain,
    ForecastMade,
    Plan,
    PlanChanged,
    Supply,
    SupplyMeasured,
)
from services.lifecycle.domain.capacity.facts import CapacityFacts
from services.lifecycle.domain.capacity.state import Basis
from services.lifecycle.domain.checkpoint.facts import CheckpointFacts, Shown
from services.lifecycle.domain.checks import MEASURES
from services.lifecycle.domain.facts import (
    Agreed,
    BudgetPolicy,
    Dependency,
    Engagement,
    Exhausted,
    Facts,
    Learned,
    Member,
    OpenAction,
    OpenIncident,
    Replacement,
    Review,
    Rollout,
    Rota,
    Shift,
    Slo,
    Worked,
)
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.risk_register.events import Promise, RiskState
from services.lifecycle.domain.risk_register.facts import RiskFact, RiskFacts
from tests.fixtures.lifecycle import NOW, POLICY, assessment, evidence, facts, found, slo

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SHORT = {"window_start": NOW - timedelta(days=7)}
STALE = {"window_start": NOW - timedelta(days=31), "window_end": NOW - timedelta(days=2, seconds=1)}
LONG = {"window_start": NOW - timedelta(days=90)}
EXHAUSTED = Exhausted("exhausted-1", NOW - DAY)
ENGAGED = Engagement("engagement-1", "sre")
REVIEW = Review("review-1", "approved", NOW - 60 * DAY, NOW - 30 * DAY, NOW + 335 * DAY)


def rota(*members: tuple[str, str], since_days: float = 60) -> Rota:
    people = tuple(Member(f"{side}-{n}", side, site) for n, (side, site) in enumerate(members))  # type: ignore[arg-type]
    return Rota("schedule-changed-1", "checkout", people, NOW - since_days * DAY, NOW - DAY)


def shifts(pages: int = 1, interrupted: int = 60, days: int = 28, hours: float = 12) -> tuple[Shift, ...]:
    """One after the other up to now, each as bad as the other."""
    count = int(days * 24 / hours)
    return tuple(
        Shift(
            f"shift-{n}",
            "bo",
            "sre",
            NOW - (n + 1) * hours * HOUR,
            NOW - n * hours * HOUR,
            pages,
            interrupted,
        )
        for n in range(count)
    )


def action(priority: str = "P0", due: date = date(2026, 12, 24)) -> OpenAction:
    return OpenAction("opened-1", "action-1", "Limit the queue", "bo", priority, due, NOW - DAY)


def team_of(size: int, site: str = "berlin") -> list[tuple[str, str]]:
    return [("sre", site)] * size


PROMISE = Promise("checkout-availability", 0.999, 1)  # leaves 525.96 bad minutes a year; a quarter is 131.49
NAMED = {"replacement_named": evidence("replacement_named", figures={"replacement": "till-api"})}


def risk(bad_minutes: float | None, state: RiskState) -> RiskFact:
    return RiskFact("risk-1", "The only database fails", state, bad_minutes)


def rollout(first_percent: float, *, state: str = "done", back_days_ago: float | None = None) -> Rollout:
    back = None if back_days_ago is None else NOW - back_days_ago * DAY
    began = back or NOW - 20 * DAY
    return Rollout("rolled-1", "rollout-1", "canary", state, began, began, first_percent, back)


def design(state: Any, days_ago: float = 1) -> DesignReviewFacts:
    by = "cleo" if state == "approved" else ""
    return DesignReviewFacts("approved-1", "review-1", "Checkout", state, NOW - days_ago * DAY, by)


def architecture(*, open_: tuple[str, ...] = (), days_ago: float = 1) -> ArchitectureFacts:
    found = tuple(
        OpenFinding("opened-1", "finding-1", "retry-storm", title, "blocking", "open", NOW) for title in open_
    )
    return ArchitectureFacts(NOW - days_ago * DAY, "review-2", found, (), len(found))


def worked(operational: float, project: float, team: str = "checkout") -> tuple[Worked, ...]:
    today = NOW.date()
    return (Worked(team, True, operational, today), Worked(team, False, project, today))  # noqa: FBT003


NEEDS_PAY = (Dependency("pay-api", described=True), Dependency("ads", described=True, is_hard=False))


def capacity(peak: float) -> CapacityFacts:
    """Every week *peak* requests a second, and a dozen units of a hundred each for them."""
    today = NOW.date()
    supply = Supply("pod", 100.0, today, "https://ci.example/31", (Domain("zone-a", 12, 1.0),))
    plan = Plan(horizon_days=365, lead_time_days=42, spare=2, utilisation=0.7)
    forecast = ForecastMade(
        "checkout-api",
        "linear",
        yearly=False,
        history=120,
        until=today - DAY,
        backtest=Backtest(30, 0.02, 0.06, 0.04),
        growth_a_year=0.0,
        weeks=(peak,) * 60,
        imports=1,
        at=NOW,
    )
    return CapacityFacts(
        Basis(
            metric="rps",
            measured_until=today - DAY,
            forecast=forecast,
            supply=SupplyMeasured("checkout-api", supply, "ana", NOW),
            plan=PlanChanged("checkout-api", plan, "", "ana", NOW),
            imports=1,
        )
    )


def checkpoint(kind: Any, *, days_ago: float = 1, **fields: Any) -> CheckpointFacts:
    shown = Shown(
        checkpoint="checkpoint-1",
        event="concluded-1",
        service="checkout-api",
        kind=kind,
        title="As planned",
        conclusion="passed",
        performed_at=NOW - days_ago * DAY,
        performed_by="bo",
        environment="staging",
        depends_on="",
        showed="",
        figures={},
        url="https://ci.example/9",
    )
    shown = replace(shown, **fields)
    return CheckpointFacts(newest={kind: shown}, without={shown.depends_on: shown} if shown.depends_on else {})


class Row(NamedTuple):
    """Facts in which a check passes, fails, and is unknown."""

    passes: Facts
    fails: Facts
    unknown: Facts


SEEN = {"metrics": 1.0, "logs": 0.0, "traces": 0.0, "dashboards": 1.0}
SILENT = {"heard": dict[str, timedelta]()}
MEASURED: dict[str, Row] = {
    "design_review": Row(
        facts(design=design("approved")), facts(design=design("in_review")), facts(design=design("approved", 366))
    ),
    "dependencies_listed": Row(
        facts(dependencies=(Dependency("pay-api", described=True),)),
        facts(dependencies=(Dependency("pay-api", described=True), Dependency("auth", described=False))),
        facts(),
    ),
    "slo_drafted": Row(
        facts(slos=(Slo("checkout-availability", 1),)),
        facts(attestations={"slo_drafted": evidence("slo_drafted", outcome="failed")}),
        facts(),
    ),
    "sli_emitting": Row(facts(slos=(slo(coverage=0.25),)), facts(slos=(slo(coverage=0.2499),)), facts()),
    "slo_agreed": Row(
        facts(slos=(replace(slo(), agreed=Agreed("agreed-1", 1, NOW)),)),
        facts(slos=(replace(slo(), revision=3, agreed=Agreed("agreed-1", 2, NOW)),)),
        facts(slos=(slo(),)),
    ),
    "slo_met_with_coverage": Row(
        facts(slos=(slo(),)), facts(slos=(slo(sli=0.9, state="violated"),)), facts(slos=(slo(coverage=0.5),))
    ),
    "error_budget_left_and_no_freeze": Row(
        facts(slos=(slo(),)), facts(slos=(slo(remaining=-1.0),)), facts(slos=(slo(),), **SILENT)
    ),
    "no_open_sev1_2_incident": Row(
        facts(), facts(incidents=(OpenIncident("i1", "INC-1", "sev1", NOW),), **SILENT), facts(**SILENT)
    ),
    "postmortem_actions_done": Row(facts(), facts(actions=(action(),)), facts(**SILENT)),
    "no_unexplained_exhaustion": Row(
        facts(slos=(slo(),)), facts(slos=(replace(slo(), last_exhausted=EXHAUSTED),)), facts(slos=(slo(),), **SILENT)
    ),
    "error_budget_policy_signed": Row(
        facts(budget_policy=BudgetPolicy("signed-1", 2, 1, NOW)),
        facts(budget_policy=BudgetPolicy("written-1", 1, 0, NOW)),
        facts(),
    ),
    "rota_with_a_developer": Row(
        facts(rotas=(rota(("dev", "berlin")),)), facts(rotas=(rota(("sre", "berlin")),)), facts()
    ),
    "rota_with_both_sides": Row(
        facts(rotas=(rota(("dev", ""), ("sre", "")),), engagement=ENGAGED),
        facts(rotas=(rota(("dev", "")),), engagement=ENGAGED),
        facts(engagement=ENGAGED),
    ),
    "rota_is_large_enough": Row(
        facts(rotas=(rota(*team_of(8)),), engagement=ENGAGED),
        facts(rotas=(rota(*team_of(7)),), engagement=ENGAGED),
        facts(engagement=ENGAGED),
    ),
    "pages_per_shift": Row(facts(shifts=shifts(2)), facts(shifts=shifts(3)), facts(shifts=shifts(days=26))),
    "operational_load": Row(
        facts(shifts=shifts(interrupted=120)), facts(shifts=shifts(interrupted=121)), facts(shifts=())
    ),
    "receiving_rota_live": Row(
        facts(rotas=(rota(("dev", ""), since_days=28),)),
        facts(rotas=(rota(("dev", ""), since_days=27.9),)),
        facts(),
    ),
    "readiness_review_started": Row(
        facts(review=replace(REVIEW, state="analysis")), facts(review=replace(REVIEW, state="requested")), facts()
    ),
    "readiness_review_approved": Row(facts(review=REVIEW), facts(review=replace(REVIEW, state="declined")), facts()),
    "security_review": Row(
        facts(review=replace(REVIEW, security_opened=True, security_open=())),
        facts(review=replace(REVIEW, security_opened=True, security_open=("secrets",))),
        facts(review=REVIEW),
    ),
    "security_review_opened": Row(
        facts(review=replace(REVIEW, security_opened=True)),
        facts(attestations={"security_review_opened": evidence("security_review_opened", outcome="failed")}),
        facts(review=REVIEW),
    ),
    "readiness_review": Row(
        facts(phase_since=NOW - 90 * DAY, review=REVIEW), facts(phase_since=NOW - DAY, review=REVIEW), facts()
    ),
    "no_dependents": Row(
        facts(dependents=(), attestations={"no_dependents": evidence("no_dependents")}),
        facts(dependents=("till-api",), attestations={"no_dependents": evidence("no_dependents")}),
        facts(dependents=()),
    ),
    "alerts_removed": Row(
        facts(attestations={"alerts_removed": evidence("alerts_removed")}),
        facts(attestations={"alerts_removed": evidence("alerts_removed")}, slos=(slo(),)),
        facts(),
    ),
    "rota_removed": Row(
        facts(attestations={"rota_removed": evidence("rota_removed")}),
        facts(attestations={"rota_removed": evidence("rota_removed")}, rotas=(rota(("dev", "")),)),
        facts(),
    ),
    "no_references": Row(
        facts(attestations={"no_references": evidence("no_references", figures={"references": 0})}),
        facts(attestations={"no_references": evidence("no_references")}, engagement=ENGAGED),
        facts(),
    ),
    "no_open_blocking_antipattern": Row(
        facts(architecture=architecture()),
        facts(architecture=architecture(open_=("Retry storm",))),
        facts(architecture=replace(architecture(), reviewed_at=None)),
    ),
    "progressive_rollout": Row(
        facts(rollouts=(rollout(100), rollout(5))), facts(rollouts=(rollout(5), rollout(100))), facts()
    ),
    "production_rollback": Row(
        facts(rollouts=(rollout(5, back_days_ago=29),)),
        facts(attestations={"production_rollback": evidence("production_rollback", outcome="failed")}),
        facts(rollouts=(rollout(5, back_days_ago=31),)),
    ),
    "risks_accepted": Row(
        facts(risks=RiskFacts((risk(131, "assessed"), risk(500, "accepted")), PROMISE)),
        facts(risks=RiskFacts((risk(132, "assessed"),), PROMISE)),
        facts(risks=RiskFacts((risk(None, "proposed"),), PROMISE)),
    ),
    "replacement_named": Row(
        facts(attestations=NAMED, replacement=Replacement("till-api", Phase.LIMITED_AVAILABILITY)),
        facts(attestations=NAMED, replacement=Replacement("till-api", Phase.ACTIVE_DEVELOPMENT)),
        facts(),
    ),
    "demand_estimate": Row(
        facts(capacity=capacity(600)),
        facts(attestations={"demand_estimate": evidence("demand_estimate", outcome="failed")}),
        facts(capacity=CapacityFacts(Basis())),
    ),
    "capacity_covers_demand": Row(
        facts(capacity=capacity(600)), facts(capacity=capacity(9000)), facts(capacity=CapacityFacts(Basis()))
    ),
    "load_test": Row(
        facts(checkpoints=checkpoint("load_test", figures={"peak_ratio": 1.5})),
        facts(checkpoints=checkpoint("load_test", figures={"peak_ratio": 1.4})),
        facts(checkpoints=checkpoint("load_test", days_ago=91)),
    ),
    "restore_test": Row(
        facts(checkpoints=checkpoint("restore_test")),
        facts(checkpoints=checkpoint("restore_test", conclusion="failed")),
        facts(),
    ),
    "rollback_drill": Row(
        facts(checkpoints=checkpoint("rollback_drill", days_ago=30)),
        facts(checkpoints=checkpoint("rollback_drill", conclusion="failed")),
        facts(checkpoints=checkpoint("rollback_drill", days_ago=31)),
    ),
    "chaos_experiment": Row(
        facts(checkpoints=checkpoint("chaos_experiment", depends_on="pay-api"), dependencies=NEEDS_PAY),
        facts(
            checkpoints=checkpoint("chaos_experiment", depends_on="pay-api", conclusion="failed"),
            dependencies=NEEDS_PAY,
        ),
        facts(
            checkpoints=checkpoint("chaos_experiment", depends_on="pay-api"),
            dependencies=(*NEEDS_PAY, Dependency("auth", described=True)),
        ),
    ),
    "build_observability": Row(
        facts(checkpoints=checkpoint("observability_report", days_ago=30)),
        facts(checkpoints=checkpoint("observability_report", conclusion="failed", showed="traces are missing")),
        facts(checkpoints=checkpoint("observability_report", days_ago=31)),
    ),
    "initial_monitoring": Row(
        facts(
            checkpoints=checkpoint("observability_report", figures=SEEN),
            attestations={"initial_monitoring": evidence("initial_monitoring")},
        ),
        facts(
            checkpoints=checkpoint("observability_report", figures={**SEEN, "dashboards": 0.0}),
            attestations={"initial_monitoring": evidence("initial_monitoring")},
        ),
        facts(checkpoints=checkpoint("observability_report", figures=SEEN)),  # nobody has sent a test page
    ),
}
ATTESTED = sorted(set(POLICY.checks) - set(MEASURES))


@pytest.mark.parametrize("name", sorted(MEASURED))
def test_a_measured_check_passes_fails_and_is_unknown(name: str) -> None:
    row = MEASURED[name]

    findings = [found(name, known) for known in row]

    assert [finding.result for finding in findings] == ["pass", "fail", "unknown"]
    assert all(finding.detail for finding in findings)
    assert findings[1].evidence


@pytest.mark.parametrize("name", ATTESTED)
def test_an_attested_check_passes_fails_is_unknown_and_grows_stale(name: str) -> None:
    age = POLICY.checks[name].max_age_days
    assert age is not None

    def result(**fields: Any) -> str:
        known = facts(phase_since=NOW - 1000 * DAY, attestations={name: evidence(name, **fields)})
        return found(name, known).result

    assert found(name, facts()).result == "unknown"
    assert [result(), result(outcome="failed")] == ["pass", "fail"]
    assert [result(days_ago=age.value), result(days_ago=age.value + 0.001)] == ["pass", "unknown"]


def test_no_measured_check_is_without_its_row() -> None:
    alone = {"owner_and_tier_set", "time_in_limited_availability"}  # never unknown; they have tests of their own below

    assert set(MEASURED) == set(MEASURES) - alone


def test_every_check_of_the_policy_is_asked_for_somewhere() -> None:
    asked = {name for names in (*POLICY.gates.values(), *POLICY.keeps.values()) for name in names}

    assert asked == set(POLICY.checks)


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
    finding = found("owner_and_tier_set", facts(owner_team=owner, tier=tier))

    assert (finding.result, finding.detail) == (expected, detail)
    assert [seen.values for seen in finding.evidence] == [{"owner_team": owner or None, "tier": tier or None}]


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
    finding = found("slo_met_with_coverage", facts(slos=(slo(**fields),)))

    assert finding.result == expected
    assert [seen.id for seen in finding.evidence] == ["assessed-1"]
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
    assert found("error_budget_left_and_no_freeze", facts(slos=(slo(**fields),))).result == expected


def test_a_freeze_holds_until_the_budget_has_recovered_whatever_is_left() -> None:
    frozen = replace(slo(remaining=0.9), exhausted=EXHAUSTED)

    finding = found("error_budget_left_and_no_freeze", facts(slos=(frozen,)))

    assert (finding.result, finding.evidence[0].id) == ("fail", "exhausted-1")


@pytest.mark.parametrize("check", ["slo_met_with_coverage", "error_budget_left_and_no_freeze"])
@pytest.mark.parametrize("slos", [(), (Slo("checkout-availability", 1),)], ids=["no-slo", "never-assessed"])
def test_nothing_known_of_an_slo_is_unknown_and_says_what_to_do(check: str, slos: tuple[Slo, ...]) -> None:
    finding = found(check, facts(slos=slos))

    assert finding.result == "unknown"
    assert "send measurements" in finding.how_to_fix


def test_the_worst_slo_decides_and_is_named_with_every_other_as_bad() -> None:
    slos = (slo("good"), slo("thin", coverage=0.5), slo("bad", sli=0.9), slo("worse", sli=0.8))

    finding = found("slo_met_with_coverage", facts(slos=slos))

    assert finding.result == "fail"
    assert [part.split(":")[0] for part in finding.detail.split("; ")] == ["bad", "worse"]
    assert len(finding.evidence) == 4


def test_an_slo_without_enough_data_outweighs_one_that_is_met() -> None:
    finding = found("slo_met_with_coverage", facts(slos=(slo("good"), slo("thin", coverage=0.5))))

    assert (finding.result, finding.detail.split(":")[0]) == ("unknown", "thin")


def test_the_values_that_were_looked_at_are_kept() -> None:
    (seen,) = found("slo_met_with_coverage", facts(slos=(slo(),))).evidence

    assert seen.values == {
        "slo": "checkout-availability",
        "revision": 1,
        "state": "met",
        "target": 0.99,
        "sli": 0.995,
        "coverage": 1.0,
        "error_budget_remaining": 0.5,
    }


def test_an_assessment_from_the_future_of_our_clock_is_fresh() -> None:
    ahead = assessment(window_end=NOW + HOUR, window_start=NOW - timedelta(days=27, hours=23))

    assert found("slo_met_with_coverage", facts(slos=(Slo("s", 1, ahead),))).result == "pass"


@pytest.mark.parametrize(
    ("severities", "expected"),
    [((), "pass"), (("sev3", "sev4"), "pass"), (("sev2",), "fail"), (("sev4", "sev1"), "fail")],
)
def test_no_open_sev1_2_incident(severities: tuple[str, ...], expected: str) -> None:
    incidents = tuple(
        OpenIncident(f"i{n}", f"INC-{n}", severity, NOW) for n, severity in enumerate(severities, start=1)
    )

    assert found("no_open_sev1_2_incident", facts(incidents=incidents)).result == expected


def test_every_severe_incident_is_named() -> None:
    incidents = (
        OpenIncident("i1", "INC-1", "sev1", NOW),
        OpenIncident("i2", "INC-2", "sev3", NOW),
        OpenIncident("i3", "INC-3", "sev2", NOW),
    )

    finding = found("no_open_sev1_2_incident", facts(incidents=incidents))

    assert finding.how_to_fix == "resolve INC-1 (sev1), INC-3 (sev2)"
    assert [seen.id for seen in finding.evidence] == ["i1", "i3"]


@pytest.mark.parametrize(("minutes", "expected"), [(15, "pass"), (15.1, "unknown")])
def test_no_incident_heard_is_good_news_only_while_the_line_is_open(minutes: float, expected: str) -> None:
    finding = found("no_open_sev1_2_incident", facts(heard={"incidents": timedelta(minutes=minutes)}))

    assert finding.result == expected


def test_a_line_that_was_never_open_is_named() -> None:
    finding = found("no_open_sev1_2_incident", facts(heard={}))

    assert "the incidents service was never heard" in finding.detail
    assert "workers" in finding.how_to_fix


@pytest.mark.parametrize(
    ("priority", "due", "expected"),
    [
        ("P0", date(2026, 12, 24), "fail"),
        ("P1", date(2026, 11, 21), "pass"),
        ("P1", date(2026, 11, 20), "fail"),  # an agreed date is kept
    ],
)
def test_urgent_actions_are_done_and_none_is_overdue(priority: str, due: date, expected: str) -> None:
    assert found("postmortem_actions_done", facts(actions=(action(priority, due),))).result == expected


@pytest.mark.parametrize(
    ("spent_days_ago", "learned_days_ago", "expected"),
    [(89, None, "fail"), (91, None, "pass"), (5, 4, "pass"), (4, 5, "fail")],
)
def test_a_spent_budget_suggests_a_step_back_until_a_postmortem_says_why(
    spent_days_ago: float, learned_days_ago: float | None, expected: str
) -> None:
    spent = replace(slo(), last_exhausted=Exhausted("exhausted-1", NOW - spent_days_ago * DAY))
    lessons = () if learned_days_ago is None else (Learned("pm-1", "INC-1", NOW - learned_days_ago * DAY),)

    assert found("no_unexplained_exhaustion", facts(slos=(spent,), postmortems=lessons)).result == expected


def test_a_list_of_dependencies_is_complete_when_somebody_says_so() -> None:
    known = facts(dependencies=(Dependency("pay-api", described=True),), dependencies_confirmed=False)

    assert found("dependencies_listed", known).result == "fail"


def test_the_rota_needs_an_sre_too_once_a_team_is_engaged() -> None:
    alone = (rota(("dev", "berlin")),)

    assert found("rota_with_a_developer", facts(rotas=alone)).result == "pass"
    assert found("rota_with_a_developer", facts(rotas=alone, engagement=ENGAGED)).result == "fail"


@pytest.mark.parametrize("check", ["rota_with_both_sides", "rota_is_large_enough"])
def test_without_an_engagement_there_is_no_rota_to_share(check: str) -> None:
    assert found(check, facts()).result == "not_applicable"


@pytest.mark.parametrize(
    ("berlin", "tokyo", "expected"), [(6, 6, "pass"), (6, 5, "fail"), (8, 1, "pass"), (7, 4, "fail")]
)
def test_eight_people_at_one_site_or_six_at_each_of_two(berlin: int, tokyo: int, expected: str) -> None:
    people = rota(*team_of(berlin), *team_of(tokyo, "tokyo"))

    assert found("rota_is_large_enough", facts(rotas=(people,), engagement=ENGAGED)).result == expected


def test_a_person_in_two_schedules_is_one_person() -> None:
    twice = (rota(*team_of(4)), rota(*team_of(4)))

    assert found("rota_is_large_enough", facts(rotas=twice, engagement=ENGAGED)).result == "fail"


def test_a_shift_of_a_week_counts_as_fourteen() -> None:
    assert found("pages_per_shift", facts(shifts=shifts(28, hours=168))).result == "pass"
    assert found("pages_per_shift", facts(shifts=shifts(29, hours=168))).result == "fail"


@pytest.mark.parametrize(("days_ago", "result"), [(0, "pass"), (6, "pass"), (7, "pass"), (7.1, "unknown")])
def test_the_shift_that_goes_on_leaves_no_hole_and_one_that_nobody_closed_does(days_ago: float, result: str) -> None:
    known = [
        replace(shift, start=shift.start - days_ago * DAY, end=shift.end - days_ago * DAY)
        for shift in shifts(28, hours=168)
    ]

    assert found("pages_per_shift", facts(shifts=known)).result == result
    assert found("operational_load", facts(shifts=known)).result == result


def test_pages_that_nobody_counted_can_be_attested() -> None:
    known = facts(attestations={"pages_per_shift": evidence("pages_per_shift")})

    assert found("pages_per_shift", known).result == "pass"


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"state": "approved_with_conditions"}, "pass"),
        ({"state": "approved_with_conditions", "overdue_conditions": 1}, "fail"),
        ({"open_blocking": 1}, "fail"),
        ({"expires": NOW}, "fail"),
        ({"outside_reviewer": False}, "fail"),
        ({"state": "continuous"}, "pass"),
    ],
)
def test_an_approval_counts_while_it_is_valid_and_nothing_that_blocks_is_open(
    fields: dict[str, Any], expected: str
) -> None:
    assert found("readiness_review_approved", facts(review=replace(REVIEW, **fields))).result == expected


def test_an_engaged_team_is_reviewed_from_outside_anyway() -> None:
    known = facts(review=replace(REVIEW, outside_reviewer=False), engagement=ENGAGED)

    assert found("readiness_review_approved", known).result == "pass"


def test_an_approved_review_has_begun() -> None:
    known = facts(attestations={"readiness_review_approved": evidence("readiness_review_approved")})

    assert found("readiness_review_started", known).result == "pass"


@pytest.mark.parametrize(("decided_days_ago", "expected"), [(1, "pass"), (3, "fail")])
def test_somebody_may_decide_in_this_phase_to_go_on_earlier(decided_days_ago: float, expected: str) -> None:
    name = "time_in_limited_availability"
    known = facts(phase_since=NOW - 2 * DAY, attestations={name: evidence(name, days_ago=decided_days_ago)})

    assert found(name, known).result == expected


def test_whoever_leaves_limited_availability_out_was_never_there() -> None:
    name = "time_in_limited_availability"
    known = facts(Phase.ACTIVE_DEVELOPMENT, attestations={name: evidence(name)})

    finding = found(name, known)

    assert (finding.result, "waived" in finding.how_to_fix) == ("fail", True)


@pytest.mark.parametrize(
    ("figures", "expected"),
    [({}, "pass"), ({"peak_ratio": 1.5}, "pass"), ({"peak_ratio": 1.49}, "fail"), ({"peak_ratio": "much"}, "fail")],
)
def test_a_figure_that_is_given_is_judged(figures: dict[str, Any], expected: str) -> None:
    known = facts(attestations={"load_test": evidence("load_test", figures=figures)})

    finding = found("load_test", known)

    assert finding.result == expected
    assert ("without a figure of peak_ratio" in finding.detail) is not bool(figures)


@pytest.mark.parametrize(("references", "expected"), [(0, "pass"), (1, "fail")])
def test_what_is_removed_leaves_no_reference(references: int, expected: str) -> None:
    known = facts(
        Phase.UNSUPPORTED, attestations={"no_references": evidence("no_references", figures={"references": references})}
    )

    assert found("no_references", known).result == expected


@pytest.mark.parametrize("name", ["recovery_objectives", "restore_test"])
def test_a_service_that_keeps_nothing_has_nothing_to_restore(name: str) -> None:
    finding = found(name, facts(attestations={"stateless": evidence("stateless")}))

    assert (finding.result, finding.evidence[0].kind) == ("not_applicable", "stateless")


@pytest.mark.parametrize(("days_ago", "expected"), [(10, "pass"), (11, "unknown")])
def test_a_review_from_before_the_phase_began_does_not_count_where_a_new_one_is_asked(
    days_ago: float, expected: str
) -> None:
    known = facts(
        phase_since=NOW - timedelta(days=10),
        attestations={"readiness_review": evidence("readiness_review", days_ago=days_ago)},
    )

    assert found("readiness_review", known).result == expected


@pytest.mark.parametrize(
    "name", sorted(set(MEASURES) & {name for name in POLICY.checks if POLICY.checks[name].max_age_days})
)
def test_where_the_platform_knows_nothing_people_may_attest_it(name: str) -> None:
    since = NOW - (2 if name == "time_in_limited_availability" else 1000) * DAY
    shared = ENGAGED if name in {"rota_with_both_sides", "rota_is_large_enough"} else None
    known = facts(phase_since=since, engagement=shared, attestations={name: evidence(name)})

    assert found(name, known).result == "pass"


def test_who_is_of_the_team_does_not_attest_the_review_of_its_design() -> None:
    known = facts(attestations={"design_review": evidence("design_review")}, owners=frozenset({"ana"}))

    assert found("design_review", known).result == "fail"


@pytest.mark.parametrize(
    ("risks", "expected"),
    [
        (RiskFacts((risk(526, "accepted"),), PROMISE), "fail"),  # more than there is
        (RiskFacts((), PROMISE), "pass"),  # all eliminated
        (RiskFacts((risk(10, "assessed"),), None), "unknown"),  # of which budget?
        (RiskFacts((risk(None, "proposed"), risk(400, "mitigating")), PROMISE), "fail"),  # a fail outranks
    ],
)
def test_risks_count_against_the_budget_of_the_strictest_slo(risks: RiskFacts, expected: str) -> None:
    assert found("risks_accepted", facts(risks=risks)).result == expected


@pytest.mark.parametrize(
    ("work", "on_call", "expected"),
    [
        (worked(50, 50), None, "pass"),
        (worked(51, 50), None, "fail"),
        (worked(51, 0), None, "unknown"),  # nobody works on nothing else: only toil was recorded
        (worked(10, 50), shifts(interrupted=121), "fail"),  # each must hold
        (worked(10, 50), shifts(days=3), "pass"),  # what is recorded speaks where shifts do not
        ((*worked(1, 50), *worked(60, 50, "sre")), None, "fail"),  # of either team
    ],
)
def test_recorded_work_is_operational_load(work: tuple[Worked, ...], on_call: Any, expected: str) -> None:
    assert found("operational_load", facts(work=work, shifts=on_call)).result == expected


@pytest.mark.parametrize(
    ("rollouts", "expected"),
    [
        ((rollout(5, state="planned"),), "unknown"),  # nobody has looked at it yet
        ((rollout(5, state="reviewed"),), "pass"),
        ((rollout(5), rollout(100, state="cancelled")), "pass"),
    ],
)
def test_a_roll_out_counts_once_another_person_has_reviewed_it(rollouts: tuple[Rollout, ...], expected: str) -> None:
    assert found("progressive_rollout", facts(rollouts=rollouts)).result == expected


@pytest.mark.parametrize(
    ("figures", "named", "expected"),
    [
        ({}, None, "pass"),
        ({"replacement": "none", "reason": "nobody needs it"}, None, "pass"),
        ({"replacement": "none"}, None, "fail"),
        ({"replacement": "x"}, Replacement("x", None), "fail"),
        ({"replacement": "checkout-api"}, Replacement("checkout-api", Phase.GENERAL_AVAILABILITY), "fail"),
        ({"replacement": "x"}, Replacement("x", Phase.UNSUPPORTED), "fail"),
        ({"replacement": "x"}, Replacement("x", Phase.GENERAL_AVAILABILITY), "pass"),
    ],
)
def test_a_replacement_that_is_named_is_looked_up(figures: Any, named: Replacement | None, expected: str) -> None:
    name = "replacement_named"

    finding = found(name, facts(attestations={name: evidence(name, figures=figures)}, replacement=named))

    assert finding.result == expected
    assert bool(finding.how_to_fix) == (expected == "fail")


@pytest.mark.parametrize(
    ("stateless", "expected"), [(True, "not_applicable"), (False, "unknown"), (None, "not_applicable")]
)
def test_the_record_of_a_service_outranks_what_is_attested_of_its_state(
    *, stateless: bool | None, expected: str
) -> None:
    known = facts(stateless=stateless, attestations={"stateless": evidence("stateless")})

    assert found("restore_test", known).result == expected


def test_findings_that_block_count_whatever_was_signed_and_an_old_signature_does_not() -> None:
    name = "no_open_blocking_antipattern"
    old = architecture(days_ago=366)

    assert found(name, facts(architecture=old)).result == "unknown"
    assert found(name, facts(architecture=old, attestations={name: evidence(name)})).result == "pass"


def test_a_policy_from_before_the_platform_measured_a_check_has_people_attest_it() -> None:
    name = "capacity_covers_demand"
    older = replace(POLICY, checks={**POLICY.checks, name: replace(POLICY.checks[name], numbers={})})
    known = facts(capacity=capacity(9000), attestations={name: evidence(name)})

    assert (found(name, known, older).result, found(name, known).result) == ("pass", "fail")


def test_where_too_little_is_known_of_capacity_an_attestation_speaks() -> None:
    name = "capacity_covers_demand"

    assert found(name, facts(capacity=CapacityFacts(Basis()), attestations={name: evidence(name)})).result == "pass"


def test_every_hard_dependency_that_nobody_took_away_is_named() -> None:
    tried = checkpoint("chaos_experiment", depends_on="pay-api")
    needs = (*NEEDS_PAY, Dependency("auth", described=True), Dependency("mail", described=True))

    finding = found("chaos_experiment", facts(checkpoints=tried, dependencies=needs))

    assert finding.how_to_fix == "auth, mail: take away auth, mail, and see what happens"


def test_a_service_that_needs_nothing_has_nothing_that_could_be_taken_away() -> None:
    nothing = facts(dependencies=(), dependencies_confirmed=True)

    assert found("chaos_experiment", nothing).result == "not_applicable"
    assert found("chaos_experiment", replace(nothing, dependencies_confirmed=False)).result == "unknown"


def test_a_report_of_a_build_that_is_too_old_leaves_the_monitoring_to_what_people_say() -> None:
    name = "initial_monitoring"
    old = checkpoint("observability_report", days_ago=91, figures={**SEEN, "dashboards": 0.0})

    assert found(name, facts(checkpoints=old, attestations={name: evidence(name)})).result == "pass"


def test_a_build_that_is_watched_shows_its_report_beside_the_test_page() -> None:
    name = "initial_monitoring"
    known = facts(checkpoints=checkpoint("observability_report", figures=SEEN), attestations={name: evidence(name)})

    assert [each.kind for each in found(name, known).evidence] == ["observability_report", name]
