"""Measurements as CSV or JSON lines: a line that is wrong is named by its number, the others are kept."""

import io
from collections.abc import Iterable
from email.message import Message
from functools import partial
from http import HTTPStatus
from typing import Any

from fastapi import APIRouter
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import Scope

from libs.events.codec import encode
from libs.events.store import Answer
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.problems import Place, Problem
from libs.web.routing import ServiceRoute
from services.slo.api.measurements import NAMED, late_in, latest, refuse_unmeasured, revision_at, too_late, unmeasured
from services.slo.api.schemas import (
    LINES,
    MOST_BUCKETS,
    AcceptedLines,
    PartlyAcceptedLines,
    RevisionParameter,
    SourceParameter,
    WrongLine,
)
from services.slo.domain.errors import NoSuchSloError
from services.slo.measurements.bucket_rules import WrongBucketError
from services.slo.measurements.imports import Batch, Refused, read_measurements
from services.slo.measurements.topic import PUSHED, publish

_AT_ONCE = 2_000  # lines, some 10 ms, before others have their turn


class _LinesRoute(ServiceRoute):
    """Takes what is sent as lines; the route of the same path behind it takes all else, and documents both."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """See Starlette."""
        match, child = super().matches(scope)
        return (match if match is Match.FULL and _are_lines(scope) else Match.NONE), child


router = APIRouter(prefix="/v1", route_class=_LinesRoute)
_hidden: Any = partial(router.post, status_code=202, openapi_extra=needs("measurements.write"), include_in_schema=False)


@_hidden("/slos/{slo}/measurements")
async def measure_slo_by_lines(
    request: Request, slo: str, call: CallDep, source: SourceParameter = None, revision: RevisionParameter = None
) -> Response:
    """Send counts of an SLO, a minute a line."""

    async def work() -> Answer:
        await refuse_unmeasured(call.resources, slo)
        return await _take(request, call, slo, source or PUSHED, revision)

    return await call.run(work)


@_hidden("/measurements")
async def measure_slos_by_lines(
    request: Request, call: CallDep, source: SourceParameter = None, revision: RevisionParameter = None
) -> Response:
    """Send counts of many SLOs, a minute of one a line."""
    return await call.run(lambda: _take(request, call, "", source or PUSHED, revision))


async def _take(request: Request, call: Call, slo: str, source: str, revision: int | None) -> Answer:
    """Keep the lines that are fine, some at a time; *slo* empty: each names its own.

    Raises:
        Problem: None is, or there are too many.
    """
    now = call.context.at
    body = await request.body()
    if (number := body.count(b"\n")) > MOST_BUCKETS:
        detail = f"the body holds {number} lines; send at most {MOST_BUCKETS} at a time, as `concordat slo import` does"
        raise Problem(413, "too-many-lines", "The body holds too many lines", detail)
    lines = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8", errors="replace")
    batches = read_measurements(
        lines, slo, source, revision_at(now, revision), latest=latest(request, now), size=_AT_ONCE
    )
    refusals: dict[str, Problem | None] = {slo: None} if slo else {}
    accepted, refused, kept = 0, 0, list[tuple[int, int]]()
    errors: list[WrongLine] = []
    for batch in batches:
        wrong = await _refused(request, call, batch, refusals)
        await publish(call.resources.bus.publisher(), batch.measurements.values())
        accepted, refused = accepted + len(batch.measurements), refused + len(wrong)
        errors += map(_wrong_line, wrong[: NAMED - len(errors)])
        _extend(kept, batch.measurements)
    if accepted and not refused:
        return Answer(202, encode(AcceptedLines(accepted=accepted)))
    said = PartlyAcceptedLines(accepted=accepted, refused=refused, kept=kept, errors=errors)
    if not accepted:
        raise _nothing_kept(said)
    return Answer(207, encode(said))


async def _refused(request: Request, call: Call, batch: Batch, refusals: dict[str, Problem | None]) -> list[Refused]:
    """All that is wrong with *batch*, which keeps the rest; *refusals* grows: why nothing is measured as an SLO."""
    sent = batch.measurements
    new = {each.slo for each in sent.values()} - refusals.keys()
    if new:
        odd = {slo for slo in new if not (slo.isascii() and slo.isprintable())}  # which no database need be asked for
        refusals |= dict.fromkeys(new) | await unmeasured(call.resources, new - odd)
        refusals |= {slo: Problem(404, "not-found", "There is no such SLO", str(NoSuchSloError(slo))) for slo in odd}
    wrong = late_in(sent, await too_late(request, call, sent.values()))
    for line, each in sent.items():
        if refusal := refusals[each.slo]:
            code = "unknown-slo" if refusal.status == HTTPStatus.NOT_FOUND else "composite-not-measured"
            wrong[line] = WrongBucketError(code, "slo", refusal.detail.partition(";")[0])
    for line in wrong:
        del sent[line]
    return sorted(
        [*batch.refused, *(Refused(line, error.code, error.field, error.detail) for line, error in wrong.items())],
        key=lambda each: each.line,
    )


def _wrong_line(refused: Refused) -> WrongLine:
    return WrongLine(
        line=refused.line, field=refused.field, code=refused.code, detail=refused.detail, remedy=refused.remedy
    )


def _extend(ranges: list[tuple[int, int]], lines: Iterable[int]) -> None:
    for line in lines:
        if ranges and ranges[-1][1] == line:
            ranges[-1] = ranges[-1][0], line + 1
        else:
            ranges.append((line, line + 1))


def _nothing_kept(said: PartlyAcceptedLines) -> Problem:
    if not said.refused:
        detail = "the body holds no line; send CSV whose first line names the columns, or a JSON object a line"
        raise Problem(422, "invalid-measurements", "There is no line", detail, [Place(detail)])
    first = "; ".join(f"line {each.line}: {each.detail}; {each.remedy}" for each in said.errors[:3])
    more = f" (and {said.refused - 3} more)" if said.refused > 3 else ""  # noqa: PLR2004  as many as are said
    return Problem(422, "invalid-measurements", "No line can be kept", first + more, extra={"errors": said.errors})


def _are_lines(scope: Scope) -> bool:
    message = Message()
    message["content-type"] = Headers(scope=scope).get("content-type", "")
    return message.get_content_type() in LINES
