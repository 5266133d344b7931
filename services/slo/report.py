"""The figures of a file of counts, as `concordat slo report` prints them."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any, get_args

from services.slo.domain.error_budget import Target
from services.slo.domain.errors import InvalidOptionError
from services.slo.domain.openslo.promise import minutes
from services.slo.domain.report import Empty, Method, Slicing, read_buckets, report

_LONGEST_MIN = 10 * 366 * 24 * 60


def report_file(  # noqa: PLR0913  each is an option of the command
    path: Path,
    *,
    target: float | str,
    method: str = "occurrences",
    window: str = "28d",
    until: str | None = None,
    slice_length: str = "1m",
    slice_target: float | str = 0.95,
    empty: str = "ignore",
) -> dict[str, Any]:
    """The figures of the buckets in the file at *path*.

    Raises:
        SloError: An option or a line cannot be used; the text says which and why.
    """
    method_known: Method = _one_of("--method", method, get_args(Method))
    empty_known: Empty = _one_of("--empty", empty, get_args(Empty))
    slicing = Slicing(_minutes("--slice", slice_length), _share(slice_target), empty_known)
    with path.open(encoding="utf-8-sig") as lines:
        buckets = read_buckets(lines)
    return report(
        buckets,
        Target.of(target),
        method=method_known,
        window_min=_minutes("--window", window),
        until=None if until is None else _time(until),
        slicing=slicing,
    )


def _one_of(option: str, value: str, known: tuple[Any, ...]) -> Any:  # noqa: ANN401  one of *known*
    if value not in known:
        raise InvalidOptionError(option, value, f"use {' or '.join(known)}")
    return value


def _minutes(option: str, text: str) -> int:
    try:
        length = minutes(text)
    except (ValueError, KeyError, IndexError):
        length = 0
    if not 1 <= length <= _LONGEST_MIN:
        raise InvalidOptionError(option, text, "use a number and one of m, h, d, w, M, Q, Y, such as 28d; at most 10Y")
    return length


def _share(value: float | str) -> Fraction:
    try:
        share = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        share = Fraction()
    if not 0 < share <= 1:
        raise InvalidOptionError("--slice-target", value, "use a number above 0 and up to 1")
    return share


def _time(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise InvalidOptionError("--until", text, "use a time such as 2026-11-21T10:00:00Z")
    return at.astimezone(UTC)
