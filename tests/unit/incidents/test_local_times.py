from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo

import pytest

from services.incidents.domain.local_times import local_times

AT = datetime(2026, 11, 21, 22, 5, tzinfo=UTC)
DST = datetime(2026, 10, 25, 0, 30, tzinfo=UTC)  # half an hour before the clocks of Madrid go back


@pytest.mark.parametrize(
    ("zone", "said"),
    [
        (UTC, "22:05 UTC"),
        (ZoneInfo("Europe/London"), "22:05 UTC"),  # in winter its clocks show the same
        (ZoneInfo("Europe/Madrid"), "22:05 UTC (23:05 Europe/Madrid)"),
        (ZoneInfo("Asia/Tokyo"), "22:05 UTC (Sun 22 Nov 07:05 Asia/Tokyo)"),
    ],
)
def test_a_moment_is_said_by_utc_and_by_the_clocks_of_who_reads(zone: tzinfo, said: str) -> None:
    assert local_times(zone, AT) == said


def test_each_end_is_said_by_the_clocks_as_they_go_then() -> None:
    assert local_times(ZoneInfo("Europe/Madrid"), DST, DST + timedelta(hours=1), day=True) == (
        "Sun 25 Oct 00:30 to Sun 25 Oct 01:30 UTC (Sun 25 Oct 02:30 to Sun 25 Oct 02:30 Europe/Madrid)"
    )
