"""The figures of a file of minute buckets: what `concordat slo report` prints.

Methods are OpenSLO's: *occurrences* (G/N of the window), *timeslices* (share of slices whose own G/N reaches the
slice target) and *ratio-timeslices* (mean of the slices' ratios). Slices lie on a grid that starts at the epoch; one
that is not wholly inside the window, such as a slice still open at its end, does not count.
"""

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from itertools import chain
from typing import Any, Literal

from services.slo.domain.burn_rate import duration
from services.slo.domain.error_budget import Target, coverage, figures
from services.slo.domain.errors import InvalidBucketError

Method = Literal["occurrences", "timeslices", "ratio-timeslices"]
Empty = Literal["ignore", "good", "bad"]
Buckets = Mapping[int, tuple[int, int]]  # minute since the epoch -> good, total

_FIELDS = ("start", "good", "total")
_DEFAULT_WINDOW_MIN = 28 * 24 * 60


@dataclass(frozen=True, slots=True)
class Slicing:
    """How time is cut into slices.

    Args:
        length_min: Of one slice.
        target: A slice is good if its own ratio reaches this; equal is good.
        empty: What a slice without events is.
    """

    length_min: int = 1
    target: Fraction = Fraction(95, 100)
    empty: Empty = "ignore"


def read_buckets(lines: Iterable[str]) -> dict[int, tuple[int, int]]:
    """The buckets of CSV with a header, or of JSON lines; a later one replaces an earlier one of the same minute.

    Raises:
        InvalidBucketError: A line holds no bucket; says which and why.
    """
    iterator = iter(lines)
    first = next((line for line in iterator if line.strip()), "")
    rows = _json_rows if first.lstrip().startswith("{") else _csv_rows
    return {_minute(row, number): _counts(row, number) for number, row in rows(chain((first,), iterator))}


def report(
    buckets: Buckets,
    target: Target,
    *,
    method: Method = "occurrences",
    window_min: int = _DEFAULT_WINDOW_MIN,
    until: datetime | None = None,
    slicing: Slicing | None = None,
) -> dict[str, Any]:
    """The figures of the window [until - window, until); *until* is the end of the last bucket unless given."""
    end_s = int(until.timestamp()) if until else (max(buckets, default=-1) + 1) * 60
    first, end = -(-end_s // 60) - window_min, -(-end_s // 60)
    inside = {minute: counts for minute, counts in buckets.items() if first <= minute < end}
    good = sum(g for g, _ in inside.values())
    total = sum(n for _, n in inside.values())
    match method:
        case "occurrences":
            counted = figures(target, good, total)
        case "timeslices" | "ratio-timeslices":
            slicing = slicing or Slicing()
            ratios = _slices(inside, first, end_s // 60, slicing)
            counted = figures(target, *(_good_slices if method == "timeslices" else _mean)(ratios, slicing))
    start = datetime.fromtimestamp(end_s, UTC) - timedelta(minutes=window_min)
    return {
        "good": good,
        "bad": total - good,
        "total": total,
        "sli": counted.sli,
        "error_budget_consumed": counted.consumed,
        "error_budget_remaining": counted.remaining,
        "burn_rate": counted.consumed,  # over the whole period, the burn rate is the share consumed
        "coverage": coverage(len(inside), window_min),
        "state": counted.state,
        "target": float(target),
        "method": method,
        "window": duration(window_min),
        "window_start": _text(start),
        "window_end": _text(datetime.fromtimestamp(end_s, UTC)),
    }


def _slices(inside: Buckets, first: int, end: int, slicing: Slicing) -> list[tuple[int, int]]:
    """Good and total of every slice that counts; those without events as the policy has them."""
    length = slicing.length_min
    grid = range(-(-first // length), end // length)
    sums: dict[int, tuple[int, int]] = defaultdict(lambda: (0, 0))
    for minute, (good, total) in inside.items():
        held = sums[minute // length]
        sums[minute // length] = held[0] + good, held[1] + total
    ratios = [(good, total) for index, (good, total) in sums.items() if index in grid and total]
    if slicing.empty != "ignore":
        ratios += [(1 if slicing.empty == "good" else 0, 1)] * (len(grid) - len(ratios))
    return ratios


def _good_slices(ratios: list[tuple[int, int]], slicing: Slicing) -> tuple[int, int]:
    p, q = slicing.target.numerator, slicing.target.denominator
    return sum(good * q >= p * total for good, total in ratios), len(ratios)


def _mean(ratios: list[tuple[int, int]], _: Slicing) -> tuple[int, int]:
    """The mean as one exact ratio: added per denominator first, then pair by pair, so that numbers stay short."""
    by_total: dict[int, int] = defaultdict(int)
    for good, total in ratios:
        by_total[total] += good
    sums = [(good, total) for total, good in by_total.items()]
    while len(sums) > 1:
        pairs = zip(sums[::2], sums[1::2], strict=False)
        odd = sums[-1:] if len(sums) % 2 else []
        sums = [(a * d + c * b, b * d) for (a, b), (c, d) in pairs] + odd
    return (sums[0][0], sums[0][1] * len(ratios)) if sums else (0, 0)


def _json_rows(lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, object]]]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise InvalidBucketError(number, f"is no JSON: {error}") from error
        if not isinstance(row, dict):
            raise InvalidBucketError(number, "must be an object with start, good and total")
        yield number, row


def _csv_rows(lines: Iterable[str]) -> Iterator[tuple[int, Mapping[str, object]]]:
    rows = csv.DictReader(lines, skipinitialspace=True)
    missing = [name for name in _FIELDS if name not in (rows.fieldnames or ())]
    if missing:
        raise InvalidBucketError(1, f"the header must name start, good and total; {', '.join(missing)} is missing")
    for row in rows:
        yield rows.line_num, {name: _whole(row[name]) if name != "start" else row[name] for name in _FIELDS}


def _whole(text: str | None) -> object:
    text = (text or "").strip()
    return int(text) if text.isascii() and text.removeprefix("-").isdigit() else text


def _minute(row: Mapping[str, object], line: int) -> int:
    start = row.get("start")
    try:
        at = datetime.fromisoformat(str(start))
    except ValueError as error:
        raise InvalidBucketError(line, f"start is {start!r}, not a time such as 2026-11-21T10:00:00Z") from error
    if at.tzinfo is None:
        raise InvalidBucketError(line, f"start is {start!r}, without an offset; write 2026-11-21T10:00:00Z")
    minute, rest = divmod(at.timestamp(), 60)
    if rest:
        raise InvalidBucketError(line, f"start is {start!r}; a bucket starts at a full minute")
    return int(minute)


def _counts(row: Mapping[str, object], line: int) -> tuple[int, int]:
    good, total = row.get("good"), row.get("total")
    for name, value in (("good", good), ("total", total)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            raise InvalidBucketError(line, f"{name} is {value!r}; it must be a whole number, 0 or more")
    if good > total:  # pyright: ignore[reportOperatorIssue]  both were just found to be numbers
        raise InvalidBucketError(line, f"good is {good}, more than total, which is {total}")
    return good, total  # pyright: ignore[reportReturnType]  as above


def _text(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
