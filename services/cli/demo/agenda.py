"""What is to happen: thought of in any order, it happens in the order of time."""

from collections.abc import Callable
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import Any


class Agenda:
    """What is to happen; whatever happens may put more on it."""

    def __init__(self) -> None:
        self._plan: list[tuple[datetime, int, Callable[[], Any]]] = []
        self._numbers = count()

    def at(self, when: datetime, act: Callable[[], Any]) -> None:
        """Let something happen; of two at the same time, the one that was thought of first goes first."""
        heappush(self._plan, (when, next(self._numbers), act))

    def happen(self) -> None:
        """Let everything happen."""
        while self._plan:
            heappop(self._plan)[2]()
