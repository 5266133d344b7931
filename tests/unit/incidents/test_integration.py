from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from libs.events.testing import given
from services.incidents.contract import INTEGRATION
from services.incidents.domain.errors import AbsentError, IllegalTransitionError, IntegrationTakenError
from services.incidents.domain.integration.commands import Add, Change, Command, End, Rotate
from services.incidents.domain.integration.decider import Active
from services.incidents.domain.integration.events import (
    IntegrationAdded,
    IntegrationChanged,
    IntegrationEnded,
    IntegrationKeyRotated,
    Profile,
)

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
SOON = AT + timedelta(hours=1)
PROFILE, OTHER = Profile("checkout-api"), Profile("checkout-api", group_by=("host",))
ADD = Add(integration="pd", kind="pagerduty", profile=PROFILE, key_hash="one", by="ana", at=AT)
ADDED = IntegrationAdded(integration="pd", kind="pagerduty", profile=PROFILE, key_hash="one", by="ana", at=AT)
ROTATED = IntegrationKeyRotated(integration="pd", key_hash="two", until=SOON, by="ana", at=AT)
ENDED = IntegrationEnded(integration="pd", by="ana", at=AT)
CHANGE = Change(profile=OTHER, by="ana", at=AT)
ROTATE = Rotate(key_hash="two", until=SOON, by="ana", at=AT)
END = End(by="ana", at=AT)


def test_it_is_added_with_the_hash_of_its_key() -> None:
    given(INTEGRATION).when(ADD).then(ADDED)


@pytest.mark.parametrize(("past", "rotates"), [((ADDED,), True), ((ADDED, ENDED), False)])
def test_a_name_is_given_once(past: tuple[object, ...], *, rotates: bool) -> None:
    refusal = given(INTEGRATION, *past).when(replace(ADD, key_hash="x")).refuses(IntegrationTakenError)
    assert "take another name" in str(refusal)
    assert (":rotate" in str(refusal)) == rotates  # what has ended has no key


def test_nobody_else_speaks_for_burn_rate_alerts() -> None:
    refusal = given(INTEGRATION).when(replace(ADD, integration="slo")).refuses(IntegrationTakenError)
    assert str(refusal) == "'slo' is where Concordat's own burn-rate alerts come from; take another name"


def test_it_is_changed_once() -> None:
    changed = IntegrationChanged(integration="pd", profile=OTHER, by="ana", at=AT)
    given(INTEGRATION, ADDED).when(CHANGE).then(changed)
    given(INTEGRATION, ADDED, changed).when(CHANGE).then()


def test_the_key_before_a_rotation_is_good_for_as_long_as_was_said() -> None:
    state = given(INTEGRATION, ADDED).when(ROTATE).then(ROTATED)

    assert isinstance(state, Active)
    assert state.takes("two", SOON)
    assert state.takes("one", SOON - timedelta(seconds=1))
    assert not state.takes("one", SOON)
    assert not state.takes("three", AT)


def test_it_ends_once() -> None:
    given(INTEGRATION, ADDED).when(END).then(ENDED)
    given(INTEGRATION, ADDED, ENDED).when(END).then()


@pytest.mark.parametrize("command", [CHANGE, ROTATE])
def test_what_has_ended_stays_ended(command: Command) -> None:
    given(INTEGRATION, ADDED, ENDED).when(command).refuses(IllegalTransitionError)


@pytest.mark.parametrize("command", [CHANGE, ROTATE, END])
def test_what_was_never_added_is_absent(command: Command) -> None:
    given(INTEGRATION).when(command).refuses(AbsentError)
