from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.events.testing import given
from services.incidents.contract import ALERT
from services.incidents.domain.alert.commands import (
    Acknowledge,
    Group,
    Move,
    RaiseUrgency,
    Resolve,
    Retrigger,
    Silence,
    Trigger,
)
from services.incidents.domain.alert.events import (
    AlertAcknowledged,
    AlertGrouped,
    AlertMoved,
    AlertResolved,
    AlertRetriggered,
    AlertSilenced,
    AlertTriggered,
    AlertUrgencyRaised,
    Event,
)
from services.incidents.domain.errors import AbsentError, IllegalTransitionError

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
LATER, UNTIL = AT + timedelta(minutes=5), AT + timedelta(hours=1)
BY_ANA: dict[str, Any] = {"by": "ana", "reason": "because", "at": LATER}
WHO: tuple[Any, ...] = ("ana", "because", LATER)

TRIGGER = Trigger("a1", "slo", "slo-alert-1", "checkout-api", "high", "budget burns", AT)
TRIGGERED = AlertTriggered("a1", "slo", "slo-alert-1", "checkout-api", "high", "budget burns", AT, "i1")
WAITING = replace(TRIGGERED, urgency="low", incident="")
ACKNOWLEDGED = AlertAcknowledged("a1", "checkout-api", "i1", *WHO)
RESOLVED = AlertResolved("a1", "checkout-api", "i1", *WHO)
SILENCED = AlertSilenced("a1", "s1", UNTIL, *WHO)
GROUPED = AlertGrouped("a1", "i2", LATER, "a0")
AGAIN = AlertRetriggered("a1", "still burns", LATER)
MOVED = AlertMoved("a1", "checkout-api", "i2", *WHO)
RAISED = AlertUrgencyRaised("a1", "checkout-api", "high", "i2", *WHO)

PASTS: dict[str, tuple[Event, ...]] = {
    "triggered": (TRIGGERED,),
    "acknowledged": (TRIGGERED, ACKNOWLEDGED),
    "resolved": (TRIGGERED, RESOLVED),
    "waiting": (WAITING,),
    "waiting, acknowledged": (WAITING, replace(ACKNOWLEDGED, incident="")),
    "waiting, resolved": (WAITING, replace(RESOLVED, incident="")),
    "silenced": (WAITING, SILENCED),
    "silenced, resolved": (WAITING, SILENCED, replace(RESOLVED, incident="")),
}
COMMANDS: dict[str, Any] = {
    "trigger": TRIGGER,
    "retrigger": Retrigger("still burns", LATER),
    "group": Group("i2", LATER, "a0"),
    "silence": Silence(**BY_ANA, silence="s1", until=UNTIL),
    "acknowledge": Acknowledge(**BY_ANA),
    "resolve": Resolve(**BY_ANA),
    "raise": RaiseUrgency(**BY_ANA, incident="i2"),
    "move": Move(**BY_ANA, incident="i2", was="i1"),
}
OF_NONE = replace(ACKNOWLEDGED, incident=""), replace(RESOLVED, incident="")

# What each command produces in each state; () is silent, what is not here is refused.
TABLE: dict[str, dict[str, tuple[Event, ...]]] = {
    "triggered": {
        "trigger": (),
        "retrigger": (AGAIN,),
        "silence": (SILENCED,),
        "acknowledge": (ACKNOWLEDGED,),
        "resolve": (RESOLVED,),
        "raise": (),
        "move": (MOVED,),
    },
    "acknowledged": {
        "trigger": (),
        "retrigger": (AGAIN,),
        "silence": (SILENCED,),
        "acknowledge": (),
        "resolve": (RESOLVED,),
        "raise": (),
        "move": (MOVED,),
    },
    "resolved": {"trigger": (), "silence": (), "resolve": (), "raise": (), "move": (MOVED,)},
    "waiting": {
        "trigger": (),
        "retrigger": (AGAIN,),
        "group": (GROUPED,),
        "silence": (SILENCED,),
        "acknowledge": OF_NONE[:1],
        "resolve": OF_NONE[1:],
        "raise": (RAISED,),
        "move": (),
    },
    "waiting, acknowledged": {
        "trigger": (),
        "retrigger": (AGAIN,),
        "group": (GROUPED,),
        "silence": (SILENCED,),
        "acknowledge": (),
        "resolve": OF_NONE[1:],
        "raise": (RAISED,),
        "move": (),
    },
    "waiting, resolved": {"trigger": (), "group": (GROUPED,), "silence": (), "resolve": (), "raise": (), "move": ()},
    "silenced": {
        "trigger": (),
        "retrigger": (AGAIN,),
        "group": (GROUPED,),
        "silence": (),
        "acknowledge": OF_NONE[:1],
        "resolve": OF_NONE[1:],
        "raise": (RAISED,),
        "move": (),
    },
    "silenced, resolved": {"trigger": (), "silence": (), "resolve": (), "raise": (), "move": ()},
}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("name", PASTS)
def test_every_pair_of_state_and_command(name: str, command: str) -> None:
    case = given(ALERT, *PASTS[name]).when(COMMANDS[command])
    if command in TABLE[name]:
        case.then(*TABLE[name][command])
    else:
        refusal = case.refuses(IllegalTransitionError)
        assert (refusal.state, refusal.allowed) == (name.rpartition(", ")[2], ())


