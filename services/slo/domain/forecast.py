"""When the error budget will be exhausted if things go on as of late; or that there is not enough data to say.

The traffic of the coming hours is that of the last week: its mean, or per hour of the week the mean of up to four weeks
where there are three and that has predicted better. The error ratio is the last week's. Whether this holds is measured,
not assumed: from each day of the past the same rule forecasts the bad events of the days after it, from what was known
then. The errors it made give the interval: bad events come as forecast plus the 10 % and the 90 % quantile of the
errors, all the time. So *earliest* and *latest* are meant to hold for eight of ten futures (`BackTest.inside` says how
often they did), and lie far apart where the past was uneven: a few incidents, which nobody foresees, spend most of it.

Figures are hourly floats: a forecast, unlike a report, is no exact number.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

import numpy as np
import numpy.typing as npt

from services.slo.domain.error_budget import Target
from services.slo.domain.windows import Rolling, Window, bounds

Model = Literal["flat", "weekly"]
Floats = npt.NDArray[np.float64]

_DAY, _WEEK = 24, 7 * 24  # hours
_RECENT, _SEASONS = _WEEK, 4 * _WEEK  # the level, and the hours of the week
_SEASONAL_FROM = 3 * _WEEK
_LEAST_ORIGINS = 5  # forecasts of the past
_QUANTILES: Final = (0.1, 0.9)
_HOUR, _MINUTE, _HOUR_MIN = timedelta(hours=1), timedelta(minutes=1), 60


@dataclass(frozen=True, slots=True, eq=False)
class Past:
    """Consecutive hours up to *until*, the oldest first.

    Args:
        until: The end of the last hour, a full one.
        bad: Bad events (or slices) per hour; 0 where nothing was observed.
        total: All of them.
        observed: Which hours had measurements; the others say nothing, not even that nothing failed.
    """

    until: datetime
    bad: Floats
    total: Floats
    observed: npt.NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class BackTest:
    """How the model would have done in the past.

    Args:
        model: The one that was used.
        horizon_h: How far ahead it was tried, hours.
        origins: How often.
        mean_absolute_error: Of the bad events within the horizon, as a multiple of those that came on average.
        bias: The mean error likewise; positive: more came than forecast.
        inside: Of the last half of the tries, the share within the interval that the tries before them gave.
    """

    model: Model
    horizon_h: int
    origins: int
    mean_absolute_error: float | None
    bias: float | None
    inside: float


@dataclass(frozen=True, slots=True)
class Forecast:
    """When nothing will be left of the budget; None: not before *until*.

    Args:
        earliest: If bad events come at the upper end of the interval.
        expected: If they come as forecast.
        latest: If they come at its lower end.
        until: How far was looked: one window length ahead, or to the calendar period's end.
        back_test: How far to trust this.
    """

    earliest: datetime | None
    expected: datetime | None
    latest: datetime | None
    until: datetime
    back_test: BackTest


@dataclass(frozen=True, slots=True)
class NotEnoughData:
    """Why there is no forecast."""

    reason: str


def forecast(target: Target, window: Window, past: Past) -> Forecast | NotEnoughData:
    """When the error budget of the SLO is exhausted, seen from the end of *past*.

    Args:
        target: The promise.
        window: Its window. A calendar period's budget is that of its forecast total, and the forecast ends with it.
        past: As much as there is; at best the window, and five weeks.
    """
    if not past.total[-_RECENT:].any():
        return NotEnoughData("no events were measured in the last 7 days")
    span = len(past.bad)
    horizon = _DAY if span < _SEASONAL_FROM else _WEEK
    seasonal = span - horizon - _SEASONAL_FROM >= (_LEAST_ORIGINS - 1) * _DAY
    origins = _origins(past, _SEASONAL_FROM if seasonal else 2 * _DAY, horizon)
    if len(origins) < _LEAST_ORIGINS or past.observed.sum() < _LEAST_ORIGINS * _DAY:
        days = past.observed.sum() / _DAY
        return NotEnoughData(f"{days:.1f} days were observed; 7 are needed to tell how well a forecast does")
    models: tuple[Model, ...] = ("flat", "weekly") if seasonal else ("flat",)
    errors = {model: _errors(past, model, origins, horizon) for model in models}
    model = min(models, key=lambda each: float(np.abs(errors[each]).sum()))
    until = past.until + window.length_min * _MINUTE if isinstance(window, Rolling) else bounds(window, past.until).end
    bad, total = _predicted(past, span, model, -((past.until - until) // _HOUR))
    low, high = _interval(errors[model]) / horizon  # bad events an hour
    earliest, expected, latest = (
        _exhausted(target, window, past, np.clip(bad + more, 0, total), total) for more in (high, 0.0, low)
    )
    return Forecast(earliest, expected, latest, until, _back_test(past, model, origins, horizon, errors[model]))


def _origins(past: Past, first: int, horizon: int) -> list[int]:
    """The hours, a day apart, from which something was observed within the horizon; the latest is the last possible."""
    candidates = range(len(past.bad) - horizon, first - 1, -_DAY)
    return [i for i in reversed(candidates) if past.observed[i : i + horizon].any()]


def _predicted(past: Past, origin: int, model: Model, ahead: int) -> tuple[Floats, Floats]:
    """Bad and total events in each of the hours [origin, origin + ahead), from what lies before them."""
    week = slice(max(0, origin - _RECENT), origin)
    events = float(past.total[week].sum())
    hours = int(past.observed[week].sum())
    total = np.full(ahead, events / hours if hours else 0.0)
    if model == "weekly":
        weeks = min(origin, _SEASONS) // _WEEK
        season = slice(origin - weeks * _WEEK, origin)
        seen = past.observed[season].reshape(weeks, _WEEK).sum(axis=0)
        sums = past.total[season].reshape(weeks, _WEEK).sum(axis=0)
        profile = np.where(seen > 0, sums / np.maximum(seen, 1), total[:1])
        total = np.resize(profile, ahead)
    return total * (float(past.bad[week].sum()) / events if events else 0.0), total


def _errors(past: Past, model: Model, origins: list[int], horizon: int) -> Floats:
    """Per origin, how many more bad events came within the horizon than the model forecast for the observed hours."""
    errors: list[float] = []
    for origin in origins:
        after = slice(origin, origin + horizon)
        bad, _ = _predicted(past, origin, model, horizon)
        errors.append(float((past.bad[after] - bad)[past.observed[after]].sum()))
    return np.array(errors)


def _interval(errors: Floats) -> Floats:
    """The lower and the upper end; the forecast itself is always inside."""
    low, high = np.quantile(errors, _QUANTILES)
    return np.array((min(low, 0.0), max(high, 0.0)))


def _exhausted(target: Target, window: Window, past: Past, bad: Floats, total: Floats) -> datetime | None:
    """The first full hour at which as much is spent as may be."""
    budget, ahead = target.budget / target.q, len(bad)
    start = bounds(window, past.until).start
    held = min(-((start - past.until) // _HOUR), len(past.bad))
    spent, events = (
        np.concatenate(([0.0], before[len(before) - held :], after)).cumsum()
        for before, after in ((past.bad, bad), (past.total, total))
    )
    if isinstance(window, Rolling):
        length = -(-window.length_min // _HOUR_MIN)
        gone = np.maximum(np.arange(ahead + 1) + held - length, 0)
        spent, events = spent[held:] - spent[gone], events[held:] - events[gone]
    else:
        spent, events = spent[held:], np.full(ahead + 1, events[-1])
    over = np.flatnonzero((spent >= budget * events) & (events > 0))
    return past.until + int(over[0]) * _HOUR if len(over) else None


def _back_test(past: Past, model: Model, origins: list[int], horizon: int, errors: Floats) -> BackTest:
    came = [float(past.bad[i : i + horizon][past.observed[i : i + horizon]].sum()) for i in origins]
    mean = sum(came) / len(came)
    later = range(len(errors) // 2, len(errors))
    inside = [bool(low <= errors[i] <= high) for i in later for low, high in (_interval(errors[:i]),)]
    return BackTest(
        model=model,
        horizon_h=horizon,
        origins=len(origins),
        mean_absolute_error=float(np.abs(errors).mean()) / mean if mean else None,
        bias=float(errors.mean()) / mean if mean else None,
        inside=sum(inside) / len(inside),
    )
