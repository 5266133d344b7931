"""Access logs as good and total requests per minute."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from services.slo.domain.access_log import read_access_log

EXCERPT = Path("tests/data/access.log")
REAL = Path("../shared/data/access.log")


def _minute(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp()) // 60  # pyright: ignore[reportArgumentType]  year to minute


def test_a_status_below_500_is_good() -> None:
    lines = [
        '192.0.2.7 - - [17/May/2015:10:05:03 +0000] "GET / HTTP/1.1" 200 203 "-" "curl"\n',
        '192.0.2.7 - ana [17/May/2015:10:05:59 +0000] "GET /x HTTP/1.1" 404 -\n',
        '2001:db8::1 - - [17/May/2015:12:05:59 +0200] "GET /\\"q\\" HTTP/1.1" 500 12 "-" "[bot]"\n',
        '192.0.2.7 - - [17/May/2015:10:06:00 +0000] "-" 503 0\n',
    ]
    log = read_access_log(lines)
    assert log.minutes == {_minute(2015, 5, 17, 10, 5): (2, 3), _minute(2015, 5, 17, 10, 6): (0, 1)}
    assert log.unparsed == 0


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
    log = read_access_log([line, ""])
    assert (log.minutes, log.unparsed) == ({}, 1)


def test_the_excerpt_holds_what_the_tests_elsewhere_rely_on() -> None:
    with EXCERPT.open() as lines:
        log = read_access_log(lines)
    assert (sum(g for g, _ in log.minutes.values()), sum(n for _, n in log.minutes.values())) == (239, 240)
    assert (len(log.minutes), log.unparsed) == (12, 1)


def test_the_real_log_is_read_to_the_last_request() -> None:
    """Runs where the real log lies beside the repository, says nothing where it does not."""
    if not REAL.exists():
        return
    with REAL.open() as lines:
        log = read_access_log(lines)
    assert (sum(g for g, _ in log.minutes.values()), sum(n for _, n in log.minutes.values())) == (9_997, 10_000)
    assert (len(log.minutes), log.unparsed) == (84, 0)
