"""Demand over time as the highest of each day, which is all that a plan needs and all that is kept."""

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

MOST_DAYS: Final = 1_100  # of one import: three years
_OLDEST_DAYS: Final = 3_653  # ten years
_HEADER: Final = ("at", "value")
_LARGEST: Final = 1e15


class UnusableDemandError(Exception):
    """The points cannot be taken; *pointer* says where."""

    def __init__(self, detail: str, pointer: str = "") -> None:
        super().__init__(detail)
        self.pointer = pointer


@dataclass(frozen=True, slots=True)
class Peaks:
    """The highest demand of each day from *first* on, null where there was none; *unfinished* points were left out."""

    first: date
    peaks: tuple[float | None, ...]
    unfinished: int


def daily(points: Iterable[tuple[date | datetime, float]], today: date, pointer: str = "") -> Peaks:
    """The highest of each day (in UTC); a day that is not over by *today* is left out.

    Raises:
        UnusableDemandError: No day is left, or too many are.
    """
    highest: dict[date, float] = {}
    unfinished = 0
    for at, value in points:
        day = at.astimezone(UTC).date() if isinstance(at, datetime) else at
        if day >= today:
            unfinished += 1
        else:
            highest[day] = max(value, highest.get(day, 0.0))
    if not highest:
        raise UnusableDemandError("there is no day that is over; import demand of yesterday and before", pointer)
    first, last = min(highest), max(highest)
    days = (last - first).days + 1
    if (today - first).days > _OLDEST_DAYS:
        detail = f"{first} is too long ago; import at most ten years"
        raise UnusableDemandError(detail, pointer)
    if days > MOST_DAYS:
        detail = f"from {first} to {last} there are {days} days; send at most {MOST_DAYS} at once"
        raise UnusableDemandError(detail, pointer)
    peaks = tuple(highest.get(first + timedelta(days=number)) for number in range(days))
    return Peaks(first, peaks, unfinished)


def read_csv(text: bytes) -> Sequence[tuple[date | datetime, float]]:
    """The points of a CSV text with the columns `at,value`.

    Raises:
        UnusableDemandError: Names the line.
    """
    try:
        rows = csv.reader(io.StringIO(text.decode("utf-8-sig")), strict=True)
        points: list[tuple[date | datetime, float]] = []
        for number, row in enumerate(rows, 1):
            if number == 1 and tuple(name.strip().lower() for name in row) != _HEADER:
                raise UnusableDemandError("line 1: begin with the header `at,value`")
            if number > 1 and row:
                points.append(_point(row, number))
    except (UnicodeDecodeError, csv.Error) as error:
        msg = f"this is no CSV in UTF-8: {error}"
        raise UnusableDemandError(msg) from error
    if not points:
        raise UnusableDemandError("there is no point; a line is `2026-11-20,812.5` or `2026-11-20T14:00:00Z,812.5`")
    return points


def _point(row: list[str], number: int) -> tuple[date | datetime, float]:
    if len(row) != len(_HEADER):
        msg = f"line {number}: {len(row)} columns; there are two, at and value"
        raise UnusableDemandError(msg)
    at, value = (field.strip() for field in row)
    try:
        demand = float(value)
    except ValueError:
        demand = math.nan
    if not 0 <= demand <= _LARGEST:
        msg = f"line {number}: {value[:40]!r} is no demand; give a number from 0 on"
        raise UnusableDemandError(msg)
    return _moment(at, number), demand


def _moment(text: str, number: int) -> date | datetime:
    try:
        if "T" not in text and " " not in text:
            return date.fromisoformat(text)
        at = datetime.fromisoformat(text)
        if at.tzinfo is not None:
            return at.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    msg = f"line {number}: {text[:40]!r} is no day and no time with an offset; write 2026-11-20 or 2026-11-20T14:00:00Z"
    raise UnusableDemandError(msg)
