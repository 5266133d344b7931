from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from libs.events.testing import given
from services.lifecycle.contract import TEAM
from services.lifecycle.domain.errors import NameTakenError
from services.lifecycle.domain.team.commands import (
    Absorb,
    Change,
    Command,
    Dissolve,
    Merge,
    Register,
    Review,
    Shard,
)
from services.lifecycle.domain.team.decider import Ended, Registered
from services.lifecycle.domain.team.errors import MergeError, StructureError, TeamEndedError, TeamNeededError
from services.lifecycle.domain.team.events import (
    StructureReviewed,
    TeamAbsorbed,
    TeamChanged,
    TeamDissolved,
    TeamMerged,
    TeamRegistered,
)
from services.lifecycle.domain.team.structure import (
    Charter,
    Duty,
    Site,
    Structure,
    Sync,
    faults,
    joined,
    without,
)
from tests.fixtures.lifecycle import NOW

BERLIN, AUSTIN = Site("berlin", "Europe/Berlin", 6), Site("austin", "America/Chicago", 6)
SET_UP = Structure(members=("ana", "bo"), leads=("ana",), product="di", sites=(BERLIN, AUSTIN))
SRE = TeamRegistered("core-sre", "sre", "Core SRE", NOW, SET_UP)
MERGED = TeamMerged(team="core-sre", into="web-sre", services=("shop",), reason="one team", by="ana", at=NOW)
DISSOLVED = TeamDissolved(team="core-sre", services={}, reason="no need", by="ana", at=NOW)


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"members": ("ana", "ana", "bo")}, "named-twice", "/members"),
        ({"leads": ("cy",)}, "lead-not-a-member", "/leads/0"),
        ({"sites": (BERLIN, Site("oslo", "Europe/Oslo", 1))}, "singleton-site", "/sites/1/headcount"),
        ({"headcount": 11}, "headcount-too-small", "/headcount"),
        ({"sites": (), "headcount": 1}, "headcount-too-small", "/headcount"),
        ({"duties": (Duty("queue", "oslo"),)}, "unknown-site", "/duties/0/site"),
        ({"syncs": (Sync("sync", ("berlin", "oslo"), timedelta(days=7)),)}, "unknown-site", "/syncs/0/sites/1"),
        ({"syncs": (Sync("sync", ("berlin", "berlin"), timedelta(days=7)),)}, "sync-of-one-site", "/syncs/0/sites"),
        ({"charter": Charter(technologies=("go", "go"))}, "named-twice", "/charter/technologies"),
    ],
)
def test_a_team_that_cannot_be_is_refused_with_the_place(changes: dict[str, object], code: str, pointer: str) -> None:
    structure = replace(SET_UP, **changes)  # pyright: ignore[reportArgumentType]
    command = Register("core-sre", "sre", "Core SRE", NOW, structure, least_at_site=2)

    refusal = given(TEAM).when(command).refuses(StructureError)

    assert [(fault.code, fault.pointer) for fault in refusal.faults] == [(code, pointer)]


def test_a_development_team_may_have_one_person_at_a_site() -> None:
    assert faults(Structure(sites=(Site("oslo", "Europe/Oslo", 1),)), "dev", 2) == ()


def test_the_size_of_a_team_is_what_was_said_else_the_sum_of_its_sites_else_unknown() -> None:
    sizes = [Structure(headcount=9).size, Structure(sites=(BERLIN, AUSTIN)).size, Structure().size]

    assert sizes == [9, 12, None]


def test_a_change_without_a_structure_leaves_it_as_it_was() -> None:
    state = given(TEAM, SRE, TeamChanged("core-sre", "Core", NOW)).state

    assert isinstance(state, Registered)
    assert (state.display_name, state.structure) == ("Core", SET_UP)


def test_a_change_to_what_is_so_already_says_nothing() -> None:
    given(TEAM, SRE).when(Change("core-sre", "Core SRE", NOW, SET_UP)).then()


def test_what_was_set_up_before_a_rule_was_made_does_not_keep_a_team_from_being_renamed() -> None:
    alone = replace(SRE, structure=Structure(sites=(Site("oslo", "Europe/Oslo", 1),)))

    given(TEAM, alone).when(Change("core-sre", "Oslo", NOW, least_at_site=2)).then(TeamChanged("core-sre", "Oslo", NOW))


def test_a_review_is_kept_until_the_next() -> None:
    review = Review(team="core-sre", outcome="keep", notes="fits", by="ana", at=NOW)
    reviewed = StructureReviewed(team="core-sre", outcome="keep", notes="fits", by="ana", at=NOW)

    state = given(TEAM, SRE).when(review).then(reviewed)

    assert isinstance(state, Registered)
    assert state.reviewed == reviewed


def _shard(structure: Structure) -> Shard:
    return Shard(
        team="core-sre",
        into=("web-sre",),
        services={"shop": "web-sre"},
        structure=structure,
        least_at_site=2,
        reason="too much",
        by="ana",
        at=NOW,
    )


def test_what_is_left_of_a_cut_team_must_be_able_to_be_one() -> None:
    given(TEAM, SRE).when(_shard(Structure(leads=("bo",)))).refuses(StructureError)


