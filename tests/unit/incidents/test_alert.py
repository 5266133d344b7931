from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs.events.testing import given
from services.incidents.contract import ALERT
from services.incidents.domain.alert.commands import Acknowledge, Command, Resolve, Retrigger, Trigger
from services.incidents.domain.alert.events import (
    AlertAcknowledged,
    AlertResolved,
    AlertRetriggered,
    AlertTriggered,
    Event,
)
from services.incidents.domain.errors import AbsentError, IllegalTransitionError

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
LATER = AT + timedelta(minutes=5)
TRIGGER = Trigger("a1", "slo", "slo-alert-1", "checkout-api", "high", "budget burns", AT)
TRIGGERED = AlertTriggered("a1", "slo", "slo-alert-1", "checkout-api", "high", "budget burns", AT, "i1")
ACKNOWLEDGED = AlertAcknowledged("a1", "checkout-api", "i1", "ana", "mine", LATER)
RESOLVED = AlertResolved("a1", "checkout-api", "i1", "ana", "fixed", LATER)
ACKNOWLEDGE = Acknowledge(by="ana", reason="mine", at=LATER)
RESOLVE = Resolve(by="ana", reason="fixed", at=LATER)


def test_triggering_opens_it_with_its_identity() -> None:
    given(ALERT).when(TRIGGER).then(replace(TRIGGERED, incident=""))


@pytest.mark.parametrize("past", [(TRIGGERED,), (TRIGGERED, ACKNOWLEDGED), (TRIGGERED, RESOLVED)])
def test_triggering_it_again_is_silent_whatever_became_of_it(past: tuple[Event, ...]) -> None:
    given(ALERT, *past).when(TRIGGER).then()


@pytest.mark.parametrize("past", [(TRIGGERED,), (TRIGGERED, ACKNOWLEDGED)])
def test_its_sender_saying_so_again_is_counted(past: tuple[Event, ...]) -> None:
    state = given(ALERT, *past).when(Retrigger("still burns", LATER)).then(AlertRetriggered("a1", "still burns", LATER))

    assert state is not None
    assert state.count == 2


def test_a_resolved_alert_never_fires_again() -> None:
    given(ALERT, TRIGGERED, RESOLVED).when(Retrigger("still burns", LATER)).refuses(IllegalTransitionError)


def test_acknowledging_says_who_and_why() -> None:
    given(ALERT, TRIGGERED).when(ACKNOWLEDGE).then(ACKNOWLEDGED)


def test_acknowledging_twice_is_silent() -> None:
    given(ALERT, TRIGGERED, ACKNOWLEDGED).when(replace(ACKNOWLEDGE, by="bo")).then()


def test_a_resolved_alert_cannot_be_acknowledged() -> None:
    refusal = given(ALERT, TRIGGERED, RESOLVED).when(ACKNOWLEDGE).refuses(IllegalTransitionError)

    assert (refusal.state, refusal.verb, refusal.allowed) == ("resolved", "acknowledge", ())


@pytest.mark.parametrize("past", [(TRIGGERED,), (TRIGGERED, ACKNOWLEDGED)])
def test_resolving_ends_it(past: tuple[Event, ...]) -> None:
    given(ALERT, *past).when(RESOLVE).then(RESOLVED)


def test_resolving_twice_is_silent() -> None:
    given(ALERT, TRIGGERED, RESOLVED).when(RESOLVE).then()


@pytest.mark.parametrize("command", [ACKNOWLEDGE, RESOLVE, Retrigger("still burns", LATER)])
def test_what_was_never_triggered_is_absent(command: Command) -> None:
    given(ALERT).when(command).refuses(AbsentError)
