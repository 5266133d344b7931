from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

import pytest
from hypothesis import given as given_any
from hypothesis import strategies as st

from libs.events.testing import given
from services.incidents.contract import ESCALATION, NOTIFICATION
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.escalation.climbing import Climbed, Found, beside, climb, place_in
from services.incidents.domain.escalation.commands import (
    Begin,
    CallFurther,
    Climb,
    CorrectClock,
    End,
    Hold,
    NoteUndelivered,
    Pause,
    RatePage,
    Reassure,
    Replan,
    TellResponder,
)
from services.incidents.domain.escalation.decider import CLOCKS_DIFFER
from services.incidents.domain.escalation.errors import LinkError, NotCalledError
from services.incidents.domain.escalation.events import (
    Called,
    EscalationBegun,
    EscalationClockCorrected,
    EscalationEnded,
    EscalationExhausted,
    EscalationHeld,
    EscalationPaused,
    EscalationReplanned,
    EscalationUnassigned,
    PageRated,
    PageSent,
    PageUndelivered,
    Passed,
    ResponderTold,
    SideCalled,
    StepTaken,
)
from services.incidents.domain.escalation.state import Climbing, Held, due, evolve, forsaken, undelivered
from services.incidents.domain.escalation.telling import describe, sent
from services.incidents.domain.escalation_policy.steps import Step, Target
from services.incidents.domain.notification.commands import Answer, Attempt, Request, UseLink, Withdraw
from services.incidents.domain.notification.decider import FIRST, GIVE_UP, LONGEST, Sent
from services.incidents.domain.notification.events import (
    AttemptBegun,
    AttemptEnded,
    LinkUsed,
    Message,
    NotificationRequested,
    NotificationWithdrawn,
)
from services.incidents.domain.who_is_paged import Rung

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def rung(person: str, number: int = 1, *, wait: bool = False, minutes: int = 5) -> Rung:
    step = Step((Target("person", person),), minutes * MINUTE, wait=wait)
    return Rung("dev", "checkout", number, step)


def called(person: str, step: int = 1) -> Called:
    return Called(page=f"page-{person}", person=person, side="dev", policy="checkout", step=step)


def find(*there: str) -> Any:
    """Those of *there* can be called."""

    def found(it: Rung) -> Found:
        name = it.step.targets[0].name
        return Found((called(name, it.number),)) if name in there else Found((), (f"{name} cannot be called",))

    return found


PLAN = (rung("ana", 1), rung("bo", 2, minutes=10))
BEGUN = EscalationBegun(
    incident="i",
    number="INC-1",
    service="cart-api",
    severity="sev2",
    title="Carts fail",
    phase="general_availability",
    team="checkout",
    quiet=False,
    why="because",
    plan=PLAN,
    rounds=2,
    acknowledgement_timeout=30 * MINUTE,
    at=AT,
)
BEGUN_SEVERE = replace(BEGUN, severity="sev1")
NAMES: dict[str, Any] = {"incident": "i", "number": "INC-1", "service": "cart-api", "severity": "sev2"}
STEPPED = StepTaken(
    incident="i",
    service="cart-api",
    round=1,
    step=1,
    cause="declared",
    people=(called("ana"),),
    passed=(),
    notifications=("n1", "n2"),
    next_round=1,
    next_step=2,
    due=AT + 5 * MINUTE,
    at=AT,
)


def test_a_step_that_calls_nobody_is_passed_over_at_once() -> None:
    to = climb(PLAN, 1, (1, 1), AT, find("bo"))
    assert (to.step, [each.person for each in to.people], to.due) == (2, ["bo"], AT + 10 * MINUTE)
    assert [each.why for each in to.passed] == ["ana cannot be called"]


def test_a_further_pass_waits_for_the_last_step_also_where_that_was_passed_over() -> None:
    to = climb(PLAN, 2, (1, 2), AT, find("ana"))
    assert (to.people, to.next_round, to.next_step, to.due, to.fruitless) == ((), 2, 1, AT + 10 * MINUTE, False)


@pytest.mark.parametrize(
    ("place", "following", "minutes"),
    [((1, 1), (1, 2), 5), ((1, 2), (2, 1), 10), ((2, 1), (2, 2), 5), ((2, 2), (0, 0), 10)],
)
def test_two_passes_of_two_steps_go_on_after_the_delay_of_each(place: Any, following: Any, minutes: int) -> None:
    to = climb(PLAN, 2, place, AT, find("ana", "bo"))
    assert ((to.round, to.step), (to.next_round, to.next_step)) == (place, following)
    assert to.due == AT + minutes * MINUTE


