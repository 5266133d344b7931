"""Recorded events as CloudEvents 1.0.2 on the bus, in binary mode (Kafka protocol binding), and back.

The value is the event's JSON, everything else a header. Written by hand: the SDK manages a fraction of the rate.
"""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from typing import Annotated
from uuid import UUID

import msgspec

from libs.events.bus import BusRecord, OutRecord
from libs.events.envelope import Metadata, Recorded
from libs.events.errors import MalformedRecordError

SCHEMAS = "https://concordat.io/schemas/"  # names a schema for ever; the gateway serves it under /schemas/
_SOURCE = "/concordat/"
_SPEC_VERSION = b"1.0"

_encode = msgspec.json.Encoder().encode
_read_metadata = msgspec.json.Decoder(Metadata).decode
_read_uuid = msgspec.json.Decoder(UUID).decode  # a sixth of the time of UUID(text)
_read_time = msgspec.json.Decoder(Annotated[datetime, msgspec.Meta(tz=True)]).decode


class Delivered(msgspec.Struct, frozen=True, gc=False):
    """An event of another service as a consumer gets it.

    Args:
        recorded: The event, as it stands in its service's log.
        service: Whose log that is.
        epoch: Which life of that log.
        partition: Of the topic it came through.
        offset: In that partition.
    """

    recorded: Recorded
    service: str
    epoch: str
    partition: int
    offset: int


def to_record(recorded: Recorded, topic: str, service: str, epoch: str) -> OutRecord:
    """*recorded* of *service* as a record of *topic*, keyed by its stream."""
    meta = _read_metadata(recorded.metadata)
    stream = recorded.stream.encode()
    headers = [
        *_constants(service, epoch, recorded.type),
        ("ce_id", _encode(recorded.event_id)[1:-1]),  # JSON without its quotes
        ("ce_time", _encode(recorded.occurred_at)[1:-1]),
        ("ce_subject", stream),
        ("ce_partitionkey", stream),
        ("ce_sequence", b"%020d" % recorded.version),
        ("ce_position", b"%d" % recorded.position),
        ("ce_recordedtime", _encode(recorded.recorded_at)[1:-1]),
        ("ce_actor", meta.actor.encode()),
    ]
    if meta.auth_method:  # an attribute may be absent, but not empty
        headers.append(("ce_authmethod", meta.auth_method.encode()))
    if meta.client:
        headers.append(("ce_client", meta.client.encode()))
    if meta.request_id:
        headers.append(("ce_requestid", meta.request_id.encode()))
    if meta.correlation_id:
        headers.append(("ce_correlationid", meta.correlation_id.encode()))
    if meta.causation_id:
        headers.append(("ce_causationid", meta.causation_id.encode()))
    if meta.traceparent:
        headers.append(("ce_traceparent", meta.traceparent.encode()))
    return OutRecord(topic, recorded.stream, recorded.data, headers)


def from_record(record: BusRecord) -> Delivered:
    """The event inside *record*.

    Raises:
        MalformedRecordError: It is none that a relay of ours wrote; says what is missing or wrong.
    """
    headers = dict(record.headers)
    try:
        service = _service(headers)
        recorded = Recorded(
            position=int(headers["ce_position"]),
            stream=headers["ce_partitionkey"].decode(),
            version=int(headers["ce_sequence"]),
            type=headers["ce_type"].decode(),
            event_id=_read_uuid(b'"%b"' % headers["ce_id"]),
            occurred_at=_read_time(b'"%b"' % headers["ce_time"]),
            recorded_at=_read_time(b'"%b"' % headers["ce_recordedtime"]),
            data=record.value,
            metadata=_encode(_metadata(headers)),
        )
        epoch = headers["ce_epoch"].decode()
    except KeyError as error:
        raise _malformed(record, f"the header {error.args[0]} is missing") from error
    except (ValueError, TypeError, msgspec.MsgspecError) as error:
        raise _malformed(record, str(error)) from error
    return Delivered(recorded, service, epoch, record.partition, record.offset)


def _service(headers: Mapping[str, bytes]) -> str:
    if headers["ce_specversion"] != _SPEC_VERSION:
        raise ValueError("ce_specversion is not 1.0")
    source = headers["ce_source"].decode()
    if not source.startswith(_SOURCE):
        message = f"the source {source!r} is no service of Concordat"
        raise ValueError(message)
    return source[len(_SOURCE) :]


def _metadata(headers: Mapping[str, bytes]) -> Metadata:
    get = headers.get
    return Metadata(
        headers["ce_actor"].decode(),
        get("ce_authmethod", b"").decode(),
        get("ce_client", b"").decode(),
        get("ce_requestid", b"").decode(),
        get("ce_correlationid", b"").decode(),
        get("ce_causationid", b"").decode(),
        get("ce_traceparent", b"").decode(),
    )


def _malformed(record: BusRecord, detail: str) -> MalformedRecordError:
    return MalformedRecordError(record.topic, record.partition, record.offset, detail)


@lru_cache(1024)
def _constants(service: str, epoch: str, name: str) -> tuple[tuple[str, bytes], ...]:
    """The headers that all events of one type share."""
    return (
        ("ce_specversion", _SPEC_VERSION),
        ("ce_source", f"{_SOURCE}{service}".encode()),
        ("ce_type", name.encode()),
        ("ce_dataschema", f"{SCHEMAS}{name}.json".encode()),
        ("ce_epoch", epoch.encode()),
        ("content-type", b"application/json"),
    )
