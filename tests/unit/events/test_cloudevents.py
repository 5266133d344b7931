from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import msgspec
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_binary_event
from hypothesis import given, settings
from hypothesis import strategies as st

from libs.events import codec
from libs.events.bus import BusRecord, OutRecord
from libs.events.cloudevents import from_record, to_record
from libs.events.envelope import Metadata, Recorded
from libs.events.errors import MalformedRecordError

TOPIC = "concordat.lifecycle.events"
AT = datetime(2026, 11, 21, 10, 0, 0, 123456, tzinfo=UTC)
EVENT = Recorded(
    position=4711,
    stream="team/zoë",
    version=12,
    type="io.concordat.lifecycle.team.registered.v1",
    event_id=UUID("0193a1b2-c3d4-75f6-8718-293a4b5c6d7e"),
    occurred_at=AT,
    recorded_at=AT + timedelta(seconds=1),
    data='{"display_name":"Zoë 🚀"}'.encode(),
    metadata=codec.encode(
        Metadata(
            actor="Ana Müller",
            auth_method="api-key",
            client="cc_1",
            request_id="req-1",
            correlation_id="corr-1",
            causation_id="0193a1b2-c3d4-75f6-8718-293a4b5c6d00",
            traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        )
    ),
)

texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=20)
times = st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001  hypothesis adds the zone
metadata = st.builds(Metadata, texts, texts, texts, texts, texts, texts, texts).map(codec.encode)
events = st.builds(
    Recorded,
    position=st.integers(1, 2**63 - 1),
    stream=texts.map(lambda key: f"team/{key}"),
    version=st.integers(1, 10**9),
    type=st.sampled_from(["io.concordat.slo.slo.defined.v1", "io.concordat.slo.budget.assessed.v12"]),
    event_id=st.uuids(),
    occurred_at=times,
    recorded_at=times,
    data=st.just(b"{}"),
    metadata=metadata,
)


def published(event: Recorded = EVENT) -> OutRecord:
    return to_record(event, TOPIC, "lifecycle", "epoch-1")


def read_back(record: OutRecord, **changed: bytes | None) -> BusRecord:
    """*record* as it comes from the bus; headers may be changed, or left out with None."""
    headers = dict(record.headers) | {name: value for name, value in changed.items() if value is not None}
    kept = {name: value for name, value in headers.items() if changed.get(name, b"") is not None}
    return BusRecord(record.topic, 7, 42, record.key, record.value, tuple(kept.items()))


def as_the_sdk_reads_it(record: OutRecord) -> Any:
    return from_binary_event(KafkaMessage(dict(record.headers), record.key, record.value))


def test_an_event_is_keyed_by_its_stream_and_carries_its_data_untouched() -> None:
    record = published()
    assert (record.topic, record.key, record.value) == (TOPIC, "team/zoë", EVENT.data)


def test_every_header_is_as_promised() -> None:
    assert dict(published().headers) == {
        "ce_specversion": b"1.0",
        "ce_id": b"0193a1b2-c3d4-75f6-8718-293a4b5c6d7e",
        "ce_source": b"/concordat/lifecycle",
        "ce_type": b"io.concordat.lifecycle.team.registered.v1",
        "ce_time": b"2026-11-21T10:00:00.123456Z",
        "ce_subject": "team/zoë".encode(),
        "ce_dataschema": b"https://concordat.io/schemas/io.concordat.lifecycle.team.registered.v1.json",
        "content-type": b"application/json",
        "ce_partitionkey": "team/zoë".encode(),
        "ce_sequence": b"00000000000000000012",
        "ce_position": b"4711",
        "ce_epoch": b"epoch-1",
        "ce_recordedtime": b"2026-11-21T10:00:01.123456Z",
        "ce_actor": "Ana Müller".encode(),
        "ce_authmethod": b"api-key",
        "ce_client": b"cc_1",
        "ce_requestid": b"req-1",
        "ce_correlationid": b"corr-1",
        "ce_causationid": b"0193a1b2-c3d4-75f6-8718-293a4b5c6d00",
        "ce_traceparent": b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    }


