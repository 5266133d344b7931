"""Makes a forecast of every history that has become another one, and looks daily who runs short; a sink."""

import asyncio
import logging
from dataclasses import replace
from datetime import date, timedelta
from typing import Final

from libs.events.backoff import PASSING, Backoff, stopped_within, unless_stopped
from libs.events.envelope import Context, Metadata
from libs.events.resources import Resources
from services.lifecycle.contract import CAPACITY
from services.lifecycle.domain.capacity.commands import KeepForecast, Look
from services.lifecycle.domain.capacity.policy import CapacityPolicy
from services.lifecycle.domain.capacity.state import Capacity
from services.lifecycle.forecasting.forecaster import Forecaster, ForecastError
from services.lifecycle.forecasting.task import Task
from services.lifecycle.projections.capacity import forecasts_due, planned_services

_LOG = logging.getLogger(__name__)
_EVERY_S: Final = 2.0
_ACTOR: Final = Metadata(actor="lifecycle", auth_method="forecast")
_DAY: Final = timedelta(days=1)


class Foreseeing:
    """Looks which forecasts are due, and has them made, one after the other.

    Not a reaction: those of one service go on in turn, and would all wait the seconds that a forecast takes. Where
    several workers run, a forecast may be made twice; it is kept once.
    """

    def __init__(self, resources: Resources, policy: CapacityPolicy) -> None:
        self._resources, self._policy = resources, policy
        self._forecaster = Forecaster()
        self._looked_on: date | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Make what is due until *stop*."""
        backoff = Backoff(first_s=_EVERY_S, most_s=60.0)
        async with self._forecaster:
            while not stop.is_set():
                try:
                    for service in await self._resources.views.read(forecasts_due):
                        await unless_stopped(stop, self._foresee(service), None)
                    await unless_stopped(stop, self._look_daily(), None)
                except (*PASSING, ForecastError) as error:
                    _LOG.warning("no forecast could be made, it is tried again: %s", error)
                    await backoff.pause(stop)
                else:
                    backoff.succeeded()
                    await self._forecaster.rest()
                    await stopped_within(stop, _EVERY_S)

    async def _look_daily(self) -> None:
        """What was beyond the horizon yesterday may be a shortfall today."""
        now = self._resources.clock.now()
        if self._looked_on == now.date():
            return
        for service in await self._resources.views.read(planned_services):
            await self._resources.handler.handle(CAPACITY, service, Look(service, now), Context.of_request(now, _ACTOR))
        self._looked_on = now.date()

    async def _foresee(self, service: str) -> None:
        state = (await self._resources.handler.load(CAPACITY, service)).state
        for metric, known in state.by_metric.items():
            if known.basis.forecast_due:  # else the read model is about to know
                await self._keep(service, metric, known)

    async def _keep(self, service: str, metric: str, known: Capacity) -> None:
        now = self._resources.clock.now()
        found = await self._forecaster.forecast(_task(service, known, self._policy))
        if found.made is not None:
            outcome = replace(found.made, metric=metric)
        elif found.refused is not None:
            outcome = replace(found.refused, metric=metric)
        else:
            return
        context = Context.of_request(now, _ACTOR)
        await self._resources.handler.handle(CAPACITY, service, KeepForecast(service, outcome, now), context)


def _task(service: str, state: Capacity, policy: CapacityPolicy) -> Task:
    first, last = min(state.days), max(state.days)
    return Task(
        service=service,
        first=first,
        days=tuple(state.days.get(first + number * _DAY) for number in range((last - first).days + 1)),
        imports=state.basis.imports,
        least_days=int(policy.least_days.value),
        most_gaps=policy.most_gaps.value,
        most_error=policy.most_error.value,
    )
