"""`/v1/readiness-reviews/{review}/findings`: what is not as it should be, and who does what about it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from libs.events.codec import encode
from libs.events.handler import Outcome
from libs.events.ids import new_id
from libs.web.calls import Call, CallDep
from libs.web.etag import strong
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.reviews.review_finding_schemas import (
    FindingView,
    FixBody,
    OpenFindingBody,
    ReclassifyBody,
    TriageBody,
    WaiveBody,
    finding_view,
)
from services.lifecycle.api.reviews.reviewing import READ, WRITE, Reason, ReviewsDep, actor, timers
from services.lifecycle.contract import READINESS_REVIEW
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.readiness_review.commands import (
    FindingCommand,
    FindingStep,
    MoveFinding,
    OpenFinding,
    Reclassify,
    Triage,
    Waive,
)
from services.lifecycle.domain.readiness_review.events import FindingState
from services.lifecycle.domain.readiness_review.state import Review
from services.lifecycle.domain.review_template.checklist import Severity

router = Router(prefix="/v1/readiness-reviews/{review}/findings", tags=["readiness-reviews"])


@router.post("", status_code=201, response_model=FindingView, openapi_extra=WRITE, responses=responses(404, 409, 422))
async def open_finding(review: str, body: OpenFindingBody, call: CallDep) -> Response:
    """Record that something is not as it should be; a blocking finding keeps the review from being approved."""
    finding = str(new_id())
    command = OpenFinding(
        review=review,
        finding=finding,
        item=body.item,
        title=body.title,
        text=body.text,
        severity=body.severity,
        source=body.source,
        by=actor(call),
        at=call.context.at,
    )
    location = f"/v1/readiness-reviews/{review}/findings/{finding}"
    return await call.handle(READINESS_REVIEW, review, command, body=_shown(finding), status=201, location=location)


@router.get("", response_model=Page[FindingView], openapi_extra=READ, responses=responses(404))
async def list_findings(
    review: str,
    known: ReviewsDep,
    page: PageDep,
    state: Annotated[list[FindingState] | None, Query()] = None,
    severity: Annotated[list[Severity] | None, Query()] = None,
    as_of: AsOf = None,
) -> Page[FindingView]:
    """List the findings of a review, the oldest first; that there are none is no all-clear."""
    found, _ = await known.load(review, as_of)
    return page.cut(
        [finding_view(found.record, each) for each in found.record.findings.values()],
        place=lambda view: view.id,
        shown=lambda view: (not state or view.state in state) and (not severity or view.severity in severity),
    )


@router.get("/{finding}", response_model=FindingView, openapi_extra=READ, responses=responses(404))
async def get_finding(review: str, finding: str, known: ReviewsDep, as_of: AsOf = None) -> Response:
    """Read a finding: how it stands, what became of it, who must do what next."""
    state, version = await known.load(review, as_of)
    found = state.record.findings.get(finding)
    if found is None:
        raise UnknownError("finding of this review", finding)
    body = encode(finding_view(state.record, found))
    return Response(body, headers={"ETag": strong(version)}, media_type="application/json")


@router.post("/{finding}:triage", response_model=FindingView, openapi_extra=WRITE, responses=responses(404, 409, 422))
async def triage_finding(review: str, finding: str, body: TriageBody, call: CallDep) -> Response:
    """Give a finding to somebody, until a day."""
    command = Triage(
        review=review,
        finding=finding,
        owner=body.owner,
        due=body.due,
        by=actor(call),
        reason=body.reason,
        at=call.context.at,
    )
    return await _do(call, command)


@router.post(
    "/{finding}:reclassify",
    response_model=FindingView,
    openapi_extra=WRITE,
    responses=responses(403, 404, 409, 422),
)
async def reclassify_finding(review: str, finding: str, body: ReclassifyBody, call: CallDep) -> Response:
    """Say, as the one who decides blockers, how severe a finding is."""
    command = Reclassify(
        review=review,
        finding=finding,
        severity=body.severity,
        by=actor(call),
        reason=body.reason,
        at=call.context.at,
    )
    return await _do(call, command)


@router.post("/{finding}:start", response_model=FindingView, openapi_extra=WRITE, responses=responses(404, 409))
async def start_finding(review: str, finding: str, body: Reason, call: CallDep) -> Response:
    """Begin to fix a finding."""
    return await _move(call, review, finding, "start", body.reason)


@router.post("/{finding}:fix", response_model=FindingView, openapi_extra=WRITE, responses=responses(404, 409, 422))
async def fix_finding(review: str, finding: str, body: FixBody, call: CallDep) -> Response:
    """Say that a finding is fixed, and where that can be seen."""
    return await _move(call, review, finding, "fix", body.reason, str(body.url))


@router.post("/{finding}:verify", response_model=FindingView, openapi_extra=WRITE, responses=responses(403, 404, 409))
async def verify_finding(review: str, finding: str, body: Reason, call: CallDep) -> Response:
    """Confirm a fix, as a reviewer who neither owns the finding nor fixed it."""
    return await _move(call, review, finding, "verify", body.reason)


@router.post("/{finding}:close", response_model=FindingView, openapi_extra=WRITE, responses=responses(404, 409))
async def close_finding(review: str, finding: str, body: Reason, call: CallDep) -> Response:
    """Close a verified finding."""
    return await _move(call, review, finding, "close", body.reason)


@router.post(
    "/{finding}:reject",
    response_model=FindingView,
    openapi_extra=WRITE,
    responses=responses(403, 404, 409, 422),
)
async def reject_finding(review: str, finding: str, body: Reason, call: CallDep) -> Response:
    """Say, with a reason, that a finding is none; of a blocking one that is for the one who decides blockers."""
    return await _move(call, review, finding, "reject", body.reason)


@router.post("/{finding}:reopen", response_model=FindingView, openapi_extra=WRITE, responses=responses(404, 409, 422))
async def reopen_finding(review: str, finding: str, body: Reason, call: CallDep) -> Response:
    """Open a finding again that was taken for settled, with a reason."""
    return await _move(call, review, finding, "reopen", body.reason)


@router.post(
    "/{finding}:waive",
    response_model=FindingView,
    openapi_extra=WRITE,
    responses=responses(403, 404, 409, 422),
)
async def waive_finding(review: str, finding: str, body: WaiveBody, call: CallDep, known: ReviewsDep) -> Response:
    """Live with a finding until a time, because a control is in place; then it is open again by itself."""
    command = Waive(
        review=review,
        finding=finding,
        control=body.control,
        control_url=str(body.control_url),
        until=body.until,
        policy=known.policy,
        by=actor(call),
        reason=body.reason,
        at=call.context.at,
    )
    return await _do(call, command)


async def _move(call: Call, review: str, finding: str, step: FindingStep, reason: str, url: str = "") -> Response:
    command = MoveFinding(
        review=review, finding=finding, step=step, url=url, by=actor(call), reason=reason, at=call.context.at
    )
    return await _do(call, command)


async def _do(call: Call, command: FindingCommand) -> Response:
    return await call.handle(READINESS_REVIEW, command.review, command, body=_shown(command.finding), effects=timers)


def _shown(finding: str) -> Callable[[Outcome[Review]], FindingView]:
    def shown(outcome: Outcome[Review]) -> FindingView:
        if outcome.state is None:
            raise UnknownError("readiness review", outcome.stream.partition("/")[2])
        return finding_view(outcome.state.record, outcome.state.record.findings[finding])

    return shown
