"""What makes three values the counts of a minute; the same for files and for requests."""

from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any, Final, Literal, cast

from services.slo.measurements.topic import MOST

Code = Literal[
    "not-an-object",
    "missing-field",
    "unknown-field",
    "not-a-time",
    "no-offset",
    "off-grid",
    "in-the-future",
    "before-1970",
    "not-a-number",
    "not-whole",
    "negative",
    "too-large",
    "good-exceeds-total",
    "duplicate-minute",
    "too-late",
    "unknown-slo",
    "composite-not-measured",
]
REMEDIES: Final[dict[Code, str]] = {
    "not-an-object": 'send objects such as {"start": "2026-11-21T10:00:00Z", "good": 990, "total": 1000}',
    "missing-field": "send start, good and total",
    "unknown-field": "send start, good and total, and nothing else",
    "not-a-time": "write a time such as 2026-11-21T10:00:00Z",
    "no-offset": "say which offset: 2026-11-21T10:00:00Z or 2026-11-21T12:00:00+02:00",
    "off-grid": "a bucket starts at a full minute; send absolute counts per minute",
    "in-the-future": "check the clock that wrote it",
    "before-1970": "minutes are counted from 1970; check what wrote it",
    "not-a-number": "find what divides by zero; what is not known is left out, and a minute that counts nothing is 0",
    "not-whole": "counts are whole numbers; nothing is rounded here",
    "negative": "counts are 0 or more; send what was counted in the minute, not a difference",
    "too-large": "a minute holds at most 2^40 events; check the unit",
    "good-exceeds-total": "total counts good events too",
    "duplicate-minute": "add what belongs to one minute up before sending; the first was taken",
    "too-late": (
        "of its day only hours are kept, in which no minute can be replaced; minutes are kept for"
        " CONCORDAT_MINUTES_KEPT_D days after their day last changed"
    ),
    "unknown-slo": "define the SLO first (POST /v1/slos), or correct its name",
    "composite-not-measured": "send the measurements of its components",
}
_FIELDS: Final = ("start", "good", "total")
_SAID: Final = 100  # characters of what was sent that are repeated


class WrongBucketError(Exception):
    """Values that are no counts of a minute.

    Args:
        code: What is wrong.
        field: `start`, `good` or `total`, or another that was sent; empty for the whole.
        detail: What was sent.
    """

    def __init__(self, code: Code, field: str, detail: str) -> None:
        super().__init__(detail)
        self.code: Code = code
        self.field, self.detail = field, detail


class BucketRules:
    """Takes buckets of one SLO and source, each minute once.

    Args:
        latest: A bucket may start no later.
    """

    def __init__(self, latest: datetime) -> None:
        self._latest = latest
        self._seen: dict[int, int] = {}  # day -> its minutes as bits

    def take(self, start: str, good: int, total: int) -> datetime:
        """The minute.

        Raises:
            WrongBucketError: They are no counts of a minute, or it was taken before.
        """
        at = self._time(start)
        if not 0 <= good <= total <= MOST:
            raise _uncountable(good, total)
        day, minute = at.toordinal(), at.hour * 60 + at.minute
        minutes = self._seen.get(day, 0)
        if minutes >> minute & 1:
            raise WrongBucketError("duplicate-minute", "start", f"{at.isoformat()} was there before")
        self._seen[day] = minutes | 1 << minute
        return at

    def _time(self, text: str) -> datetime:
        try:
            at = datetime.fromisoformat(text)
        except ValueError:
            raise WrongBucketError("not-a-time", "start", f"start is {text[:_SAID]!r}") from None
        if at.tzinfo is None:
            raise WrongBucketError("no-offset", "start", f"start is {text!r}")
        if at > self._latest:
            detail = f"start is {text!r}, and now is {self._latest.isoformat()} at most"
            raise WrongBucketError("in-the-future", "start", detail)
        try:
            at = at.astimezone(UTC)
        except OverflowError:
            raise WrongBucketError("not-a-time", "start", f"start is {text!r}") from None
        if at.second or at.microsecond:
            raise WrongBucketError("off-grid", "start", f"start is {text!r}")
        if at.year < 1970:  # noqa: PLR2004  the epoch
            raise WrongBucketError("before-1970", "start", f"start is {text!r}")
        return at


def values_in(sent: object) -> tuple[str, int, int]:
    """Start, good and total of a JSON value.

    Raises:
        WrongBucketError: It is no object of a text and two whole numbers.
    """
    if not isinstance(sent, dict):
        raise WrongBucketError("not-an-object", "", f"is {repr(sent)[:_SAID]}")
    found = cast("dict[str, Any]", sent)
    start, good, total = map(found.get, _FIELDS)
    if type(start) is str and type(good) is int and type(total) is int and len(found) == len(_FIELDS):
        return start, good, total  # the exact types: a bool is an int too
    raise _why(found)


def _why(sent: Mapping[str, Any]) -> WrongBucketError:
    for name in _FIELDS:
        if name not in sent:
            return WrongBucketError("missing-field", name, f"there is no {name}")
    for name in sent:
        if name not in _FIELDS:
            return WrongBucketError("unknown-field", name, f"there is {name[:_SAID]!r}")
    if not isinstance(sent["start"], str):
        return WrongBucketError("not-a-time", "start", f"start is {repr(sent['start'])[:_SAID]}")
    name = "good" if not isinstance(sent["good"], int) or isinstance(sent["good"], bool) else "total"
    code: Code = "not-whole" if is_number(sent[name]) else "not-a-number"
    return WrongBucketError(code, name, f"{name} is {repr(sent[name])[:_SAID]}")


def is_number(value: object) -> bool:
    """Whether *value* is not NaN or infinite, as a float or as a text."""
    try:
        return isfinite(float(value)) if isinstance(value, float | str) else True
    except ValueError:
        return True  # a text that is something else


def _uncountable(good: int, total: int) -> WrongBucketError:
    for name, count in (("good", good), ("total", total)):
        if count < 0:
            return WrongBucketError("negative", name, f"{name} is {count}")
        if count > MOST:
            return WrongBucketError("too-large", name, f"{name} is {count}")
    return WrongBucketError("good-exceeds-total", "good", f"good is {good}, and total is {total}")
