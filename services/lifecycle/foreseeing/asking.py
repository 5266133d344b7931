"""Asks the sources of demand for the days that are over; a sink."""

import asyncio
import logging
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from libs.events.backoff import PASSING, Backoff, stopped_within, unless_stopped
from libs.events.envelope import Context, Metadata
from libs.events.resources import Resources
from services.lifecycle.clients.prometheus import RangeQueryError, range_query
from services.lifecycle.clients.secrets import SecretMissingError, asker_of
from services.lifecycle.config import LifecycleSettings
from services.lifecycle.contract import CAPACITY
from services.lifecycle.domain.capacity.commands import ImportDemand, NoteDemandSource
from services.lifecycle.domain.capacity.errors import CapacityError
from services.lifecycle.domain.capacity.events import DemandSource
from services.lifecycle.domain.capacity.sourcing import days_to_ask
from services.lifecycle.domain.capacity.state import Basis
from services.lifecycle.domain.people import Actor
from services.lifecycle.exchange.demand import Peaks, UnusableDemandError, daily
from services.lifecycle.projections.capacity import asked_for

_LOG = logging.getLogger(__name__)
_EVERY_S: Final = 2.0
_ACTOR: Final = Metadata(actor="lifecycle", auth_method="demand-source")
_BY: Final = Actor("lifecycle", is_person=False)
_AGAIN: Final = timedelta(hours=1)  # a source that failed, or had nothing yet
_DAY: Final = timedelta(days=1)


class Asking:
    """Looks which sources have a day to tell that is over, and asks them, one after the other.

    Where several workers run, a source may be asked twice; what it says is kept once.
    """

    def __init__(self, resources: Resources, settings: LifecycleSettings) -> None:
        self._resources, self._settings = resources, settings
        self._asked: dict[tuple[str, str], tuple[DemandSource, datetime]] = {}

    async def run(self, stop: asyncio.Event) -> None:
        """Ask for what is due until *stop*."""
        backoff = Backoff(first_s=_EVERY_S, most_s=60.0)
        while not stop.is_set():
            try:
                for service in await self._resources.views.read(asked_for):
                    await unless_stopped(stop, self._ask(service), None)
            except PASSING as error:
                _LOG.warning("demand cannot be kept, it is asked for again: %s", error)
                await backoff.pause(stop)
            else:
                backoff.succeeded()
                await stopped_within(stop, _EVERY_S)

    async def _ask(self, service: str) -> None:
        """Ask for the days that are over, metric by metric, unless that was asked lately."""
        basis = (await self._resources.handler.load(CAPACITY, service)).state.basis
        for each in basis.by_metric.values():
            await self._ask_for(service, each)

    async def _ask_for(self, service: str, basis: Basis) -> None:
        now, place = self._resources.clock.now(), (service, basis.metric)
        source, days = basis.source, days_to_ask(basis, now.date())
        if source is None or days is None:
            return
        before = self._asked.get(place)
        if before is not None and before[0] == source and timedelta() <= now - before[1] < _AGAIN:
            return
        self._asked[place] = (source, now)
        context = Context.of_request(now, _ACTOR)
        try:
            found = await self._answer(source, *days)
            await self._resources.handler.handle(
                CAPACITY, service, _import(service, source, found, now), context.part("import")
            )
        except (RangeQueryError, SecretMissingError, UnusableDemandError, CapacityError) as error:
            failure = str(error)
        else:
            failure = ""
            if len(found.peaks) > (days[1] - found.first).days:
                del self._asked[place]  # there may be more, and it answers
        note = NoteDemandSource(service, source, failure, now)
        await self._resources.handler.handle(CAPACITY, service, note, context.part("note"))

    async def _answer(self, source: DemandSource, first: date, last: date) -> Peaks:
        """The highest demand of each day from *first* to *last*."""
        if not self._settings.may_ask(source.address):
            raise RangeQueryError("its host is not among those that may be asked; add it to CONCORDAT_SOURCE_HOSTS")
        since = datetime.combine(first, time(), UTC)
        until = datetime.combine(last + _DAY, time(), UTC) - timedelta(seconds=source.step_s)
        asker = asker_of(source.credentials, self._settings.secrets)
        samples = await range_query(source.address, source.query, since, until, source.step_s, asker)
        if not samples:
            msg = f"it has no value from {first} to {last}; check the query"
            raise RangeQueryError(msg)
        return daily(samples, last + _DAY)


def _import(service: str, source: DemandSource, found: Peaks, at: datetime) -> ImportDemand:
    return ImportDemand(
        service=service,
        metric=source.metric,
        source="prometheus",
        query=source.query,
        first=found.first,
        peaks=found.peaks,
        replaces=False,
        by=_BY,
        at=at,
    )
