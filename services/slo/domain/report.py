"""The figures of a file of minute buckets: what `concordat slo report` prints."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from services.slo.domain.assessment import Terms, assess
from services.slo.domain.burn_rate import duration
from services.slo.domain.error_budget import Target
from services.slo.domain.errors import InvalidBucketError
from services.slo.domain.methods import DEFAULT_SLICING, Empty, Measured, Method, Slicing
from services.slo.domain.series import Buckets, Series
from services.slo.domain.windows import Rolling

__all__ = ["Buckets", "Empty", "Method", "Slicing", "read_buckets", "report"]

_FIELDS = ("start", "good", "total")
_DEFAULT_WINDOW_MIN = 28 * 24 * 60


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
    end = until or datetime.fromtimestamp((max(buckets, default=-1) + 1) * 60, UTC)
    terms = Terms(target, Rolling(window_min), method, slicing or DEFAULT_SLICING)
    got = assess(Measured(Series.of(buckets), method, terms.slicing), terms, end)
    inside, counted = got.counts, got.figures
    return {
        "good": inside.good,
        "bad": inside.bad,
        "total": inside.total,
        "sli": counted.sli,
        "error_budget_consumed": counted.consumed,
        "error_budget_remaining": counted.remaining,
        "burn_rate": counted.consumed,  # over the whole period, the burn rate is the share consumed
        "coverage": got.coverage,
        "state": counted.state,
        "target": float(target),
        "method": method,
        "window": duration(window_min),
        "window_start": _text(got.window.start),
        "window_end": _text(got.window.end),
    }


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
