"""What of a source's past is read and what is next: plain values, so that reading goes on after a restart."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

MOST_MIN: Final = 11_000  # Prometheus refuses more points per series
A_DAY_MIN: Final = 1_440
SHORTEST_MIN: Final = 15


class Span(NamedTuple):
    """Minutes since the epoch, [first, end)."""

    first: int
    end: int


def newest(now: datetime, settle_s: int) -> int:
    """The end of the newest minute that is scraped completely: what ended at least *settle_s* ago."""
    return int((now - timedelta(seconds=settle_s)).timestamp()) // 60


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the reading of [first, end) has come. Store it with what was read, and reading resumes from there.

    A backfill has a fixed end. A live source has an end that follows the clock: `progress.until(newest(now, settle))`.

    Args:
        first: Minute since the epoch.
        end: Minute since the epoch, not read.
        done: The next minute to read.
    """

    first: int
    end: int
    done: int

    @classmethod
    def between(cls, since: datetime, until: datetime) -> "Progress":
        """Nothing read yet of the full minutes between two times."""
        first, end = -int(-since.timestamp() // 60), int(until.timestamp() // 60)
        return cls(first, max(first, end), first)

    @property
    def share(self) -> float:
        """How much is read, 0 to 1; 1 if there is nothing to read."""
        return (self.done - self.first) / (self.end - self.first) if self.end > self.first else 1.0

    def until(self, end: int) -> "Progress":
        """With an end that moved on; a clock set back moves nothing."""
        return replace(self, end=max(self.end, end))

    def next(self, longest_min: int = A_DAY_MIN) -> Span | None:
        """The next minutes to read, at most *longest_min*; None when all are read.

        Spans end where a multiple of their length does, so that caches in front of a source see the same queries again.
        """
        if self.done >= self.end:
            return None
        length = max(1, min(longest_min, MOST_MIN))
        return Span(self.done, min((self.done // length + 1) * length, self.end))

    def after(self, span: Span) -> "Progress":
        """After *span*, which `next` gave, was read.

        Raises:
            ValueError: It is not the next one; something would be left out, or read twice.
        """
        if span.first != self.done or not span.first < span.end <= self.end:
            message = f"{span} is not next; {self} is"
            raise ValueError(message)
        return replace(self, done=span.end)
