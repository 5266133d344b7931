"""Access logs as good and total requests per minute."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.slo.measurements.access_log import Bucket, count_requests, read_access_log

EXCERPT = Path(__file__).parents[2] / "data" / "access.log"
REAL = Path(__file__).parents[4] / "shared" / "data" / "access.log"


def test_a_status_below_500_is_good() -> None:
    lines = [
        '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 203 "-" "curl"\n',
        '192.0.2.7 - ana [17/May/2015:10:05:59 +0000] "GET /x HTTP/1.1" 404 -\n',
        '2001:db8::1 - - [17/May/2015:12:05:59 +0200] "GET /\\"q\\" HTTP/1.1" 500 12 "-" "[bot]"\n',
        '192.0.2.7 - - [17/May/2015:10:06:00 +0000] "-" 503 0\n',
    ]
    log = count_requests(reversed(lines))
    start = datetime(2015, 5, 17, 10, 5, tzinfo=UTC)
    assert log.buckets == [Bucket(start, 2, 3), Bucket(start + timedelta(minutes=1), 0, 1)]
    assert log.unreadable == 0


@pytest.mark.parametrize(
    "line",
    [
        "garbage",
        '192.0.2.7 - - [31/Feb/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 203',
        '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" OK 203',
        '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1',
    ],
)
def test_a_line_that_is_no_request_is_counted(line: str) -> None:
    assert count_requests([line, ""]) == ([], 1)


def _sums(path: Path) -> tuple[int, int, int, int]:
    buckets, unreadable = read_access_log(path)
    return sum(b.good for b in buckets), sum(b.total for b in buckets), len(buckets), unreadable


LOGS = {EXCERPT: (239, 240, 12, 1), REAL: (9_997, 10_000, 84, 0)}


@pytest.mark.parametrize(("log", "sums"), [(log, sums) for log, sums in LOGS.items() if log.exists()])
def test_a_file_is_read_to_the_last_request(log: Path, sums: tuple[int, int, int, int]) -> None:
    assert _sums(log) == sums
