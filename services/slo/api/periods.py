"""The history of an SLO: period after period, each judged by what was promised then; and what if it had been other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from typing import Annotated, Final, Literal

from fastapi import Query
from sqlalchemy import Connection

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.slo.api.schemas import Time
from services.slo.api.terms import calendar_of, in_force, revisions, terms_of
from services.slo.domain.assessment import Assessment, assess_within
from services.slo.domain.error_budget import State
from services.slo.domain.slo.decider import Defined
from services.slo.domain.windows import Bounds, Rolling, Window, bounds, minute_at
from services.slo.evaluation import measured, taken_in

router = Router(prefix="/v1/slos/{slo}", tags=["slos"])

By = Literal["window", "day", "week", "month", "quarter", "year"]
_UNITS: Final[dict[str, str]] = {"day": "1d", "week": "1w", "month": "1M", "quarter": "1Q", "year": "1Y"}
_MOMENT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Projected:
    """What a period that still runs comes to, if events keep coming as so far."""

    total: float
    error_budget_consumed: float
    error_budget_remaining: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """An SLO in one window of time; `until` is before `end` while it runs, and the figures are those to date."""

    start: datetime
    end: datetime
    until: datetime
    state: State
    target: float
    sli: float | None
    good: int
    total: int
    error_budget_consumed: float | None
    error_budget_remaining: float | None
    coverage: float | None
    projected: Projected | None
    revision: int


@router.get("/periods", openapi_extra=needs("slos.read"), responses=responses(400, 404, 422))
async def list_slo_periods(
    slo: str,
    resources: ResourcesDep,
    page: PageDep,
    until: Annotated[Time | None, Query(description="Now unless given, and never later.")] = None,
    by: Annotated[By, Query(description="`window`: the SLO's own; else by the calendar.")] = "window",
    zone: Annotated[str, Query(description="IANA zone of the calendar.", examples=["Europe/Berlin"])] = "UTC",
) -> Page[Period]:
    """Period by period, the newest first, back to the first measurement; a rolling window's stand back to back."""
    now = resources.clock.now()
    end = min(until or now, now)
    known = await revisions(resources, slo)
    window = terms_of(known[-1]).window if by == "window" else calendar_of(_UNITS[by], zone)

    def find(connection: Connection) -> Page[Period]:
        first = min(taken_in(connection, slo, terms_of(known[-1])).first, minute_at(end))

        def behind(place: datetime | None, most: int) -> list[Period]:
            found = [each for _, each in zip(range(most), _back(window, place, end, first), strict=False)]
            return list(_judged(connection, known, found, end))

        return page.walk(behind, place=lambda period: period.start)

    return await resources.views.read_long(find)


def period(assessment: Assessment, target: float, revision: int) -> Period:
    """*assessment* as it is answered."""
    found, projected = assessment.figures, assessment.projection
    return Period(
        start=assessment.window.start,
        end=assessment.window.end,
        until=assessment.until,
        state=found.state,
        target=target,
        sli=found.sli,
        good=assessment.counts.good,
        total=assessment.counts.total,
        error_budget_consumed=found.consumed,
        error_budget_remaining=found.remaining,
        coverage=assessment.coverage,
        projected=projected
        and Projected(
            total=float(projected.total),
            error_budget_consumed=projected.consumed,
            error_budget_remaining=projected.remaining,
        ),
        revision=revision,
    )


def _back(window: Window, place: datetime | None, until: datetime, first_min: int) -> Iterator[Bounds]:
    """The periods before *place* (or the one that holds *until*), the newest first, that reach behind *first_min*."""
    rolling = isinstance(window, Rolling)
    at = until if place is None else place if rolling else place - _MOMENT
    while True:
        found = bounds(window, at)
        if place is not None and found.minutes.stop <= first_min:
            return
        yield found
        place, at = found.start, found.start if rolling else found.start - _MOMENT


def _judged(
    connection: Connection, known: Sequence[Defined], found: Sequence[Bounds], until: datetime
) -> Iterator[Period]:
    for defined, some in groupby(found, key=lambda window: in_force(known, min(window.end, until))):
        run, terms = list(some), terms_of(defined)
        windows = [Bounds(window.start, min(window.end, until)).minutes for window in run]
        tally = measured(connection, defined.promise.slo, terms, windows)
        for window in run:
            yield period(assess_within(tally, terms, window, until), float(terms.target), defined.revision)
