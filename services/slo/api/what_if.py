"""Figures of the past under another target, window or method, before anyone changes it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection
from starlette.responses import Response

from libs.events.codec import encode
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Body
from services.slo.api.periods import Period, period
from services.slo.api.schemas import Time
from services.slo.api.terms import (
    calendar_of,
    in_force,
    method_text,
    revisions,
    terms_of,
    window_of,
    window_text,
)
from services.slo.domain.assessment import Terms, assess_within
from services.slo.domain.error_budget import Target
from services.slo.domain.methods import Slicing
from services.slo.domain.openslo.promise import minutes
from services.slo.domain.openslo.resolution import LONGEST_MIN
from services.slo.domain.slo.decider import Defined
from services.slo.domain.windows import Bounds, Rolling, bounds, periods
from services.slo.evaluation import measured, taken_in
from services.slo.measurements.book import METHODS

router = Router(tags=["slos"])

_DAY: Final = timedelta(days=1)
_MOST_DAYS: Final = 400


def _short(length: str) -> str:
    if minutes(length) > LONGEST_MIN:
        kind, message = "length", "must be at most 366d, as in a document"
        raise PydanticCustomError(kind, message)
    return length


Length = Annotated[str, Field(pattern=r"^[1-9][0-9]{0,4}[mhdwMQY]$"), AfterValidator(_short)]


class WhatIf(Body):
    """What would be promised; what is left out stays as it is promised.

    With `zone` the window is a period of that zone's calendar (`1M` with `Europe/Berlin`), else it rolls.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"target": 0.999, "window": "7d"}]})

    target: Annotated[float, Field(ge=0, lt=1)] | None = None
    window: Length | None = None
    zone: str | None = None
    method: Literal["Occurrences", "Timeslices", "RatioTimeslices"] | None = None
    time_slice_window: Length | None = None
    time_slice_target: Annotated[float, Field(gt=0, le=1)] | None = None
    since: Annotated[Time | None, Field(alias="from", description="28 days before `until` unless given.")] = None
    until: Annotated[Time | None, Field(description="Now unless given, and never later.")] = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """The past under some terms: calendar periods, or a rolling window once a day."""

    target: float
    window: str
    method: str
    violated: int
    at_risk: int
    items: list[Period]


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIfAnswer:
    """The same past twice: as it is promised now, and as it would be."""

    slo: str
    service: str
    revision: int
    input_version: int
    promised: Past
    proposed: Past


@router.post(
    "/v1/slos/{slo}:what-if",
    response_model=WhatIfAnswer,
    openapi_extra=needs("slos.read"),
    responses=responses(404, 422),
)
async def what_if_slo(slo: str, asked: WhatIf, resources: ResourcesDep) -> Response:
    """What the past would have been under another promise; changes nothing."""
    now = resources.clock.now()
    until = min(asked.until or now, now)
    since = asked.since or until - 28 * _DAY
    if not timedelta() <= until - since <= _MOST_DAYS * _DAY:
        detail = f"from must be before until, by at most {_MOST_DAYS} days"
        raise Problem(422, "invalid-range", "The range cannot be looked at", detail, [Place(detail, "/from")])
    defined = in_force(await revisions(resources, slo), now)
    promised = terms_of(defined)
    proposed = _proposed(asked, promised)

    def find(connection: Connection) -> WhatIfAnswer:
        return WhatIfAnswer(
            slo=slo,
            service=defined.promise.service,
            revision=defined.revision,
            input_version=taken_in(connection, slo, promised).version,
            promised=_past(connection, defined, promised, since, until),
            proposed=_past(connection, defined, proposed, since, until),
        )

    return Response(encode(await resources.views.read_long(find)), media_type="application/json")


def _proposed(asked: WhatIf, promised: Terms) -> Terms:
    if promised.parts and (asked.method or asked.time_slice_window or asked.time_slice_target):
        detail = "a composite's components are judged by their own methods; leave out method and time slices"
        raise Problem(422, "invalid-method", "A composite has no method", detail, [Place(detail, "/method")])
    slicing = promised.slicing
    window = promised.window
    if asked.window and asked.zone:
        window = calendar_of(asked.window, asked.zone)
    elif asked.window:
        window = window_of(asked.window)
    elif asked.zone:
        detail = "a calendar needs window, such as 1M, beside its zone"
        raise Problem(422, "invalid-window", "The window cannot be laid out", detail, [Place(detail, "/window")])
    return Terms(
        target=promised.target if asked.target is None else Target.of(asked.target),
        window=window,
        method=METHODS[asked.method] if asked.method else promised.method,
        slicing=Slicing(
            length_min=minutes(asked.time_slice_window) if asked.time_slice_window else slicing.length_min,
            target=Fraction(str(asked.time_slice_target)) if asked.time_slice_target else slicing.target,
            empty=slicing.empty,
        ),
        parts=promised.parts,
    )


def _past(connection: Connection, defined: Defined, terms: Terms, since: datetime, until: datetime) -> Past:
    if isinstance(terms.window, Rolling):
        ends = [until - back * _DAY for back in range((until - since) // _DAY, -1, -1)]
        found = [bounds(terms.window, end) for end in ends]
    else:
        found = list(periods(terms.window, since, until))
    windows = [Bounds(each.start, min(each.end, until)).minutes for each in found]
    tally = measured(connection, defined.promise.slo, terms, windows)
    items = [period(assess_within(tally, terms, each, until), float(terms.target), defined.revision) for each in found]
    states = Counter(item.state for item in items)
    return Past(
        target=float(terms.target),
        window=window_text(terms.window),
        method=method_text(terms.method),
        violated=states["violated"],
        at_risk=states["at_risk"],
        items=items,
    )
