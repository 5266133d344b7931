"""What is sent to and answered by slo. Answers are dataclasses, written by msgspec."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any, Final, TypeVar

from fastapi import Query
from pydantic import AfterValidator, ConfigDict, Field, WithJsonSchema
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from libs.web.schemas import Body, Moment
from services.slo.domain.budget.events import BudgetAssessed
from services.slo.domain.error_budget import State
from services.slo.domain.openslo_object.decider import Removed, Stored
from services.slo.domain.slo.commands import Document
from services.slo.domain.slo.decider import Defined, definition_of
from services.slo.evaluation import Status
from services.slo.measurements.book import Promised
from services.slo.measurements.topic import MOST, MOST_REVISION, PUSHED

A = TypeVar("A")

MOST_BUCKETS = 100_000  # of an SLO in a request: more than two months
_YEARS = (1970, 9000)  # minutes are counted from 1970; windows before and after stay within what a date can be


def _countable(moment: datetime) -> datetime:
    if not _YEARS[0] <= moment.year <= _YEARS[1]:
        kind, message = "moment", "use a time between the years {first} and {last}"
        raise PydanticCustomError(kind, message, {"first": _YEARS[0], "last": _YEARS[1]})
    return moment


Time = Annotated[Moment, AfterValidator(_countable)]
Source = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]


LINES: Final = ("text/csv", "application/x-ndjson", "application/jsonl")
SourceParameter = Annotated[Source | None, Query(description="Who counted, where the body does not say.")]
RevisionParameter = Annotated[
    int | None, Query(ge=0, le=MOST_REVISION, description="Of these counts, where the body does not say.")
]
_BUCKET: JsonDict = {"start": "2026-11-21T10:00:00Z", "good": 990, "total": 1000}
_COUNT: JsonDict = {"type": "integer", "minimum": 0, "maximum": MOST}
Bucket = Annotated[  # checked one by one (`bucket_rules.py`), so that one that is wrong keeps no other out
    Any,
    WithJsonSchema(
        {
            "title": "Bucket",
            "description": "The absolute counts of one minute; sent again, they replace what was sent before.",
            "type": "object",
            "required": ["start", "good", "total"],
            "additionalProperties": False,
            "properties": {"start": {"type": "string", "format": "date-time"}, "good": _COUNT, "total": _COUNT},
        }
    ),
]


class Buckets(Body):
    """Measurements of one SLO.

    Sources add up; of one source, the highest revision of a minute wins. Both may be left out: then everything
    comes from one source, and what is sent later wins.
    """

    model_config = ConfigDict(json_schema_extra={"examples": [{"buckets": [_BUCKET]}]})

    source: Source = PUSHED
    revision: Annotated[int, Field(strict=True, ge=0, le=MOST_REVISION)] | None = None
    buckets: Annotated[list[Bucket], Field(min_length=1, max_length=MOST_BUCKETS)]


class SloBuckets(Buckets):
    """Measurements of one of many SLOs; `checkout-journey.cart` is the indicator `cart` of the composite."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"slo": "checkout-availability", "buckets": [_BUCKET]}]})

    slo: Annotated[str, Field(min_length=1, max_length=127, pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)?$")]


class ManyBuckets(Body):
    """Measurements of many SLOs."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"items": [{"slo": "checkout-availability", "buckets": [_BUCKET]}]}]}
    )

    items: Annotated[list[SloBuckets], Field(min_length=1, max_length=10_000)]


def lines_body(header: str) -> dict[str, Any]:
    """How the OpenAPI document describes a body of CSV or JSON lines whose fields are those of *header*."""
    example = {"slo": "checkout-availability"} | _BUCKET if "slo" in header else _BUCKET
    csv = f"{header}\n{','.join(map(str, example.values()))}\n"
    texts = {kind: csv if kind == "text/csv" else json.dumps(example) + "\n" for kind in LINES}
    return {
        "requestBody": {
            "content": {kind: {"schema": {"type": "string"}, "example": text} for kind, text in texts.items()}
        }
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongBucket:
    """A bucket that is not kept: where it stands, what is wrong, and how to mend it."""

    pointer: str
    code: str
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """How many buckets the log has on disk."""

    slo: str
    accepted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartlyAccepted(Accepted):
    """Some were refused: `kept` names those the log has, `errors` the first of the others.

    `kept` holds ranges of places in what was sent: [first, end), counted from 0.
    """

    refused: int
    kept: list[tuple[int, int]]
    errors: list[WrongBucket]


@dataclass(frozen=True, slots=True, kw_only=True)
class WrongLine:
    """A line that is not kept: which, counted from 1, which of its fields, what is wrong, and how to mend it."""

    line: int
    field: str
    code: str
    detail: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptedLines:
    """How many lines the log has on disk, as measurements."""

    accepted: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PartlyAcceptedLines(AcceptedLines):
    """Some were refused: `kept` names those the log has, `errors` the first of the others.

    `kept` holds ranges of lines: [first, end), counted from 1.
    """

    refused: int
    kept: list[tuple[int, int]]
    errors: list[WrongLine]


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """One result per item sent, in order; each with its own status."""

    items: list[dict[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusAnswer:
    """The figures of an SLO at one time.

    SLI and budget are null without events; burn rates too, window by window. `data_until` is where its data ends.
    `exhausted_at_this_rate` is a hint: when nothing is left if the last day's burn rate, above 1, goes on and no spent
    budget leaves the window. `/forecast` says more.
    """

    slo: str
    service: str
    revision: int
    at: datetime
    state: State
    target: float
    sli: float | None
    good: int
    total: int
    error_budget_consumed: float | None
    error_budget_remaining: float | None
    exhausted_at_this_rate: datetime | None
    coverage: float
    burn_rates: Mapping[str, float | None]
    window: str
    window_start: datetime
    window_end: datetime
    data_until: datetime | None
    data_age_s: float | None
    input_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SloItem:
    """An SLO in a list, with the last figures that were published."""

    name: str
    display_name: str
    service: str
    revision: int
    target: float
    window: str
    method: str
    defined_at: datetime
    state: State
    sli: float | None
    error_budget_remaining: float | None
    coverage: float | None
    assessed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What is promised; `warnings` names what of the document has no effect yet."""

    name: str
    display_name: str
    service: str
    revision: int
    target: float
    window: str
    method: str
    defined_at: datetime
    document: Document
    warnings: list[str]
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An OpenSLO object that SLOs can refer to."""

    kind: str
    name: str
    revision: int
    stored_at: datetime
    document: Document
    warnings: list[str]
    removed_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class SloAnswer(Definition):
    """What is promised, and how it stands."""

    status: StatusAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class Validation:
    """Whether documents are valid OpenSLO v1, and what is wrong with which (`document` counts from 0).

    `unresolved` is what keeps valid ones from being stored here as they are, such as references to nothing.
    """

    valid: bool
    errors: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    unresolved: list[dict[str, Any]]


def promised(defined: Defined) -> Promised:
    """What an evaluation needs of a definition."""
    promise = defined.promise
    return Promised.defined(promise.slo, promise.service, defined.revision, promise.window, definition_of(defined))


def stored_object(state: Stored | Removed, warnings: list[str]) -> StoredObject:
    """*state* as it is answered."""
    last = state.last
    return StoredObject(
        kind=last.kind,
        name=last.name,
        revision=last.revision,
        stored_at=last.at,
        document=last.document,
        warnings=warnings,
        removed_at=state.at if isinstance(state, Removed) else None,
    )


def definition(defined: Defined, warnings: list[str], ended_at: datetime | None = None) -> dict[str, Any]:
    """The fields of a `Definition`."""
    promise = defined.promise
    return {
        "name": promise.slo,
        "display_name": promise.display_name,
        "service": promise.service,
        "revision": defined.revision,
        "target": promise.target,
        "window": promise.window,
        "method": promise.method,
        "defined_at": defined.at,
        "document": promise.document,
        "warnings": warnings,
        "ended_at": ended_at,
    }


def status_answer(status: Status) -> StatusAnswer:
    """*status* as it is answered."""
    figures = status.figures
    until = status.data_until
    return StatusAnswer(
        slo=figures.slo,
        service=figures.service,
        revision=figures.revision,
        at=figures.at,
        state=figures.state,
        target=figures.target,
        sli=figures.sli,
        good=figures.good,
        total=figures.total,
        error_budget_consumed=figures.error_budget_consumed,
        error_budget_remaining=figures.error_budget_remaining,
        coverage=figures.coverage,
        exhausted_at_this_rate=_exhausted_at(figures, status.burn_rates.get("1d")),
        burn_rates=status.burn_rates,
        window=figures.window,
        window_start=figures.window_start,
        window_end=figures.window_end,
        data_until=until,
        data_age_s=None if until is None else max((figures.at - until).total_seconds(), 0.0),
        input_version=figures.input_version,
    )


def _exhausted_at(figures: BudgetAssessed, burn_rate: float | None) -> datetime | None:
    left = figures.error_budget_remaining
    if left is None or left <= 0 or burn_rate is None or burn_rate <= 1:
        return None
    return figures.at + (figures.window_end - figures.window_start) * (left / burn_rate)


def slo_item(row: Mapping[Any, Any]) -> SloItem:
    """A row of the read model `slos` as it is answered."""
    return SloItem(
        name=row["slo"],
        display_name=row["display_name"],
        service=row["service"],
        revision=row["revision"],
        target=row["target"],
        window=row["window"],
        method=row["method"],
        defined_at=row["defined_at"],
        state=row["state"],
        sli=row["sli"],
        error_budget_remaining=row["error_budget_remaining"],
        coverage=row["coverage"],
        assessed_at=row["assessed_at"],
    )


def told(answer: type[A], event: object, **more: object) -> A:
    """*answer*, whose fields are *more*, those of *event* that have their names, and defaults."""
    names = [field.name for field in fields(answer)]  # pyright: ignore[reportArgumentType]  every answer is a dataclass
    return answer(**{name: getattr(event, name) for name in names if hasattr(event, name)} | more)