@pytest.mark.parametrize("command", [name for name in COMMANDS if name != "trigger"])
def test_what_was_never_triggered_is_absent(command: str) -> None:
    given(ALERT).when(COMMANDS[command]).refuses(AbsentError)


def test_triggering_opens_it_with_all_that_is_said() -> None:
    said: Any = {"group": "slo/x", "severity": "sev1", "window_s": 60, "labels": {"zone": "a"}, "details": {"p99": "2"}}
    given(ALERT).when(replace(TRIGGER, **said)).then(replace(TRIGGERED, incident="", **said))


@pytest.mark.parametrize("name", ["triggered", "acknowledged"])
def test_its_sender_saying_so_again_is_counted(name: str) -> None:
    assert getattr(given(ALERT, *PASTS[name], AGAIN, AGAIN).state, "count", None) == 3


@pytest.mark.parametrize("name", ["triggered", "acknowledged"])
def test_resolved_it_is_known_what_it_was_and_what_is_said_late_changes_nothing(name: str) -> None:
    before = given(ALERT, *PASTS[name]).state
    for late in ((), (AGAIN, ACKNOWLEDGED, SILENCED)):
        state = given(ALERT, *PASTS[name], RESOLVED, *late).state
        assert getattr(state, "before", None) == before


@pytest.mark.parametrize("name", ["triggered", "acknowledged", "resolved"])
def test_it_is_where_it_was_put_last(name: str) -> None:
    for event in (MOVED, GROUPED):
        state = given(ALERT, *PASTS[name], event).state
        assert state is not None
        assert state.opened.incident == "i2"
    given(ALERT, *PASTS[name], GROUPED).when(COMMANDS["group"]).then()
    given(ALERT, *PASTS[name], MOVED).when(COMMANDS["move"]).then()
    given(ALERT, *PASTS[name]).when(Move(**BY_ANA, incident="i3", was="i9")).then()  # it is elsewhere by now


@pytest.mark.parametrize("name", ["waiting", "waiting, acknowledged"])
def test_raised_it_pages_as_a_part_of_the_incident_and_once(name: str) -> None:
    state = given(ALERT, *PASTS[name], RAISED).when(COMMANDS["raise"]).then()
    assert state is not None
    assert (state.opened.urgency, state.opened.incident) == ("high", "i2")


@pytest.mark.parametrize("name", ["waiting", "waiting, acknowledged"])
def test_a_silence_counts_once_and_again_when_it_ends_later(name: str) -> None:
    silence = COMMANDS["silence"]
    given(ALERT, *PASTS[name], SILENCED).when(silence).then()
    longer = replace(SILENCED, until=UNTIL + timedelta(hours=1))
    given(ALERT, *PASTS[name], SILENCED).when(replace(silence, until=longer.until)).then(longer)
    given(ALERT, *PASTS[name], SILENCED).when(replace(silence, silence="s2")).then(replace(SILENCED, silence="s2"))


def test_acknowledged_it_stays_what_it_was() -> None:
    state = given(ALERT, WAITING, AGAIN, SILENCED, GROUPED, ACKNOWLEDGED).state
    assert (getattr(state, "silenced", None), getattr(state, "follows", None)) == (SILENCED, "a0")
    assert (getattr(state, "count", None), getattr(state, "acknowledged_by", None)) == (2, "ana")
