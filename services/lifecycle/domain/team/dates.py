"""What is due in a team by a day: the duties that it passes on, and the look at how it is set up."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple

from services.lifecycle.domain.team.structure import Structure


class Due(NamedTuple):
    """A duty that is passed on by a day, or with an empty name the look at the structure."""

    duty: str
    holder: str
    by: date

    def missed(self, at: datetime) -> bool:
        """Whether its day is over."""
        return self.by < at.date()


def dues(structure: Structure, looked_at: datetime, every: timedelta) -> Iterator[Due]:
    """All there are; people looked at the structure last at *looked_at*, and look again after *every*."""
    yield Due("", "", (looked_at + every).date())
    for duty in structure.duties:
        if duty.rotate_by:
            yield Due(duty.name, duty.holder, duty.rotate_by)
