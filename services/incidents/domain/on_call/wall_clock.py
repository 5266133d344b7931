"""From times on a wall to moments: what a clock shows in a zone, when its hands jump.

A wall time inside a spring-forward gap is the moment of the jump, one that comes twice is its first occurrence. So
later wall times never are earlier moments, and whatever is counted on the wall stays in order.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.incidents.domain.on_call.errors import TimeRangeError, UnknownZoneError

EARLIEST, LATEST = datetime(1970, 1, 2), datetime(2200, 1, 1)  # noqa: DTZ001  wall times of any zone
_SECOND = timedelta(seconds=1)
_STEP = timedelta(hours=6)  # no zone jumps there and back within so little


@dataclass(frozen=True, slots=True)
class Gap:
    """The hands jump from *before* to *after* at *moment*: all wall times between them, ends included, are that."""

    before: datetime
    after: datetime
    moment: datetime


@lru_cache(maxsize=1024)
def zone_named(name: str, field: str = "zone") -> ZoneInfo:
    """The time zone of the tz database.

    Raises:
        UnknownZoneError: There is none of this name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        detail = f"there is no time zone {name!r}; use a name of the tz database, such as Europe/Berlin or UTC"
        raise UnknownZoneError(field, detail) from error


def checked(wall: datetime, field: str) -> datetime:
    """*wall*, if it lies in the centuries that are computed here.

    Raises:
        TimeRangeError: It does not.
    """
    if not EARLIEST <= wall.replace(tzinfo=None) < LATEST:
        detail = f"{wall.isoformat()} is too far away; use a time from {EARLIEST.year} to {LATEST.year - 1}"
        raise TimeRangeError(field, detail)
    return wall


def wall_of(moment: datetime, zone: ZoneInfo) -> datetime:
    """What a clock shows in *zone* at *moment*."""
    return moment.astimezone(zone).replace(tzinfo=None, fold=0)


def first_instant(wall: datetime, zone: ZoneInfo) -> datetime:
    """The first moment, in UTC, at which a clock in *zone* shows *wall*, or has jumped past it."""
    offset = _offset_of_day(zone, wall.toordinal())
    if offset is not None:
        return (wall - offset).replace(tzinfo=UTC)
    aware = wall.replace(tzinfo=zone, fold=0)
    before, after = aware.utcoffset() or timedelta(), aware.replace(fold=1).utcoffset() or timedelta()
    if before >= after:  # an ordinary time, or the first of two
        return (wall - before).replace(tzinfo=UTC)
    return _jump((wall - after).replace(tzinfo=UTC), (wall - before).replace(tzinfo=UTC), zone)


@lru_cache(maxsize=16_384)
def _offset_of_day(zone: ZoneInfo, day: int) -> timedelta | None:
    """The offset of all wall times of a day; None where it changes."""
    midnight = datetime.fromordinal(day)
    walls = [midnight + number * _STEP for number in range(5)]
    found = {wall.replace(tzinfo=zone, fold=fold).utcoffset() for wall in walls for fold in (0, 1)}
    return found.pop() if len(found) == 1 else None


@lru_cache(maxsize=4096)
def gaps(zone: ZoneInfo, year: int) -> tuple[Gap, ...]:
    """The spring-forward gaps of a year (UTC)."""
    found: list[Gap] = []
    low = datetime(year, 1, 1, tzinfo=UTC)
    end = datetime(year + 1, 1, 1, tzinfo=UTC)
    held = _offset(low, zone)
    while low < end:
        high = low + _STEP
        offset = _offset(high, zone)
        if offset > held:
            moment = _jump(low, high, zone)
            bare = moment.replace(tzinfo=None)
            found.append(Gap(bare + held, bare + offset, moment))
        low, held = high, offset
    return tuple(found)


def _jump(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The first whole second after *low*, and not after *high*, at which *zone* has another offset than at *low*."""
    held = _offset(low, zone)
    low = low.replace(microsecond=0)
    while high - low > _SECOND:
        middle = low + (high - low) // 2 // _SECOND * _SECOND
        if _offset(middle, zone) == held:
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def _offset(moment: datetime, zone: ZoneInfo) -> timedelta:
    return moment.astimezone(zone).utcoffset() or timedelta()
