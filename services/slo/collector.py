"""The worker's reader of measurements: keeps them, and says what they mean.

Members of the group share the partitions of the topic. A partition's owner alone takes its measurements in and alone
evaluates the SLOs that lie in it; that two processes once believe to own it harms nothing, since buckets move with
the checkpoint and assessments with the version of their stream.
"""

import asyncio
import logging
from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from typing import Final

from prometheus_client import Counter, Gauge
from sqlalchemy import Connection, select

from libs.events.backoff import PASSING, Backoff, unless_stopped
from libs.events.bus import MEASUREMENTS, BusRecord, Consumer, Offsets, TopicPartition
from libs.events.envelope import Context, Metadata
from libs.events.errors import ConflictError, FencedError
from libs.events.ledger import Checkpoint, Ledger
from libs.events.partition import partition_of
from libs.events.resources import Resources
from services.slo.buckets import take_in
from services.slo.config import SloSettings
from services.slo.contract import BUDGET
from services.slo.domain.budget.commands import Assess
from services.slo.domain.budget.decider import Budget
from services.slo.evaluation import Promised, assessments
from services.slo.measurements import decode
from services.slo.projections.slos import SLOS

GROUP: Final = "slo.measurements"
_RECORDS = 10_000  # per transaction
_STEADY_S = 1.0  # data that keeps coming is evaluated this often
_NAMED = 1_000  # more than so many are not named in a query
_AT_ONCE = 64  # appends that wait for one commit
_ACTOR = Metadata(actor="slo", auth_method="evaluation")
_LOG = logging.getLogger(__name__)

TAKEN = Counter("concordat_measurements_taken", "Measurements kept")
REFUSED = Counter("concordat_measurements_refused", "Records on the measurements topic that hold no measurement")
EVALUATION_SECONDS = Gauge("concordat_slo_evaluation_seconds", "How long the last evaluation took")

Records = Mapping[TopicPartition, Sequence[BusRecord]]


class Collector:
    """Takes measurements in and evaluates the SLOs they belong to, until it is stopped."""

    def __init__(self, resources: Resources, settings: SloSettings) -> None:
        self._resources = resources
        self._settings = settings
        self._ledger = Ledger(GROUP, 0)
        self._said: dict[str, Budget] = {}  # what is known to stand in the streams of owned SLOs
        self._dirty: set[str] = set()
        self._dirty_since = self._ticked_at = float("-inf")

    async def run(self, stop: asyncio.Event) -> None:
        """Work until *stop*; what is in hand is committed first."""
        backoff = Backoff()
        while not stop.is_set():
            try:
                await self._consume(stop, backoff)
            except FencedError as error:
                _LOG.info("%s starts again: %s", GROUP, error)
            except PASSING as error:
                _LOG.warning("%s waits: %s", GROUP, error)
                await backoff.pause(stop)

    async def _consume(self, stop: asyncio.Event, backoff: Backoff) -> None:
        consumer = await self._resources.bus.consumer([MEASUREMENTS], GROUP, self._load)
        self._said.clear()
        try:
            while not stop.is_set():
                poll = consumer.poll(timeout_s=self._patience_s(), max_records=_RECORDS)
                nothing: Records = {}
                records = await unless_stopped(stop, poll, otherwise=nothing)
                await self._take(records)
                await self._evaluate_if_due(consumer, settled=not records)
                backoff.succeeded()
        finally:
            await consumer.close()

    async def _load(self, partitions: Collection[TopicPartition]) -> Offsets:
        await self._resources.views.read(self._ledger.load)
        return {each: self._ledger.next((GROUP, each.partition)) for each in partitions}

    async def _take(self, records: Records) -> None:
        """Keep the measurements and move the checkpoints, in one transaction."""
        if not records:
            return
        decoded = [decode(record.value) for some in records.values() for record in some]
        measurements = [measurement for measurement in decoded if measurement is not None]
        moves = {
            (GROUP, place.partition): Checkpoint("", some[-1].offset + 1, some[-1].offset)
            for place, some in records.items()
            if some
        }

        def keep(connection: Connection) -> None:
            self._ledger.advance(connection, moves)
            take_in(connection, measurements)

        await self._resources.views.write_long(keep)
        self._ledger.committed(moves, ())
        TAKEN.inc(len(measurements))
        REFUSED.inc(len(decoded) - len(measurements))
        if not self._dirty:
            self._dirty_since = _clock()
        self._dirty |= {measurement.slo for measurement in measurements}

    def _patience_s(self) -> float:
        """How long to wait for records before something else is due."""
        if self._dirty:
            return self._settings.settle_s
        return min(max(self._ticked_at + self._settings.tick_s - _clock(), 0.0), 1.0)

    async def _evaluate_if_due(self, consumer: Consumer, *, settled: bool) -> None:
        now = _clock()
        if now - self._ticked_at >= self._settings.tick_s:
            self._ticked_at = now
            await self._evaluate(consumer, None)
        elif self._dirty and (settled or now - self._dirty_since >= _STEADY_S):
            await self._evaluate(consumer, self._dirty)

    async def _evaluate(self, consumer: Consumer, slos: Collection[str] | None) -> None:
        """Say what the buckets mean for *slos* (None: all) that this process owns."""
        started = _clock()
        at = self._resources.clock.now()
        owned = {place.partition for place in consumer.assignment()}
        query = select(SLOS.view).where(SLOS.view.c.service.is_not(None))
        if slos is not None and len(slos) <= _NAMED:
            query = query.where(SLOS.view.c.slo.in_(sorted(slos)))
        self._dirty = set()

        def assess(connection: Connection) -> list[Assess]:
            promises = [
                Promised.of(row)
                for row in connection.execute(query).mappings()
                if (slos is None or row["slo"] in slos) and _partition(row["slo"]) in owned
            ]
            return assessments(connection, promises, at, self._settings.assess_every)

        assessed = await self._resources.views.read_long(assess)
        self._said = {slo: said for slo, said in self._said.items() if _partition(slo) in owned}
        news = (assess for assess in assessed if self._is_news(assess))
        while some := list(islice(news, _AT_ONCE)):
            for done in await asyncio.gather(*map(self._say, some), return_exceptions=True):
                if isinstance(done, ConflictError):
                    _LOG.info("another process says it: %s", done)
                elif done is not None:
                    raise done
        EVALUATION_SECONDS.set(_clock() - started)

    def _is_news(self, assess: Assess) -> bool:
        said = self._said.get(assess.figures.slo)
        return said is None or bool(BUDGET.decide(assess, said))

    async def _say(self, assess: Assess) -> None:
        slo = assess.figures.slo
        context = Context.of_request(assess.at, _ACTOR)
        outcome = await self._resources.handler.handle(BUDGET, slo, assess, context)
        self._said[slo] = outcome.state


def _partition(slo: str) -> int:
    return partition_of(slo, MEASUREMENTS.partitions)


def _clock() -> float:
    return asyncio.get_running_loop().time()
