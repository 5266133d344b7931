"""Fits a few simple models to a history and takes the one that would have foretold its last quarter best.

A plan looks months ahead, so the models are those that stay sensible there: a straight or an exponential growth with a
week, and from two years of history on a year, on top (least squares); and, while no year can be learnt, Holt-Winters.
What repeats the last week, or the last year, is tried beside them, and taken where it is clearly better. Of models that
are about equally good the plainest is taken: what a short test prefers by a hair may be far off a year later.
Sources: Hyndman and Athanasopoulos, "Forecasting: Principles and Practice", ch. 5.8 (test on what was held back), 7.2,
7.4 and 8.3.
"""

import warnings
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.lifecycle.domain.capacity.arithmetic import DAYS_IN_A_YEAR
from services.lifecycle.domain.capacity.events import Backtest, ForecastMade, ForecastRefused, Model, RefusalCode
from services.lifecycle.domain.capacity.policy import WEEKS_AHEAD
from services.lifecycle.forecasting.task import Found, Task

_UNDATED: Final = datetime.min.replace(tzinfo=UTC)  # whoever keeps it says when

Days = NDArray[np.float64]
Fit = Callable[[Days, int, bool], Days]

_WEEK: Final = 7
_YEAR: Final = 365  # days; a year repeats only when two of them are there
_LEAST_HELD_BACK: Final = 14
_MOST_HELD_BACK: Final = 182  # half a year, as far as a gate looks
_LEAST_EXPONENTIAL: Final = 120  # a few weeks that look exponential would be a hundredfold in two years
_AS_GOOD: Final = 1.1  # times the least error
_FOURIER: Final = 3  # waves of a year: seasons and quarters, not single days
_DIGITS: Final = 6  # of a forecast