def test_a_pass_that_calls_nobody_is_fruitless_and_the_last_has_no_next() -> None:
    assert climb(PLAN, 2, (1, 1), AT, find()).fruitless
    last = climb(PLAN, 2, (2, 1), AT, find())
    assert (last.fruitless, last.next_round, last.next_step, last.due) == (True, 0, 0, None)
    assert [each.why for each in last.passed] == ["ana cannot be called", "bo cannot be called"]
    assert climb((), 2, (1, 1), AT, find()).due is None


def test_a_step_that_waits_looks_again_and_is_not_passed_over() -> None:
    to = climb((rung("ana", wait=True), rung("bo", 2)), 1, (1, 1), AT, find("bo"))
    assert (to.people, to.next_round, to.next_step, to.due) == ((), 1, 1, AT + MINUTE)


def test_a_step_that_waits_for_its_hours_goes_on_when_they_begin() -> None:
    office = replace(rung("ana", wait=True), step=replace(rung("ana", wait=True).step, when="business_hours"))
    to = climb((office,), 1, (1, 1), AT, find("ana"))
    assert (to.people, to.due) == ((), datetime(2026, 11, 23, 9, tzinfo=UTC))
    assert [each.why for each in to.passed] == ["it is not taken now: outside of business hours"]


@given_any(st.lists(st.sampled_from(["ana", "bo", "nobody"]), min_size=1, max_size=6), st.integers(1, 4))
def test_every_ladder_ends_and_takes_each_step_at_most_once_a_pass(names: list[str], rounds: int) -> None:
    plan = tuple(rung(name, number) for number, name in enumerate(names, 1))
    place, now, taken = (1, 1), AT, list[tuple[int, int]]()
    for _ in range(1000):
        to = climb(plan, rounds, place, now, find("ana", "bo"))
        taken += [(to.round, to.step)] if to.people else []
        if not to.next_round or to.due is None:
            break
        assert to.due > now
        place, now = (to.next_round, to.next_step), to.due
    there = [number for number, name in enumerate(names, 1) if name != "nobody"]
    assert taken == [(number, step) for number in range(1, rounds + 1) for step in there]


def test_taking_it_on_stops_the_ladder_until_it_is_forgotten() -> None:
    hold = Hold(by="ana", at=AT + MINUTE)
    held = EscalationHeld(incident="i", by="ana", until=AT + 31 * MINUTE, at=AT + MINUTE)

    state = given(ESCALATION, BEGUN, STEPPED).when(hold).then(held)
    assert isinstance(state, Held)

    again = Climb(climbed=Climbed(round=1, step=1), cause="silence", notifications={}, at=AT + 31 * MINUTE)
    after = (
        given(ESCALATION, BEGUN, STEPPED, held)
        .when(replace(again, climbed=climbing("ana")))
        .then(*stepped("ana", "silence", AT + 31 * MINUTE))
    )
    assert isinstance(after, Climbing)


def test_who_has_it_again_stops_the_ladder_again_and_takes_it_from_nobody() -> None:
    held = EscalationHeld(incident="i", by="ana", until=AT + 31 * MINUTE, at=AT + MINUTE)
    longer = replace(held, until=AT + 40 * MINUTE, at=AT + 10 * MINUTE)
    called_again = stepped("ana", "silence", AT + 31 * MINUTE)
    says = Reassure(by="bo", at=AT + 10 * MINUTE)

    given(ESCALATION, BEGUN, STEPPED, held, *called_again).when(says).then(replace(longer, by="bo"))
    given(ESCALATION, BEGUN, STEPPED, held).when(says).then(longer)
    given(ESCALATION, BEGUN, STEPPED, held, *called_again).when(Hold(by="ana", at=AT + MINUTE)).then()  # heard late
    given(ESCALATION, BEGUN, STEPPED, longer).when(Hold(by="ana", at=AT + MINUTE)).then()
    given(ESCALATION).when(says).then()


def test_what_was_put_off_is_put_off_anew() -> None:
    paused = EscalationPaused(incident="i", by="ana", until=AT + 60 * MINUTE, at=AT)
    sooner = replace(paused, until=AT + 20 * MINUTE)
    given(ESCALATION, BEGUN, STEPPED, paused).when(Pause(by="ana", until=AT + 20 * MINUTE, at=AT)).then(sooner)
    given(ESCALATION, BEGUN, STEPPED, paused).when(Pause(by="ana", until=AT + 60 * MINUTE, at=AT)).then()


def climbing(person: str) -> Climbed:
    return Climbed(round=1, step=1, people=(called(person),), next_round=1, next_step=2, due=AT + 36 * MINUTE)


def stepped(person: str, cause: Any, at: datetime) -> tuple[Any, ...]:
    step = replace(STEPPED, cause=cause, people=(called(person),), notifications=(), due=AT + 36 * MINUTE, at=at)
    return step, page(person, at)


