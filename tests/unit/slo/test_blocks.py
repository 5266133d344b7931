"""Blocks of measurements: what is packed is read back, whole or as the minutes that figures are made of."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from services.slo.measurements.blocks import Entries, current, latest, pack, series, unpack, unpack_series
from services.slo.measurements.topic import MOST, MOST_REVISION, Measurement

DAY = 20_778
_COUNTS = st.tuples(st.integers(0, MOST), st.integers(0, MOST)).map(sorted)
_SENT = st.lists(
    st.tuples(
        st.integers(DAY * 1440, DAY * 1440 + 3) | st.integers(DAY * 1440, DAY * 1440 + 1439),
        st.sampled_from(["push", "batch"]),
        st.integers(-MOST_REVISION, MOST_REVISION),
        _COUNTS,
    ),
    min_size=1,
)


def _entries(sent: list[tuple[int, str, int, list[int]]]) -> Entries:
    return Entries.of(
        [
            Measurement("checkout", datetime.fromtimestamp(minute * 60, UTC), source, revision, *counts)
            for minute, source, revision, counts in sent
        ]
    )


@given(_SENT)
def test_what_counts_is_the_highest_revision_of_a_source_and_minute_and_of_equal_ones_the_last(
    sent: list[tuple[int, str, int, list[int]]],
) -> None:
    found: dict[tuple[str, int], tuple[int, int, int]] = {}
    for minute, source, revision, (good, total) in sent:
        if (source, minute) not in found or revision >= found[source, minute][0]:
            found[source, minute] = revision, good, total
    kept = current(_entries(sent))
    columns = (kept.source, kept.minute, kept.revision, kept.good, kept.total)
    assert {
        (kept.sources[source], minute): tuple(counted)
        for source, minute, *counted in zip(*(column.tolist() for column in columns), strict=True)
    } == found


@given(_SENT)
def test_the_minutes_of_a_block_are_those_of_the_measurements_packed_in_it(
    sent: list[tuple[int, str, int, list[int]]],
) -> None:
    kept = current(_entries(sent))
    data = pack(kept)
    found, last = unpack_series(data)
    for expected in (series(kept), series(unpack(data))):
        for name in ("minute", "good", "total"):
            assert getattr(found, name).tolist() == getattr(expected, name).tolist()
    assert last == latest(kept)
