"""How fast the relay publishes a log to a real Kafka, beside bare `send_batch` of the same records.

`python -m tests.benchmarks bus [--quick]` runs these rows alone.
"""

import asyncio
import gc
import time
from collections.abc import Sequence
from typing import Any

import msgspec
from aiokafka import AIOKafkaProducer

from libs.events import codec, schema
from libs.events.bus import OutRecord, Topic, events_topic
from libs.events.cloudevents import to_record
from libs.events.envelope import Metadata
from libs.events.ids import new_id
from libs.events.kafka import KafkaBus
from libs.events.partition import partition_of
from libs.events.postgres import PostgresStore
from libs.events.resources import Resources
from libs.events.store import AppendRequest, NewEvent, StreamWrite
from tests.benchmarks.result import Result, against, alternate
from tests.benchmarks.servers import Servers
from tests.fixtures.postgres import database_of
from tests.fixtures.relays import lamps, lit, relaying

STREAM_LENGTH = 20
PADDING = 350  # with its frame 400 bytes of data
_BATCH_BYTES = 1_000_000
_IN_ONE_REQUEST = 100


def _lit() -> NewEvent:
    """An event with metadata of its own, as every command's are."""
    metadata = Metadata("ana", "api-key", "cc_01", request_id=str(new_id()), correlation_id=str(new_id()))
    return msgspec.structs.replace(lit(padding=PADDING), metadata=codec.encode(metadata))


async def _fill(store: PostgresStore, total: int) -> None:
    """A log of *total* events in streams of 20."""
    names = [f"lamp/{number:08}" for number in range(total // STREAM_LENGTH)]
    writes = [StreamWrite(name, 0, tuple(_lit() for _ in range(STREAM_LENGTH))) for name in names]
    for first in range(0, len(writes), _IN_ONE_REQUEST):
        await store.append(AppendRequest(tuple(writes[first : first + _IN_ONE_REQUEST])), deadline_s=60)


async def _relay(resources: Resources, total: int) -> float:
    """Everything published by a relay that starts with nothing published."""
    await resources.store._write("UPDATE log SET relayed = 0")  # type: ignore[attr-defined]
    started = time.perf_counter()
    async with relaying(resources) as relay:
        while relay.position < total:
            await asyncio.sleep(0.001)
        elapsed = time.perf_counter() - started
    return total / elapsed


async def _bare(servers: str, topic: Topic, records: Sequence[OutRecord]) -> float:
    """Ready-made records, their partitions known, batch after batch."""
    places = [partition_of(record.key, topic.partitions) for record in records]
    ready = [(record.key.encode(), record.value, list(record.headers)) for record in records]
    producer = AIOKafkaProducer(
        bootstrap_servers=servers, enable_idempotence=True, acks="all", max_batch_size=_BATCH_BYTES
    )
    await producer.start()
    await producer.partitions_for(topic.name)
    started = time.perf_counter()
    batches: list[Any] = [producer.create_batch() for _ in range(topic.partitions)]
    sent: list[asyncio.Future[Any]] = []
    for place, (key, value, headers) in zip(places, ready, strict=True):
        if batches[place].append(key=key, value=value, timestamp=None, headers=headers) is None:
            sent.append(await producer.send_batch(batches[place], topic.name, partition=place))
            batches[place] = producer.create_batch()
            batches[place].append(key=key, value=value, timestamp=None, headers=headers)
    for place, batch in enumerate(batches):
        sent.append(await producer.send_batch(batch, topic.name, partition=place))
    await asyncio.gather(*sent)
    elapsed = time.perf_counter() - started
    await producer.stop()
    return len(records) / elapsed


async def _all_records(store: PostgresStore, topic: Topic) -> list[OutRecord]:
    records: list[OutRecord] = []
    position = 0
    while page := await store.read(position, 5000):
        records += [to_record(recorded, topic.name, "lamps", store.epoch) for recorded in page]
        position = page[-1].position
    return records


async def run(servers: Servers, *, quick: bool) -> list[Result]:
    """The relay's rows of the table."""
    total, rounds = (40_000, 3) if quick else (100_000, 5)
    topic = events_topic("lamps")
    with servers.database() as url:
        servers.postgres.execute(";".join(schema.POSTGRES), database_of(url))
        store, bus = PostgresStore(url), KafkaBus(servers.kafka.bootstrap_servers)
        await store.start()
        await _fill(store, total)
        records = await _all_records(store, topic)
        gc.freeze()  # as `libs/web/server.py` has it
        async with lamps(store, bus) as resources:
            await _relay(resources, total)  # the broker's and our own first steps are slow
            ours, bare = await alternate(
                rounds,
                lambda: _relay(resources, total),
                lambda: _bare(servers.kafka.bootstrap_servers, topic, records),
            )
        gc.unfreeze()
        await bus.close()
        await store.close()
    return [against("relay from Postgres to Kafka", ours, "events/s", "bare send_batch", bare, at_least=0.5)]