def page(person: str, at: datetime) -> Any:
    duty: dict[str, Any] = {"side": "dev", "policy": "checkout", "step": 1, "schedule": "", "shift": ""}
    return PageSent(**NAMES, **duty, page=f"page-{person}", person=person, at=at)


HELD = EscalationHeld(incident="i", by="ana", until=AT + 30 * MINUTE, at=AT)
PAUSED = EscalationPaused(incident="i", by="ana", until=AT + 60 * MINUTE, at=AT)
EXHAUSTED = EscalationExhausted(**NAMES, team="checkout", called=("ana",), at=AT)
OVER = EscalationEnded(incident="i", by="ana", why="resolved", at=AT)
PASTS: dict[str, tuple[Any, ...]] = {
    "climbing": (BEGUN, STEPPED),
    "held": (BEGUN, STEPPED, HELD),
    "paused": (BEGUN, STEPPED, PAUSED),
    "spent": (BEGUN, STEPPED, EXHAUSTED),
    "ended": (BEGUN, STEPPED, OVER),
}
BACK = AT - timedelta(hours=1)
COMMANDS: dict[str, Any] = {
    "begin": Begin(begun=BEGUN, first=None),
    "climb": Climb(climbed=climbing("ana"), cause="time", notifications={}, at=AT + MINUTE),
    "climb anew": Climb(climbed=climbing("ana"), cause="further-alert", notifications={}, at=AT),
    "hold": Hold(by="bo", at=AT + MINUTE),
    "reassure": Reassure(by="bo", at=AT + MINUTE),
    "pause": Pause(by="bo", until=AT + 90 * MINUTE, at=AT),
    "end": End(by="bo", reason="cancelled", at=AT),
    "undelivered": NoteUndelivered(notification="n1", person="ana", detail="410", at=AT),
    "tell": TellResponder(person="ana", alerts=3, notifications=("n9",), at=AT),
    "clock": CorrectClock(at=BACK),
    "rate": RatePage(page="page-ana", rating="noise", by="ana", reason="a test", at=AT),
}
BO_HAS_IT = EscalationHeld(incident="i", by="bo", until=AT + 31 * MINUTE, at=AT + MINUTE)
PUT_OFF = EscalationPaused(incident="i", by="bo", until=AT + 90 * MINUTE, at=AT)
CANCELLED = EscalationEnded(incident="i", by="bo", why="cancelled", at=AT)
TOLD = ResponderTold(incident="i", person="ana", alerts=3, notifications=("n9",), at=AT)
LOST = PageUndelivered(incident="i", notification="n1", person="ana", detail="410", at=AT)
RATED = PageRated(
    page="page-ana",
    incident="i",
    service="cart-api",
    team="checkout",
    rule="declared by people",
    person="ana",
    rating="noise",
    reason="a test",
    at=AT,
)


def corrected(minutes: int) -> tuple[Any, ...]:
    return (EscalationClockCorrected(incident="i", due=BACK + minutes * MINUTE, at=BACK),)


ANEW = stepped("ana", "further-alert", AT)

