"""An SLO over time, downsampled to a bounded number of points; shaped for charts."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import Annotated, Final

from fastapi import Query
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.etag import answer
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.slo.api.schemas import Time
from services.slo.api.terms import in_force, revisions, terms_of
from services.slo.domain.assessment import assess
from services.slo.domain.burn_rate import duration
from services.slo.domain.error_budget import figures
from services.slo.domain.slo.decider import Defined
from services.slo.domain.windows import Bounds, bounds, minute_at
from services.slo.evaluation import measured, taken_in

router = Router(prefix="/v1/slos/{slo}", tags=["slos"])

_MOST_POINTS: Final = 2_000
_POINTS: Final = 240  # when no step is asked for
_HOUR, _DAY = 60, 24 * 60  # minutes
_STEPS: Final = (1, 5, 10, 15, 30, *(_HOUR * n for n in (1, 2, 3, 6, 12)), *(_DAY * n for n in (1, 2, 7, 14, 28)))
_UNITS: Final = {"m": 1, "h": _HOUR, "d": _DAY, "w": 7 * _DAY}
_WEEK, _MINUTE = timedelta(weeks=1), timedelta(minutes=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """An SLO in one step [at, at + step), and its error budget where the step ends.

    Without measurements `good`, `total` and `sli` are null: absent is not zero.
    """

    at: datetime
    good: int | None
    total: int | None
    observed_minutes: int
    sli: float | None
    error_budget_remaining: float | None
    coverage: float | None
    target: float
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesAnswer:
    """An SLO over time; each point is judged by the revision that was in force."""

    slo: str
    service: str
    step: str
    input_version: int
    points: list[Point]


@router.get("/series", response_model=SeriesAnswer, openapi_extra=needs("slos.read"), responses=responses(400, 404))
async def get_slo_series(
    request: Request,
    slo: str,
    resources: ResourcesDep,
    since: Annotated[Time | None, Query(alias="from", description="A week before `until` unless given.")] = None,
    until: Annotated[Time | None, Query(description="Now unless given, and never later.")] = None,
    step: Annotated[
        str, Query(pattern=r"^([1-9][0-9]{0,4}[mhdw])?$", description="Such as `5m`; chosen to fit unless given.")
    ] = "",
) -> Response:
    """Good and total events, SLI and error budget step by step; steps lie on a grid from 1970 and are whole."""
    now = resources.clock.now()
    end = min(until or now, now)
    steps = _steps(since or end - _WEEK, end, step)
    known = await revisions(resources, slo)
    return answer(request, await resources.views.read_long(_series, known, steps, end))


def _steps(since: datetime, until: datetime, asked: str) -> range:
    """The first minutes of the steps that share time with [since, until).

    Raises:
        Problem: 400, there are too many, or *until* is not behind *since*.
    """
    first, stop = (since - _EPOCH) // _MINUTE, minute_at(until)
    if first >= stop:
        detail = f"from ({since.isoformat()}) must be before until ({until.isoformat()}) and before now"
        raise Problem(400, "empty-range", "The range holds no time", detail, [Place(detail, "from")])
    fitting = next((s for s in _STEPS if (stop - first) <= s * _POINTS), _STEPS[-1])
    step = int(asked[:-1]) * _UNITS[asked[-1]] if asked else fitting
    steps = range(first // step * step, stop, step)
    if len(steps) > _MOST_POINTS:
        detail = f"that makes {len(steps)} points; at most {_MOST_POINTS} are answered: leave out step"
        detail += f" (it would be {duration(fitting)}), or ask for a shorter range"
        raise Problem(400, "too-many-points", "The step is too small for the range", detail, [Place(detail, "step")])
    return steps


def _series(connection: Connection, known: Sequence[Defined], steps: range, until: datetime) -> SeriesAnswer:
    promise = known[-1].promise
    taken = taken_in(connection, promise.slo, terms_of(known[-1]))
    ends = [(first, min(_EPOCH + (first + steps.step) * _MINUTE, until)) for first in steps]
    runs = groupby(ends, key=lambda point: in_force(known, point[1]))
    points = [point for defined, run in runs for point in _points(connection, defined, list(run))]
    return SeriesAnswer(
        slo=promise.slo,
        service=promise.service,
        step=duration(steps.step),
        input_version=taken.version,
        points=points,
    )


def _points(connection: Connection, defined: Defined, run: Sequence[tuple[int, datetime]]) -> Iterator[Point]:
    terms = terms_of(defined)
    spans = [Bounds(_EPOCH + first * _MINUTE, end).minutes for first, end in run]
    windows = [_passed(bounds(terms.window, end), end) for _, end in run]
    asked, slo = [*spans, *windows], defined.promise.slo
    tally = measured(connection, slo, terms, asked)
    for (first, end), span in zip(run, spans, strict=True):
        counted = tally.counts(span)
        budget = assess(tally, terms, end)
        yield Point(
            at=_EPOCH + first * _MINUTE,
            good=counted.good if counted.observed else None,
            total=counted.total if counted.observed else None,
            observed_minutes=counted.observed,
            sli=figures(terms.target, *tally.sli(span)).sli,
            error_budget_remaining=budget.figures.remaining,
            coverage=budget.coverage,
            target=float(terms.target),
            revision=defined.revision,
        )


def _passed(window: Bounds, end: datetime) -> range:
    return Bounds(window.start, min(window.end, end)).minutes
