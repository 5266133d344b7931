"""Measurements on their way: facts from outside, published to a topic of their own.

A measurement holds the absolute counts of one minute from one source. The highest revision of a source wins and
sources add up, so sending again, late or corrected is harmless.
"""

from collections.abc import Iterable
from datetime import datetime
from itertools import islice
from typing import Annotated

import msgspec
from msgspec import Meta

from libs.events.bus import MEASUREMENTS, OutRecord, Publisher

PUSHED = "push"  # the source of what comes over HTTP and names none
MOST = 2**40  # events in a minute; the sum over a year still fits into a bigint
MOST_REVISION = 2**53  # what every JSON reader keeps exactly; microseconds since 1970 fit
# Records that are made and handed on; a month of minutes in two parts would fire what is not so between them.
_AT_ONCE = 50_000
_HEADERS = (("content-type", b"application/json"),)


class Measurement(msgspec.Struct, frozen=True, gc=False):
    """Good and total events of one minute, as one source counted them.

    Args:
        slo: The SLO's name; the record's key.
        start: The minute.
        source: Who counted.
        revision: Of this source's count; the highest wins, of equals the last.
        good: Good events.
        total: All events.
    """

    slo: Annotated[str, Meta(min_length=1)]
    start: Annotated[datetime, Meta(tz=True)]
    source: Annotated[str, Meta(min_length=1)]
    revision: Annotated[int, Meta(ge=-MOST_REVISION, le=MOST_REVISION)]
    good: Annotated[int, Meta(ge=0)]
    total: Annotated[int, Meta(le=MOST)]

    @property
    def minute(self) -> int:
        """The minute, counted from the epoch."""
        return int(self.start.timestamp()) // 60


async def publish(publisher: Publisher, measurements: Iterable[Measurement]) -> None:
    """Publish *measurements*, some at a time: however many there are, their records take little memory."""
    rest = iter(measurements)
    while records := [record(each) for each in islice(rest, _AT_ONCE)]:
        await publisher.publish(records)


def record(measurement: Measurement) -> OutRecord:
    """*measurement* as it is published."""
    return OutRecord(MEASUREMENTS.name, measurement.slo, _ENCODER.encode(measurement), _HEADERS)


def decode(value: bytes) -> Measurement | None:
    """The measurement in a record; None if it holds none, since anyone may publish there."""
    try:
        measurement = _DECODER.decode(value)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    start = measurement.start
    if measurement.good > measurement.total or start.second or start.microsecond:
        return None
    return None if "\0" in measurement.slo or "\0" in measurement.source else measurement


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Measurement)