# What each command produces in each state; what is not here is silent.
TABLE: dict[str, dict[str, tuple[Any, ...]]] = {
    "climbing": {
        "climb": stepped("ana", "time", AT + MINUTE),
        "climb anew": ANEW,
        "hold": (BO_HAS_IT,),
        "reassure": (BO_HAS_IT,),
        "pause": (PUT_OFF,),
        "end": (CANCELLED,),
        "undelivered": (LOST,),
        "clock": corrected(5),
        "rate": (RATED,),
    },
    "held": {
        "climb": stepped("ana", "time", AT + MINUTE),
        "climb anew": ANEW,
        "hold": (BO_HAS_IT,),
        "reassure": (replace(BO_HAS_IT, by="ana"),),
        "pause": (PUT_OFF,),
        "end": (CANCELLED,),
        "tell": (TOLD,),
        "clock": corrected(30),
        "rate": (RATED,),
    },
    "paused": {
        "climb": stepped("ana", "time", AT + MINUTE),
        "climb anew": ANEW,
        "hold": (BO_HAS_IT,),
        "reassure": (BO_HAS_IT,),
        "pause": (PUT_OFF,),
        "end": (CANCELLED,),
        "clock": corrected(60),
        "rate": (RATED,),
    },
    "spent": {
        "climb anew": ANEW,
        "hold": (BO_HAS_IT,),
        "reassure": (BO_HAS_IT,),
        "pause": (PUT_OFF,),
        "end": (CANCELLED,),
        "rate": (RATED,),
    },
    "ended": {"hold": (BO_HAS_IT,), "tell": (TOLD,), "rate": (RATED,)},
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", PASTS)
def test_every_pair_of_state_and_command(name: str, command: str) -> None:
    past = given(ESCALATION, *PASTS[name])
    assert past.state is not None
    assert past.state.name == name
    past.when(COMMANDS[command]).then(*TABLE[name].get(command, ()))


def test_who_has_it_for_as_long_already_changes_nothing_and_another_takes_it() -> None:
    for_ever = replace(BEGUN, acknowledgement_timeout=None)
    until_then = replace(HELD, until=None)
    hers, his = Hold(by="ana", at=AT), COMMANDS["hold"]
    given(ESCALATION, BEGUN, STEPPED, HELD).when(hers).then()
    given(ESCALATION, BEGUN, STEPPED, until_then).when(hers).then(HELD)
    given(ESCALATION, for_ever, STEPPED, until_then).when(hers).then()
    given(ESCALATION, for_ever, STEPPED, until_then).when(his).then(replace(BO_HAS_IT, until=None))
    given(ESCALATION, BEGUN, STEPPED, replace(HELD, until=AT + 40 * MINUTE)).when(his).then(BO_HAS_IT)


@pytest.mark.parametrize(
    ("name", "minutes", "cause"),
    [("climbing", 5, "time"), ("held", 30, "silence"), ("paused", 60, "snooze-over")],
)
def test_when_its_time_has_come_it_goes_on_and_why(name: str, minutes: int, cause: str) -> None:
    state = given(ESCALATION, *PASTS[name]).state
    assert due(state, AT + minutes * MINUTE - timedelta(microseconds=1)) is None
    assert due(state, AT + minutes * MINUTE) == cause
    for over in (None, *(given(ESCALATION, *PASTS[past]).state for past in ("spent", "ended"))):
        assert due(over, AT + 999 * MINUTE) is None


def test_it_goes_on_before_its_time_when_nothing_arrives_but_not_with_a_further_pass() -> None:
    lost = LOST, replace(LOST, notification="n2")
    assert undelivered(given(ESCALATION, BEGUN, STEPPED, LOST).state) is None
    assert undelivered(given(ESCALATION, BEGUN, STEPPED, *lost).state) == "undelivered"
    last = replace(STEPPED, step=2, next_round=2, next_step=1)
    assert undelivered(given(ESCALATION, BEGUN, last, *lost).state) is None
    assert undelivered(given(ESCALATION, BEGUN, replace(STEPPED, notifications=())).state) is None
    assert undelivered(given(ESCALATION, BEGUN, STEPPED, HELD, *lost).state) is None


def test_of_further_alerts_only_who_has_it_hears() -> None:
    given(ESCALATION, *PASTS["held"]).when(replace(COMMANDS["tell"], person="bo")).then()


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "begin"])
def test_where_nobody_is_called_there_is_nothing_to_stop_and_nothing_to_do(command: str) -> None:
    case = given(ESCALATION).when(COMMANDS[command])
    if command in {"hold", "reassure", "end"}:
        case.then()
    else:
        case.refuses(AbsentError)


SRE = replace(rung("sre"), side="sre", policy="sre")
MORE = replace(BEGUN, severity="sev1", plan=(*PLAN, SRE), beside=(SRE,))
FURTHER = SideCalled(incident="i", service="cart-api", people=(called("sre"),), passed=(), notifications=("n3",), at=AT)


def test_another_severity_calls_a_further_side_at_once_and_whoever_has_it_keeps_it() -> None:
    held = EscalationHeld(incident="i", by="ana", until=None, at=AT)
    replanned = EscalationReplanned(incident="i", begun=MORE, at=AT)
    severe = replace(page("sre", AT), severity="sev1")
    replan = Replan(begun=MORE, first=FURTHER, at=AT)

    state = given(ESCALATION, BEGUN, STEPPED, held).when(replan).then(replanned, FURTHER, severe)
    assert isinstance(state, Held)
    assert [each.person for each in state.record.called] == ["ana", "sre"]
    assert state.record.beside == ("page-sre",)
    given(ESCALATION, BEGUN, STEPPED, held, replanned, FURTHER, severe).when(replan).then()

    climbing_on = given(ESCALATION, BEGUN, STEPPED).when(replan).then(replanned, FURTHER, severe)
    assert isinstance(climbing_on, Climbing)
    assert (climbing_on.due, climbing_on.place, climbing_on.live) == (STEPPED.due, (1, 2), ("n1", "n2"))
    over = EscalationEnded(incident="i", by="ana", why="resolved", at=AT)
    given(ESCALATION, BEGUN, STEPPED, over).when(replan).then()


