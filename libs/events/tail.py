"""The newest entries of a log that this process writes, in memory: whoever keeps up need not ask the disk."""

from collections.abc import Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Tail(Generic[T]):
    """Consecutive entries, up to the last one written.

    Args:
        size: How many are kept; up to twice as many for a while.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: list[T] = []
        self._next = 0

    def append(self, first: int, entries: Sequence[T]) -> None:
        """*entries* were written, the first of them under the number *first*."""
        if first != self._next:  # another process wrote in between
            self._entries.clear()
        self._entries += entries
        self._next = first + len(entries)
        if len(self._entries) > 2 * self._size:
            del self._entries[: -self._size]

    def read(self, first: int, limit: int) -> list[T]:
        """At most *limit* entries from number *first* on; none if that one is not here, though it may be on disk."""
        begin = first - (self._next - len(self._entries))
        return self._entries[begin : begin + limit] if begin >= 0 else []
