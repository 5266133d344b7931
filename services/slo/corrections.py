"""Looks again at alerts that fired, when measurements came since: the budget's log says what they change.

An alert that people acted on stays what it was. What is known by now is said beside it (`alert.corrected`).
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any, Final

from sqlalchemy import Connection, RowMapping, select

from libs.events.backoff import PASSING, Backoff, stopped_within
from libs.events.envelope import Context, Metadata
from libs.events.errors import ConflictError
from libs.events.resources import Resources
from services.slo.config import SloSettings
from services.slo.contract import BUDGET
from services.slo.domain.budget.commands import Review
from services.slo.domain.burn_rate import burn_rate, burns
from services.slo.domain.error_budget import Target
from services.slo.domain.openslo.promise import minutes
from services.slo.domain.windows import minute_at
from services.slo.evaluation import spent, taken_in
from services.slo.measurements.book import Promised
from services.slo.measurements.buckets import inputs
from services.slo.projections.slo_alerts import fired_since
from services.slo.projections.slos import SLOS

_BACK: Final = timedelta(days=4)  # minutes are kept at least so long; of what is older, only hours may be
_MOST: Final = 500  # alerts that are looked at
_ACTOR = Metadata(actor="slo", auth_method="evaluation")
_LOG = logging.getLogger(__name__)


class Corrections:
    """The worker's eye on past alerts. Several processes may look: the second finds it said already."""

    def __init__(self, resources: Resources, settings: SloSettings) -> None:
        self._resources = resources
        self._settings = settings
        self._seen: dict[str, int] = {}  # the input version with which an alert was looked at

    async def run(self, stop: asyncio.Event) -> None:
        """Look until *stop*."""
        backoff = Backoff()
        while not await stopped_within(stop, self._settings.tick_s):
            try:
                await self.look()
                backoff.succeeded()
            except PASSING as error:
                _LOG.warning("corrections wait: %s", error)
                await backoff.pause(stop)

    async def look(self) -> None:
        """Say what measurements that came since the last look change."""
        at = self._resources.clock.now()
        for slo, review in await self._resources.views.read_long(self._reviews, at):
            try:
                await self._resources.handler.handle(BUDGET, slo, review, Context.of_request(at, _ACTOR))
                self._seen[review.alert] = review.input_version
            except ConflictError as error:
                _LOG.info("another process says it: %s", error)

    def _reviews(self, connection: Connection, at: datetime) -> list[tuple[str, Review]]:
        rows = connection.execute(fired_since(at - _BACK, _MOST)).mappings().all()
        rows = [row for row in rows if _is_whole(row, at)]
        seen = self._seen
        self._seen = {row["alert"]: int(seen.get(row["alert"]) or row["input_version"]) for row in rows}
        promises = _promises(connection, {row["slo"] for row in rows})
        versions = _versions(connection, promises)
        changed = [
            row
            for row in rows
            if versions.get(row["slo"], 0) > self._seen[row["alert"]] and _comparable(row, promises[row["slo"]])
        ]
        return [
            (row["slo"], _review(connection, row, promises[row["slo"]], versions[row["slo"]], at)) for row in changed
        ]


def _review(connection: Connection, row: RowMapping, promised: Promised, version: int, at: datetime) -> Review:
    target = Target.of(row["target"])
    factor = Fraction(row["factor"]).limit_denominator(10**6)  # 14/15 is 0.9333... in the event
    found = spent(connection, promised, _windows(row))
    short, long = (burn_rate(target, window) or 0.0 for window in found)
    burning = all(burns(target, window, factor, row["op"]) for window in found)
    return Review(row["alert"], burning, short, long, version, at)


def _windows(row: RowMapping) -> Sequence[range]:
    end = minute_at(row["data_until"])
    return [range(end - minutes(row[name]), end) for name in ("short_window", "long_window")]


def _versions(connection: Connection, promises: Mapping[str, Promised]) -> dict[str, int]:
    composites = {slo for slo, promised in promises.items() if promised.terms.parts}
    found = {slo: taken.version for slo, taken in inputs(connection, promises.keys() - composites).items()}
    return found | {slo: taken_in(connection, slo, promises[slo].terms).version for slo in composites}


def _comparable(row: RowMapping, promised: Promised) -> bool:
    """Whether it is known how the alert came about: for a composite, only if its revision is still the last."""
    return not promised.terms.parts or row["revision"] == promised.revision


def _is_whole(row: RowMapping, at: datetime) -> bool:
    """Whether all minutes of its windows are still kept."""
    return _windows(row)[1].start >= minute_at(at - _BACK)


def _promises(connection: Connection, slos: set[Any]) -> dict[str, Promised]:
    rows = connection.execute(select(SLOS.view).where(SLOS.view.c.slo.in_(sorted(slos)))).mappings()
    return {row["slo"]: Promised.of(row) for row in rows if row["service"] is not None}
