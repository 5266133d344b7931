"""What was acknowledged, and what is there: the numbers at the end of every fault test."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from libs.events.store import EventLog


@dataclass(frozen=True, slots=True)
class Count:
    """The end of a fault test; `str` of it is the line that the test prints."""

    acknowledged: int
    found: int
    lost: int
    doubled: int
    gaps: int

    def __str__(self) -> str:
        return (
            f"{self.acknowledged} acknowledged, {self.found} found, {self.lost} lost, {self.doubled} doubled,"
            f" {self.gaps} streams with gaps"
        )


async def count(log: EventLog, acknowledged: Iterable[UUID]) -> Count:
    """Compare the ids of *acknowledged* events with those in *log*, and look for holes in its streams."""
    promised = set(acknowledged)
    found: Counter[UUID] = Counter()
    versions: dict[str, list[int]] = {}
    position = 0
    while page := await log.read(position, 5000):
        found.update(one.event_id for one in page)
        for one in page:
            versions.setdefault(one.stream, []).append(one.version)
        position = page[-1].position
    return Count(
        acknowledged=len(promised),
        found=found.total(),
        lost=len(promised - found.keys()),
        doubled=found.total() - len(found),
        gaps=sum(seen != list(range(1, len(seen) + 1)) for seen in versions.values()),
    )
