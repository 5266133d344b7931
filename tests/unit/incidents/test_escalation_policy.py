from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from libs.events.testing import given
from services.incidents.contract import ESCALATION_POLICY
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.escalation.errors import EndedError, FaultyPolicyError
from services.incidents.domain.escalation_policy.commands import ChangePolicy, EndPolicy, WritePolicy
from services.incidents.domain.escalation_policy.events import PolicyEnded, PolicySet
from services.incidents.domain.escalation_policy.steps import Content, Hours, Step, Target
from services.incidents.domain.on_call.errors import NameTakenError, StillNeededError
from services.incidents.domain.who_is_paged import ladder, order_of

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)  # a Saturday
ANA = Target("person", "ana")
CALL_ANA = Step((ANA,), timedelta(minutes=5))
CONTENT = Content(display_name="Checkout", team="checkout", steps=(CALL_ANA,))
BY: dict[str, Any] = {"by": "bo", "at": AT}
SET = PolicySet(policy="checkout", content=CONTENT, **BY)
ENDED = PolicyEnded(policy="checkout", **BY)


def write(content: Content = CONTENT) -> WritePolicy:
    return WritePolicy(policy="checkout", content=content, **BY)


def test_a_policy_is_written_changed_and_ended() -> None:
    more = replace(CONTENT, repeat=2)
    given(ESCALATION_POLICY).when(write()).then(SET)
    given(ESCALATION_POLICY, SET).when(ChangePolicy(content=more, **BY)).then(replace(SET, content=more))
    given(ESCALATION_POLICY, SET).when(EndPolicy(**BY)).then(ENDED)


def test_what_is_so_already_changes_nothing() -> None:
    given(ESCALATION_POLICY, SET).when(write()).then()
    given(ESCALATION_POLICY, SET).when(ChangePolicy(content=CONTENT, **BY)).then()
    given(ESCALATION_POLICY, SET, ENDED).when(EndPolicy(**BY)).then()


def test_a_name_is_never_used_again() -> None:
    given(ESCALATION_POLICY, SET).when(write(replace(CONTENT, repeat=1))).refuses(NameTakenError)
    given(ESCALATION_POLICY, SET, ENDED).when(write()).refuses(NameTakenError)
    given(ESCALATION_POLICY, SET, ENDED).when(ChangePolicy(content=CONTENT, **BY)).refuses(EndedError)
    given(ESCALATION_POLICY).when(ChangePolicy(content=CONTENT, **BY)).refuses(AbsentError)


def test_what_others_page_by_is_not_ended() -> None:
    refusal = given(ESCALATION_POLICY, SET).when(EndPolicy(needed_by=("service a",), **BY)).refuses(StillNeededError)
    assert "service a" in str(refusal)


@pytest.mark.parametrize(
    ("content", "pointer"),
    [
        (replace(CONTENT, then="checkout"), "/then"),
        (replace(CONTENT, steps=(replace(CALL_ANA, delay=timedelta(seconds=1)),)), "/steps/0/delay"),
        (replace(CONTENT, steps=(replace(CALL_ANA, targets=(ANA, ANA)),)), "/steps/0/targets"),
        (replace(CONTENT, hours=Hours(zone="Mars/Base")), "/hours/zone"),
        (replace(CONTENT, hours=Hours(begin=time(18), end=time(9))), "/hours/end"),
        (replace(CONTENT, hours=Hours(days=())), "/hours/days"),
        (replace(CONTENT, acknowledgement_timeout=timedelta(seconds=59)), "/acknowledgement_timeout"),
        (replace(CONTENT, acknowledgement_timeout=timedelta(days=7, seconds=1)), "/acknowledgement_timeout"),
    ],
)
def test_what_could_not_work_is_refused_with_its_place(content: Content, pointer: str) -> None:
    refusal = given(ESCALATION_POLICY).when(write(content)).refuses(FaultyPolicyError)
    assert [place for place, _ in refusal.places] == [pointer]


@pytest.mark.parametrize("delay", [timedelta(seconds=30), timedelta(days=1)])
@pytest.mark.parametrize("timeout", [None, timedelta(minutes=1), timedelta(days=7)])
def test_what_lies_at_its_bounds_is_taken(delay: timedelta, timeout: timedelta | None) -> None:
    content = replace(CONTENT, steps=(replace(CALL_ANA, delay=delay),), acknowledgement_timeout=timeout)
    assert given(ESCALATION_POLICY).when(write(content)).then(replace(SET, content=content))


