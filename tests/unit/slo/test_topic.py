from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from libs.events.bus import OutRecord
from services.slo.measurements.topic import PUSHED, Measurement, decode, publish

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


class Publications:
    """A publisher that keeps what it is given, call by call."""

    def __init__(self) -> None:
        self.made: list[Sequence[OutRecord]] = []

    async def publish(self, records: Sequence[OutRecord], *, deadline_s: float = 10.0) -> None:
        del deadline_s
        self.made.append(records)


async def test_many_measurements_are_published_in_order_and_never_all_at_once() -> None:
    minutes = [Measurement("a", NOON + timedelta(minutes=n), PUSHED, 1, n, n) for n in range(101_000)]
    publisher = Publications()

    await publish(publisher, iter(minutes))

    assert [decode(record.value) for records in publisher.made for record in records] == minutes
    assert max(map(len, publisher.made)) < len(minutes) / 2


async def test_a_month_of_minutes_is_published_at_once_for_it_is_evaluated_as_it_comes() -> None:
    publisher = Publications()

    await publish(publisher, (Measurement("a", NOON + timedelta(minutes=n), PUSHED, 1, n, n) for n in range(31 * 1440)))

    assert list(map(len, publisher.made)) == [31 * 1440]


async def test_nothing_is_published_of_nothing() -> None:
    publisher = Publications()
    await publish(publisher, ())
    assert publisher.made == []
