"""When an error budget will be gone, and whether its alerts have traffic enough to mean anything."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Annotated, Literal

import numpy as np
from fastapi import Query
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.etag import answer
from libs.web.problems import responses
from libs.web.routing import Router
from services.slo.api.schemas import Time, promised
from services.slo.api.terms import in_force, revisions, terms_of
from services.slo.domain.assessment import Terms
from services.slo.domain.burn_rate import Tier, duration
from services.slo.domain.composite import weighed
from services.slo.domain.forecast import BackTest, NotEnoughData, Past, forecast
from services.slo.domain.low_traffic import least_events, suggestions
from services.slo.domain.methods import SCALE, Tally
from services.slo.domain.slo.decider import Defined
from services.slo.domain.windows import Bounds, bounds
from services.slo.evaluation import excuses_of, measured, status, taken_in
from services.slo.measurements.book import Promised
from services.slo.measurements.series_reader import HOUR, read_buckets, read_hours

router = Router(prefix="/v1/slos/{slo}", tags=["slos"])

_EPOCH, _HOUR, _WEEKS = datetime(1970, 1, 1, tzinfo=UTC), timedelta(hours=1), timedelta(weeks=5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """How the forecast would have done in the past.

    `inside` is the share of tries within the interval; errors are multiples of the bad events that came on average.
    """

    model: Literal["flat", "weekly"]
    horizon_hours: int
    tries: int
    inside: float
    mean_absolute_error: float | None
    bias: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastAnswer:
    """When nothing is left of the budget, if things go on as in the last weeks; null: not before `until`.

    The interval from `earliest` to `latest` is meant to hold for eight of ten futures. `not_enough_data` says why there
    is no forecast; all else is null then.
    """

    slo: str
    service: str
    revision: int
    input_version: int
    seen_from: datetime
    earliest: datetime | None
    expected: datetime | None
    latest: datetime | None
    until: datetime | None
    back_test: Trust | None
    not_enough_data: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Something that keeps a few failures from firing the alert; `value` is minutes, a target, services or events."""

    kind: Literal["longer_window", "weaker_target", "merge", "synthetic_traffic"]
    value: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """One alert condition: how many events its long window needs, and how many it gets; of one component, or `""`."""

    tier: str
    component: str
    long_window: str
    events_needed: int
    events_expected: float
    suggestions: list[Suggestion]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficAnswer:
    """Whether the traffic of the SLO's window is enough for its alerts; `items` are those for which it is not."""

    slo: str
    service: str
    revision: int
    input_version: int
    total: int
    failures: int
    items: list[Traffic]


@router.get("/forecast", response_model=ForecastAnswer, openapi_extra=needs("slos.read"), responses=responses(404))
async def forecast_slo(
    request: Request, slo: str, resources: ResourcesDep, at: Annotated[Time | None, Query()] = None
) -> Response:
    """When the error budget will be exhausted, seen from *at* (now unless given); or that nobody can tell."""
    moment = at or resources.clock.now()
    defined = in_force(await revisions(resources, slo), moment)
    return answer(request, await resources.views.read_long(_forecast, defined, moment))


@router.get("/suggestions", response_model=TrafficAnswer, openapi_extra=needs("slos.read"), responses=responses(404))
async def suggest_for_slo(
    request: Request,
    slo: str,
    resources: ResourcesDep,
    failures: Annotated[int, Query(ge=1, le=1000, description="So many bad events shall not fire an alert.")] = 1,
) -> Response:
    """What would help where a few failures fire an alert, because there is little traffic."""
    now = resources.clock.now()
    defined = in_force(await revisions(resources, slo), now)
    return answer(request, await resources.views.read(_traffic, defined, now, failures))


def _forecast(connection: Connection, defined: Defined, at: datetime) -> ForecastAnswer:
    terms, promise = terms_of(defined), defined.promise
    until = _EPOCH + (at - _EPOCH) // _HOUR * _HOUR
    found = forecast(terms.target, terms.window, _past(connection, promise.slo, terms, until))
    known = None if isinstance(found, NotEnoughData) else found
    return ForecastAnswer(
        slo=promise.slo,
        service=promise.service,
        revision=defined.revision,
        input_version=taken_in(connection, promise.slo, terms).version,
        seen_from=until,
        earliest=known and known.earliest,
        expected=known and known.expected,
        latest=known and known.latest,
        until=known and known.until,
        back_test=known and _trust(known.back_test),
        not_enough_data=found.reason if isinstance(found, NotEnoughData) else None,
    )