@pytest.mark.parametrize(
    ("phase", "severity", "engaged", "sides", "together", "quiet"),
    [
        ("architecture_and_design", "sev1", True, ("dev",), (), True),
        ("active_development", "sev1", False, ("dev",), (), True),
        ("limited_availability", "sev3", True, ("sre", "dev"), (), False),
        ("general_availability", "sev3", True, ("sre", "dev"), (), False),
        ("general_availability", "sev2", True, ("sre", "dev"), ("dev",), False),
        ("general_availability", "sev1", False, ("dev",), (), False),
        ("deprecation", "sev4", True, ("sre", "dev"), (), False),
        ("abandoned", "sev2", True, ("dev",), (), False),
        ("abandoned", "sev1", True, ("dev", "sre"), (), False),
        ("abandoned", "sev1", False, ("dev",), (), False),
        ("unsupported", "sev1", True, (), (), False),
    ],
)
def test_who_is_paged_follows_the_phase(
    phase: str, severity: Any, engaged: Any, sides: Any, together: Any, quiet: Any
) -> None:
    order = order_of(phase, severity, engaged=engaged)
    assert (order.sides, order.together, order.quiet) == (sides, together, quiet)
    assert order.why


def test_the_steps_of_all_sides_are_taken_one_after_the_other() -> None:
    sre = replace(CONTENT, steps=(Step((Target("schedule", "sre"),), timedelta(minutes=5)), CALL_ANA))
    chains: Any = {"sre": (("sre", sre),), "dev": (("dev", CONTENT), ("then", CONTENT))}

    rungs = ladder(("sre", "dev"), chains)

    assert [(rung.side, rung.policy, rung.number) for rung in rungs] == [
        ("sre", "sre", 1),
        ("sre", "sre", 2),
        ("dev", "dev", 1),
        ("dev", "then", 1),
    ]


def test_a_holiday_has_no_business_hours() -> None:
    hours = Hours(holidays=(date(2026, 11, 23),))
    assert not hours.hold(datetime(2026, 11, 23, 12, tzinfo=UTC))
    assert hours.hold(datetime(2026, 11, 24, 12, tzinfo=UTC))


@pytest.mark.parametrize(
    ("hours", "when", "at", "opens"),
    [
        (Hours(), "business_hours", AT, datetime(2026, 11, 23, 9, tzinfo=UTC)),  # a Saturday, until Monday
        (Hours(holidays=(date(2026, 11, 23),)), "business_hours", AT, datetime(2026, 11, 24, 9, tzinfo=UTC)),
        (Hours(), "business_hours", datetime(2026, 11, 24, 3, tzinfo=UTC), datetime(2026, 11, 24, 9, tzinfo=UTC)),
        (Hours(), "business_hours", datetime(2026, 11, 24, 18, tzinfo=UTC), datetime(2026, 11, 25, 9, tzinfo=UTC)),
        (Hours(), "off_hours", datetime(2026, 11, 24, 17, 59, tzinfo=UTC), datetime(2026, 11, 24, 18, tzinfo=UTC)),
        (Hours(zone="Asia/Tokyo"), "business_hours", AT, datetime(2026, 11, 23, 0, tzinfo=UTC)),
        (  # the gap of the summer time: the day has no half past two
            Hours(zone="Europe/Madrid", days=(6,), begin=time(2, 30)),
            "business_hours",
            datetime(2026, 3, 28, 12, tzinfo=UTC),
            datetime(2026, 3, 29, 1, tzinfo=UTC),
        ),
    ],
)
def test_hours_open_by_the_clocks_of_their_zone(hours: Hours, when: Any, at: datetime, opens: datetime) -> None:
    assert hours.open(when, at) == opens
    assert hours.allow(when, opens)
    assert not hours.allow(when, opens - timedelta(minutes=1))


def test_hours_that_never_open_are_looked_at_again_after_a_year() -> None:
    days = tuple(date(2026, 11, 21) + timedelta(days=days) for days in range(366))
    assert Hours(holidays=days).open("business_hours", AT) == AT + timedelta(days=365)


def test_business_hours_are_those_of_their_zone() -> None:
    hours = Hours(zone="America/New_York")
    monday = datetime(2026, 11, 23, 13, 59, tzinfo=UTC)  # 08:59 there
    assert not hours.hold(monday)
    assert hours.hold(monday + timedelta(minutes=1))
    assert not hours.hold(AT + timedelta(hours=6)), "a Saturday"
    assert hours.allow("off_hours", monday)
    assert hours.allow("always", monday)
    assert not hours.allow("business_hours", monday)