def test_what_a_further_side_and_what_a_step_is_sent_is_lost_apart() -> None:
    held = EscalationHeld(incident="i", by="ana", until=None, at=AT)
    lost = PageUndelivered(incident="i", notification="n3", person="sre", detail="410", at=AT)
    note = NoteUndelivered(notification="n3", person="sre", detail="410", at=AT)

    for before in ((BEGUN, STEPPED, FURTHER), (BEGUN, STEPPED, FURTHER, held)):
        state = given(ESCALATION, *before).when(note).then(lost)
        assert state is not None
        assert (state.record.further_lost, isinstance(state, Climbing) and state.lost) == (True, False)
        given(ESCALATION, *before, lost).when(note).then()

    after = replace(FURTHER, people=(called("bo", 2),), notifications=("n4",))
    more = CallFurther(called=after)
    page_of_bo = replace(page("bo", AT), step=2)
    state = given(ESCALATION, BEGUN, STEPPED, FURTHER, held, lost).when(more).then(after, page_of_bo)
    assert isinstance(state, Held)
    assert (state.record.further_lost, state.record.beside) == (False, ("page-sre", "page-bo"))
    ended = EscalationEnded(incident="i", by="ana", why="resolved", at=AT)
    given(ESCALATION, BEGUN, STEPPED, FURTHER, lost, ended).when(more).then()


@pytest.mark.parametrize(("minutes", "cause"), [(4, None), (5, "further-alert")])
def test_what_nobody_has_is_called_anew_for_a_further_alert_but_not_at_once(minutes: int, cause: Any) -> None:
    exhausted = EscalationExhausted(**NAMES, team="checkout", called=("ana",), at=AT)
    spent = reduce(evolve, (BEGUN, STEPPED, exhausted), None)
    assert forsaken(spent, AT + minutes * MINUTE) == cause
    anew = Climb(climbed=climbing("ana"), cause="further-alert", notifications={}, at=AT)
    given(ESCALATION, BEGUN, STEPPED, exhausted).when(anew).then(*stepped("ana", "further-alert", AT))
    quiet = reduce(evolve, (replace(BEGUN, quiet=True), STEPPED), None)
    assert forsaken(quiet, AT + 60 * MINUTE) is None
    assert forsaken(reduce(evolve, (BEGUN, STEPPED), None), AT + 60 * MINUTE) is None


def test_a_step_calls_a_further_side_beside_it_and_says_what_fired() -> None:
    of_a_rule = replace(MORE, rule="slo/cart")
    climb_on = Climb(climbed=climbing("ana"), cause="silence", notifications={}, beside=FURTHER, at=AT)
    step, _ = stepped("ana", "silence", AT)
    pages = [replace(page(person, AT), severity="sev1", rule="slo/cart") for person in ("ana", "sre")]
    given(ESCALATION, of_a_rule).when(climb_on).then(step, FURTHER, *pages)


@pytest.mark.parametrize("name", ["paused", "spent"])
def test_another_severity_changes_the_plan_also_of_what_waits(name: str) -> None:
    state = given(ESCALATION, *PASTS[name], EscalationReplanned(incident="i", begun=MORE, at=AT)).state
    assert state is not None
    assert (state.name, state.record.begun) == (name, MORE)
    replanned = EscalationReplanned(incident="i", begun=MORE, at=AT)
    given(ESCALATION, *PASTS[name]).when(Replan(begun=MORE, first=None, at=AT)).then(replanned)


def test_where_all_were_called_in_vain_another_severity_begins_anew() -> None:
    exhausted = EscalationExhausted(**NAMES, team="checkout", called=("ana",), at=AT)
    climb_on = Climb(climbed=climbing("ana"), cause="severity", notifications={}, at=AT)
    replanned = EscalationReplanned(incident="i", begun=BEGUN_SEVERE, at=AT)
    step, severe = stepped("ana", "severity", AT)
    state = (
        given(ESCALATION, BEGUN, STEPPED, exhausted)
        .when(Replan(begun=BEGUN_SEVERE, first=climb_on, at=AT))
        .then(replanned, step, replace(severe, severity="sev1"))
    )
    assert isinstance(state, Climbing)


@pytest.mark.parametrize(
    ("place", "waits", "after", "expected"),
    [
        ((1, 1), False, MORE, (1, 1)),  # nothing was taken
        ((1, 2), False, MORE, (1, 2)),
        ((2, 1), False, MORE, (1, 3)),  # a pass was over, and goes on with the further side
        ((2, 1), True, MORE, (2, 1)),  # it waits at the first step of the second pass
        ((0, 0), False, MORE, (2, 3)),  # all passes were over
        ((0, 0), False, BEGUN, (0, 0)),
        (
            (2, 2),
            False,
            replace(BEGUN, plan=(SRE, *PLAN)),
            (2, 3),
        ),  # what comes first now is not taken
        ((1, 2), False, replace(BEGUN, plan=(SRE,)), (1, 1)),  # all that was taken is gone
        ((2, 2), False, replace(BEGUN, plan=()), (0, 0)),
        ((1, 2), False, replace(BEGUN, plan=PLAN[:1]), (2, 1)),  # what is left of the plan was taken
        ((2, 2), False, replace(BEGUN, plan=PLAN[:1]), (0, 0)),
    ],
)
def test_in_another_plan_it_goes_on_behind_what_was_taken(place: Any, waits: Any, after: Any, expected: Any) -> None:
    assert place_in(after, BEGUN, place, waits=waits) == expected


