"""An error-budget policy: who signs it, what it freezes, what lets through, and what it asks for."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any, get_args

import pytest

from libs.events import codec
from services.slo.domain.policy.commands import (
    Attribute,
    BreakGlass,
    ClassSpending,
    Command,
    Disagree,
    Exempt,
    Fulfil,
    IncidentSpending,
    Observe,
    Remind,
    Revoke,
    Settle,
    Sign,
    UseGlass,
    Write,
)
from services.slo.domain.policy.document import Document, InvalidPolicyError, Number
from services.slo.domain.policy.errors import (
    DatePassedError,
    EditionOutdatedError,
    InvalidExpiryError,
    MissingTextError,
    NoGlassError,
    NoSuchPolicyError,
    NotFrozenError,
    RecordedOtherwiseError,
    SecondPersonError,
    SettledOtherwiseError,
    UnknownItemError,
    UnknownKindError,
)
from services.slo.domain.policy.events import (
    DisagreementRaised,
    DisagreementSettled,
    Event,
    ExemptionGranted,
    ExemptionRevoked,
    FollowUpDue,
    GlassUsed,
    ObligationFulfilled,
    PolicyStateChanged,
    PolicyWritten,
    PostmortemRequired,
    QuarterlyItemRequired,
    ReleasesFrozen,
    ReleasesUnfrozen,
    RevisitDue,
    SpareBudgetFound,
)
from services.slo.domain.policy.obligations import name_of, quarters
from services.slo.domain.policy.state import InForce, Unsigned, owed, timetable
from services.slo.domain.signing import MachineSignsError, NotASignerError, Signers
from tests.fixtures.policy import (
    ANA,
    BO,
    BROKEN,
    BY_DEV,
    BY_SRE,
    CLEO,
    DOCUMENT,
    FROZEN,
    GRANTED,
    NOW,
    ROBOT,
    SERVICE,
    SIGNED,
    WRITTEN,
    budgets,
    changed,
    state_after,
    under,
)

LATER = NOW + timedelta(hours=1)
SPENT = budgets(1.5)

WRITE = Write(service=SERVICE, document=DOCUMENT, reason="we need one", by="ana", at=NOW)
SIGN = Sign(service=SERVICE, version=1, side="development", reason="fair", budgets=(), by=ANA, at=NOW)
OBSERVE = Observe(service=SERVICE, budgets=SPENT, at=NOW)
EXEMPT = Exempt(
    service=SERVICE,
    exemption="e1",
    kind="company_wide_network",
    slos=(),
    reason="the backbone was down",
    evidence="INC-7",
    requested_by="ana",
    budgets=(),
    by=BO,
    expires=GRANTED.expires,
    at=NOW,
)
REVOKE = Revoke(service=SERVICE, exemption="e1", reason="it was us", budgets=SPENT, by=BO, at=LATER)
BREAK = BreakGlass(
    service=SERVICE,
    glass="g1",
    deployment="checkout-42",
    reason="customers cannot pay",
    follow_up="write down why the canary missed it",
    follow_up_due=date(2026, 11, 25),
    budgets=SPENT,
    by=ANA,
    expires=BROKEN.expires,
    at=NOW,
)
USE = UseGlass(service=SERVICE, deployment="checkout-42", by="ci", reason="deployed", at=LATER)
DISAGREE = Disagree(
    service=SERVICE, disagreement="d1", about="calculation", side="development", reason="bots", by=ANA, at=NOW
)
SETTLE = Settle(
    service=SERVICE,
    disagreement="d1",
    outcome="lifted",
    until=NOW + timedelta(days=2),
    reason="bots indeed",
    budgets=SPENT,
    by=CLEO,
    at=NOW,
)
ATTRIBUTE = Attribute(service=SERVICE, incidents=(IncidentSpending("INC-7", "availability", 0.25),), at=NOW)
FULFIL = Fulfil(
    service=SERVICE, obligation="postmortem:INC-7", evidence="PM-3, action A-9 (P0)", reason="", by="bo", at=LATER
)
EVERYTHING: list[Command] = [SIGN, EXEMPT, REVOKE, BREAK, USE, DISAGREE, SETTLE, FULFIL]

RAISED = DisagreementRaised(SERVICE, 1, "d1", "calculation", "development", "cleo", "bots", "ana", NOW)
POSTMORTEM = PostmortemRequired(
    SERVICE,
    1,
    "postmortem:INC-7",
    "INC-7",
    "availability",
    0.25,
    0.2,
    "incident INC-7 spent 25 % of the budget of availability: development and SRE write a postmortem with at least"
    " one P0 action on its root cause",
    NOW,
)


def names(events: tuple[Event, ...]) -> list[str]:
    return [type(event).__name__ for event in events]


def produced(command: Command, *past: Event) -> tuple[Event, ...]:
    given = under(*past)
    return given.decider.decide(command, given.state)


# Writing and signing


def test_writing_puts_an_edition_to_both_sides() -> None:
    assert isinstance(under().when(WRITE).then(WRITTEN), Unsigned)


def test_the_same_document_is_not_written_again() -> None:
    under(WRITTEN).when(WRITE).then()
    under(*SIGNED).when(WRITE).then()


def test_a_policy_without_a_second_side_an_executive_or_sense_is_refused_with_its_place() -> None:
    changes: list[tuple[str, dict[str, Any]]] = [
        ("executive", {"executive": ""}),
        ("signers.sre", {"signers": Signers(development=("ana",))}),
        ("signers.sre", {"signers": Signers(development=("ana",), sre=("ana",))}),
        ("at_risk", {"at_risk": Number(75, "percent, by mistake")}),
        ("hysteresis", {"hysteresis": Number(0.75, "[D]")}),
        ("unfreeze_remaining", {"unfreeze_remaining": Number(-0.1, "[D]")}),
        ("exemption_days", {"exemption_days": Number(0, "[D]")}),
        ("passes_freeze", {"passes_freeze": ("normal",)}),
    ]
    for path, change in changes:
        refusal = under().when(replace(WRITE, document=replace(DOCUMENT, **change))).refuses(InvalidPolicyError)
        assert refusal.path == path


def test_every_number_of_the_default_policy_names_its_source() -> None:
    numbers = [value for name in Document.__dataclass_fields__ if isinstance(value := getattr(DOCUMENT, name), Number)]
    assert {number.source for number in numbers} == {"[EBP]", "[D]"}
    assert all(rule.source == "[EBP]" for rule in (*DOCUMENT.exemptions, *DOCUMENT.rules))


def test_nothing_can_be_asked_of_a_policy_that_nobody_wrote() -> None:
    for command in EVERYTHING:
        under().when(command).refuses(NoSuchPolicyError)
    under().when(OBSERVE).then()
    under().when(ATTRIBUTE).then()


def test_one_signature_does_not_put_a_policy_in_force() -> None:
    state = under(WRITTEN).when(SIGN).then(BY_DEV)
    assert isinstance(state, Unsigned)
    assert state.edition.missing == ("sre",)


def test_the_second_side_puts_it_in_force() -> None:
    state = under(WRITTEN, BY_DEV).when(replace(SIGN, side="sre", by=BO)).then(BY_SRE)
    assert isinstance(state, InForce)


def test_a_side_signs_once() -> None:
    under(WRITTEN, BY_DEV).when(SIGN).then()
    under(*SIGNED).when(SIGN).then()


def test_only_people_who_stand_for_a_side_sign_for_it() -> None:
    refusal = under(WRITTEN).when(replace(SIGN, by=BO)).refuses(NotASignerError)
    assert str(refusal) == "bo does not stand for development; ana or ada can"
    under(WRITTEN).when(replace(SIGN, by=ROBOT)).refuses(MachineSignsError)


def test_nobody_signs_an_edition_that_is_not_put_to_the_sides() -> None:
    refusal = under(WRITTEN).when(replace(SIGN, version=2)).refuses(EditionOutdatedError)
    assert (refusal.signed, refusal.current) == (2, 1)


def test_a_new_edition_leaves_the_signed_one_in_force_until_both_sides_signed_it() -> None:
    stricter = replace(DOCUMENT, at_risk=Number(0.5, "[D]"))
    second = PolicyWritten(SERVICE, 2, stricter, ("development", "sre"), "stricter", "bo", NOW)
    state = under(*SIGNED).when(replace(WRITE, document=stricter, reason="stricter", by="bo")).then(second)
    assert isinstance(state, InForce)
    assert (state.edition.version, state.newest.version) == (1, 2)
    dev, sre = replace(BY_DEV, version=2), replace(BY_SRE, version=2)
    after = state_after(*SIGNED, second, dev, sre)
    assert isinstance(after, InForce)
    assert (after.edition.document, after.draft) == (stricter, None)


def test_a_new_edition_of_an_unsigned_policy_voids_the_signature_it_had() -> None:
    second = replace(WRITTEN, version=2, document=replace(DOCUMENT, text="clearer"))
    state = state_after(WRITTEN, BY_DEV, second)
    assert isinstance(state, Unsigned)
    assert state.edition.missing == ("development", "sre")


def test_the_signature_that_puts_it_in_force_freezes_at_once_what_was_overspent() -> None:
    past = (WRITTEN, BY_DEV, changed("exhausted", in_force=False))
    events = produced(replace(SIGN, side="sre", by=BO, budgets=SPENT), *past)
    assert names(events) == ["PolicySigned", "PolicyStateChanged", "ReleasesFrozen"]


# Freezing and unfreezing


def test_a_signed_policy_freezes_when_the_budget_is_exceeded() -> None:
    events = produced(OBSERVE, *SIGNED)
    match events:
        case (PolicyStateChanged() as moved, ReleasesFrozen() as frozen):
            assert (moved.from_state, moved.to_state, moved.slo, moved.remaining) == (
                "healthy",
                "frozen",
                "availability",
                -0.5,
            )
            assert (frozen.slos, frozen.passes) == (("availability",), ("p0", "security"))
            assert "150 %" in frozen.reason
        case _:
            pytest.fail(f"{events}")
    under(*FROZEN).when(OBSERVE).then()


def test_an_unsigned_policy_freezes_nothing_and_says_what_it_would_do() -> None:
    (moved,) = produced(OBSERVE, WRITTEN, BY_DEV)
    assert isinstance(moved, PolicyStateChanged)
    assert (moved.to_state, moved.in_force) == ("exhausted", False)
    assert "would freeze releases" in moved.reason
    assert "sre (bo)" in moved.reason


def test_a_budget_spent_to_the_last_event_is_still_within_the_slo() -> None:
    (moved,) = produced(replace(OBSERVE, budgets=budgets(1.0)), *SIGNED)
    assert isinstance(moved, PolicyStateChanged)
    assert moved.to_state == "at_risk"


def test_the_worst_slo_rules() -> None:
    (moved,) = produced(replace(OBSERVE, budgets=budgets(0.1, 0.8, None)), *SIGNED)
    assert isinstance(moved, PolicyStateChanged)
    assert (moved.to_state, moved.slo) == ("at_risk", "slo-1")


def test_a_frozen_service_that_is_back_within_its_slo_recovers_and_releases_go_on() -> None:
    events = produced(replace(OBSERVE, budgets=budgets(1.0)), *FROZEN)
    match events:
        case (PolicyStateChanged(to_state="recovering"), ReleasesUnfrozen()):
            pass
        case _:
            pytest.fail(f"{events}")


def test_undefined_budgets_change_nothing_and_freeze_nothing() -> None:
    under(*SIGNED).when(replace(OBSERVE, budgets=budgets(None))).then()
    under(*SIGNED).when(replace(OBSERVE, budgets=())).then()
    events = produced(replace(OBSERVE, budgets=budgets(None)), *FROZEN)
    assert names(events) == ["PolicyStateChanged", "ReleasesUnfrozen"]
    assert "undefined" in getattr(events[1], "reason", "")


# Exemptions


def test_an_exemption_that_covers_what_was_overspent_lifts_the_freeze() -> None:
    events = produced(replace(EXEMPT, budgets=SPENT), *FROZEN)
    assert events[0] == GRANTED
    match events[1:]:
        case (PolicyStateChanged(from_state="frozen", to_state="exhausted"), ReleasesUnfrozen(reason=reason)):
            assert "bo exempted it as company_wide_network" in reason
        case _:
            pytest.fail(f"{events}")


def test_an_exemption_of_one_slo_does_not_cover_another() -> None:
    events = produced(replace(EXEMPT, slos=("slo-0",), budgets=budgets(1.5, 1.2)), *FROZEN)
    assert names(events) == ["ExemptionGranted"]


def test_an_exempted_change_does_not_excuse_what_was_spent() -> None:
    assert names(produced(replace(EXEMPT, kind="p0", budgets=SPENT), *FROZEN)) == ["ExemptionGranted"]


def test_an_exemption_that_expired_covers_nothing_any_more() -> None:
    past = (*SIGNED, GRANTED, changed("exhausted"))
    under(*past).when(replace(OBSERVE, at=GRANTED.expires - timedelta(seconds=1))).then()
    events = produced(replace(OBSERVE, at=GRANTED.expires), *past)
    assert names(events) == ["PolicyStateChanged", "ReleasesFrozen"]


def test_the_same_exemption_is_granted_once() -> None:
    under(*SIGNED, GRANTED).when(replace(EXEMPT, at=LATER)).then()
    under(*SIGNED, GRANTED).when(replace(EXEMPT, reason="another")).refuses(RecordedOtherwiseError)


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"kind": "executive_decision"}, UnknownKindError),
        ({"by": ROBOT}, MachineSignsError),
        ({"requested_by": "bo"}, SecondPersonError),
        ({"reason": " "}, MissingTextError),
        ({"evidence": ""}, MissingTextError),
        ({"expires": NOW}, InvalidExpiryError),
        ({"expires": NOW + timedelta(days=28, seconds=1)}, InvalidExpiryError),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_an_exemption_is_refused_without(change: dict[str, Any], error: type[Exception]) -> None:
    under(*SIGNED).when(replace(EXEMPT, **change)).refuses(error)


def test_an_exemption_may_last_as_long_as_what_it_excuses_stays_in_the_window() -> None:
    longest = NOW + timedelta(days=28)
    under(*SIGNED).when(replace(EXEMPT, expires=longest)).then(replace(GRANTED, expires=longest))


def test_the_executive_may_grant_an_exemption_and_others_may_not() -> None:
    under(*SIGNED).when(replace(EXEMPT, by=CLEO)).then(replace(GRANTED, approver="cleo"))
    under(*SIGNED).when(replace(EXEMPT, by=replace(ANA, name="eve"))).refuses(NotASignerError)


def test_a_revoked_exemption_freezes_again() -> None:
    past = (*SIGNED, GRANTED, changed("exhausted"))
    events = produced(REVOKE, *past)
    assert events[0] == ExemptionRevoked(SERVICE, "e1", "it was us", "bo", LATER)
    assert names(events[1:]) == ["PolicyStateChanged", "ReleasesFrozen"]
    under(*past, events[0]).when(replace(REVOKE, budgets=())).then()


def test_an_unknown_exemption_cannot_be_revoked() -> None:
    under(*SIGNED).when(REVOKE).refuses(UnknownItemError)


# Breaking glass


def test_broken_glass_is_kept_with_reason_follow_up_and_expiry() -> None:
    under(*FROZEN).when(BREAK).then(BROKEN)
    under(*FROZEN, BROKEN).when(replace(BREAK, at=LATER)).then()
    under(*FROZEN, BROKEN).when(replace(BREAK, deployment="other")).refuses(RecordedOtherwiseError)


def test_glass_is_not_broken_in_advance() -> None:
    under(*SIGNED).when(replace(BREAK, budgets=budgets(0.9))).refuses(NotFrozenError)
    under(WRITTEN).when(BREAK).refuses(NotFrozenError)


def test_glass_may_be_broken_before_the_freeze_was_said() -> None:
    assert names(produced(BREAK, *SIGNED)) == ["GlassBroken", "PolicyStateChanged", "ReleasesFrozen"]


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"reason": ""}, MissingTextError),
        ({"follow_up": ""}, MissingTextError),
        ({"by": ROBOT}, MachineSignsError),
        ({"expires": NOW}, InvalidExpiryError),
        ({"expires": NOW + timedelta(days=1, seconds=1)}, InvalidExpiryError),
        ({"follow_up_due": date(2026, 11, 20)}, DatePassedError),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_glass_is_not_broken_without(change: dict[str, Any], error: type[Exception]) -> None:
    under(*FROZEN).when(replace(BREAK, **change)).refuses(error)


def test_a_glass_says_which_deployment_used_it_once() -> None:
    used = GlassUsed(SERVICE, "g1", "checkout-42", "deployed", "ci", LATER)
    under(*FROZEN, BROKEN).when(USE).then(used)
    under(*FROZEN, BROKEN, used).when(USE).then()


def test_a_glass_lets_no_second_deployment_through() -> None:
    anybodys = replace(BROKEN, deployment="")
    used = GlassUsed(SERVICE, "g1", "checkout-42", "deployed", "ci", LATER)
    under(*FROZEN, anybodys).when(USE).then(used)
    under(*FROZEN, anybodys, used).when(replace(USE, deployment="checkout-43")).refuses(NoGlassError)
    under(*FROZEN, BROKEN).when(replace(USE, deployment="checkout-43")).refuses(NoGlassError)


def test_a_deployment_uses_its_own_glass_before_one_that_is_anybodys() -> None:
    anybodys = replace(BROKEN, glass="g0", deployment="")
    (used,) = produced(USE, *FROZEN, anybodys, BROKEN)
    assert isinstance(used, GlassUsed)
    assert used.glass == "g1"


def test_an_expired_glass_lets_nothing_through() -> None:
    under(*FROZEN, BROKEN).when(replace(USE, at=BROKEN.expires)).refuses(NoGlassError)


# Disagreements


def test_a_disagreement_goes_to_the_executive() -> None:
    under(*FROZEN).when(DISAGREE).then(RAISED)
    under(*FROZEN, RAISED).when(replace(DISAGREE, at=LATER)).then()
    under(*FROZEN, RAISED).when(replace(DISAGREE, reason="other")).refuses(RecordedOtherwiseError)
    under(*FROZEN).when(replace(DISAGREE, by=BO)).refuses(NotASignerError)


def test_an_executive_who_lifts_the_freeze_exempts_the_service_for_a_time() -> None:
    events = produced(SETTLE, *FROZEN, RAISED)
    until = NOW + timedelta(days=2)
    assert events[0] == DisagreementSettled(SERVICE, "d1", "lifted", until, "bots indeed", "cleo", NOW)
    assert isinstance(events[1], ExemptionGranted)
    assert (events[1].kind, events[1].approver, events[1].expires) == ("executive_decision", "cleo", until)
    assert names(events[2:]) == ["PolicyStateChanged", "ReleasesUnfrozen"]


def test_an_executive_who_upholds_changes_nothing_and_is_recorded() -> None:
    settled = DisagreementSettled(SERVICE, "d1", "upheld", None, "it counts", "cleo", NOW)
    upheld = replace(SETTLE, outcome="upheld", until=None, reason="it counts")
    under(*FROZEN, RAISED).when(upheld).then(settled)
    under(*FROZEN, RAISED, settled).when(upheld).then()
    under(*FROZEN, RAISED, settled).when(SETTLE).refuses(SettledOtherwiseError)


def test_nobody_but_the_executive_decides() -> None:
    refusal = under(*FROZEN, RAISED).when(replace(SETTLE, by=BO)).refuses(NotASignerError)
    assert str(refusal) == "bo does not stand for the executive; cleo can"
    under(*FROZEN).when(SETTLE).refuses(UnknownItemError)
    under(*FROZEN, RAISED).when(replace(SETTLE, until=None)).refuses(InvalidExpiryError)


# What large spendings make due


def test_one_incident_above_a_fifth_of_the_four_week_budget_needs_a_postmortem_with_a_p0() -> None:
    state = under(*SIGNED).when(ATTRIBUTE).then(POSTMORTEM)
    assert owed(state) == (POSTMORTEM,)
    under(*SIGNED, POSTMORTEM).when(ATTRIBUTE).then()


def test_exactly_a_fifth_asks_for_nothing() -> None:
    fifth = replace(ATTRIBUTE, incidents=(IncidentSpending("INC-7", "availability", 0.2),))
    under(*SIGNED).when(fifth).then()


def test_an_incident_is_told_once_for_the_slo_that_suffered_most() -> None:
    several = (IncidentSpending("INC-7", "latency", 0.21), *ATTRIBUTE.incidents, IncidentSpending("INC-7", "x", 0.22))
    under(*SIGNED).when(replace(ATTRIBUTE, incidents=several)).then(POSTMORTEM)


def test_one_class_of_outage_above_a_fifth_of_a_quarters_budget_needs_a_p0_in_the_next_plan() -> None:
    dns = replace(ATTRIBUTE, incidents=(), classes=(ClassSpending("dns", "2026-Q4", "availability", 0.3),))
    (required,) = produced(dns, *SIGNED)
    assert isinstance(required, QuarterlyItemRequired)
    assert (required.obligation, required.plan) == ("quarterly-item:dns:2026-Q4", "2027-Q1")
    assert "P0 item on its plan for 2027-Q1" in required.reason
    third = replace(dns, classes=(ClassSpending("dns", "2026-Q3", "availability", 0.3),))
    assert [getattr(event, "plan", "") for event in produced(third, *SIGNED)] == ["2026-Q4"]


def test_an_unsigned_policy_asks_nothing_of_anybody() -> None:
    under(WRITTEN).when(ATTRIBUTE).then()


def test_what_was_done_is_owed_no_more() -> None:
    done = ObligationFulfilled(SERVICE, "postmortem:INC-7", "PM-3, action A-9 (P0)", "", "bo", LATER)
    state = under(*SIGNED, POSTMORTEM).when(FULFIL).then(done)
    assert owed(state) == ()
    under(*SIGNED, POSTMORTEM, done).when(FULFIL).then()
    under(*SIGNED, POSTMORTEM, done).when(ATTRIBUTE).then()


def test_an_obligation_needs_evidence_and_must_exist() -> None:
    under(*SIGNED, POSTMORTEM).when(replace(FULFIL, evidence="")).refuses(MissingTextError)
    under(*SIGNED).when(FULFIL).refuses(UnknownItemError)


# What falls due when


def test_the_timetable_holds_expiries_follow_ups_and_the_day_to_revisit() -> None:
    state = state_after(*FROZEN, GRANTED, BROKEN)
    assert [(each.kind, each.key) for each in timetable(state)] == [
        ("glass-expires", "g1"),
        ("follow-up", "g1"),
        ("exemption-expires", "e1"),
        ("revisit", "1"),
    ]


def test_what_was_to_follow_a_broken_glass_is_reminded_of_until_it_is_done() -> None:
    remind = Remind(service=SERVICE, kind="follow-up", key="g1", at=NOW + timedelta(days=4))
    fulfil = Fulfil(service=SERVICE, obligation="follow-up:g1", evidence="INC-7", reason="", by="bo", at=LATER)
    (due,) = produced(remind, *FROZEN, BROKEN)
    assert isinstance(due, FollowUpDue)
    assert (due.obligation, due.follow_up, due.by) == ("follow-up:g1", BROKEN.follow_up, "ana")
    (done,) = produced(fulfil, *FROZEN, BROKEN)
    under(*FROZEN, BROKEN, done).when(remind).then()
    under(*FROZEN, BROKEN, done).when(fulfil).then()
    under(*FROZEN, BROKEN).when(replace(remind, at=NOW)).then()
    under(*FROZEN, BROKEN).when(replace(remind, key="g2")).then()


def test_the_day_to_revisit_a_policy_is_reminded_of_unless_another_edition_holds() -> None:
    remind = Remind(service=SERVICE, kind="revisit", key="1", at=NOW + timedelta(days=365))
    (due,) = produced(remind, *SIGNED)
    assert isinstance(due, RevisitDue)
    assert (due.version, due.revisit_by) == (1, DOCUMENT.revisit_by)
    under(*SIGNED).when(replace(remind, key="2")).then()
    under().when(remind).then()


def test_a_policy_is_not_to_be_revisited_before_it_is_written() -> None:
    under().when(replace(WRITE, document=replace(DOCUMENT, revisit_by=date(2026, 11, 20)))).refuses(DatePassedError)


def test_quarters_are_those_of_the_year_in_utc() -> None:
    found = quarters(datetime(2026, 9, 30, 23, 59, tzinfo=UTC), datetime(2027, 1, 1, 0, 1, tzinfo=UTC))
    assert [name_of(quarter) for quarter in found] == ["2026-Q3", "2026-Q4", "2027-Q1"]


def test_a_revoked_exemption_does_not_fall_due() -> None:
    revoked = ExemptionRevoked(SERVICE, "e1", "it was us", "bo", LATER)
    assert [each.kind for each in timetable(state_after(*SIGNED, GRANTED, revoked))] == ["revisit"]
    assert timetable(None) == ()


def test_every_event_survives_being_written_and_read() -> None:
    everything: list[Event] = [
        *SIGNED,
        *produced(OBSERVE, *SIGNED),
        *produced(replace(OBSERVE, budgets=budgets(0.1)), *FROZEN),
        *produced(replace(OBSERVE, budgets=budgets(None)), *FROZEN, SpareBudgetFound(SERVICE, 1, "x", 0.9, "go", NOW)),
        GRANTED,
        *produced(REVOKE, *SIGNED, GRANTED),
        BROKEN,
        *produced(USE, *FROZEN, BROKEN),
        *produced(SETTLE, *FROZEN, RAISED),
        RAISED,
        POSTMORTEM,
        *produced(replace(ATTRIBUTE, classes=(ClassSpending("dns", "2026-Q4", "x", 0.3),)), *SIGNED),
        *produced(FULFIL, *SIGNED, POSTMORTEM),
        *produced(Remind(service=SERVICE, kind="follow-up", key="g1", at=LATER + timedelta(days=9)), *FROZEN, BROKEN),
        *produced(Remind(service=SERVICE, kind="revisit", key="1", at=NOW + timedelta(days=365)), *SIGNED),
    ]
    assert {type(event) for event in everything} == set(get_args(Event))
    for event in everything:
        assert codec.decoder(type(event)).decode(codec.encode(event)) == event
