"""A decider: the rules of one kind of aggregate as two pure functions."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

C = TypeVar("C")
S = TypeVar("S")
E = TypeVar("E")


@dataclass(frozen=True, slots=True)
class Decider(Generic[C, S, E]):
    """The rules of one kind of aggregate.

    Args:
        category: What its streams' names begin with; unique across services.
        initial: The state before the first event.
        decide: The facts a command produces; none if it was already carried out; a domain error if refused.
        evolve: The state after one more fact; decides nothing, raises nothing.
    """

    category: str
    initial: S
    decide: Callable[[C, S], tuple[E, ...]]
    evolve: Callable[[S, E], S]

    def fold(self, state: S, events: Iterable[E]) -> S:
        """*state* after *events*."""
        evolve = self.evolve
        for event in events:
            state = evolve(state, event)
        return state

    def stream(self, key: str) -> str:
        """The name of the stream of the aggregate *key*."""
        return f"{self.category}/{key}"
