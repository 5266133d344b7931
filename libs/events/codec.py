"""JSON of events: frozen standard-library dataclasses to bytes and back, by msgspec."""

from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_ENCODER = msgspec.json.Encoder(order="deterministic")


def encode(value: object) -> bytes:
    """*value* as UTF-8 JSON without white space, the same bytes for the same value."""
    return _ENCODER.encode(value)


def decoder(cls: type[T]) -> "msgspec.json.Decoder[T]":
    """A reusable decoder of *cls*; fields it does not know are ignored."""
    return msgspec.json.Decoder(cls)


def convert(value: dict[str, Any], cls: type[T]) -> T:
    """A plain dict as a *cls*, as `decoder` would have read it."""
    return msgspec.convert(value, cls)
