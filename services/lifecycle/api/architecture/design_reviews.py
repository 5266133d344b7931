"""`/v1/design-reviews`: a design, what it is for, and somebody from outside who agrees before it is built."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Loaded, Outcome
from libs.events.ids import new_id
from libs.web import etag
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.architecture.design_review_schemas import (
    DesignReviewView,
    OpenDesignReview,
    RequestDesignChanges,
    ReviseDesign,
    design_review_view,
)
from services.lifecycle.api.architecture.designing import DesigningDep
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.references import living_service
from services.lifecycle.api.reviews.reviewing import Reason, actor
from services.lifecycle.api.views import key_of
from services.lifecycle.contract import DESIGN_REVIEW
from services.lifecycle.domain.design_review.commands import (
    Approve,
    Command,
    Open,
    RequestChanges,
    Revise,
    Submit,
    Withdraw,
)
from services.lifecycle.domain.design_review.decider import DesignReview, Reviewed, State
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.projections.design_work import DESIGN_WORK

router = Router(prefix="/v1/design-reviews", tags=["design-reviews"])
_READ, _WRITE = needs("design-reviews.read"), needs("design-reviews.write")


@router.post("", status_code=201, response_model=DesignReviewView, openapi_extra=_WRITE, responses=responses(409, 422))
async def open_design_review(body: OpenDesignReview, call: CallDep, known: DesigningDep) -> Response:
    """Begin a design: goals, constraints, alternatives, and decisions that each serve a goal."""
    await living_service(call.resources, body.service, "service")
    review = body.id or str(new_id())
    command = Open(
        review=review,
        service=body.service,
        owner_team=(await known.profile(body.service)).owner_team,
        design=body.design,
        by=actor(call),
        at=call.context.at,
    )
    return await _do(call, command, status=201, location=f"/v1/design-reviews/{review}")


@router.get("", openapi_extra=_READ, dependencies=[fresh(DESIGN_WORK)])
async def list_design_reviews(
    known: DesigningDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[State] | None, Query()] = None,
    as_of: AsOf = None,
) -> Page[DesignReviewView]:
    """List design reviews, those opened last first.

    A page may hold fewer of them than asked for, even none, while more follow.
    """

    async def load(_: str, review: str) -> DesignReviewView:
        return _shown(await known.resources.handler.load(DESIGN_REVIEW, review, as_of=as_of))

    return await known.listed(page, "design_review", service, state, as_of, load)


@router.get("/{review}", response_model=DesignReviewView, openapi_extra=_READ, responses=responses(404))
async def get_design_review(review: str, known: DesigningDep, request: Request, as_of: AsOf = None) -> Response:
    """Read a design review: the design, what is still missing, who must do what next."""
    loaded = await known.resources.handler.load(DESIGN_REVIEW, review, as_of=as_of)
    return etag.answer(request, _shown(loaded), version=loaded.version)


@router.put("/{review}", response_model=DesignReviewView, openapi_extra=_WRITE, responses=responses(404, 409, 422))
async def revise_design(review: str, body: ReviseDesign, call: CallDep) -> Response:
    """Write the design anew, while it is a draft or changes are asked for."""
    command = Revise(review=review, design=body.design, by=actor(call), reason=body.reason, at=call.context.at)
    return await _do(call, command)


@router.post(
    "/{review}:submit", response_model=DesignReviewView, openapi_extra=_WRITE, responses=responses(404, 409, 422)
)
async def submit_design(review: str, call: CallDep) -> Response:
    """Say that somebody from outside can read it; refused while something is missing."""
    return await _do(call, Submit(review=review, by=actor(call), at=call.context.at))


@router.post(
    "/{review}:approve", response_model=DesignReviewView, openapi_extra=_WRITE, responses=responses(403, 404, 409)
)
async def approve_design(review: str, body: Reason, call: CallDep, known: DesigningDep) -> Response:
    """Agree to it, as a person from outside the team that owns the service who wrote none of it."""
    command = Approve(
        review=review,
        insiders=await _insiders(known, review),
        by=actor(call),
        reason=body.reason,
        at=call.context.at,
    )
    return await _do(call, command)


@router.post(
    "/{review}:request-changes",
    response_model=DesignReviewView,
    openapi_extra=_WRITE,
    responses=responses(403, 404, 409),
)
async def request_design_changes(
    review: str, body: RequestDesignChanges, call: CallDep, known: DesigningDep
) -> Response:
    """Say, as somebody from outside, what has to change; then it is written anew and submitted again."""
    command = RequestChanges(
        review=review,
        insiders=await _insiders(known, review),
        changes=body.changes,
        by=actor(call),
        at=call.context.at,
    )
    return await _do(call, command)


@router.post("/{review}:withdraw", response_model=DesignReviewView, openapi_extra=_WRITE, responses=responses(404, 409))
async def withdraw_design(review: str, body: Reason, call: CallDep) -> Response:
    """Give it up: it will not be built like this."""
    return await _do(call, Withdraw(review=review, by=actor(call), reason=body.reason, at=call.context.at))


async def _insiders(known: DesigningDep, review: str) -> frozenset[str]:
    state = _there(await known.resources.handler.load(DESIGN_REVIEW, review))
    return await known.insiders(state.opened.service)


async def _do(call: Call, command: Command, *, status: int = 200, location: str | None = None) -> Response:
    return await call.handle(DESIGN_REVIEW, command.review, command, body=_shown, status=status, location=location)


def _shown(found: Loaded[DesignReview] | Outcome[DesignReview]) -> DesignReviewView:
    return design_review_view(_there(found))


def _there(found: Loaded[DesignReview] | Outcome[DesignReview]) -> Reviewed:
    if found.state is None:
        raise UnknownError("design review", key_of(found))
    return found.state
