import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events.partition import murmur2, partition_of


@pytest.mark.parametrize(
    ("data", "expected"),
    [  # org.apache.kafka.common.utils.UtilsTest.testMurmur2
        (b"21", -973932308),
        (b"foobar", -790332482),
        (b"a-little-bit-long-string", -985981536),
        (b"a-little-bit-longer-string", -1486304829),
        (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971),
        (b"abc", 479470107),
    ],
)
def test_the_hash_is_kafkas(data: bytes, expected: int) -> None:
    assert int.from_bytes(murmur2(data).to_bytes(4, "big"), "big", signed=True) == expected


@settings(deadline=None)  # the machine may be busy
@given(st.text(), st.integers(1, 50))
def test_a_key_goes_where_a_kafka_client_sends_it(key: str, partitions: int) -> None:
    expected = DefaultPartitioner()(key.encode(), list(range(partitions)), [])
    assert partition_of(key, partitions) == expected


def test_keys_spread_over_all_partitions() -> None:
    assert {partition_of(f"service/{number}", 12) for number in range(200)} == set(range(12))
