from dataclasses import dataclass
from datetime import timedelta

import pytest

from libs.events.decider import Decider
from libs.events.testing import FrozenClock, given


@dataclass(frozen=True)
class Switched:
    on: bool


class StuckError(Exception):
    pass


def decide(wanted: bool, state: bool) -> tuple[Switched, ...]:  # noqa: FBT001  the smallest command there is
    if state and not wanted:
        raise StuckError
    return () if wanted == state else (Switched(wanted),)


LAMP = Decider("lamp", False, decide, lambda _, event: event.on)  # noqa: FBT003  the smallest state there is


def test_then_compares_the_events_and_answers_the_state() -> None:
    assert given(LAMP).when(True).then(Switched(on=True)) is True  # noqa: FBT003


def test_then_without_events_means_silence() -> None:
    given(LAMP, Switched(on=True)).when(True).then()  # noqa: FBT003


def test_then_fails_on_other_events() -> None:
    with pytest.raises(AssertionError):
        given(LAMP).when(True).then()  # noqa: FBT003


def test_refuses_answers_the_error() -> None:
    assert isinstance(given(LAMP, Switched(on=True)).when(False).refuses(StuckError), StuckError)  # noqa: FBT003


def test_refuses_fails_when_the_command_is_carried_out() -> None:
    with pytest.raises(AssertionError, match="expected StuckError, but it produced"):
        given(LAMP).when(True).refuses(StuckError)  # noqa: FBT003


def test_a_frozen_clock_moves_only_when_told() -> None:
    clock = FrozenClock()
    before = clock.now()
    assert clock.now() == before
    assert clock.advance(timedelta(minutes=5)) == clock.now() == before + timedelta(minutes=5)
