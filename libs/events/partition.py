"""Which partition a key belongs to: murmur2, as Kafka's own clients spread their keys."""

from functools import lru_cache
from struct import unpack_from

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


@lru_cache(16_384)  # streams come again, and the hash is the dearest part of publishing
def partition_of(key: str, partitions: int) -> int:
    """The partition of *key* among *partitions*, the same as Kafka's default partitioner chooses."""
    return (murmur2(key.encode()) & 0x7FFFFFFF) % partitions


def murmur2(data: bytes) -> int:
    """The 32-bit hash of Kafka's `Utils.murmur2`, unsigned."""
    words = len(data) >> 2
    h = _SEED ^ len(data)
    for word in unpack_from(f"<{words}I", data):
        k = word * _M & _MASK
        h = (h * _M & _MASK) ^ ((k ^ k >> 24) * _M & _MASK)
    if rest := data[words << 2 :]:
        h = (h ^ int.from_bytes(rest, "little")) * _M & _MASK
    h = (h ^ h >> 13) * _M & _MASK
    return h ^ h >> 15