def test_a_further_side_waits_for_nobody_and_its_first_step_that_calls_somebody_is_taken() -> None:
    rungs = (rung("ana", wait=True), rung("bo", 2), rung("ida", 3))
    to = beside(rungs, AT, find("bo", "ida"))
    assert ([each.person for each in to.people], [each.why for each in to.passed]) == (["bo"], ["ana cannot be called"])
    assert beside((), AT, find("bo")).people == ()


def test_who_took_it_on_before_it_was_looked_at_is_not_called_but_a_further_side_is() -> None:
    begun = replace(BEGUN, beside=(SRE,))
    given(ESCALATION).when(Begin(begun=begun, first=FURTHER)).then(begun, FURTHER, page("sre", AT))
    given(ESCALATION).when(Begin(begun=BEGUN, first=None)).then(BEGUN)


def test_nobody_at_all_is_said_once_and_the_end_too() -> None:
    nobody = Climb(climbed=Climbed(round=1, step=0, fruitless=True), cause="declared", notifications={}, at=AT)
    unassigned = EscalationUnassigned(**NAMES, team="checkout", why="because", told=(), at=AT)
    exhausted = EscalationExhausted(**NAMES, team="checkout", called=(), at=AT)
    given(ESCALATION, BEGUN).when(nobody).then(unassigned, exhausted)
    given(ESCALATION, BEGUN, unassigned).when(nobody).then(exhausted)


def test_what_does_not_arrive_is_noted_once_and_all_of_it_is_a_step_lost() -> None:
    first = PageUndelivered(incident="i", notification="n1", person="ana", detail="410", at=AT)
    note = NoteUndelivered(notification="n1", person="ana", detail="410", at=AT)
    one = given(ESCALATION, BEGUN, STEPPED).when(note).then(first)
    assert isinstance(one, Climbing)
    assert not one.lost
    given(ESCALATION, BEGUN, STEPPED, first).when(note).then()
    second = replace(first, notification="n2")
    both = given(ESCALATION, BEGUN, STEPPED, first).when(replace(note, notification="n2")).then(second)
    assert isinstance(both, Climbing)
    assert both.lost


def test_a_clock_set_back_lets_nothing_wait_longer_than_before() -> None:
    back = AT - timedelta(hours=1)
    corrected = EscalationClockCorrected(incident="i", due=back + 5 * MINUTE, at=back)
    given(ESCALATION, BEGUN, STEPPED).when(CorrectClock(at=back)).then(corrected)
    given(ESCALATION, BEGUN, STEPPED, corrected).when(CorrectClock(at=back + MINUTE)).then()
    for at in (AT + MINUTE, AT - CLOCKS_DIFFER):  # so much between two machines is no clock that was set back
        given(ESCALATION, BEGUN, STEPPED).when(CorrectClock(at=at)).then()
    given(ESCALATION, BEGUN).when(CorrectClock(at=back)).then()  # nothing waits for a time
    state = given(ESCALATION, BEGUN, STEPPED, corrected).state
    assert state is not None
    assert state.due == corrected.due


def test_only_who_was_called_rates_a_call_and_says_the_same_once() -> None:
    rate = RatePage(page="page-ana", rating="noise", by="bo", at=AT)
    assert "ana was called" in str(given(ESCALATION, BEGUN, STEPPED).when(rate).refuses(NotCalledError))
    given(ESCALATION, BEGUN, STEPPED).when(replace(rate, page="page-bo")).refuses(AbsentError)
    hers = replace(rate, by="ana", reason="a test")
    given(ESCALATION, BEGUN, STEPPED, RATED).when(hers).then()
    of_use = replace(RATED, rating="actionable")
    state = given(ESCALATION, BEGUN, STEPPED, RATED).when(replace(hers, rating="actionable")).then(of_use)
    assert state is not None
    assert state.record.ratings == (("page-ana", "actionable"),)
    of_a_rule = replace(BEGUN, rule="slo/cart")
    given(ESCALATION, of_a_rule, STEPPED).when(hers).then(replace(RATED, rule="slo/cart"))


