"""The inbox's rules: what waits, for whom, and never for somebody who may not act."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.lifecycle.config import LifecycleSettings, load_policies
from services.lifecycle.domain.inbox import of_engagements, of_services, of_teams
from services.lifecycle.domain.inbox.of_engagements import Draft, OpenItem, Pair
from services.lifecycle.domain.inbox.of_services import OpenRisk, Owned
from services.lifecycle.domain.inbox.waiting import Waiting, Who, approvers, leads, members, one, ordered
from services.lifecycle.domain.people import ANYBODY, Approvers
from services.lifecycle.domain.phase_risk.events import Lack
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.policy import InvalidPolicyError, Number
from services.lifecycle.domain.team.decider import Registered
from services.lifecycle.domain.team.structure import Duty, Structure, Sync
from services.lifecycle.domain.waiver.decider import Approved
from services.lifecycle.domain.waiver.events import Control, WaiverApproved, WaiverRenewed, WaiverRequested

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
DAY = timedelta(days=1)
SOON = 30 * DAY
OWNED = Owned("checkout-api", "checkout", "sre-pay", 1)
PAIR = Pair("e1", "checkout", "sre-pay", ("checkout-api",))
TEAMS = {
    "checkout": Structure(members=("ana", "cy"), leads=("ana",)),
    "sre-pay": Structure(members=("bo", "di"), leads=("bo",)),
    "till": Structure(),
}
POLICY = load_policies(LifecycleSettings()).inbox
TEAM_POLICY = load_policies(LifecycleSettings()).teams
RISK = OpenRisk(
    risk="r1",
    title="no zone",
    state="proposed",
    since=AT,
    proposed_by="ana",
    owner="",
    due=None,
    until=None,
    too_big=False,
)
ITEM = OpenItem(
    item="i1",
    kind="insight",
    state="open",
    title="slow",
    side="sre",
    owner="",
    due=None,
    services=(),
    since=AT,
)


def risk(**fields: Any) -> list[Waiting]:
    return list(of_services.risk(replace(RISK, **fields), OWNED, TEAMS, AT, SOON))


def item(**fields: Any) -> list[Waiting]:
    return list(of_engagements.item(replace(ITEM, **fields), PAIR, TEAMS, AT))


def test_the_leads_speak_for_a_team_its_members_where_it_has_none_and_anybody_where_it_names_nobody() -> None:
    assert leads(TEAMS, "checkout") == Who(("ana",), "lead")
    assert leads({"t": Structure(members=("cy",))}, "t") == Who(("cy",), "member")
    assert leads(TEAMS, "till").includes("anybody at all")
    assert leads(TEAMS, "unheard-of").role == "anybody"


def test_whoever_asked_is_not_among_those_for_whom_it_waits_even_where_anybody_may() -> None:
    assert members(TEAMS, "checkout", "ana").people == ("cy",)
    assert not leads(TEAMS, "till", "ana").includes("ana")
    assert leads(TEAMS, "checkout", "ana") == Who((), "lead", ("ana",))  # the only lead asked: nobody in the team may


def test_where_a_policy_names_nobody_both_teams_of_the_service_may_approve() -> None:
    assert approvers(ANYBODY, TEAMS, "checkout", "sre-pay", "ana").people == ("cy", "bo", "di")
    assert approvers(Approvers(frozenset({"bo", "ana"})), TEAMS, "checkout", "sre-pay", "ana").people == ("bo",)


PEOPLE = st.lists(st.sampled_from(["ana", "bo", "cy", "di"]), max_size=4, unique=True).map(tuple)


@given(people=PEOPLE, named=PEOPLE, asked=st.sampled_from(["ana", "bo"]), reader=st.sampled_from(["ana", "bo", "eve"]))
def test_an_approval_never_waits_for_who_asked_nor_for_anybody_whom_the_policy_leaves_out(
    people: tuple[str, ...], named: tuple[str, ...], asked: str, reader: str
) -> None:
    who = approvers(Approvers(frozenset(named)), {"t": Structure(members=people)}, "t", "", asked)

    may = reader != asked and (not named or reader in named)

    assert may or not who.includes(reader)


@pytest.mark.parametrize(
    ("fields", "kind", "people", "how"),
    [
        ({}, "risk_assessment", ("ana", "cy"), "POST /v1/risks/r1:assess"),
        ({"state": "assessed"}, "risk_decision", (), "POST /v1/risks/r1:accept"),  # its only lead proposed it
        ({"state": "assessed", "proposed_by": "cy"}, "risk_decision", ("ana",), "POST /v1/risks/r1:accept"),
        ({"state": "assessed", "too_big": True}, "risk_decision", ("ana",), "POST /v1/risks/r1:mitigate"),
        ({"state": "mitigating", "owner": "eve"}, "risk_mitigation", ("eve",), "POST /v1/risks/r1:assess"),
        (
            {"state": "accepted", "owner": "bo", "until": AT + SOON},
            "risk_acceptance_ending",
            ("bo",),
            "POST /v1/risks/r1:accept",
        ),
    ],
)
def test_a_risk_waits_for_whoever_goes_on_with_it(
    fields: dict[str, Any], kind: str, people: tuple[str, ...], how: str
) -> None:
    (found,) = risk(**fields)

    assert (found.kind, found.who.people, found.how) == (kind, people, how)


@pytest.mark.parametrize(
    "fields",
    [{"state": "eliminated"}, {"state": "accepted", "owner": "bo", "until": AT + SOON + DAY}],
)
def test_a_risk_that_is_settled_for_now_waits_for_nobody(fields: dict[str, Any]) -> None:
    assert risk(**fields) == []


def test_what_a_service_lacks_waits_for_the_leads_of_each_team_that_must_mend_it() -> None:
    lacks = tuple(
        Lack(check, "fail", AT, "it is not there", f"do {check}", who, "W18")
        for check, who in (("rota", ("sre-pay",)), ("runbook", ("checkout", "sre-pay")))
    )
    found = of_services.AtRisk("i1", Phase.GENERAL_AVAILABILITY, lacks, AT)

    sre, dev = of_services.phase_at_risk(found, OWNED, TEAMS)

    assert (sre.team, sre.who.people, dev.team, dev.who.people) == ("sre-pay", ("bo",), "checkout", ("ana",))
    assert sre.what == "do rota, and 1 more; then have it looked at again"
    assert dev.how == "POST /v1/services/checkout-api/standing:evaluate"


def test_an_order_of_capacity_waits_for_the_leads_and_is_overdue_after_its_day() -> None:
    short = of_services.Shortage(date(2027, 1, 2), AT.date(), AT - DAY)

    today, tomorrow = (of_services.order(short, OWNED, TEAMS, at) for at in (AT, AT + DAY))

    assert (today.who.people, today.due, today.overdue, tomorrow.overdue) == (("ana",), AT.date(), False, True)
    assert (today.how, today.since) == ("PUT /v1/services/checkout-api/capacity/supply", AT - DAY)


def test_a_mitigation_is_overdue_on_the_day_after_its_day() -> None:
    assert [risk(state="mitigating", owner="eve", due=AT.date() - n * DAY)[0].overdue for n in (0, 1)] == [False, True]


WAIVER = WaiverRequested(
    waiver="w1",
    service="checkout-api",
    check="load_test",
    risk_owner="cy",
    reason="soon",
    control=Control("a cap", "https://wiki.example", AT),
    expires_at=AT + DAY,
    by="ana",
    at=AT,
)
HELD = Approved(WAIVER, WaiverApproved("w1", "checkout-api", "load_test", AT + DAY, "", "bo", AT))


def test_a_waiver_that_ends_is_renewed_by_its_owner_only_if_they_may() -> None:
    mine = of_services.waiver_end(HELD, OWNED, Approvers(frozenset({"cy"})), 1)
    others = of_services.waiver_end(HELD, OWNED, Approvers(frozenset({"bo"})), 1)
    renewed = replace(HELD, renewals=(WaiverRenewed("w1", "checkout-api", "load_test", AT + DAY, "", "bo", AT),))
    over = of_services.waiver_end(renewed, OWNED, Approvers(frozenset({"cy"})), 1)

    assert mine.how == "POST /v1/waivers/w1:renew"
    assert (others.how, others.what) == (
        "GET /v1/services/checkout-api/standing",
        "meet load_test, or have bo renew the waiver",
    )
    assert (over.how, over.what) == ("GET /v1/services/checkout-api/standing", "meet load_test")


@pytest.mark.parametrize(
    ("fields", "waits"),
    [
        ({}, [("checkout", ("ana",))]),  # the other side acts on what SRE tells
        ({"side": "dev"}, [("sre-pay", ("bo",))]),
        ({"owner": "di", "state": "accepted"}, [("sre-pay", ("di",))]),
        ({"owner": "eve", "state": "accepted"}, [("sre-pay", ("eve",))]),
        ({"kind": "win", "state": "proposed"}, [("checkout", ("ana",)), ("sre-pay", ("bo",))]),
        ({"kind": "milestone", "state": "planned", "side": "dev"}, [("checkout", ("ana",))]),
    ],
)
def test_an_item_waits_for_its_owner_or_for_the_side_that_goes_on(fields: dict[str, Any], waits: list[Any]) -> None:
    assert [(each.team, each.who.people) for each in item(**fields)] == waits


def test_an_update_waits_for_each_sides_word_by_somebody_who_has_not_spoken_for_the_other_and_then_to_be_held() -> None:
    drafted = Draft(gathering="g1", kind="quarterly_update", title="Q4", told={}, since=AT)
    both = list(of_engagements.draft(drafted, PAIR, TEAMS))
    teams = TEAMS | {"checkout": Structure(members=("ana", "bo"), leads=("ana", "bo"))}
    (left,) = of_engagements.draft(replace(drafted, told={"sre": "bo"}), PAIR, teams)
    told = list(of_engagements.draft(replace(drafted, told={"sre": "bo", "dev": "ana"}), PAIR, TEAMS))

    assert [(each.kind, each.team) for each in both] == [("statement", "checkout"), ("statement", "sre-pay")]
    assert (left.team, left.who.people) == ("checkout", ("ana",))
    assert left.how == "POST /v1/engagements/e1/quarterly-updates/g1:tell"
    assert {each.how for each in told} == {"POST /v1/engagements/e1/quarterly-updates/g1:hold"}


def of_team(structure: Structure, at: datetime = AT) -> list[Waiting]:
    state = Registered("checkout", "dev", "Checkout", AT - 10 * DAY, structure)
    return list(of_teams.team(state, POLICY, TEAM_POLICY, at))


def test_a_duty_waits_for_its_holder_from_a_week_before_its_day() -> None:
    people = TEAMS["checkout"]
    day = date(2026, 12, 1)
    held = replace(people, duties=(Duty("release captain", "", "cy", day), Duty("triage", "", "", day)))

    early, near, late = (
        of_team(held, datetime(2026, *month_day, tzinfo=UTC)) for month_day in ((11, 23), (11, 24), (12, 2))
    )

    assert early == []
    assert [(each.who.people, each.overdue) for each in near] == [(("cy",), False), (("ana",), False)]
    assert [each.overdue for each in late] == [True, True]


def test_a_sync_waits_when_it_is_overdue_and_the_structure_a_month_before_its_year_is_over() -> None:
    sync = Sync("weekly", ("berlin", "austin"), 7 * DAY, date(2026, 11, 13))
    (held,) = of_team(replace(TEAMS["checkout"], syncs=(sync,)))
    (yearly,) = of_team(TEAMS["checkout"], AT + 326 * DAY)

    assert (held.kind, held.due, held.overdue) == ("sync", date(2026, 11, 20), True)
    assert (yearly.kind, yearly.how) == ("structure_review", "POST /v1/teams/checkout:review-structure")
    assert of_team(TEAMS["checkout"], AT + 324 * DAY) == []


def test_what_is_due_first_stands_first_and_each_thing_once() -> None:
    late, soon, never = risk(due=None)[0], risk()[0], risk()[0]
    late, soon = replace(late, due=date(2026, 11, 1)), replace(soon, due=date(2026, 12, 1))

    assert ordered([never, soon, late, late]) == [late, soon, never]


@pytest.mark.parametrize(
    ("field", "value", "pointer"),
    [
        ("weekday", 8, "/digest/weekday/value"),
        ("hour", 24, "/digest/hour/value"),
        ("items_at_most", 0, "/digest/items_at_most/value"),
        ("send_empty", 0.5, "/digest/send_empty/value"),
    ],
)
def test_a_policy_by_which_no_digest_could_be_made_is_refused_with_its_place(
    field: str, value: float, pointer: str
) -> None:
    digest = replace(POLICY.digest, **{field: Number(value, "[D]")})

    with pytest.raises(InvalidPolicyError) as refused:
        replace(POLICY, digest=digest, duty_days=Number(-1, "[D]")).validate()

    assert {fault.pointer for fault in refused.value.faults} == {pointer, "/duty_days/value"}


def test_it_says_why_it_is_somebodys() -> None:
    (found,) = risk()

    assert found.why_yours == "you belong to team checkout"
    assert replace(found, who=one("cy")).why_yours == "it is yours"
