"""How much of a schedule is laid out at once: what is refused would hold up everybody else."""

from datetime import datetime, timedelta
from typing import Final

from services.incidents.domain.on_call.errors import TimeRangeError
from services.incidents.domain.on_call.resolver import in_force
from services.incidents.domain.on_call.roster import Roster

MOST_STRETCHES: Final = 20_000  # some tenths of a second
MOST_UNASKED: Final = 5_000  # where nobody names a time; a schedule that turns by the hour is seen less far ahead
_DAY: Final = timedelta(days=1)


def check_size(roster: Roster, start: datetime, until: datetime, field: str = "until") -> None:
    """Nothing, if what a schedule says between two moments can be laid out at once.

    Raises:
        TimeRangeError: It is too much.
    """
    stretches = sum(_stretches(roster, start, until))
    if stretches > MOST_STRETCHES:
        days = (until - start) / _DAY * MOST_STRETCHES / stretches
        detail = (
            f"{roster.schedule} has about {stretches:,.0f} shifts in that time, more than {MOST_STRETCHES:,}; "
            f"ask for at most {int(days)} days at once"
        )
        raise TimeRangeError(field, detail)


def fitting(roster: Roster, start: datetime, until: datetime) -> datetime:
    """*until*, or an earlier moment up to which a schedule has as many shifts as are laid out unasked."""
    stretches = sum(_stretches(roster, start, until))
    return until if stretches <= MOST_UNASKED else start + (until - start) * (MOST_UNASKED / stretches)


def _stretches(roster: Roster, start: datetime, until: datetime) -> list[float]:
    """How many there may be at most, by layer and revision."""
    found: list[float] = []
    for revision, force in in_force(roster.revisions):
        for layer in revision.layers:
            turned = roster.rotations.get(layer.rotation, ())
            ends = [each.effective_from for each in turned[1:]]
            for each, end in zip(turned, [*ends, force.end], strict=False):
                low, high = max(start, force.start, each.effective_from), min(until, force.end, end)
                windows = len(each.rota.restrictions) + len(layer.restrictions)
                if low < high:
                    found.append((high - low) / each.rota.lasts + (high - low) / _DAY * windows)
    return found
