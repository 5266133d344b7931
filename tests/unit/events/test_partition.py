import pytest
from aiokafka.partitioner import DefaultPartitioner
from hypothesis import given
from hypothesis import strategies as st

from libs.events.partition import murmur2, partition_of


@pytest.mark.parametrize(
    ("key", "expected"),
    [(b"21", -973932308), (b"foobar", -790332482), (b"a-little-bit-long-string", -985981536), (b"abc", 479470107)],
)
def test_the_hash_is_kafkas(key: bytes, expected: int) -> None:
    assert murmur2(key) == expected & 0xFFFFFFFF  # values of Kafka's own UtilsTest


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_key_goes_where_kafkas_default_partitioner_sends_it(key: str) -> None:
    partitions = list(range(12))
    assert partition_of(key, 12) == DefaultPartitioner()(key.encode(), partitions, partitions)
