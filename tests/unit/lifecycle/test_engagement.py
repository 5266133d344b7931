"""The rules of an engagement, for every order in which they can be asked for."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from libs.events.testing import given
from services.lifecycle.config import LifecycleSettings, load_policies
from services.lifecycle.contract import ENGAGEMENT
from services.lifecycle.domain.engagement import commands
from services.lifecycle.domain.engagement.charter import Edition, GroundRule
from services.lifecycle.domain.engagement.commands import Measured, Speaker
from services.lifecycle.domain.engagement.errors import BothSidesError, EngagementError
from services.lifecycle.domain.engagement.events import (
    EditionAcknowledged,
    EngagementAccepted,
    EngagementActivated,
    EngagementDeclined,
    EngagementRequested,
    EngagementTeamChanged,
    GroundRuleBreached,
    GroundRulesProposed,
    Links,
    ServiceLeft,
)
from services.lifecycle.domain.engagement.measures import Shift
from services.lifecycle.domain.engagement.next_steps import steps
from services.lifecycle.domain.engagement.policy import EngagementPolicy
from services.lifecycle.domain.engagement.state import VERBS, Engagement
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.policy import InvalidPolicyError
from tests.fixtures.lifecycle import NOW

POLICY = load_policies(LifecycleSettings()).engagements
ANA = Speaker("ana", is_person=True)
SAID: dict[str, Any] = {"engagement": "e1", "by": "ana", "reason": "so agreed", "at": NOW}
REQUESTED = EngagementRequested(**SAID, sre_team="sre", dev_team="dev", services=("api",), model="full")
ACTIVE = (
    REQUESTED,
    EngagementAccepted(**SAID),
    EngagementActivated(**SAID, sre_team="sre", dev_team="dev", services=("api",), model="full"),
)
RULE = GroundRule("pages", "pages_per_shift", "at_most", 2, 28, "less noise", "sre")
RULED = (
    *ACTIVE,
    GroundRulesProposed(**SAID, version=1, entries=(RULE,)),
    EditionAcknowledged(**SAID, part="ground_rules", version=1, side="dev", missing=("sre",)),
    EditionAcknowledged(**SAID | {"by": "bo"}, part="ground_rules", version=1, side="sre", missing=()),
)


def asked(kind: type[Any], at: datetime = NOW, **fields: Any) -> Any:
    """A command of Ana's."""
    return kind(**SAID | {"at": at}, **fields)


def look(value: float | None, days: float) -> commands.Look:
    """What is seen after so many days, when the rule comes to *value*."""
    return asked(commands.Look, NOW + timedelta(days=days), measured=(Measured("pages", value),))


def test_nothing_is_asked_of_an_engagement_that_nobody_asked_for() -> None:
    given(ENGAGEMENT).when(asked(commands.Accept, speaker=ANA)).refuses(UnknownError)


def test_what_was_carried_out_before_changes_nothing() -> None:
    given(ENGAGEMENT, *ACTIVE).when(asked(commands.Activate, model=None, reviews=(), series=())).then()
    given(ENGAGEMENT, *ACTIVE).when(asked(commands.ChangeModel, model="full")).then()
    given(ENGAGEMENT, *ACTIVE).when(asked(commands.Join, service="api", review="")).then()
    given(ENGAGEMENT, *ACTIVE).when(asked(commands.Leave, services=("other",))).then()


def test_one_person_never_speaks_for_both_sides_even_where_teams_have_named_nobody() -> None:
    agree = asked(commands.Acknowledge, part="ground_rules", version=1, side="sre", speaker=ANA)
    given(ENGAGEMENT, *RULED[:-1]).when(agree).refuses(BothSidesError)


