"""A team's weekly digest: when it is due, what it says, and that it is told once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.events.testing import given as past
from services.lifecycle import timetable
from services.lifecycle.config import LifecycleSettings, load_policies
from services.lifecycle.contract import DIGEST, TEAM
from services.lifecycle.domain.digest.commands import Compile
from services.lifecycle.domain.digest.text import compiled
from services.lifecycle.domain.digest.week import next_digest, week_of, zone_of
from services.lifecycle.domain.inbox.waiting import Waiting, Who
from services.lifecycle.domain.policy import Number
from services.lifecycle.domain.team.events import TeamChanged, TeamMerged, TeamRegistered
from services.lifecycle.domain.team.structure import Site, Structure

POLICY = load_policies(LifecycleSettings()).inbox
MONDAY = datetime(2026, 11, 23, 8, tzinfo=UTC)
ITEM = Waiting(
    kind="milestone",
    subject="/v1/engagements/e1/plan/i1",
    title="cap *retries*",
    team="checkout",
    services=("checkout-api",),
    since=MONDAY - timedelta(days=20),
    due=date(2026, 11, 20),
    overdue=True,
    what="go on by one of :start, :drop",
    why="both sides plan with it",
    how="POST /v1/engagements/e1/plan/i1:start",
    who=Who(("cy",), "owner"),
)
COMPILE = Compile(
    team="checkout",
    display_name="Checkout",
    week="2026-W48",
    time_zone="UTC",
    items=(ITEM, replace(ITEM, title="later", due=None, overdue=False, who=Who((), "anybody"))),
    policy=POLICY,
    at=MONDAY,
)


def test_it_says_what_waits_counted_and_in_words() -> None:
    told = compiled(COMPILE)

    assert (told.digest, told.total, told.overdue, told.counts) == ("checkout.2026-W48", 2, 1, {"milestone": 2})
    assert told.subject == "Checkout, 2026-W48: 2 waiting, 1 overdue"
    assert told.text.splitlines()[2:] == [
        "milestone: 2",
        "",
        "## Overdue",
        "",
        r"- [cap \*retries\*](/v1/engagements/e1/plan/i1): go on by one of :start, :drop (cy, due 2026-11-20)",
        "",
        "## Waiting",
        "",
        "- [later](/v1/engagements/e1/plan/i1): go on by one of :start, :drop (anybody)",
    ]


def test_more_than_a_message_carries_is_counted() -> None:
    few = replace(POLICY, digest=replace(POLICY.digest, items_at_most=Number(1, "[D]")))

    told = compiled(replace(COMPILE, policy=few))

    assert (len(told.lines), told.left_out, told.total) == (1, 1, 2)
    assert "1 more wait." in told.text


def test_there_is_one_of_a_team_and_a_week() -> None:
    later = replace(COMPILE, items=(), at=MONDAY + timedelta(days=1))

    past(DIGEST).when(COMPILE).then(compiled(COMPILE))
    past(DIGEST, compiled(COMPILE)).when(later).then()


def test_a_week_in_which_nothing_waits_is_told_only_where_that_is_wanted() -> None:
    empty = replace(COMPILE, items=())
    wanted = replace(empty, policy=replace(POLICY, digest=replace(POLICY.digest, send_empty=Number(1, "asked for"))))

    assert DIGEST.decide(empty, None) == ()
    (told,) = DIGEST.decide(wanted, None)
    assert (told.subject, told.text.splitlines()[2]) == ("Checkout, 2026-W48: nothing waiting", "Nothing waits.")


@pytest.mark.parametrize(
    ("zone", "after", "due"),
    [
        ("UTC", datetime(2026, 11, 21, 10, tzinfo=UTC), MONDAY),
        ("UTC", MONDAY, MONDAY + timedelta(days=7)),
        ("Europe/Berlin", datetime(2026, 11, 21, 10, tzinfo=UTC), datetime(2026, 11, 23, 7, tzinfo=UTC)),
        ("America/New_York", datetime(2026, 10, 26, 13, tzinfo=UTC), datetime(2026, 11, 2, 13, tzinfo=UTC)),
        ("Pacific/Auckland", datetime(2026, 11, 22, 20, tzinfo=UTC), datetime(2026, 11, 29, 19, tzinfo=UTC)),
    ],
)
def test_it_is_due_on_monday_at_eight_where_most_of_the_team_sits(zone: str, after: datetime, due: datetime) -> None:
    assert next_digest(after, ZoneInfo(zone), POLICY.digest) == due


@given(
    after=st.datetimes(datetime(2024, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001  with a zone
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]),
)
def test_each_week_has_one_and_it_is_always_ahead(after: datetime, zone: str) -> None:
    there = ZoneInfo(zone)
    due = next_digest(after, there, POLICY.digest)
    following = next_digest(due, there, POLICY.digest)

    local = due.astimezone(there)
    assert after < due <= after + timedelta(days=7, hours=1)
    assert (local.isoweekday(), local.hour, local.minute) == (1, 8, 0)
    assert week_of(due, there) != week_of(following, there)
    assert following - due <= timedelta(days=7, hours=1)


def test_the_largest_site_says_when_the_week_begins() -> None:
    sites = (Site("berlin", "Europe/Berlin", 4), Site("austin", "America/Chicago", 6), Site("oslo", "Europe/Oslo", 6))

    assert zone_of(Structure(sites=sites)).key == "America/Chicago"
    assert zone_of(Structure()).key == "UTC"
    assert zone_of(Structure(sites=(Site("mars", "Mars/Olympus", 3),))).key == "UTC"
    assert week_of(datetime(2027, 1, 3, 23, 30, tzinfo=UTC), ZoneInfo("Europe/Berlin")) == "2027-W01"


def test_a_team_has_its_first_timer_from_the_day_on_which_it_is_registered() -> None:
    at = datetime(2026, 11, 21, 10, tzinfo=UTC)
    structure = Structure(sites=(Site("berlin", "Europe/Berlin", 4),))
    dates = timetable.TeamDates(POLICY.digest, timedelta(days=365))
    registered = TeamRegistered("checkout", "dev", "Checkout", at, structure)
    team = TEAM.fold(None, [registered])

    first, second = dates.of(team, (registered,)).schedule

    assert (first.key, first.due_at) == ("digest/checkout", datetime(2026, 11, 23, 7, tzinfo=UTC))
    assert (second.key, second.due_at) == ("team-due/checkout", datetime(2027, 11, 22, tzinfo=UTC))
    assert timetable.key_of(first) == timetable.key_of(second) == "checkout"
    assert dates.of(team, (TeamChanged("checkout", "Till", at),)).schedule == (second,)
    merged = TeamMerged(team="checkout", into="till", services=(), reason="one", by="ana", at=at)
    assert dates.of(TEAM.fold(team, [merged]), (merged,)).cancel == (first.key, second.key)