def test_a_message_of_an_urgency_that_is_quiet_calls_once_and_pages_nobody() -> None:
    quiet = replace(BEGUN, quiet=True)
    told = replace(climbing("ana"), next_round=0, next_step=0, due=None)
    step = replace(STEPPED, notifications=("n1",), next_round=0, next_step=0, due=None)
    climb_on = Climb(climbed=told, cause="declared", notifications={"ana": ("n1",)}, at=AT)
    state = given(ESCALATION, quiet).when(climb_on).then(step)
    assert state is not None
    assert state.name == "spent"
    nobody = EscalationUnassigned(**NAMES, team="checkout", why="ana is away", told=(), at=AT)
    assert getattr(given(ESCALATION, quiet, nobody).state, "name", "") == "spent"


def test_that_nobody_could_be_called_is_said_again_once_somebody_had_it() -> None:
    unassigned = EscalationUnassigned(**NAMES, team="checkout", why="ana is away; bo is away", told=("team/x",), at=AT)
    passed = (Passed("checkout", 1, "ana is away"), Passed("checkout", 2, "bo is away"), Passed("sre", 1, "bo is away"))
    to = Climbed(round=1, step=2, passed=passed, next_round=2, next_step=1, due=AT + 10 * MINUTE, fruitless=True)
    climb_on = Climb(climbed=to, cause="time", notifications={}, told=("team/x",), at=AT)
    step = replace(STEPPED, step=2, cause="time", people=(), passed=passed, notifications=(), next_round=2, next_step=1)
    step = replace(step, due=AT + 10 * MINUTE)
    state = given(ESCALATION, BEGUN).when(climb_on).then(step, unassigned)
    assert isinstance(state, Climbing)
    assert (state.waits, state.sent) == (False, False)
    given(ESCALATION, BEGUN, unassigned).when(climb_on).then(step)
    given(ESCALATION, BEGUN, unassigned, HELD).when(climb_on).then(step, unassigned)
    last = replace(climb_on, climbed=replace(to, round=2, next_round=0, next_step=0, due=None))
    at_last = replace(step, round=2, next_round=0, next_step=0, due=None)
    given(ESCALATION, BEGUN, unassigned).when(last).then(at_last, replace(EXHAUSTED, called=()))


def test_a_step_that_waits_says_so_although_it_calls_nobody() -> None:
    to = Climbed(round=1, step=1, next_round=1, next_step=1, due=AT + MINUTE)
    waits = replace(STEPPED, people=(), notifications=(), next_step=1, due=AT + MINUTE)
    state = given(ESCALATION, BEGUN).when(Climb(climbed=to, cause="declared", notifications={}, at=AT)).then(waits)
    assert isinstance(state, Climbing)
    assert state.waits


@pytest.mark.parametrize(
    ("event", "told"),
    [
        (EscalationReplanned(incident="i", begun=BEGUN, at=AT), "because"),
        (STEPPED, "ana is called (step 1 of checkout)"),
        (
            replace(STEPPED, cause="silence", people=(), passed=(Passed("checkout", 1, "ana is away"),)),
            "it was acknowledged and forgotten: step 1 of checkout calls nobody: ana is away",
        ),
        (replace(STEPPED, people=()), "it waits"),
        (FURTHER, "sre is called too (step 1 of checkout)"),
        (EscalationUnassigned(**NAMES, team="t", why="no policy", told=(), at=AT), "nobody could be called: no policy"),
        (
            EscalationExhausted(**NAMES, team="t", called=("ana", "bo"), at=AT),
            "all steps were taken, and nobody took it on of ana, bo",
        ),
        (
            EscalationClockCorrected(incident="i", due=AT, at=AT),
            "the clock was set back; the calling goes on at 10:00:00 UTC",
        ),
        (HELD, ""),  # the incident itself says it
        (BEGUN, "because"),
        (RATED, "ana rates a call as noise: a test"),
        (replace(RATED, reason=""), "ana rates a call as noise"),
    ],
)
def test_a_timeline_says_what_became_of_the_calling(event: Any, told: str) -> None:
    assert describe(event) == told


@pytest.mark.parametrize(
    ("state", "detail", "attempts", "told"),
    [
        ("delivered", "", 1, "the call to ana by email arrived"),
        ("delivered", "", 3, "the call to ana by email arrived after 3 attempts"),
        ("failed", "gone", 1, "the call to ana by email failed: gone"),
        ("withdrawn", "bo has taken it on", 0, "the call to ana by email is not sent any more: bo has taken it on"),
        ("pending", "", 0, "the call to ana by email is on its way"),
        (
            "pending",
            "451",
            2,
            "the call to ana by email is on its way, tried 2 times: 451",
        ),
    ],
)
def test_a_timeline_says_what_became_of_a_message(state: Any, detail: str, attempts: int, told: str) -> None:
    assert sent("page", "ana", "email", state, detail, attempts) == told


MESSAGE = Message(kind="page", channel="webhook", person="ana", urgency="high", subject="s", text="t", incident="i")
REQUESTED = NotificationRequested(notification="n", message=MESSAGE, at=AT)
BEGUN_TO_SEND = AttemptBegun(notification="n", attempt=1, until=AT + MINUTE, at=AT)


