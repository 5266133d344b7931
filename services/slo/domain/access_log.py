"""Apache and nginx access logs (common and combined format) as good and total requests per minute."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

# host ident user [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 ...; quotes in a request are escaped
_LINE = re.compile(
    r'[^[]*\[(\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d):\d\d ([+-]\d{4})\] "(?:[^"\\]|\\.)*" ([1-5]\d\d)(?: |$)'
)
_SERVER_ERROR = 500


@dataclass(slots=True)
class AccessLog:
    """What a log holds.

    Args:
        minutes: Minute since the epoch -> good, total; good is a status below 500.
        unparsed: Lines that are no request.
    """

    minutes: dict[int, tuple[int, int]] = field(default_factory=dict[int, tuple[int, int]])
    unparsed: int = 0


def read_access_log(lines: Iterable[str]) -> AccessLog:
    """The requests of *lines* by the minute they are logged under, read once from start to end."""
    log = AccessLog()
    minutes, known = log.minutes, dict[tuple[str, str], int | None]()
    for line in lines:
        match = _LINE.match(line)
        minute = None
        if match:
            stamp = match[1], match[2]
            if stamp not in known:
                known[stamp] = _minute(*stamp)
            minute = known[stamp]
        if match is None or minute is None:
            log.unparsed += bool(line.strip())
            continue
        good, total = minutes.get(minute, (0, 0))
        minutes[minute] = good + (int(match[3]) < _SERVER_ERROR), total + 1
    return log


def _minute(stamp: str, offset: str) -> int | None:
    try:
        return int(datetime.strptime(stamp + offset, "%d/%b/%Y:%H:%M%z").timestamp()) // 60
    except ValueError:  # 31/Feb
        return None
