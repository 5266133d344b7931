"""What people decide about a schedule and its rotations: from now on or later, once, and never twice about one time."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.events.testing import given
from services.incidents.contract import ROTATION, SCHEDULE
from services.incidents.domain.errors import AbsentError, IllegalTransitionError
from services.incidents.domain.on_call.errors import (
    NameTakenError,
    NeverOpenError,
    NotOnCallError,
    NotTheirsError,
    OnCallError,
    OverlapError,
    PastError,
    SidesMissingError,
    StillNeededError,
    TimeRangeError,
)
from services.incidents.domain.on_call.resolver import at_moment
from services.incidents.domain.on_call.roster import Layer, RotationRevision, ScheduleRevision
from services.incidents.domain.on_call.spans import Span
from services.incidents.domain.on_call.turns import Rota
from services.incidents.domain.on_call.windows import WEEKDAYS, Window
from services.incidents.domain.rotation import commands as of_rotation
from services.incidents.domain.rotation.events import RotationChanged, RotationEnded
from services.incidents.domain.schedule import commands as of
from services.incidents.domain.schedule.events import (
    Event,
    OverrideCancelled,
    OverrideDecided,
    ScheduleDefined,
    ScheduleEnded,
    SwapApproved,
    SwapDeclined,
    SwapOffered,
    SwapTaken,
    TokenRenewed,
)
from services.incidents.domain.schedule.overrides import LONGEST

AT = datetime(2026, 11, 23, tzinfo=UTC)  # a Monday; ana, bo and cleo take turns by the day
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OFFICE, NIGHTS = (Window(WEEKDAYS, *(AT.replace(hour=hour).time() for hour in hours)) for hours in ((9, 17), (20, 8)))
ROTA = Rota("UTC", "daily", 1, AT.replace(tzinfo=None), ("ana", "bo", "cleo"))
ROTATIONS = {
    "team": (RotationRevision(ROTA, AT),),
    "office": (RotationRevision(replace(ROTA, participants=("fay",), restrictions=(OFFICE,)), AT),),
}
REVISION = ScheduleRevision("UTC", ("cart-api",), (Layer("days", "team"),), (), "any", (), AT)
BY_ANA: dict[str, Any] = {"by": "ana", "reason": "because", "at": AT}
FACT: dict[str, Any] = {"schedule": "cart", **BY_ANA}

DEFINE = of.Define(**BY_ANA, schedule="cart", display_name="Cart", revision=REVISION, rotations=ROTATIONS)
CHANGE = of.Change(**BY_ANA, display_name="Cart", revision=REVISION, rotations=ROTATIONS)
DEFINED = ScheduleDefined(**FACT, display_name="Cart", revision=REVISION)
ENDED = ScheduleEnded(**FACT)


def on_call(state: Any, moment: datetime) -> list[str]:
    return [each.person for each in at_moment(state.roster(ROTATIONS), moment)]


class TestDefining:
    def test_happens_once_under_one_name(self) -> None:
        given(SCHEDULE).when(DEFINE).then(DEFINED)
        given(SCHEDULE, DEFINED).when(DEFINE).then()
        given(SCHEDULE, DEFINED).when(replace(DEFINE, display_name="Till")).refuses(NameTakenError)
        given(SCHEDULE, DEFINED, ENDED).when(DEFINE).refuses(NameTakenError)

    @pytest.mark.parametrize(
        "changes",
        [
            {"zone": "Europe/Berlin"},
            {"services": ("till-api",)},
            {"layers": (Layer("nights", "team"),)},
            {"off_duty": (NIGHTS,)},
            {"sides": "both"},
            {"managers": ("cleo",)},
        ],
    )
    def test_another_way_is_a_revision_and_the_same_again_is_none(self, changes: Any) -> None:
        then = replace(REVISION, **changes, effective_from=AT + DAY)
        changed = replace(DEFINED, revision=then)
        state = given(SCHEDULE, DEFINED).when(replace(CHANGE, revision=then)).then(changed)
        assert state is not None
        assert state.revisions == (REVISION, then)
        assert given(SCHEDULE, DEFINED, replace(changed, revision=replace(then, effective_from=AT))).state == replace(
            state, revisions=(replace(then, effective_from=AT),)
        )
        given(SCHEDULE, DEFINED, changed).when(replace(CHANGE, revision=then)).then()

    def test_another_display_name_is_a_change(self) -> None:
        state = (
            given(SCHEDULE, DEFINED)
            .when(replace(CHANGE, display_name="Till"))
            .then(replace(DEFINED, display_name="Till"))
        )
        assert state is not None
        assert (state.display_name, state.layered) == ("Till", {"team"})

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"zone": "Mars/Olympus"}, "zone"),
            ({"layers": ()}, "layers"),
            ({"off_duty": (replace(NIGHTS, days=()),)}, "off_duty/0/days"),
            ({"layers": (Layer("a", "team"), Layer("a", "office"))}, "layers/1/name"),
            (
                {"layers": (Layer("a", "team", restrictions=(replace(NIGHTS, days=()),)),)},
                "layers/0/restrictions/0/days",
            ),
            ({"layers": (Layer("a", "team"), Layer("b", "office", restrictions=(NIGHTS,)))}, "layers/1/restrictions"),
            ({"effective_from": AT - HOUR}, "effective_from"),
        ],
    )
    def test_what_means_nothing_is_refused_with_its_place(self, changes: Any, field: str) -> None:
        refused = given(SCHEDULE).when(replace(DEFINE, revision=replace(REVISION, **changes))).refuses(OnCallError)
        assert refused.field == field

    def test_a_layer_that_opens_in_the_hours_of_its_rotation_is_taken(self) -> None:
        late = replace(OFFICE, start=AT.replace(hour=16).time(), end=AT.replace(hour=23).time())
        open_for_an_hour = replace(REVISION, layers=(Layer("late", "office", restrictions=(late,)),))
        later = {"office": (replace(ROTATIONS["office"][0], effective_from=AT + 99 * DAY),)}
        for rotations in (ROTATIONS, later):
            define = replace(DEFINE, revision=open_for_an_hour, rotations=rotations)
            given(SCHEDULE).when(define).then(replace(DEFINED, revision=open_for_an_hour))

    def test_ended_nobody_is_on_call_and_nothing_is_decided(self) -> None:
        said = replace(REVISION, off_duty=(NIGHTS,), sides="both")
        defined = replace(DEFINED, revision=said)
        planned = replace(defined, revision=replace(said, managers=("bo",), effective_from=AT + DAY))
        end = of.End(**BY_ANA | {"at": AT + HOUR})
        ended = replace(ENDED, at=end.at)
        state = given(SCHEDULE, defined, planned).when(end).then(ended)
        assert state is not None
        assert [on_call(state, AT + hours * HOUR) for hours in (0, 1, 99)] == [["ana"], [], []]
        last = replace(REVISION, layers=(), managers=("bo",), effective_from=end.at)
        assert state.revisions == (said, last)
        at_once = given(SCHEDULE, DEFINED, ENDED).state
        assert at_once is not None
        assert len(at_once.revisions) == 1
        given(SCHEDULE, DEFINED, ended).when(end).then()
        given(SCHEDULE, DEFINED, ended).when(CHANGE).refuses(IllegalTransitionError)
        given(SCHEDULE).when(end).refuses(AbsentError)

    def test_a_calendars_address_is_renewed_once(self) -> None:
        renewed = TokenRenewed(schedule="cart", by="ana", at=AT, digest="d1")
        given(SCHEDULE, DEFINED).when(of.RenewToken(**BY_ANA, digest="d1")).then(renewed)
        given(SCHEDULE, DEFINED, renewed).when(of.RenewToken(**BY_ANA, digest="d1")).then()


TIME: dict[str, Any] = {"start": AT + 26 * HOUR, "end": AT + 30 * HOUR}  # of bo's
DECIDE = of.Decide(
    **BY_ANA, **TIME, override="o1", kind="replacement", person="dora", replaces="bo", rotations=ROTATIONS
)
DECIDED = OverrideDecided(**FACT, **TIME, override="o1", kind="replacement", person="dora", replaces="bo")
COVER = replace(DECIDED, override="o2", kind="cover", replaces="")
NOBODY = replace(COVER, kind="off_duty", person="")


class TestDeciding:
    def test_one_stands_in_for_another_and_the_same_again_says_nothing_new(self) -> None:
        state = given(SCHEDULE, DEFINED).when(DECIDE).then(DECIDED)
        assert [on_call(state, AT + hours * HOUR) for hours in (25, 26, 30)] == [["bo"], ["dora"], ["bo"]]
        given(SCHEDULE, DEFINED, DECIDED).when(replace(DECIDE, override="o9")).then()

    @pytest.mark.parametrize(
        ("changes", "error", "field"),
        [
            ({"end": TIME["start"]}, TimeRangeError, "end"),
            ({"end": TIME["start"] + LONGEST + HOUR}, TimeRangeError, "end"),
            ({"start": AT - HOUR}, PastError, "start"),
            ({"person": "bo"}, OnCallError, "person"),
            ({"replaces": "ana"}, NotOnCallError, "replaces"),
        ],
    )
    def test_what_cannot_be_so_is_refused(self, changes: Any, error: type[OnCallError], field: str) -> None:
        assert given(SCHEDULE, DEFINED).when(replace(DECIDE, **changes)).refuses(error).field == field

    @pytest.mark.parametrize("past", [DECIDED, COVER, NOBODY])
    def test_two_decisions_about_the_same_time_are_refused_until_one_is_cancelled(self, past: OverrideDecided) -> None:
        person = past.person and "ed"
        other = replace(DECIDE, override="o3", kind=past.kind, person=person, replaces=past.replaces)
        for start, end in ((25, 27), (27, 28), (26, 29), (25, 31)):
            at = replace(other, start=AT + start * HOUR, end=AT + end * HOUR)
            assert past.override in str(given(SCHEDULE, DEFINED, past).when(at).refuses(OverlapError))
        decided = replace(past, override="o3", person=person)
        for start, end in ((25, 26), (30, 31)):
            span = {"start": AT + start * HOUR, "end": AT + end * HOUR}
            given(SCHEDULE, DEFINED, past).when(replace(other, **span)).then(replace(decided, **span))
        cancelled = OverrideCancelled(**FACT, override=past.override)
        given(SCHEDULE, DEFINED, past, cancelled).when(other).then(decided)

    def test_another_person_may_be_replaced_and_offer_theirs_at_the_same_time(self) -> None:
        two = replace(DEFINED, revision=replace(REVISION, layers=(*REVISION.layers, Layer("office", "office"))))
        office = {"replaces": "fay", "start": AT + 28 * HOUR, "end": AT + 34 * HOUR}
        decided = replace(DECIDED, override="o2", **office)
        given(SCHEDULE, two, DECIDED).when(replace(DECIDE, override="o2", **office)).then(decided)
        offered = replace(OFFERED, swap="s2", person="fay")
        given(SCHEDULE, two, OFFERED).when(replace(OFFER, swap="s2", person="fay")).then(offered)

    def test_cancelled_it_counts_no_more_from_then_on_and_not_once_it_is_over(self) -> None:
        for hour, before in ((27, ["dora"]), (0, ["bo"])):
            cancel = of.Cancel(**BY_ANA | {"at": AT + hour * HOUR}, override="o1")
            cancelled = OverrideCancelled(**FACT | {"at": cancel.at}, override="o1")
            state = given(SCHEDULE, DEFINED, DECIDED, COVER, cancelled).state
            assert state is not None
            assert [each.cancelled for each in state.overrides] == [cancel.at, None]
            state = given(SCHEDULE, DEFINED, DECIDED).when(cancel).then(cancelled)
            assert [on_call(state, AT + hours * HOUR) for hours in (26, 27)] == [before, ["bo"]]
            given(SCHEDULE, DEFINED, DECIDED, cancelled).when(replace(cancel, at=cancel.at - HOUR)).then()
        over = of.Cancel(**BY_ANA | {"at": DECIDED.end}, override="o1")
        given(SCHEDULE, DEFINED, DECIDED).when(over).then()
        given(SCHEDULE, DEFINED, DECIDED).when(replace(over, override="o9")).refuses(AbsentError)


SPAN, OTHER = Span(AT + DAY, AT + 2 * DAY), Span(AT + 2 * DAY, AT + 3 * DAY)  # bo's day, and cleo's
OFFER = of.OfferSwap(**BY_ANA, swap="s1", person="bo", start=SPAN.start, end=SPAN.end, rotations=ROTATIONS)
TAKE = of.TakeSwap(**BY_ANA, swap="s1", person="cleo", start=OTHER.start, end=OTHER.end, rotations=ROTATIONS)
APPROVE = of.ApproveSwap(**BY_ANA, swap="s1", is_person=True, rotations=ROTATIONS)
DECLINE = of.EndSwap(**BY_ANA, swap="s1")
OFFERED = SwapOffered(**FACT, swap="s1", person="bo", span=SPAN)
TAKEN = SwapTaken(**FACT, swap="s1", person="cleo", exchange=OTHER)
APPROVED, DECLINED = SwapApproved(**FACT, swap="s1"), SwapDeclined(**FACT, swap="s1")
SWAPS: dict[str, tuple[Event, ...]] = {
    "offered": (OFFERED,),
    "taken": (OFFERED, TAKEN),
    "approved": (OFFERED, TAKEN, APPROVED),
    "declined": (OFFERED, DECLINED),
}
# What each command produces in each state; () is silent, what is not here is refused.
SWAP_TABLE: dict[str, dict[Any, tuple[Event, ...]]] = {
    "offered": {"take": (TAKEN,), "decline": (DECLINED,)},
    "taken": {"take": (), "approve": (APPROVED,), "decline": (DECLINED,)},
    "approved": {"approve": ()},
    "declined": {"decline": ()},
}


class TestSwapping:
    @pytest.mark.parametrize("command", [TAKE, APPROVE, DECLINE], ids=lambda command: command.verb)
    @pytest.mark.parametrize("name", SWAPS)
    def test_every_pair_of_state_and_command(self, name: str, command: Any) -> None:
        case = given(SCHEDULE, DEFINED, *SWAPS[name]).when(command)
        if command.verb in SWAP_TABLE[name]:
            case.then(*SWAP_TABLE[name][command.verb])
        else:
            assert set(case.refuses(IllegalTransitionError).allowed) == {
                verb for verb, events in SWAP_TABLE[name].items() if events
            }
        given(SCHEDULE, DEFINED).when(command).refuses(AbsentError)

    def test_what_is_theirs_is_offered_once_until_it_is_decided(self) -> None:
        given(SCHEDULE, DEFINED).when(OFFER).then(OFFERED)
        for past in ((OFFERED,), (OFFERED, TAKEN)):
            given(SCHEDULE, DEFINED, *past).when(replace(OFFER, swap="s2")).then()
        again = replace(OFFERED, swap="s2")
        state = given(SCHEDULE, DEFINED, OFFERED, DECLINED).when(replace(OFFER, swap="s2")).then(again)
        assert state is not None
        assert [(each.swap, each.state, each.decided_by, each.reason) for each in state.swaps] == [
            ("s1", "declined", "ana", "because"),
            ("s2", "offered", "", "because"),
        ]
        half = {"start": SPAN.start, "end": SPAN.end - HOUR}
        given(SCHEDULE, DEFINED, OFFERED).when(replace(OFFER, swap="s2", **half)).then(
            replace(again, span=Span(**half))
        )
        given(SCHEDULE, DEFINED).when(replace(OFFER, person="cleo")).refuses(NotOnCallError)
        given(SCHEDULE, DEFINED).when(replace(OFFER, at=SPAN.start + HOUR)).refuses(PastError)

    def test_once_approved_each_has_the_time_of_the_other(self) -> None:
        other = replace(OFFERED, swap="s0", span=Span(AT + 9 * DAY, AT + 10 * DAY))
        state = given(SCHEDULE, DEFINED, other, OFFERED, TAKEN).when(APPROVE).then(APPROVED)
        assert state is not None
        assert [on_call(state, AT + days * DAY) for days in range(4)] == [["ana"], ["cleo"], ["bo"], ["ana"]]
        assert [(each.override, each.kind, each.by) for each in state.overrides] == [
            ("s1-1", "swap", "ana"),
            ("s1-2", "swap", "ana"),
        ]
        assert [(each.state, each.taken_by, each.decided_by) for each in state.swaps] == [
            ("offered", "", ""),
            ("approved", "cleo", "ana"),
        ]
        given_away = replace(TAKEN, exchange=None)
        state = given(SCHEDULE, DEFINED, OFFERED, given_away).when(APPROVE).then(APPROVED)
        assert [on_call(state, AT + days * DAY) for days in range(4)] == [["ana"], ["cleo"], ["cleo"], ["ana"]]

    @pytest.mark.parametrize(
        ("changes", "error", "field"),
        [
            ({"person": "bo"}, NotTheirsError, "person"),
            ({"at": SPAN.start + HOUR}, PastError, "swap"),
            ({"start": OTHER.end, "end": OTHER.end + HOUR}, NotOnCallError, "start"),
            ({"end": OTHER.start}, TimeRangeError, "end"),
            ({"end": None}, TimeRangeError, "end"),
            ({"start": None}, TimeRangeError, "start"),
        ],
    )
    def test_who_takes_it_gives_what_is_theirs_before_it_begins(self, changes: Any, error: Any, field: str) -> None:
        assert given(SCHEDULE, DEFINED, OFFERED).when(replace(TAKE, **changes)).refuses(error).field == field
        another = replace(TAKE, person="dora", start=None, end=None)
        taken_by_dora = replace(TAKEN, person="dora", exchange=None)
        given(SCHEDULE, DEFINED, OFFERED).when(another).then(taken_by_dora)
        given(SCHEDULE, DEFINED, OFFERED, TAKEN).when(another).refuses(IllegalTransitionError)

    @pytest.mark.parametrize(
        ("managers", "by", "is_person", "may"),
        [
            ((), "ana", True, True),
            ((), "ana", False, False),
            ((), "bo", True, False),
            ((), "cleo", True, False),
            (("dora", "bo"), "dora", True, True),
            (("dora", "bo"), "ana", True, False),
            (("dora", "bo"), "bo", True, False),
        ],
    )
    def test_a_third_person_approves_a_manager_where_there_are_some(
        self, managers: tuple[str, ...], by: str, *, is_person: bool, may: bool
    ) -> None:
        managed = replace(DEFINED, revision=replace(REVISION, managers=managers))
        case = given(SCHEDULE, managed, OFFERED, TAKEN).when(replace(APPROVE, by=by, is_person=is_person))
        if may:
            case.then(replace(APPROVED, by=by))
        else:
            refused = case.refuses(NotTheirsError)
            assert refused.field == "by"
            assert ("one of dora, bo" if managers else "neither bo nor cleo") in str(refused)

    def test_what_changed_since_is_not_approved(self) -> None:
        past = (OFFERED, TAKEN, replace(DECIDED, replaces="bo"))
        assert given(SCHEDULE, DEFINED, *past).when(APPROVE).refuses(OverlapError).field == "swap"
        for of_cleo in (
            {"start": OTHER.start, "end": OTHER.start + HOUR},
            {"start": OTHER.end - HOUR, "end": OTHER.end},
        ):
            replaced = replace(DECIDED, replaces="cleo", **of_cleo)
            given(SCHEDULE, DEFINED, OFFERED, TAKEN, replaced).when(APPROVE).refuses(OverlapError)
        for beside in ({"start": AT, "end": SPAN.start}, {"start": SPAN.end, "end": SPAN.end + HOUR}):
            given(SCHEDULE, DEFINED, OFFERED, TAKEN, replace(DECIDED, **beside)).when(APPROVE).then(APPROVED)
        begun = replace(APPROVE, at=SPAN.start + HOUR)
        given(SCHEDULE, DEFINED, OFFERED, TAKEN).when(begun).refuses(PastError)
        without_bo = {"team": (RotationRevision(replace(ROTA, participants=("cleo",)), AT),)}
        gone = replace(APPROVE, rotations=without_bo)
        assert given(SCHEDULE, DEFINED, OFFERED, TAKEN).when(gone).refuses(NotOnCallError).field == "swap"


SIDES: dict[str, Any] = {"sides": "both", "people": {"ana": "sre", "bo": "dev", "cleo": "sre"}}
DEFINE_ROTA = of_rotation.Define(**BY_ANA, **SIDES, rotation="team", display_name="Team", rota=ROTA, effective_from=AT)
CHANGE_ROTA = of_rotation.Change(**BY_ANA, **SIDES, display_name="Team", rota=ROTA, effective_from=AT)
CHANGED = RotationChanged(**BY_ANA, rotation="team", display_name="Team", rota=ROTA, sides="both", effective_from=AT)
ROTA_ENDED = RotationEnded(**BY_ANA, rotation="team")


class TestARotation:
    def test_is_defined_once_under_one_name(self) -> None:
        given(ROTATION).when(DEFINE_ROTA).then(CHANGED)
        given(ROTATION, CHANGED).when(DEFINE_ROTA).then()
        given(ROTATION, CHANGED).when(replace(DEFINE_ROTA, display_name="x")).refuses(NameTakenError)
        given(ROTATION, CHANGED, ROTA_ENDED).when(DEFINE_ROTA).refuses(NameTakenError)
        given(ROTATION).when(CHANGE_ROTA).refuses(AbsentError)

    def test_a_change_that_means_nothing_is_refused(self) -> None:
        change = replace(CHANGE_ROTA, rota=replace(ROTA, type="weekly"))
        given(ROTATION, CHANGED).when(replace(change, effective_from=AT - HOUR)).refuses(PastError)
        given(ROTATION, CHANGED).when(replace(change, people={"ana": "sre"})).refuses(SidesMissingError)
        nowhere = replace(ROTA, restrictions=(replace(NIGHTS, days=()),))
        given(ROTATION, CHANGED).when(replace(change, rota=nowhere)).refuses(NeverOpenError)

    def test_ends_when_no_schedule_needs_it(self) -> None:
        end = of_rotation.End(**BY_ANA)
        assert "till" in str(given(ROTATION, CHANGED).when(replace(end, schedules=("till",))).refuses(StillNeededError))
        given(ROTATION, CHANGED).when(end).then(ROTA_ENDED)
        given(ROTATION, CHANGED, ROTA_ENDED).when(replace(end, schedules=("till",))).then()
        given(ROTATION, CHANGED, ROTA_ENDED).when(CHANGE_ROTA).refuses(IllegalTransitionError)