def test_what_is_not_known_is_absent_rather_than_empty() -> None:
    bare = msgspec.structs.replace(EVENT, metadata=codec.encode(Metadata(actor="ana")))
    names = {name for name, _ in published(bare).headers}
    assert "ce_actor" in names
    assert not names & {"ce_authmethod", "ce_client", "ce_requestid", "ce_correlationid", "ce_causationid"}
    assert all(value for _, value in published(bare).headers)


def test_a_consumer_gets_what_was_recorded() -> None:
    delivered = from_record(read_back(published()))
    assert delivered.recorded == EVENT
    assert (delivered.service, delivered.epoch, delivered.partition, delivered.offset) == (
        "lifecycle",
        "epoch-1",
        7,
        42,
    )


@settings(deadline=None)  # the machine may be busy
@given(events)
def test_any_event_comes_back_as_it_was(event: Recorded) -> None:
    assert from_record(read_back(published(event))).recorded == event


@settings(deadline=None)  # the machine may be busy
@given(events)
def test_the_sdk_reads_the_same(event: Recorded) -> None:
    read = as_the_sdk_reads_it(published(event))
    assert read.get_id() == str(event.event_id)
    assert read.get_type() == event.type
    assert read.get_source() == "/concordat/lifecycle"
    assert read.get_subject() == event.stream
    assert read.get_specversion() == "1.0"
    assert read.get_datacontenttype() == "application/json"
    assert read.get_time() == event.occurred_at
    assert read.get_extension("partitionkey") == event.stream
    assert int(read.get_extension("sequence")) == event.version
    assert int(read.get_extension("position")) == event.position
    assert read.get_data() == {}


def test_other_headers_do_not_matter() -> None:
    assert from_record(read_back(published(), tracestate=b"\xff")).recorded == EVENT


def test_a_time_in_another_zone_is_the_same_moment() -> None:
    there = read_back(published(), ce_time=b"2026-11-21T12:00:00.123456+02:00")
    assert from_record(there).recorded.occurred_at == AT.astimezone(timezone(timedelta(hours=2)))


@pytest.mark.parametrize(
    "name",
    [
        "ce_specversion",
        "ce_id",
        "ce_source",
        "ce_type",
        "ce_time",
        "ce_partitionkey",
        "ce_sequence",
        "ce_position",
        "ce_epoch",
        "ce_recordedtime",
        "ce_actor",
    ],
)
def test_a_missing_header_is_named_with_its_place(name: str) -> None:
    with pytest.raises(MalformedRecordError, match=f"{TOPIC}/7 at offset 42: the header {name} is missing") as refused:
        from_record(read_back(published(), **{name: None}))
    assert (refused.value.topic, refused.value.partition, refused.value.offset) == (TOPIC, 7, 42)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ce_specversion", b"0.3"),
        ("ce_id", b"not-a-uuid"),
        ("ce_id", b'" , "'),
        ("ce_source", b"/somebody/else"),
        ("ce_type", b"\xff\xfe"),
        ("ce_time", b"yesterday"),
        ("ce_time", b"2026-11-21T10:00:00"),
        ("ce_sequence", b"twelve"),
        ("ce_position", b""),
        ("ce_recordedtime", b""),
        ("ce_actor", b"\xff"),
        ("ce_traceparent", b"\xff"),
    ],
)
def test_a_header_that_cannot_be_read_is_refused(name: str, value: bytes) -> None:
    with pytest.raises(MalformedRecordError, match="offset 42"):
        from_record(read_back(published(), **{name: value}))


def test_a_record_of_somebody_else_is_refused() -> None:
    with pytest.raises(MalformedRecordError):
        from_record(BusRecord(TOPIC, 0, 0, "key", b"anything", ()))
