"""Apache and nginx access logs (common and combined format) as good and total requests per minute."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

# host ident user [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 ...; quotes in a request are escaped
_LINE = re.compile(
    r'[^[]*\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:)\d\d ([+-]\d{4})\] "(?:[^"\\]|\\.)*" ([1-5]\d\d)(?:\s|$)'
)
_SERVER_ERROR = 500


class Bucket(NamedTuple):
    """The requests of one minute; good is a status below 500."""

    start: datetime
    good: int
    total: int


class AccessLog(NamedTuple):
    """What a log holds: its minutes in order, and how many lines are no request."""

    buckets: list[Bucket]
    unreadable: int


def read_access_log(path: Path) -> AccessLog:
    """The requests in the file at *path*, read once from start to end."""
    with path.open(encoding="utf-8", errors="replace") as lines:
        return count_requests(lines)


def count_requests(lines: Iterable[str]) -> AccessLog:
    """The requests of *lines* by the minute they are logged under."""
    counts: dict[datetime, list[int]] = {}
    minutes: dict[tuple[str, str], list[int] | None] = {}  # as written -> counts; None for no date, such as 31/Feb
    unreadable = 0
    for line in lines:
        match = _LINE.match(line)
        if match is None:
            unreadable += bool(line.strip())
            continue
        written = match[1], match[2]
        if written not in minutes:
            start = _minute(*written)
            minutes[written] = None if start is None else counts.setdefault(start, [0, 0])
        count = minutes[written]
        if count is None:
            unreadable += 1
            continue
        count[0] += int(match[3]) < _SERVER_ERROR
        count[1] += 1
    return AccessLog([Bucket(start, *counts[start]) for start in sorted(counts)], unreadable)


def _minute(written: str, offset: str) -> datetime | None:
    try:
        return datetime.strptime(written + offset, "%d/%b/%Y:%H:%M:%z").astimezone(UTC)
    except ValueError:
        return None