def test_what_is_left_of_a_cut_team_is_without_those_who_went() -> None:
    duty = Duty("queue", "berlin", "bo", date(2027, 1, 1))
    before = replace(SET_UP, duties=(duty,), charter=Charter("", ("shop", "till"), ("go",)))

    left = without(before, {"bo"}, {"shop"})

    assert (left.members, left.leads, left.charter.services) == (("ana",), ("ana",), ("till",))
    assert left.duties == (replace(duty, holder=""),)


def _absorb(**changes: object) -> Absorb:
    command = Absorb(
        team="core-sre",
        absorbed="web-sre",
        kind="sre",
        structure=Structure(members=("cy", "bo"), leads=("cy",), sites=(replace(BERLIN, headcount=4),)),
        least_at_site=2,
        reason="one team",
        by="ana",
        at=NOW,
    )
    return replace(command, **changes)  # pyright: ignore[reportArgumentType]


def test_a_team_that_takes_another_in_has_the_people_and_sites_of_both() -> None:
    state = (
        given(TEAM, SRE)
        .when(_absorb())
        .then(
            TeamAbsorbed(
                team="core-sre",
                absorbed="web-sre",
                structure=replace(
                    SET_UP,
                    members=("ana", "bo", "cy"),
                    leads=("ana", "cy"),
                    sites=(replace(BERLIN, headcount=10), AUSTIN),
                ),
                reason="one team",
                by="ana",
                at=NOW,
            )
        )
    )

    assert isinstance(state, Registered)
    assert state.structure.size == 16


def test_teams_of_two_kinds_do_not_become_one() -> None:
    refusal = given(TEAM, SRE).when(_absorb(kind="dev")).refuses(MergeError)

    assert "merge teams of one kind" in str(refusal)


def test_a_team_does_not_become_a_part_of_itself() -> None:
    itself = Merge(team="core-sre", into="core-sre", services=(), reason="?", by="ana", at=NOW)

    given(TEAM, SRE).when(itself).refuses(MergeError)


def test_a_team_that_something_needs_does_not_end_and_says_what_to_do() -> None:
    command = Dissolve(team="core-sre", needed_by=("service shop",), services={}, reason="", by="ana", at=NOW)

    refusal = given(TEAM, SRE).when(command).refuses(TeamNeededError)

    assert "service shop" in str(refusal)
    assert "to another team" in str(refusal)


@pytest.mark.parametrize("end", [MERGED, DISSOLVED])
@pytest.mark.parametrize(
    "command",
    [
        Change("core-sre", "Core", NOW),
        _shard(Structure()),
        _absorb(),
        Merge(team="core-sre", into="mail-sre", services=(), reason="", by="ana", at=NOW),
        Review(team="core-sre", outcome="keep", notes="", by="ana", at=NOW),
    ],
)
def test_a_team_that_has_ended_does_nothing_more(end: TeamMerged | TeamDissolved, command: Command) -> None:
    given(TEAM, SRE, end).when(command).refuses(TeamEndedError)


def test_the_name_of_a_team_that_has_ended_is_not_used_again() -> None:
    given(TEAM, SRE, DISSOLVED).when(Register("core-sre", "sre", "Core SRE", NOW)).refuses(NameTakenError)


def test_ending_a_team_twice_ends_it_once() -> None:
    merge = Merge(team="core-sre", into="web-sre", services=(), reason="", by="ana", at=NOW)
    dissolve = Dissolve(team="core-sre", needed_by=(), services={}, reason="", by="ana", at=NOW)

    assert isinstance(given(TEAM, SRE, MERGED).when(merge).then(), Ended)
    assert isinstance(given(TEAM, SRE, DISSOLVED).when(dissolve).then(), Ended)


_NAMES = st.lists(st.sampled_from("abcdef"), unique=True, max_size=4).map(tuple)
_SITES = st.dictionaries(st.sampled_from("xyz"), st.integers(2, 9), max_size=3).map(
    lambda found: tuple(Site(name, "Europe/Berlin", count) for name, count in found.items())
)


@st.composite
def _structures(draw: st.DrawFn) -> Structure:
    members = draw(_NAMES)
    sites = draw(_SITES)
    leads = draw(st.sampled_from([(), members[:1], members]))
    least = max(len(members), 1)
    total = sum(site.headcount for site in sites)
    if sites and total < len(members):
        sites = (replace(sites[0], headcount=sites[0].headcount + least), *sites[1:])
    headcount = None if sites else draw(st.sampled_from([None, least, least + 3]))
    return Structure(members=members, leads=leads, sites=sites, headcount=headcount)


@for_all(_structures(), _structures())
def test_two_teams_that_can_be_can_be_one_and_nobody_is_lost(first: Structure, second: Structure) -> None:
    assert faults(first, "sre", 2) == faults(second, "sre", 2) == ()

    both = joined(first, second)

    assert faults(both, "sre", 2) == ()
    assert set(both.members) == {*first.members, *second.members}
    assert set(both.leads) == {*first.leads, *second.leads}


@for_all(_structures(), st.sets(st.sampled_from("abcdef")))
def test_a_team_that_people_leave_can_still_be(structure: Structure, people: set[str]) -> None:
    left = without(structure, people, ())

    assert faults(left, "sre", 2) == ()
    assert not {*left.members, *left.leads} & people
