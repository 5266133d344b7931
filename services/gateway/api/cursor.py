"""Where a reader of the event stream stands, as one opaque text: the next offset of every partition."""

import base64
import binascii
from collections.abc import Mapping
from typing import Final

import msgspec

from libs.events.bus import EVENT_PARTITIONS, Offsets, TopicPartition, events_topic
from libs.web.problems import Place, Problem
from services.gateway.api.document import OWNERS

TOPICS: Final = tuple(events_topic(owner) for owner in OWNERS)
_MOST: Final = 2**63 - 1
_Vectors = Mapping[str, list[int]]
_DECODER: Final = msgspec.msgpack.Decoder(dict[str, list[int]])


def encode(offsets: Offsets) -> str:
    """*offsets* as a text that `decode` reads; a service whose offsets are missing is left out."""
    vectors = {
        owner: [offsets[TopicPartition(topic.name, partition)] for partition in range(topic.partitions)]
        for owner, topic in zip(OWNERS, TOPICS, strict=True)
        if TopicPartition(topic.name, 0) in offsets
    }
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(vectors)).rstrip(b"=").decode()


def decode(text: str) -> dict[TopicPartition, int]:
    """The offsets inside *text*; a service that is not in it is read from where it ends.

    Raises:
        Problem: 400, it is no cursor of a stream.
    """
    try:
        padded = text + "=" * (-len(text) % 4)
        vectors: _Vectors = _DECODER.decode(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError) as error:  # msgspec's errors are ValueErrors
        raise _no_cursor() from error
    for owner, vector in vectors.items():
        if owner not in OWNERS or len(vector) != EVENT_PARTITIONS or not all(0 <= offset <= _MOST for offset in vector):
            raise _no_cursor()
    return {
        TopicPartition(events_topic(owner).name, partition): offset
        for owner, vector in vectors.items()
        for partition, offset in enumerate(vector)
    }


def start() -> dict[TopicPartition, int]:
    """Before everything that was ever published."""
    return {TopicPartition(topic.name, partition): 0 for topic in TOPICS for partition in range(topic.partitions)}


def _no_cursor() -> Problem:
    detail = "send the id of an event of this stream, 'start' for everything, or nothing for what comes next"
    return Problem(400, "invalid-cursor", "The cursor cannot be read", detail, [Place(detail, "after")])
