"""Events that could not be applied, and those of the same streams that wait behind them.

A letter lies here because its event cannot be decoded, folded, written or acted on, however often it is tried. All
other streams go on. When the code is mended, a replay applies the stream's letters in order and sets the stream free.
"""

from collections.abc import AsyncGenerator, Awaitable, Callable
from typing import Any

import msgspec
from sqlalchemy import func, select, update

from libs.events.backoff import PASSING
from libs.events.envelope import Recorded
from libs.events.errors import FencedError
from libs.events.ledger import Batch
from libs.events.views import Views
from libs.events.views_tables import DEAD_LETTERS, GENERATIONS

_RECORDED = msgspec.msgpack.Decoder(Recorded)


class Letter(msgspec.Struct, frozen=True):
    """One event that is not applied.

    Args:
        consumer: Which projection, or `<service>.reactions`.
        generation: Of the projection; 0 for reactions.
        service: Whose log it stands in.
        partition: Of the bus; 0 in an event store.
        offset: Where; in an event store, its position.
        epoch: Which life of the log.
        stream: Its stream, which is parked.
        type: Its wire name.
        parked: It only waits behind an earlier event of its stream.
        error: Why it cannot be applied; empty when parked.
        event: The event as recorded.
    """

    consumer: str
    generation: int
    service: str
    partition: int
    offset: int
    epoch: str
    stream: str
    type: str
    parked: bool
    error: str
    event: Recorded

    @property
    def batch(self) -> Batch:
        """The event alone."""
        return Batch(self.service, self.epoch, self.partition, [self.event], [self.offset], self.offset + 1)


class Replayed(msgspec.Struct, frozen=True):
    """What became of one letter.

    Args:
        letter: Which.
        error: Why it still cannot be applied; empty when it was.
    """

    letter: Letter
    error: str


async def letters(views: Views, consumer: str = "", stream: str = "") -> list[Letter]:
    """The letters of serving generations, per stream in the order of its log."""
    d = DEAD_LETTERS.c
    query = (
        select(*(d[name] for name in Letter.__struct_fields__))
        .join(GENERATIONS, (GENERATIONS.c.projection == d.consumer) & (GENERATIONS.c.generation == d.generation))
        .where(GENERATIONS.c.status == "serving")
        .order_by(d.consumer, d.service, d.partition, d.offset)
    )
    if consumer:
        query = query.where(d.consumer == consumer)
    if stream:
        query = query.where(d.stream == stream)
    rows: list[tuple[Any, ...]] = await views.read(lambda c: [tuple(row) for row in c.execute(query)])
    return [Letter(*row[:-1], event=_RECORDED.decode(row[-1])) for row in rows]


async def count_letters(views: Views) -> dict[str, int]:
    """How many letters each consumer has, parked ones included."""
    return await views.read(lambda connection: {row[0]: row[1] for row in connection.execute(_COUNTS)})


async def replay(
    views: Views, consumer: str, stream: str, apply: Callable[[Batch], Awaitable[None]]
) -> AsyncGenerator[Replayed]:
    """Try the letters of *stream* again, oldest first, until one fails or none is left.

    New events of the stream are parked behind them until the last letter is gone; from then on they are applied.

    Args:
        views: Where the letters lie.
        consumer: Whose letters.
        stream: Which stream.
        apply: Applies one event and takes its letter away, in one transaction.
    """
    while waiting := await letters(views, consumer, stream):
        for letter in waiting:
            try:
                await apply(letter.batch)
            except FencedError:
                break  # somebody else replays it too: look again
            except PASSING:
                raise
            except Exception as error:  # noqa: BLE001  whatever it is, it belongs into the letter
                why = repr(error.__cause__ or error)
                await _save_error(views, letter, why)
                yield Replayed(letter, why)
                return
            yield Replayed(letter, "")


async def _save_error(views: Views, letter: Letter, why: str) -> None:
    d = DEAD_LETTERS.c
    saved = (
        update(DEAD_LETTERS)
        .where(
            d.consumer == letter.consumer,
            d.generation == letter.generation,
            d.service == letter.service,
            d.partition == letter.partition,
            d.offset == letter.offset,
        )
        .values(error=why, parked=False)
    )
    await views.write(lambda connection: connection.execute(saved))


_COUNTS = select(DEAD_LETTERS.c.consumer, func.count()).group_by(DEAD_LETTERS.c.consumer)
