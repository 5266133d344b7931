"""The risk register's arithmetic and rules."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given as for_all
from hypothesis import settings
from hypothesis import strategies as st

from libs.events.testing import given
from services.lifecycle.config import LifecycleSettings, load_policies
from services.lifecycle.contract import RISK_REGISTER
from services.lifecycle.domain.errors import RecordedOtherwiseError, UnknownError
from services.lifecycle.domain.policy import InvalidPolicyError
from services.lifecycle.domain.risk_register.arithmetic import Estimate, Systemic, Took, allowed_minutes
from services.lifecycle.domain.risk_register.commands import (
    Accept,
    Assess,
    Command,
    Eliminate,
    Lapse,
    Measure,
    Mitigate,
    Propose,
    Realise,
    Recognise,
    Reconsider,
    Reestimate,
    Transfer,
)
from services.lifecycle.domain.risk_register.errors import (
    AcceptorError,
    BudgetAllocatedError,
    IllegalRiskStepError,
    NoPromiseError,
    NothingObservedError,
    RiskDateError,
    RiskError,
    TooBigError,
)
from services.lifecycle.domain.risk_register.events import (
    AcceptanceEnded,
    Event,
    MitigationBegun,
    Promise,
    RiskAccepted,
    RiskAssessed,
    RiskMeasured,
    RiskProposed,
    RiskRealised,
)
from services.lifecycle.domain.risk_register.facts import RiskFact, RiskFacts
from services.lifecycle.domain.risk_register.state import budget_of, observed
from services.lifecycle.domain.service.commands import Actor
from tests.fixtures.reviews import ANA, AT, BOB, CI

DAY = timedelta(days=1)
POLICY = load_policies(LifecycleSettings()).risks
VECTOR = Estimate(ttd_minutes=60, ttr_minutes=120, users_fraction=0.25, mtbf_days=90)  # 182.6 minutes a year
STRICT, LOOSE = Promise("availability", 0.999, 1), Promise("availability", 0.995, 2)


def propose(risk: str = "k1", estimate: Estimate | None = VECTOR, **fields: Any) -> Propose:
    told: dict[str, Any] = {"title": risk, "text": "", "cause": "dependency_failure", "basis": "INC-7"}
    return Propose(service="s", risk=risk, estimate=estimate, by=ANA, at=AT, **{**told, **fields})


def assess(risk: str = "k1", estimate: Estimate = VECTOR, promise: Promise | None = LOOSE) -> Assess:
    return Assess(
        service="s", risk=risk, estimate=estimate, basis="again", promise=promise, policy=POLICY, by=ANA, at=AT
    )


def accept(risk: str = "k1", promise: Promise | None = LOOSE, by: Actor = BOB, **fields: Any) -> Accept:
    told: dict[str, Any] = {"until": AT + 100 * DAY, "reason": "for now", "at": AT}
    return Accept(service="s", risk=risk, promise=promise, policy=POLICY, by=by, **{**told, **fields})


UNTOLD = Took(None, None)
MITIGATE = Mitigate(
    service="s", risk="k1", plan="a second one", owner="ana", due=date(2027, 2, 1), by=BOB, reason="", at=AT
)
ELIMINATE = Eliminate(service="s", risk="k1", url="https://x.example", by=BOB, reason="gone", at=AT)
TRANSFER = Transfer(service="s", risk="k1", to="them", by=BOB, reason="signed", at=AT)
HAPPENED = Realise(
    service="s",
    risk="k1",
    incident="INC-1",
    took=UNTOLD,
    ttd_minutes=None,
    ttr_minutes=None,
    users_fraction=None,
    by="ana",
    at=AT + 10 * DAY,
)


def after(*commands: Command) -> tuple[Event, ...]:
    past: tuple[Event, ...] = ()
    for command in commands:
        past += RISK_REGISTER.decide(command, RISK_REGISTER.fold({}, past))
    return past


def states(past: tuple[Event, ...]) -> dict[str, str]:
    return {name: risk.state for name, risk in RISK_REGISTER.fold({}, past).items()}


def test_the_vector_of_the_source() -> None:
    assert VECTOR.bad_minutes == pytest.approx(182.6, abs=0.05)
    assert allowed_minutes(0.999) == pytest.approx(525.96)
    strict, loose = (budget_of((), promise, POLICY) for promise in (STRICT, LOOSE))
    assert strict.cap == pytest.approx(131.5, abs=0.05)
    assert strict.cap < VECTOR.bad_minutes < loose.cap


def test_what_makes_everything_worse_adds_up() -> None:
    other = Estimate(ttd_minutes=5, ttr_minutes=10, users_fraction=1, mtbf_days=365.25)
    factor = Systemic(more_often=0.1, ttd_minutes=20, ttr_minutes=10)

    assert factor.bad_minutes([VECTOR, other]) == pytest.approx(33 * (0.25 * 365.25 / 90 + 1) + 19.7625)
    assert Systemic().bad_minutes([VECTOR, other]) == 0


@for_all(
    st.builds(Estimate, *[st.floats(0, 1e4)] * 2, st.floats(0, 1), st.floats(1, 1e4)),
    st.builds(Systemic, *[st.floats(0, 100)] * 3),
)
def test_a_systemic_factor_is_what_the_worse_numbers_cost_more(estimate: Estimate, factor: Systemic) -> None:
    worse = Estimate(
        estimate.ttd_minutes + factor.ttd_minutes,
        estimate.ttr_minutes + factor.ttr_minutes,
        estimate.users_fraction,
        estimate.mtbf_days / (1 + factor.more_often),
    )

    more = worse.bad_minutes - estimate.bad_minutes
    assert factor.bad_minutes([estimate]) == pytest.approx(more, rel=1e-6, abs=1e-3)


def test_a_risk_is_proposed_with_numbers_or_without() -> None:
    proposed = RiskProposed("k1", "s", "k1", "", "dependency_failure", "ana", AT)

    given(RISK_REGISTER).when(propose(estimate=None)).then(proposed)
    past = after(propose())
    assert past == (proposed, RiskAssessed("k1", "s", VECTOR, VECTOR.bad_minutes, "INC-7", "ana", AT))
    given(RISK_REGISTER, *past).when(propose()).then()
    given(RISK_REGISTER, *past).when(propose(title="other")).refuses(RecordedOtherwiseError)


def test_a_risk_that_nobody_proposed_is_unknown() -> None:
    for command in (assess(), accept(), MITIGATE, ELIMINATE, TRANSFER, HAPPENED):
        given(RISK_REGISTER).when(command).refuses(UnknownError)


def test_a_risk_is_accepted_while_it_fits_and_not_when_it_is_too_big() -> None:
    past = after(propose())

    given(RISK_REGISTER, *past).when(accept(promise=STRICT)).refuses(TooBigError)
    given(RISK_REGISTER, *past).when(accept(promise=None)).refuses(NoPromiseError)
    given(RISK_REGISTER, *past).when(accept()).then(
        RiskAccepted("k1", "s", AT + 100 * DAY, VECTOR.bad_minutes, LOOSE, "bo", "for now", AT)
    )
    given(RISK_REGISTER, *after(propose(), accept())).when(accept()).then()


def test_no_more_is_accepted_than_the_budget_holds() -> None:
    small = Estimate(0, 100, 1, 365.25)  # 100 minutes a year; 525.96 are left at 99.9 %, 131.5 for one risk
    past = after(*(propose(f"k{n}", small) for n in range(6)), *(accept(f"k{n}", STRICT) for n in range(5)))

    refusal = given(RISK_REGISTER, *past).when(accept("k5", STRICT)).refuses(BudgetAllocatedError)

    assert refusal.unallocated == pytest.approx(25.96)
    assert states(after_past(past, accept("k5", LOOSE)))["k5"] == "accepted"


def after_past(past: tuple[Event, ...], *commands: Command) -> tuple[Event, ...]:
    for command in commands:
        past += RISK_REGISTER.decide(command, RISK_REGISTER.fold({}, past))
    return past


@pytest.mark.parametrize("who", [ANA, CI])
def test_a_risk_is_accepted_by_another_person_than_who_proposed_it(who: Actor) -> None:
    given(RISK_REGISTER, *after(propose())).when(accept(by=who)).refuses(AcceptorError)


@pytest.mark.parametrize("until", [AT, AT - DAY, AT + 366 * DAY])
def test_an_acceptance_ends_after_now_and_within_a_year(until: Any) -> None:
    given(RISK_REGISTER, *after(propose())).when(accept(until=until)).refuses(RiskDateError)


def test_what_is_only_proposed_is_not_accepted() -> None:
    refusal = given(RISK_REGISTER, *after(propose(estimate=None))).when(accept()).refuses(IllegalRiskStepError)

    assert "assess" in refusal.allowed


def test_an_acceptance_runs_out_by_itself_and_once() -> None:
    past = after(propose(), accept())
    over = AT + 100 * DAY
    ended = AcceptanceEnded("k1", "s", "expired", "its time is over", over)

    given(RISK_REGISTER, *past).when(Lapse("s", over - DAY)).then()
    given(RISK_REGISTER, *past).when(Lapse("s", over)).then(ended)
    given(RISK_REGISTER, *past, ended).when(Lapse("s", over)).then()


def test_a_stricter_slo_ends_what_does_not_fit_any_more_the_newest_first() -> None:
    small = Estimate(0, 120, 1, 365.25)
    late = [accept(f"k{n}", at=AT + n * DAY) for n in range(1, 6)]
    past = after(propose("k0"), *(propose(f"k{n}", small) for n in range(1, 6)), accept("k0"), *late)

    given(RISK_REGISTER, *past).when(Reconsider("s", LOOSE, POLICY, AT)).then()
    ended = RISK_REGISTER.decide(Reconsider("s", STRICT, POLICY, AT), RISK_REGISTER.fold({}, past))
    assert [getattr(each, "risk", "") for each in ended] == ["k0", "k5"]  # too big; and 4 * 120 leave 45.96
    none_left = RISK_REGISTER.decide(Reconsider("s", None, POLICY, AT), RISK_REGISTER.fold({}, past))
    assert len(none_left) == 6


def test_what_turns_out_worse_is_accepted_no_longer() -> None:
    past = after(propose(), accept())

    worse = RISK_REGISTER.decide(assess(estimate=replace(VECTOR, mtbf_days=5)), RISK_REGISTER.fold({}, past))
    better = RISK_REGISTER.decide(assess(estimate=replace(VECTOR, mtbf_days=200)), RISK_REGISTER.fold({}, past))

    assert [type(each) for each in worse] == [RiskAssessed, AcceptanceEnded]
    assert [type(each) for each in better] == [RiskAssessed]
    given(RISK_REGISTER, *past, *better).when(assess(estimate=replace(VECTOR, mtbf_days=200))).then()


def test_a_risk_is_made_smaller_and_then_assessed_anew() -> None:
    past = after(propose(), MITIGATE)

    assert isinstance(past[-1], MitigationBegun)
    given(RISK_REGISTER, *past).when(MITIGATE).then()
    assert states(after_past(past, assess(estimate=replace(VECTOR, ttr_minutes=5))))["k1"] == "assessed"
    given(RISK_REGISTER, *past).when(replace(MITIGATE, due=date(2026, 11, 20))).refuses(RiskDateError)


@pytest.mark.parametrize("command", [ELIMINATE, TRANSFER])
def test_what_is_gone_stays_gone_until_it_happens(command: Command) -> None:
    past = after(propose(), command)

    given(RISK_REGISTER, *past).when(command).then()
    given(RISK_REGISTER, *past).when(accept()).refuses(IllegalRiskStepError)
    assert states(after_past(past, HAPPENED)) == {"k1": "proposed"}


def test_an_incident_counts_once_for_every_risk_of_its_cause() -> None:
    past = after(propose(), propose("k2", cause="overload"), propose("k3", cause=""))
    seen = Recognise("s", "i1", "dependency_failure", UNTOLD, "incidents", AT)

    given(RISK_REGISTER, *past).when(seen).then(RiskRealised("k1", "s", "i1", None, None, None, "incidents", AT))
    given(RISK_REGISTER, *after_past(past, seen)).when(seen).then()
    given(RISK_REGISTER, *past).when(replace(seen, cause="")).then()


def test_incidents_say_what_the_risk_really_costs() -> None:
    second = replace(HAPPENED, incident="INC-2", ttr_minutes=60.0, users_fraction=0.5)
    risk = RISK_REGISTER.fold({}, after(propose(), HAPPENED, second))["k1"]

    assert observed(risk, AT + 30 * DAY) == Estimate(60, 60, 0.5, 15)
    assert observed(RISK_REGISTER.fold({}, after(propose()))["k1"], AT) is None


def test_the_times_of_an_incident_count_as_they_become_known_unless_somebody_said_otherwise() -> None:
    said = replace(HAPPENED, incident="i2", ttr_minutes=60.0, took=Took(10, 20))
    past = after(propose(), HAPPENED, said)
    told = Measure("s", "INC-1", Took(4, None), AT)

    given(RISK_REGISTER, *past).when(told).then(RiskMeasured("k1", "s", "INC-1", 4, None, AT))
    past = after_past(past, told)
    given(RISK_REGISTER, *past).when(told).then()
    corrected = after_past(past, replace(told, took=Took(2, 30)))
    risk = RISK_REGISTER.fold({}, corrected)["k1"]
    assert [(each.ttd_minutes, each.ttr_minutes) for each in risk.happened] == [(2, 30), (10, 60)]
    assert observed(risk, AT + 30 * DAY) == Estimate(6, 45, 0.25, 15)
    given(RISK_REGISTER, *past).when(replace(told, incident="another")).then()


def test_a_classified_incident_brings_its_times_with_it() -> None:
    seen = Recognise("s", "i1", "dependency_failure", Took(1, 2), "incidents", AT)
    realised = RiskRealised("k1", "s", "i1", None, None, None, "incidents", AT)
    given(RISK_REGISTER, *after(propose())).when(seen).then(realised, RiskMeasured("k1", "s", "i1", 1, 2, AT))


def test_what_was_observed_is_taken_over_as_an_assessment_and_ends_what_does_not_fit() -> None:
    past = after(propose(), accept(promise=LOOSE), replace(HAPPENED, took=Took(600, 6000)))
    command = Reestimate(service="s", risk="k1", promise=LOOSE, policy=POLICY, by=BOB, at=AT + 20 * DAY)

    assessed, ended = RISK_REGISTER.decide(command, RISK_REGISTER.fold({}, past))

    assert isinstance(assessed, RiskAssessed)
    assert (assessed.estimate, assessed.basis) == (Estimate(600, 6000, 0.25, 20), "observed: INC-1")
    assert isinstance(ended, AcceptanceEnded)
    given(RISK_REGISTER, *after_past(past, command)).when(command).then()


def test_nothing_is_estimated_anew_by_incidents_that_never_were() -> None:
    command = Reestimate(service="s", risk="k1", promise=LOOSE, policy=POLICY, by=BOB, at=AT)
    given(RISK_REGISTER, *after(propose())).when(command).refuses(NothingObservedError)


def test_a_gate_is_told_the_largest_risk_that_nobody_accepted() -> None:
    risks = (
        RiskFact("k1", "a", "accepted", 100),
        RiskFact("k2", "b", "assessed", 200),
        RiskFact("k3", "c", "proposed", None),
    )
    facts = RiskFacts(risks, LOOSE)

    assert facts.largest_unaccepted_share == pytest.approx(200 / 2629.8)
    assert facts.accepted_share == pytest.approx(100 / 2629.8)
    assert [risk.risk for risk in facts.unassessed] == ["k3"]
    assert RiskFacts((), None).largest_unaccepted_share == 0
    assert RiskFacts(risks, None).accepted_share == float("inf")


@pytest.mark.parametrize(
    "wrong",
    [
        replace(POLICY, largest=replace(POLICY.largest, share=0)),
        replace(POLICY, accepted=replace(POLICY.accepted, share=1.5)),
        replace(POLICY, acceptance=replace(POLICY.acceptance, days=0)),
    ],
)
def test_a_policy_that_allows_nothing_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidPolicyError):
        wrong.validate()


def commands() -> st.SearchStrategy[Command]:
    name = st.sampled_from(["k1", "k2", "k3", "k4"])
    estimate = st.builds(Estimate, st.floats(0, 500), st.floats(0, 500), st.floats(0, 1), st.floats(10, 400))
    promise = st.sampled_from([STRICT, LOOSE])
    return st.one_of(
        st.builds(propose, name, estimate),
        st.builds(assess, name, estimate, promise),
        st.builds(accept, name, promise, st.sampled_from([ANA, BOB])),
        name.map(lambda risk: replace(MITIGATE, risk=risk)),
        name.map(lambda risk: replace(ELIMINATE, risk=risk)),
        name.map(lambda risk: replace(TRANSFER, risk=risk)),
        name.map(lambda risk: replace(HAPPENED, risk=risk)),
        st.builds(lambda at: Lapse("s", AT + at * DAY), st.integers(0, 400)),
    )


@settings(max_examples=150, deadline=None)
@for_all(st.lists(commands(), max_size=30), st.sampled_from([STRICT, LOOSE]))
def test_no_sequence_of_commands_accepts_more_than_the_budget_holds(wanted: list[Command], promise: Promise) -> None:
    past: tuple[Event, ...] = ()
    for command in wanted:
        asked = replace(command, promise=promise) if isinstance(command, Accept | Assess) else command
        try:
            past += RISK_REGISTER.decide(asked, RISK_REGISTER.fold({}, past))
        except (RiskError, UnknownError, RecordedOtherwiseError):
            continue
        register = RISK_REGISTER.fold({}, past)
        budget = budget_of(register.values(), promise, POLICY)
        assert budget.accepted <= budget.allocatable
        assert all(risk.bad_minutes <= budget.cap for risk in register.values() if risk.state == "accepted")
        assert not RISK_REGISTER.decide(Reconsider("s", promise, POLICY, AT), register)