def ended(outcome: Any, attempt: int = 1, **more: Any) -> AttemptEnded:
    said = {"status": None, "detail": "", "next_at": None} | more
    return AttemptEnded(notification="n", attempt=attempt, outcome=outcome, message=MESSAGE, at=AT, **said)


def test_an_attempt_is_made_by_one_and_again_when_its_answer_stays_away() -> None:
    attempt = Attempt(patience=MINUTE, at=AT)
    given(NOTIFICATION).when(Request(notification="n", message=MESSAGE, at=AT)).then(REQUESTED)
    given(NOTIFICATION, REQUESTED).when(attempt).then(BEGUN_TO_SEND)
    given(NOTIFICATION, REQUESTED, BEGUN_TO_SEND).when(attempt).then()
    late = Attempt(patience=MINUTE, at=AT + MINUTE)
    again = AttemptBegun(notification="n", attempt=2, until=AT + 2 * MINUTE, at=AT + MINUTE)
    given(NOTIFICATION, REQUESTED, BEGUN_TO_SEND).when(late).then(again)
    given(NOTIFICATION, REQUESTED, BEGUN_TO_SEND, again).when(Answer(attempt=1, said="delivered", at=AT)).then()


def test_what_fails_is_tried_again_for_a_day_and_what_is_refused_is_not() -> None:
    past = given(NOTIFICATION, REQUESTED, BEGUN_TO_SEND)
    past.when(Answer(attempt=1, said="failed", at=AT)).then(ended("retry", next_at=AT + FIRST))
    past.when(Answer(attempt=1, said="final", status=404, detail="no", at=AT)).then(
        ended("failed", status=404, detail="no")
    )
    for asked, wait in ((60, timedelta(seconds=60)), (3600, LONGEST)):
        asks = Answer(attempt=1, said="failed", status=429, pause=timedelta(seconds=asked), at=AT)
        past.when(asks).then(ended("retry", status=429, next_at=AT + wait))
    late = Answer(attempt=1, said="failed", at=AT + GIVE_UP)
    past.when(late).then(replace(ended("failed"), at=AT + GIVE_UP))
    given(NOTIFICATION, REQUESTED, BEGUN_TO_SEND, ended("delivered")).when(Attempt(patience=MINUTE, at=AT)).then()


@pytest.mark.parametrize(("outcome", "name"), [("delivered", "delivered"), ("failed", "failed")])
def test_what_is_over_is_tried_and_withdrawn_no_more(outcome: str, name: str) -> None:
    past = given(NOTIFICATION, REQUESTED, BEGUN_TO_SEND, ended(outcome))
    assert past.state is not None
    assert (past.state.state, past.state.trying) == (name, False)
    for command in (Attempt(patience=MINUTE, at=AT + GIVE_UP), Withdraw(why="over", at=AT)):
        past.when(command).then()
        given(NOTIFICATION).when(command).refuses(AbsentError)
    withdrawn = NotificationWithdrawn(notification="n", why="over", at=AT)
    given(NOTIFICATION, REQUESTED, withdrawn).when(Attempt(patience=MINUTE, at=AT)).then()


def test_what_waits_is_withdrawn_and_what_is_on_its_way_is_not() -> None:
    withdraw = Withdraw(why="over", at=AT)
    given(NOTIFICATION, REQUESTED).when(withdraw).then(NotificationWithdrawn(notification="n", why="over", at=AT))
    given(NOTIFICATION, REQUESTED, BEGUN_TO_SEND).when(withdraw).then()


def test_a_clock_set_back_puts_no_attempt_off_but_one_on_its_way_is_not_doubled() -> None:
    back = AT - timedelta(hours=1)
    retried = ended("retry", next_at=AT + FIRST)
    begun = AttemptBegun(notification="n", attempt=2, until=back + MINUTE, at=back)
    given(NOTIFICATION, REQUESTED, BEGUN_TO_SEND, retried).when(Attempt(patience=MINUTE, at=back)).then(begun)
    given(NOTIFICATION, REQUESTED, BEGUN_TO_SEND).when(Attempt(patience=MINUTE, at=back)).then()
    given(NOTIFICATION, REQUESTED, BEGUN_TO_SEND).when(Attempt(patience=MINUTE, stuck=True, at=back)).then(begun)


def test_a_link_works_once() -> None:
    used = LinkUsed(notification="n", person="ana", at=AT)
    state = given(NOTIFICATION, REQUESTED).when(UseLink(at=AT)).then(used)
    assert isinstance(state, Sent)
    given(NOTIFICATION, REQUESTED, used).when(UseLink(at=AT)).refuses(LinkError)
