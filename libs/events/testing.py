"""What tests of a service stand on: rules told as given / when / then, and a clock that stands still.

The contract suites that every adapter passes are beside it: `store_contract.py` and `bus_contract.py`.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeVar

from libs.events.decider import Decider

C = TypeVar("C")
S = TypeVar("S")
E = TypeVar("E")
Refusal = TypeVar("Refusal", bound=Exception)


class FrozenClock:
    """A clock that moves only when told."""

    def __init__(self, now: datetime = datetime(2026, 11, 21, 10, tzinfo=UTC)) -> None:
        self._now = now

    def now(self) -> datetime:
        """Where the hands are."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move the hands, back too if *by* is negative; the new time."""
        self._now += by
        return self._now


def given(decider: Decider[C, S, E], *events: E) -> "Given[C, S, E]":
    """An aggregate with a past: `given(DECIDER, opened).when(Close(at)).then(closed)`."""
    return Given(decider, decider.fold(decider.initial, events))


@dataclass(frozen=True, slots=True)
class Given(Generic[C, S, E]):
    """An aggregate in the state its past left it in."""

    decider: Decider[C, S, E]
    state: S

    def when(self, command: C) -> "When[C, S, E]":
        """Send it a command."""
        return When(self, command)


@dataclass(frozen=True, slots=True)
class When(Generic[C, S, E]):
    """A command at an aggregate, not yet decided."""

    given: Given[C, S, E]
    command: C

    def then(self, *expected: E) -> S:
        """It produces exactly *expected*, nothing if it was already carried out; the state that follows."""
        produced = self.given.decider.decide(self.command, self.given.state)
        assert produced == expected
        return self.given.decider.fold(self.given.state, produced)

    def refuses(self, error: type[Refusal]) -> Refusal:
        """It is refused with *error*, which is returned for a look at its text."""
        try:
            produced = self.given.decider.decide(self.command, self.given.state)
        except error as refusal:
            return refusal
        message = f"expected {error.__name__}, but it produced {produced}"
        raise AssertionError(message)
