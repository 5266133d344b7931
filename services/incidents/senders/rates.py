"""How fast one sender may send."""

import time


class Rates:
    """Counts what each sender sends, in this process.

    Args:
        per_minute: So much, and as much at once; 0: without limit.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._left: dict[str, tuple[float, float]] = {}

    def take(self, sender: str, events: int = 1) -> float:
        """0 if *sender* may send *events* more now; else after how many seconds it may.

        Whoever has not sent too much may send as many as there are, and waits the longer afterwards: a batch that is
        larger than what a minute allows would never be taken otherwise.
        """
        if not self._per_minute:
            return 0
        now, per_s = time.monotonic(), self._per_minute / 60
        left, at = self._left.get(sender, (float(self._per_minute), now))
        left = min(left + (now - at) * per_s, float(self._per_minute))
        if left < 1:
            return (1 - left) / per_s
        self._left[sender] = (left - events, now)
        return 0