def test_a_merged_team_is_asked_for_its_word_anew_while_what_was_agreed_goes_on_to_hold() -> None:
    follow = asked(commands.FollowTeam, team="sre", into="core")

    moved = (
        given(ENGAGEMENT, *RULED)
        .when(follow)
        .then(EngagementTeamChanged(**SAID, side="sre", from_team="sre", to_team="core"))
    )

    assert moved is not None
    assert (moved.sre_team, moved.dev_team) == ("core", "dev")
    assert moved.rules == (replace(RULE, owner="core"),)
    waits = [step for step in steps(moved, NOW) if step.kind == "acknowledgement"]
    assert [(step.teams, step.but) for step in waits] == [(("core",), ("ana",))]
    assert ENGAGEMENT.decide(follow, moved) == ()
    agree = asked(
        commands.Acknowledge, part="ground_rules", version=1, side="sre", speaker=Speaker("bo", is_person=True)
    )
    again = ENGAGEMENT.fold(moved, ENGAGEMENT.decide(replace(agree, by="bo"), moved))
    assert again is not None
    assert not [step for step in steps(again, NOW) if step.kind == "acknowledgement"]


def test_an_engagement_that_is_over_stays_with_the_teams_that_it_had() -> None:
    ended = (*ACTIVE[:1], EngagementDeclined(**SAID, instead="documentation", guidance=""))
    given(ENGAGEMENT, *ended).when(asked(commands.FollowTeam, team="dev", into="shop")).then()


def test_what_a_cut_team_had_agreed_is_proposed_to_both_sides_of_the_new_engagement() -> None:
    takes_over = asked(
        commands.TakeOver,
        sre_team="sre",
        dev_team="tills",
        services=("till",),
        model="full",
        trackers=Links(),
        standing="active",
        charter={"ground_rules": (RULE,)},
        series=POLICY.cadences,
    )

    state = ENGAGEMENT.fold(None, ENGAGEMENT.decide(takes_over, None))

    assert state is not None
    assert (state.standing, state.model, state.services, set(state.series)) == (
        "active",
        "full",
        ("till",),
        {cadence.series for cadence in POLICY.cadences},
    )
    assert (state.rules, state.chapter("ground_rules").newest) == ((), Edition(1, (RULE,), "ana", NOW))
    assert ENGAGEMENT.decide(takes_over, state) == ()
    given(ENGAGEMENT).when(replace(takes_over, standing="requested")).then(
        EngagementRequested(**SAID, sre_team="sre", dev_team="tills", services=("till",), model="full")
    )


def test_an_engagement_without_services_waits_to_be_ended() -> None:
    state = (
        given(ENGAGEMENT, *ACTIVE)
        .when(asked(commands.Leave, services=("api", "other")))
        .then(ServiceLeft(**SAID, service="api"))
    )
    assert state is not None
    assert [step.next.what for step in steps(state, NOW) if step.kind == "engagement_empty"] == [
        "end it, or take a service in"
    ]


@pytest.mark.parametrize(("value", "told"), [(None, 0), (2.0, 0), (2.1, 1)])
def test_only_a_value_beyond_the_limit_is_a_breach_and_unknown_never_is(value: float | None, told: int) -> None:
    produced = ENGAGEMENT.decide(look(value, 1), given(ENGAGEMENT, *RULED).state)
    assert [type(event) for event in produced] == [GroundRuleBreached] * told


def test_a_rule_that_one_side_has_not_acknowledged_is_not_measured() -> None:
    given(ENGAGEMENT, *RULED[:-1]).when(look(9, 1)).then()


@for_all(st.lists(st.tuples(st.floats(0.1, 40), st.floats(0, 5)), max_size=30))
def test_a_breach_is_never_told_twice_in_a_window_and_always_again_after_it(seen: list[tuple[float, float]]) -> None:
    state, day = given(ENGAGEMENT, *RULED).state, 0.0
    told: list[float] = []
    for after, value in seen:
        day += after
        produced = ENGAGEMENT.decide(look(value, day), state)
        state = ENGAGEMENT.fold(state, produced)
        free = not told or day - told[-1] >= 28 - 1e-6
        assert bool(produced) == (value > 2 and free)
        told += [day] * bool(produced)


