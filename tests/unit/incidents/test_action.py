from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from libs.events.testing import given
from services.incidents.contract import ACTION
from services.incidents.domain.action.commands import (
    Change,
    Command,
    Complete,
    Drop,
    Look,
    Open,
    OwnerLeft,
    Start,
)
from services.incidents.domain.action.decider import is_overdue
from services.incidents.domain.action.events import (
    ActionChanged,
    ActionCompleted,
    ActionDropped,
    ActionOpened,
    ActionOverdue,
    ActionOwnerLeft,
    ActionReminded,
    ActionStarted,
    Event,
)
from services.incidents.domain.errors import AbsentError, IllegalTransitionError, ReasonMissingError

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
LATER = AT + timedelta(days=1)
DUE = date(2026, 12, 24)
WHOLE: dict[str, Any] = {
    "action": "t1",
    "postmortem": "p1",
    "incident": "i1",
    "service": "checkout-api",
    "title": "Limit the queue",
    "owner": "bo",
    "type": "prevent",
    "priority": "P1",
    "due": DUE,
    "by": "ana",
    "at": AT,
}
THEN: dict[str, Any] = {"action": "t1", "service": "checkout-api", "by": "bo", "reason": "because", "at": LATER}
ASKED: dict[str, Any] = {"by": "bo", "reason": "because", "at": LATER}
OPENED = ActionOpened(**WHOLE)
STARTED, COMPLETED, DROPPED = ActionStarted(**THEN), ActionCompleted(**THEN), ActionDropped(**THEN)
START, COMPLETE, DROP = Start(**ASKED), Complete(**ASKED), Drop(**ASKED)

PASTS: dict[str, tuple[Event, ...]] = {
    "open": (OPENED,),
    "in_progress": (OPENED, STARTED),
    "completed": (OPENED, STARTED, COMPLETED),
    "dropped": (OPENED, DROPPED),
}
TABLE: dict[tuple[str, Command], tuple[Event, ...]] = {
    ("open", START): (STARTED,),
    ("open", COMPLETE): (COMPLETED,),
    ("open", DROP): (DROPPED,),
    ("in_progress", START): (),
    ("in_progress", COMPLETE): (COMPLETED,),
    ("in_progress", DROP): (DROPPED,),
    ("completed", COMPLETE): (),
    ("dropped", DROP): (),
}


def test_opening_says_who_owes_what_by_when() -> None:
    given(ACTION).when(Open(**WHOLE)).then(OPENED)


@pytest.mark.parametrize("name", PASTS)
def test_opening_twice_is_silent(name: str) -> None:
    given(ACTION, *PASTS[name]).when(Open(**WHOLE)).then()


@pytest.mark.parametrize("command", [START, COMPLETE, DROP], ids=lambda command: command.verb)
@pytest.mark.parametrize("name", PASTS)
def test_every_pair_of_state_and_transition(name: str, command: Start | Complete | Drop) -> None:
    case = given(ACTION, *PASTS[name])
    assert case.state is not None
    assert case.state.name == name
    assert (command.verb in case.state.allowed) == bool(TABLE.get((name, command)))

    if (name, command) in TABLE:
        case.when(command).then(*TABLE[name, command])
    else:
        case.when(command).refuses(IllegalTransitionError)


@pytest.mark.parametrize("command", [START, COMPLETE, DROP])
def test_what_was_never_opened_is_absent(command: Command) -> None:
    given(ACTION).when(command).refuses(AbsentError)


@pytest.mark.parametrize(
    ("state", "today", "overdue"),
    [
        ("open", DUE, False),
        ("open", DUE + timedelta(days=1), True),
        ("in_progress", DUE + timedelta(days=1), True),
        ("completed", DUE + timedelta(days=1), False),
        ("dropped", DUE + timedelta(days=1), False),
    ],
)
def test_is_overdue_from_the_day_after_it_was_due_until_it_ends(state: str, today: date, overdue: bool) -> None:  # noqa: FBT001
    assert is_overdue(state, DUE, today) == overdue


SAYS: dict[str, Any] = {"title": "Limit the queue", "owner": "bo", "priority": "P1", "due": DUE}
WAS: dict[str, Any] = {"collaborators": (), "type": "prevent", "tracking_url": ""}