def _past(connection: Connection, slo: str, terms: Terms, until: datetime) -> Past:
    """The hours of the window and of five weeks."""
    since = min(bounds(terms.window, until).start, until - _WEEKS)
    hours = range((since - _EPOCH) // _HOUR, (until - _EPOCH) // _HOUR)
    if terms.parts:
        return _past_of_composite(connection, slo, terms, until, hours)
    bad, total, observed = (np.zeros(len(hours)) for _ in range(3))
    found = read_hours(connection, slo, hours)
    places = found.hour - hours.start
    observed[places] = found.observed
    minutes = range(hours.start * HOUR, hours.stop * HOUR)
    excuses = excuses_of(connection, [slo], [minutes])
    if terms.method == "occurrences" and not excuses.any:
        total[places] = found.total
        bad[places] = found.total - found.good
    else:
        tally = read_buckets(connection, slo, terms, [minutes], excuses)
        for place, hour in enumerate(hours):
            bad[place], total[place] = _slices_of(tally, hour)
    return Past(until, bad, total, observed > 0)


def _past_of_composite(connection: Connection, slo: str, terms: Terms, until: datetime, hours: range) -> Past:
    """The hours of a composite, as if each component's events were worth its weight in all of them together.

    So hours add up, which SLIs do not, and the sum of all hours is the composite's SLI in them.
    """
    minutes = range(hours.start * HOUR, hours.stop * HOUR)
    bad, total, observed = (np.zeros(len(hours)) for _ in range(3))
    for _, of, by in weighed(measured(connection, slo, terms, [minutes], read_buckets), minutes):
        lost, events = np.array([_slices_of(of, hour) for hour in hours]).T
        worth = float(by) / events.sum()
        bad += worth * lost
        total += worth * events
        observed += [of.counts(range(hour * HOUR, (hour + 1) * HOUR)).observed for hour in hours]
    return Past(until, bad, total, observed > 0)


def _slices_of(tally: Tally, hour: int) -> tuple[float, float]:
    """How many of the slices that start in *hour* are bad, and how many there are."""
    length = tally.key_min
    first, stop = (-(-edge * HOUR // length) * length for edge in (hour, hour + 1))
    reached, counted = tally.sli(range(first, stop))
    unit = SCALE if tally.method == "ratio-timeslices" else 1
    return (counted - reached) / unit, counted / unit


def _trust(tried: BackTest) -> Trust:
    return Trust(
        model=tried.model,
        horizon_hours=tried.horizon_h,
        tries=tried.origins,
        inside=tried.inside,
        mean_absolute_error=tried.mean_absolute_error,
        bias=tried.bias,
    )


def _traffic(connection: Connection, defined: Defined, at: datetime, failures: int) -> TrafficAnswer:
    asked = promised(defined)
    found = status(connection, asked, at).figures
    window = Bounds(found.window_start, min(found.window_end, at)).minutes
    tally = measured(connection, asked.slo, asked.terms, [window])
    items = [
        item
        for component, of, by in weighed(tally, window)
        for tier in asked.tiers
        if (item := _scarce(asked, component, tier, of.counts(window).total, failures * by))
    ]
    return TrafficAnswer(
        slo=found.slo,
        service=found.service,
        revision=found.revision,
        input_version=found.input_version,
        total=found.total,
        failures=failures,
        items=items,
    )


def _scarce(asked: Promised, component: str, tier: Tier, total: int, failures: Fraction) -> Traffic | None:
    """The tier, if *total* events in the period are too few for it; failures of a component count by its weight."""
    target, period_min = asked.terms.target, asked.period_min
    helpful = suggestions(target, tier, period_min, total, failures)
    if not helpful:
        return None
    return Traffic(
        tier=tier.name,
        component=component,
        long_window=duration(tier.long_min),
        events_needed=least_events(target, tier.factor, failures),
        events_expected=total * tier.long_min / period_min,
        suggestions=[Suggestion(kind=s.kind, value=float(s.value), text=s.text) for s in helpful],
    )
