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
from services.slo.api.terms import in_force, revisions, terms_of
from services.slo.domain.assessment import Terms
from services.slo.domain.composite import Composite, spent_by, weighed
from services.slo.domain.explain import Breakdown, Cause, consumed_of, explain, joined, worst, worst_of
from services.slo.domain.methods import Measured, Tally
from services.slo.domain.slo.decider import Defined
from services.slo.domain.windows import Bounds, bounds, minute_at
from services.slo.evaluation import measured, taken_in
from services.slo.measurements.series_reader import read_buckets
from services.slo.projections.causes import DEPLOYMENTS, IMPACTS, INCIDENTS, Happened, deployments_of, incidents_of

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
class ComponentShare:
    """What one component of a composite spent of the composite's budget.

    `sli` has the missing minutes in it where they count; null: nothing is known, and the others have its weight.
    """

    name: str
    weight: float
    sli: float | None
    missing_minutes: int
    error_budget_consumed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Where the budget of a window went, seen in several ways; each adds up to what was consumed.

    `components` are those of a composite, empty for any other SLO. Minutes of theirs that are missing and count as bad
    are in no stretch, and unexplained. Without events nothing is defined: `error_budget_consumed` is null and the lists
    are empty.
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
    components: list[ComponentShare]
    buckets: Spells


@router.get(
    "/explain",
    response_model=Explanation,
    openapi_extra=needs("slos.read"),
    responses=responses(404),
    dependencies=[fresh(INCIDENTS, IMPACTS, DEPLOYMENTS)],
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
    tally = measured(connection, promise.slo, terms, [passed.minutes, passed.closed_minutes], read_buckets)
    consumed = consumed_of(terms.target, tally.judged(passed))
    parts = [
        (of, passed.minutes if of.method == "occurrences" else passed.closed_minutes, by)
        for _, of, by in weighed(tally, passed.minutes, passed.closed_minutes)
        if isinstance(of, Measured)  # which is what `read_buckets` reads
    ]
    views: list[Causes] = []
    for happened in (
        incidents_of(connection, promise.service, passed),
        deployments_of(connection, promise.service, passed),
    ):
        causes = [_cause(each, at) for each in happened]
        found = joined(causes, [(explain(of, terms.target, asked, causes), by) for of, asked, by in parts], consumed)
        views.append(_causes(happened, found))
    spells = worst_of([(worst(of, terms.target, asked, _STEPS[step], None), by) for of, asked, by in parts], most)
    whole = consumed or Fraction()
    return Explanation(
        slo=promise.slo,
        service=promise.service,
        revision=defined.revision,
        at=at,
        window_start=window.start,
        window_end=window.end,
        input_version=taken_in(connection, promise.slo, terms).version,
        error_budget_consumed=None if consumed is None else float(consumed),
        incidents=views[0],
        deployments=views[1],
        components=_components(tally, terms, passed),
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


def _components(tally: Tally | Composite, terms: Terms, passed: Bounds) -> list[ComponentShare]:
    if isinstance(tally, Tally):
        return []
    found = tally.components(passed.minutes, passed.closed_minutes)
    budget = Fraction(terms.target.budget, terms.target.q)
    return [
        ComponentShare(
            name=part.name,
            weight=float(part.weight),
            sli=None if part.value is None else float(part.value),
            missing_minutes=part.missing_min,
            error_budget_consumed=float(spent / budget),
        )
        for part, spent in zip(found, spent_by(found), strict=True)
    ]


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