STARTED = asked(commands.StartHandback, receiver="dev", items=POLICY.checklist(NOW))
SETTLED = [
    asked(commands.Settle, NOW + timedelta(days=20), item=line.id, applies=True, evidence="seen", speaker=ANA)
    for line in POLICY.handback
]
ANYTHING = st.sampled_from(
    [
        asked(commands.Accept, speaker=ANA),
        asked(commands.Decline, speaker=ANA, instead="consultation", guidance=""),
        asked(commands.Activate, model=None, reviews=(), series=POLICY.cadences),
        asked(commands.ChangeModel, model="consulting"),
        asked(commands.ChangeModel, model="full"),
        asked(commands.Join, service="cart", review=""),
        asked(commands.Leave, services=("api",)),
        asked(commands.Leave, services=("cart",)),
        asked(commands.FollowTeam, team="dev", into="shop"),
        asked(commands.FollowTeam, team="sre", into="core"),
        STARTED,
        SETTLED[0],
        SETTLED,
        asked(commands.HandBack, re_entry=("a rewrite",), watch=timedelta(days=90)),
        asked(commands.Disengage, ending="optimised", watch=timedelta(days=90)),
        asked(commands.EndWatch, figures=()),
        look(9, 400),
    ]
)
LEADS_TO = {
    "requested": {"accepted", "declined"},
    "accepted": {"active", "disengaged"},
    "declined": set[str](),
    "active": {"active", "handback_pending", "disengaged"},
    "handback_pending": {"active", "handed_back", "disengaged"},
    "handed_back": {"active", "disengaged"},
    "disengaged": set[str](),
}


@for_all(st.lists(ANYTHING, max_size=60))
def test_no_order_of_commands_leaves_the_table(wanted: list[Any]) -> None:
    state = given(ENGAGEMENT, REQUESTED).state
    assert state is not None
    for command in (each for one in wanted for each in (one if isinstance(one, list) else [one])):
        before = state
        try:
            produced = ENGAGEMENT.decide(command, state)
        except EngagementError:
            continue
        state = ENGAGEMENT.fold(state, produced)
        assert state is not None
        check(before, state)
        assert ENGAGEMENT.decide(command, state) == () or command.__class__ in {commands.Activate, commands.Look}


def check(before: Engagement, after: Engagement) -> None:
    """What holds whatever was asked."""
    if after.stays != before.stays:
        assert after.standing in LEADS_TO[before.standing]
    if after.standing == "handed_back" and before.standing != "handed_back":
        assert before.handover is not None
        assert before.handover.open_items == ()
        assert after.re_entry
    if after.standing == "disengaged" and before.standing == "active":
        assert before.may_end_at_once
    if not VERBS[before.standing] and before.watch == after.watch:
        assert before == after


def test_a_policy_that_names_what_nobody_measures_is_refused() -> None:
    metrics = {**POLICY.metrics, "moon": POLICY.metrics["pages_per_shift"]}
    broken: list[EngagementPolicy] = [
        replace(POLICY, metrics=metrics),
        replace(POLICY, handback=(*POLICY.handback, POLICY.handback[0])),
        replace(POLICY, ground_rules=(replace(POLICY.ground_rules[0], metric="moon"),)),
    ]
    for policy in broken:
        with pytest.raises(InvalidPolicyError):
            policy.validate(frozenset(POLICY.metrics))
    assert POLICY.ladder[0] == "named_engineers"
    assert REQUESTED.trackers == Links()


def test_what_a_shift_cost_leads_to_where_it_can_be_read() -> None:
    shift = Shift("closed-1", "checkout", "dev", NOW, NOW + timedelta(days=7), 2, 40)

    asked_for = parse_qs(urlsplit(shift.evidence.url).query)

    assert datetime.fromisoformat(asked_for["from"][0]) == shift.start
    assert datetime.fromisoformat(asked_for["until"][0]) == shift.end