def look(day: date) -> Look:
    return Look(by="timer", at=datetime(day.year, day.month, day.day, tzinfo=UTC), remind_days=3)


def said(event: type[Any], day: date) -> Any:
    return event(action="t1", service="checkout-api", by="timer", at=look(day).at, **SAYS)


def test_it_is_reminded_of_once_and_overdue_once() -> None:
    near, over = date(2026, 12, 21), date(2026, 12, 25)
    reminded, overdue = said(ActionReminded, near), said(ActionOverdue, over)

    given(ACTION, OPENED).when(look(date(2026, 12, 20))).then()
    given(ACTION, OPENED).when(look(near)).then(reminded)
    given(ACTION, OPENED, reminded).when(look(date(2026, 12, 24))).then()
    given(ACTION, OPENED, reminded).when(look(over)).then(overdue)
    given(ACTION, OPENED, reminded, overdue).when(look(date(2027, 1, 9))).then()


def test_of_another_day_it_is_said_again() -> None:
    overdue = said(ActionOverdue, date(2026, 12, 25))
    moved = ActionChanged(**THEN, **(SAYS | WAS | {"due": date(2027, 1, 31)}))

    given(ACTION, OPENED, overdue, moved).when(look(date(2027, 2, 1))).then(
        replace(overdue, due=date(2027, 1, 31), at=look(date(2027, 2, 1)).at)
    )


LEFT = OwnerLeft(owner="bo", by="ana", at=LATER)


@pytest.mark.parametrize("past", [PASTS["completed"], PASTS["dropped"], ()])
def test_nothing_is_said_of_what_nobody_owes(past: tuple[Event, ...]) -> None:
    given(ACTION, *past).when(look(date(2027, 1, 1))).then()
    given(ACTION, *past).when(LEFT).then()


def test_that_its_owner_left_is_said_once() -> None:
    left = ActionOwnerLeft(action="t1", service="checkout-api", by="ana", at=LATER, **SAYS)
    moved = ActionChanged(**THEN, **(SAYS | WAS | {"owner": "cy"}))

    given(ACTION, OPENED).when(LEFT).then(left)
    given(ACTION, OPENED, left).when(LEFT).then()
    given(ACTION, OPENED, moved).when(LEFT).then()
    given(ACTION, OPENED, left, moved).when(replace(LEFT, owner="cy")).then(replace(left, owner="cy"))


@pytest.mark.parametrize("changes", [{"due": date(2027, 1, 31)}, {"owner": "cy"}])
def test_another_day_or_owner_needs_a_reason(changes: dict[str, Any]) -> None:
    given(ACTION, OPENED).when(Change(changes=changes, by="ana", at=LATER)).refuses(ReasonMissingError)
    given(ACTION, OPENED).when(Change(**ASKED, changes=changes)).then(ActionChanged(**THEN, **(SAYS | WAS | changes)))


@pytest.mark.parametrize(
    ("priority", "latest", "due"),
    [
        ("P0", date(2026, 11, 29), date(2026, 11, 29)),
        ("P0", date(2027, 1, 1), DUE),
        ("P2", date(2026, 11, 29), DUE),
        ("P0", None, DUE),
    ],
)
def test_what_becomes_more_urgent_is_due_by_its_priority(priority: str, latest: date | None, due: date) -> None:
    after: dict[str, Any] = {"priority": priority, "due": due}
    changed = ActionChanged(action="t1", service="checkout-api", by="ana", at=LATER, **(SAYS | WAS | after))
    change = Change(changes={"priority": priority}, latest=latest, by="ana", at=LATER)

    given(ACTION, OPENED).when(change).then(changed)


def test_a_link_needs_no_reason_and_the_same_again_is_silent() -> None:
    link = {"tracking_url": "https://tracker.example.com/7"}
    changed = ActionChanged(action="t1", service="checkout-api", by="ana", at=LATER, **(SAYS | WAS | link))

    given(ACTION, OPENED).when(Change(changes=link, by="ana", at=LATER)).then(changed)
    given(ACTION, OPENED, changed).when(Change(changes=link, by="ana", at=LATER)).then()


def test_what_is_over_is_changed_no_more() -> None:
    given(ACTION, *PASTS["dropped"]).when(Change(**ASKED, changes={"owner": "cy"})).refuses(IllegalTransitionError)
