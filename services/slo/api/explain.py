"""What spent the error budget, and when it will be gone."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Annotated, Final, Literal

from fastapi import Query
from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import Response

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.problems import responses
from libs.web.routing import Router
from services.slo.api.schemas import Time
from services.slo.api.terms import excuses_of, in_force, revisions, terms_of
from services.slo.domain.explain import Breakdown, Cause, explain, worst
from services.slo.domain.methods import Measured
from services.slo.domain.slo.decider import Defined
from services.slo.domain.windows import Bounds, bounds, minute_at
from services.slo.measurements.buckets import inputs
from services.slo.measurements.series_reader import read_events, read_series
from services.slo.projections.causes import DEPLOYMENTS, INCIDENTS, Happened, deployments_of, incidents_of

router = Router(prefix="/v1/slos/{slo}", tags=["slos"])

_STEPS: Final = {"5m": 5, "1h": 60, "1d": 24 * 60}
_EPOCH, _MINUTE = datetime(1970, 1, 1, tzinfo=UTC), timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one incident or deployment spent.

    `error_budget_consumed` splits what several causes share evenly, so the shares add up; `touched` is all that was
    spent while this one lasted.
    """

    id: str
    title: str
    since: datetime
    until: datetime | None
    error_budget_consumed: float
    touched: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Causes:
    """The whole budget that was consumed: these shares and the unexplained rest."""

    items: list[Share]
    unexplained: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spell:
    """A stretch of time, and the budget spent in it."""

    start: datetime
    end: datetime
    error_budget_consumed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spells:
    """The stretches that spent most, the worst first, and what all others spent."""

    step: str
    items: list[Spell]
    others: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Where the budget of a window went, seen three ways; each adds up to what was consumed.

    Without events nothing is defined: `error_budget_consumed` is null and the lists are empty.
    """

    slo: str
    service: str
    revision: int
    at: datetime
    window_start: datetime
    window_end: datetime
    input_version: int
    error_budget_consumed: float | None
    incidents: Causes
    deployments: Causes
    buckets: Spells


@router.get(
    "/explain",
    response_model=Explanation,
    openapi_extra=needs("slos.read"),
    responses=responses(404),
    dependencies=[fresh(INCIDENTS, DEPLOYMENTS)],
)
async def explain_slo(
    request: Request,
    slo: str,
    resources: ResourcesDep,
    at: Annotated[Time | None, Query(description="Now unless given.")] = None,
    step: Annotated[Literal["5m", "1h", "1d"], Query(description="How long a stretch of buckets is.")] = "1h",
    most: Annotated[int, Query(ge=1, le=100, description="How many stretches are named.")] = 10,
) -> Response:
    """Which incidents, deployments and hours spent the error budget of the window at *at*."""
    moment = at or resources.clock.now()
    defined = in_force(await revisions(resources, slo), moment)
    return answer(request, await resources.views.read_long(_explained, defined, moment, step, most))


def _explained(connection: Connection, defined: Defined, at: datetime, step: str, most: int) -> Explanation:
    terms, promise = terms_of(defined), defined.promise
    window = bounds(terms.window, at)
    passed = Bounds(window.start, min(window.end, at))
    asked = passed.minutes if terms.method == "occurrences" else passed.closed_minutes
    excuses = excuses_of(connection, promise.slo, [asked])
    reader = read_events if terms.method == "occurrences" else read_series
    measured = Measured(reader(connection, promise.slo, asked), terms.method, terms.slicing, excuses)
    whole, views = Fraction(), list[Causes]()
    defined_at_all = False
    for happened in (
        incidents_of(connection, promise.service, passed),
        deployments_of(connection, promise.service, passed),
    ):
        found = explain(measured, terms.target, asked, [_cause(each, at) for each in happened])
        views.append(_causes(happened, found))
        if found is not None:
            whole, defined_at_all = found.consumed, True
    spells = worst(measured, terms.target, asked, _STEPS[step], most)
    taken = inputs(connection, [promise.slo]).get(promise.slo)
    return Explanation(
        slo=promise.slo,
        service=promise.service,
        revision=defined.revision,
        at=at,
        window_start=window.start,
        window_end=window.end,
        input_version=taken.version if taken else 0,
        error_budget_consumed=float(whole) if defined_at_all else None,
        incidents=views[0],
        deployments=views[1],
        buckets=Spells(
            step=step,
            items=[
                Spell(
                    start=_EPOCH + spell.minutes.start * _MINUTE,
                    end=_EPOCH + spell.minutes.stop * _MINUTE,
                    error_budget_consumed=float(spell.consumed),
                )
                for spell in spells
            ],
            others=float(whole - sum(spell.consumed for spell in spells)),
        ),
    )


def _cause(happened: Happened, at: datetime) -> Cause:
    return Cause(happened.id, range((happened.since - _EPOCH) // _MINUTE, minute_at(happened.until or at)))


def _causes(happened: Sequence[Happened], found: Breakdown | None) -> Causes:
    if found is None:
        return Causes(items=[], unexplained=0.0)
    return Causes(
        items=[
            Share(
                id=each.id,
                title=each.title,
                since=each.since,
                until=each.until,
                error_budget_consumed=float(share.consumed),
                touched=float(share.touched),
            )
            for each, share in zip(happened, found.shares, strict=True)
        ],
        unexplained=float(found.remainder),
    )
