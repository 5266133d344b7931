from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from libs.events.testing import given
from services.incidents.contract import ACTION
from services.incidents.domain.action.commands import Command, Complete, Drop, Open, Start
from services.incidents.domain.action.decider import is_overdue
from services.incidents.domain.action.events import (
    ActionCompleted,
    ActionDropped,
    ActionOpened,
    ActionStarted,
    Event,
)
from services.incidents.domain.errors import AbsentError, IllegalTransitionError

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