def forecast(task: Task) -> Found:
    """How the history of *task* goes on, or why nobody can say."""
    known = [day for day in task.days if day is not None]
    if len(known) < task.least_days:
        detail = f"{len(known)} days are known; {task.least_days} are needed to learn from and to test on"
        return _refused(task, "too-little-history", detail)
    gaps = 1 - len(known) / len(task.days)
    if gaps > task.most_gaps:
        detail = f"{gaps:.0%} of the {len(task.days)} days are missing, at most {task.most_gaps:.0%} may be"
        return _refused(task, "gaps", f"{detail}; import them")
    history = _filled(task)
    yearly = len(history) >= 2 * _YEAR + _LEAST_HELD_BACK
    held = min(len(history) // 4, _MOST_HELD_BACK, *([len(history) - 2 * _YEAR] if yearly else []))
    past, last = history[:-held], history[-held:]
    if np.count_nonzero(last > 0) * 2 < held:
        return _refused(task, "mostly-zero", f"on most of the last {held} days there was no demand at all")
    tried: dict[Model, Days] = {model: fit(past, held, yearly) for model, fit in _FITS.items()}
    errors: dict[Model, float] = {
        model: _mape(last, foretold) for model, foretold in tried.items() if _usable(foretold)
    }
    best: Model = next(model for model in _FITS if errors.get(model, np.inf) <= min(errors.values()) * _AS_GOOD)
    backtest = Backtest(
        held, round(errors[best], 4), round(errors["seasonal-naive"], 4), round(_worst_under(last, tried[best]), 4)
    )
    if errors[best] > task.most_error:
        off = f"the best model was off by {errors[best]:.0%} over the last {held} days"
        detail = f"{off}, at most {task.most_error:.0%} may be"
        return _refused(task, "not-reliable", detail, backtest)
    return _made(task, history, best, yearly, backtest)


def _made(task: Task, history: Days, model: Model, yearly: bool, backtest: Backtest) -> Found:  # noqa: FBT001  a fact
    coming = np.maximum(_FITS[model](history, WEEKS_AHEAD * _WEEK, yearly), 0.0)
    weeks = coming.reshape(WEEKS_AHEAD, _WEEK).max(axis=1)
    year = round(DAYS_IN_A_YEAR / _WEEK)
    growth = float(weeks[year : year + 4].mean() / weeks[:4].mean() - 1) if weeks[:4].mean() > 0 else 0.0
    made = ForecastMade(
        service=task.service,
        model=model,
        yearly=yearly,
        history=len(history),
        until=_until(task),
        backtest=backtest,
        growth_a_year=round(growth, 4),
        weeks=tuple(float(f"{week:.{_DIGITS}g}") for week in weeks),
        imports=task.imports,
        at=_UNDATED,
    )
    return Found(made=made)


def _refused(task: Task, code: RefusalCode, detail: str, backtest: Backtest | None = None) -> Found:
    return Found(refused=ForecastRefused(task.service, code, detail, _until(task), backtest, task.imports, _UNDATED))


def _until(task: Task) -> date:
    return task.first + timedelta(days=len(task.days) - 1)


def _filled(task: Task) -> Days:
    """The history with what is missing on a straight line between what is known."""
    known = [number for number, day in enumerate(task.days) if day is not None]
    values = [day for day in task.days if day is not None]
    return np.interp(np.arange(len(task.days)), known, values)


def _linear(past: Days, ahead: int, yearly: bool) -> Days:  # noqa: FBT001  a fact
    """So much more every day, seasons as shares of what there is; where there is nothing at times, as amounts."""
    if past.min() > 0:
        seasons = np.exp(_seasons(np.log(past), ahead, yearly))
        return _line(past / seasons[: len(past)], ahead) * seasons[len(past) :]
    seasons = _seasons(past, ahead, yearly)
    return _line(past - seasons[: len(past)], ahead) + seasons[len(past) :]


def _exponential(past: Days, ahead: int, yearly: bool) -> Days:  # noqa: FBT001  a fact
    """So many per cent more every day."""
    if len(past) < _LEAST_EXPONENTIAL or past.min() <= 0:
        return np.empty(0)
    seasons = _seasons(np.log(past), ahead, yearly)
    return np.exp(_line(np.log(past) - seasons[: len(past)], ahead) + seasons[len(past) :])


def _seasons(past: Days, ahead: int, yearly: bool) -> Days:  # noqa: FBT001  a fact
    """What each day lies above or below the growth, in the history and ahead: a week, and the waves of a year."""
    import pandas as pd  # noqa: PLC0415  seconds to import, and only the process that forecasts needs it
    from statsmodels.regression.linear_model import OLS  # noqa: PLC0415  as above
    from statsmodels.tsa.deterministic import DeterministicProcess, Fourier  # noqa: PLC0415  as above

    terms = DeterministicProcess(
        pd.RangeIndex(len(past)),
        period=_WEEK,
        constant=True,
        order=2,  # a bend in the growth is no season
        seasonal=True,
        additional_terms=[Fourier(DAYS_IN_A_YEAR, _FOURIER)] if yearly else [],
        drop=True,
    )
    now, then = terms.in_sample(), terms.out_of_sample(ahead)
    growth = [column in {"const", "trend", "trend_squared"} for column in now.columns]
    seasons = np.where(growth, 0.0, OLS(past, now.to_numpy()).fit().params)
    return np.concatenate([now.to_numpy(), then.to_numpy()]) @ seasons


def _line(past: Days, ahead: int) -> Days:
    """The straight line through *past*, further on."""
    slope, level = np.polyfit(np.arange(len(past)), past, 1)
    return level + slope * np.arange(len(past), len(past) + ahead)


def _holt_winters(past: Days, ahead: int, yearly: bool) -> Days:  # noqa: FBT001  a fact
    """A level, a trend and a week that follow the last days more than the first."""
    from statsmodels.tsa.holtwinters import ExponentialSmoothing  # noqa: PLC0415  as above

    if yearly:
        return np.empty(0)
    smoothing = ExponentialSmoothing(
        past,
        trend="add",
        seasonal="mul" if past.min() > 0 else "add",
        seasonal_periods=_WEEK,
        initialization_method="estimated",
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a fit that did not converge is judged by its back-test, like every other
        return np.asarray(smoothing.fit().forecast(ahead), dtype=np.float64)


def _naive(past: Days, ahead: int, yearly: bool) -> Days:  # noqa: FBT001  a fact
    """The last week again and again, or where a year repeats the same weekdays of a year ago."""
    season = 52 * _WEEK if yearly else _WEEK
    return np.resize(past[-season:], ahead)


_FITS: dict[Model, Fit] = {
    "linear": _linear,
    "exponential": _exponential,
    "holt-winters": _holt_winters,
    "seasonal-naive": _naive,
}


def _usable(foretold: Days) -> bool:
    return bool(foretold.size) and bool(np.isfinite(foretold).all())


def _mape(actual: Days, foretold: Days) -> float:
    """The mean absolute percentage error, over the days on which there was demand."""
    some = actual > 0
    return float(np.mean(np.abs(actual[some] - foretold[some]) / actual[some]))


def _worst_under(actual: Days, foretold: Days) -> float:
    some = foretold > 0
    return float(max(np.max(actual[some] / foretold[some] - 1, initial=0.0), 0.0))
