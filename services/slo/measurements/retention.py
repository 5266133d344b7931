"""How long measurements are kept: minutes for weeks, hours for more than a year.

A bucket may be replaced as long as its minute is kept, counted from when the last one of its day arrived. Of what is
older, hours are left, and a window that begins among them begins at the next full hour. Methods that slice need
minutes, so those of their SLOs are kept as long as the window.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, delete, exists, select

from services.slo.config import SloSettings
from services.slo.domain.composite import leaves_of
from services.slo.domain.day_sums import DAY_MIN
from services.slo.domain.methods import Method
from services.slo.domain.windows import Rolling, minute_at
from services.slo.measurements.blocks import unpack_hours
from services.slo.measurements.book import Promised
from services.slo.measurements.buckets import HOURS, MINUTES, SPAN_DAYS

SloDay = tuple[str, int]  # a day since the epoch
_AT_ONCE = 500  # SLOs in a statement
_DAY = timedelta(days=1)
_HOURS_OF_DAY = 24
_LONGER_MONTHS = 5  # days: how much longer than usual a calendar's period can be


@dataclass(frozen=True, slots=True)
class Kept:
    """How long, in days."""

    minutes_d: int
    hours_d: int


def kept(settings: SloSettings) -> Kept:
    """As it is set."""
    return Kept(settings.minutes_kept_d, settings.hours_kept_d)


def longer(promises: Iterable[Promised]) -> dict[str, int]:
    """Days for which SLOs need their minutes because their method slices."""
    found: dict[str, int] = {}
    for each in promises:
        days = -(-each.period_min // DAY_MIN) + _LONGER_MONTHS
        for slo, method in _measured(each):
            if method != "occurrences":
                found[slo] = max(days, found.get(slo, 0))
    return found


def _measured(promised: Promised) -> Iterable[tuple[str, Method]]:
    """What the SLO is measured under, and by which method: a composite by its components'."""
    if not promised.terms.parts:
        return [(promised.slo, promised.terms.method)]
    return [(path[-1].key, path[-1].method) for path in leaves_of(promised.terms.parts)]


def warnings(promised: Promised, keeps: Kept) -> list[str]:
    """What of the SLO's window is not kept as exactly as it is promised."""
    days = promised.period_min / DAY_MIN
    if days > keeps.hours_d:
        less = f"the window of {promised.window} is longer than measurements are kept ({keeps.hours_d} days): figures"
        return [f"{less} will be of less; raise CONCORDAT_HOURS_KEPT_D or choose a shorter window"]
    counted = any(method == "occurrences" for _, method in _measured(promised))
    if days > keeps.minutes_d and counted and isinstance(promised.terms.window, Rolling):
        later = f"the window of {promised.window} is longer than minutes are kept ({keeps.minutes_d} days): it will"
        return [f"{later} begin at a full hour; raise CONCORDAT_MINUTES_KEPT_D if that is not exact enough"]
    return []


def gone(connection: Connection, days: Collection[SloDay]) -> set[SloDay]:
    """Those of *days* of which only hours are left: what comes for them is too late."""
    m, h = MINUTES.c, HOURS.c
    found: set[SloDay] = set()
    for slos in _batches(sorted({slo for slo, _ in days})):
        wanted = {(slo, day) for slo, day in days if slo in slos}
        spans = sorted({day // SPAN_DAYS for _, day in wanted})
        for slo, data in connection.execute(select(h.slo, h.data).where(h.slo.in_(slos), h.span.in_(spans))):
            found |= {(slo, day) for day in set((unpack_hours(data).hour // _HOURS_OF_DAY).tolist())} & wanted
        numbers = sorted({day for _, day in wanted})
        kept_too = select(m.slo, m.day).where(m.slo.in_(slos), m.day >= numbers[0], m.day <= numbers[-1])
        found -= {(slo, day) for slo, day in connection.execute(kept_too)}
    return found


def prune(connection: Connection, now: datetime, keeps: Kept, longer: Mapping[str, int]) -> int:
    """Remove what is kept no longer.

    Args:
        connection: In a transaction.
        now: What the time is.
        keeps: How long.
        longer: SLOs whose minutes are kept for more days.

    Returns:
        From how many days of SLOs the minutes were removed.
    """
    m, h = MINUTES.c, HOURS.c
    changed_before = minute_at(now) - keeps.minutes_d * DAY_MIN
    removed = 0
    old: dict[int, list[str]] = defaultdict(list)
    last = changed_before // DAY_MIN
    for slo, day in connection.execute(select(m.slo, m.day).where(m.day < last, m.changed < changed_before)):
        if day < (minute_at(now) - max(longer.get(slo, 0), keeps.minutes_d) * DAY_MIN) // DAY_MIN:
            old[day].append(slo)
    for day, slos in sorted(old.items()):
        for some in _batches(sorted(slos)):
            gone = delete(MINUTES).where(m.day == day, m.slo.in_(some), m.changed < changed_before)
            removed += connection.execute(gone).rowcount
    ended = h.span < (minute_at(now) - keeps.hours_d * DAY_MIN) // DAY_MIN // SPAN_DAYS
    of_span = m.day >= h.span * SPAN_DAYS, m.day < (h.span + 1) * SPAN_DAYS
    needed = exists().where(m.slo == h.slo, *of_span)  # what arrived lately, however long ago it was measured
    connection.execute(delete(HOURS).where(ended, ~needed))
    return removed


def _batches(slos: list[str]) -> Iterable[Collection[str]]:
    return (slos[start : start + _AT_ONCE] for start in range(0, len(slos), _AT_ONCE))
