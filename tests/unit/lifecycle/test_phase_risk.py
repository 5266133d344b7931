"""Items about services that lack what their phase asks them to keep: opened, changed, closed, and nothing moves."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.events.testing import given
from services.lifecycle.api.gates.phase_risk_schemas import phase_risk_view
from services.lifecycle.contract import PHASE_RISK
from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.facts import Engagement, Exhausted, Review
from services.lifecycle.domain.phase_risk.commands import Lacking, Look
from services.lifecycle.domain.phase_risk.events import Lack, PhaseAtRisk, PhaseRiskChanged, PhaseRiskClosed
from services.lifecycle.domain.phases import Phase
from services.lifecycle.evaluation import found
from tests.fixtures.lifecycle import NOW, POLICY, attested_all, facts, slo

DAY = timedelta(days=1)
GENERAL, LIMITED = Phase.GENERAL_AVAILABILITY, Phase.LIMITED_AVAILABILITY


def lacking(check: str = "runbooks", **fields: Any) -> Lacking:
    result = replace(CheckResult(check, "fail", blocking=True, detail="so", how_to_fix="do it", source="W18"), **fields)
    return Lacking(result, ("checkout",))


def look(*lacks: Lacking, days: float = 0, phase: Phase = GENERAL, reasons: tuple[Lacking, ...] = ()) -> Look:
    return Look(
        service="checkout-api",
        item=f"item-{days}",
        phase=phase,
        policy_version="1",
        lacks=lacks,
        reasons=reasons,
        at=NOW + days * DAY,
    )


def lack(check: str = "runbooks", *, days: float = 0, detail: str = "so") -> Lack:
    return Lack(check, "fail", NOW + days * DAY, detail, "do it", ("checkout",), "W18")


OPENED = PhaseAtRisk("item-0", "checkout-api", GENERAL, "1", (lack(),), (), NOW)
CLOSED = PhaseRiskClosed("item-0", "checkout-api", GENERAL, "shown_again", NOW + DAY)


def test_what_is_lacking_opens_an_item() -> None:
    given(PHASE_RISK).when(look(lacking())).then(OPENED)


def test_what_suggests_a_step_back_opens_an_item_too() -> None:
    (event,) = PHASE_RISK.decide(look(reasons=(lacking(),)), ())

    assert isinstance(event, PhaseAtRisk)
    assert (event.lacks, event.reasons) == ((), (lack(),))


def test_a_service_that_lacks_nothing_has_no_item() -> None:
    given(PHASE_RISK).when(look()).then()


@pytest.mark.parametrize("fields", [{}, {"detail": "other figures"}])
def test_the_same_is_said_once_whatever_the_figures_of_the_day(fields: dict[str, Any]) -> None:
    given(PHASE_RISK, OPENED).when(look(lacking(**fields), days=1)).then()


def test_something_else_changes_the_item_and_each_check_keeps_its_own_day() -> None:
    lacks = (lack(), lack("load_test", days=2))
    changed = PhaseRiskChanged("item-0", "checkout-api", GENERAL, "1", lacks, (), NOW + 2 * DAY)

    given(PHASE_RISK, OPENED).when(look(lacking(), lacking("load_test"), days=2)).then(changed)


def test_a_reason_for_a_step_back_is_not_the_same_as_something_lacking() -> None:
    (event,) = PHASE_RISK.decide(look(days=1, reasons=(lacking(),)), given(PHASE_RISK, OPENED).state)

    assert isinstance(event, PhaseRiskChanged)


def test_what_is_shown_again_closes_the_item() -> None:
    given(PHASE_RISK, OPENED).when(look(days=1)).then(CLOSED)


def test_another_phase_closes_the_item_and_opens_one_for_what_is_lacking_there() -> None:
    left = replace(CLOSED, because="left_phase")
    anew = PhaseAtRisk("item-1", "checkout-api", LIMITED, "1", (lack(days=1),), (), NOW + DAY)

    given(PHASE_RISK, OPENED).when(look(days=1, phase=LIMITED)).then(left)
    given(PHASE_RISK, OPENED).when(look(lacking(), days=1, phase=LIMITED)).then(left, anew)


def test_what_was_looked_at_before_the_last_change_says_nothing_any_more() -> None:
    given(PHASE_RISK, OPENED).when(look(days=-1)).then()


def test_after_its_end_another_item_is_opened() -> None:
    (event,) = PHASE_RISK.decide(look(lacking(), days=2), given(PHASE_RISK, OPENED, CLOSED).state)

    assert isinstance(event, PhaseAtRisk)
    assert event.item == "item-2"


def test_an_expired_review_is_for_the_owner_and_a_violated_slo_for_both_sides() -> None:
    over = Review("r1", "approved", NOW - 400 * DAY, NOW - 366 * DAY, NOW - DAY)
    engaged = Engagement("e1", "sre-shop")
    known = attested_all(GENERAL, review=over, slos=(slo(sli=0.9),), engagement=engaged)

    asked = {each.check.id: each.who for each in found(POLICY, known, "i", NOW).lacks}

    assert asked == {"readiness_review_approved": ("checkout",), "slo_met_with_coverage": ("checkout", "sre-shop")}


def test_without_an_engagement_all_is_for_the_owner() -> None:
    known = attested_all(GENERAL, slos=(replace(slo(), last_exhausted=Exhausted("x", NOW - DAY)),))

    (reason,) = found(POLICY, known, "i", NOW).reasons

    assert (reason.check.id, reason.who) == ("no_unexplained_exhaustion", ("checkout",))


def test_nothing_is_kept_at_the_end() -> None:
    assert found(POLICY, facts(Phase.UNSUPPORTED), "i", NOW).lacks == ()


def test_an_item_says_who_must_do_what_since_when() -> None:
    changed = PhaseRiskChanged("item-0", "checkout-api", GENERAL, "1", (lack(),), (lack("x"),), NOW)
    view = phase_risk_view(given(PHASE_RISK, OPENED, changed).state[0])

    assert view.suggests is LIMITED
    assert view.next == (
        "checkout: do it (runbooks, fail since 2026-11-21)",
        "checkout: decide whether checkout-api goes back to limited availability (x)",
    )
    assert phase_risk_view(given(PHASE_RISK, OPENED, CLOSED).state[0]).next == ()
