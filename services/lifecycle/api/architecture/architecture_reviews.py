"""`/v1/architecture-reviews`: both sides look at what a service is made of, and sign what they decided."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Loaded, Outcome, Step
from libs.events.ids import new_id
from libs.web import etag
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.architecture.architecture_review_schemas import (
    ArchitectureReviewView,
    HoldArchitectureReview,
    PrepareArchitectureReview,
    SignArchitectureReview,
    architecture_review_view,
)
from services.lifecycle.api.architecture.designing import DesigningDep
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.references import living_service
from services.lifecycle.api.reviews.reviewing import Reason, actor
from services.lifecycle.api.views import key_of
from services.lifecycle.contract import ARCHITECTURE, ARCHITECTURE_REVIEW
from services.lifecycle.domain.architecture.commands import Discover
from services.lifecycle.domain.architecture_review.commands import Command, Hold, Prepare, Sign, Withdraw
from services.lifecycle.domain.architecture_review.decider import ArchitectureReview, Looked, State
from services.lifecycle.domain.architecture_review.discoveries import discoveries, in_words_of
from services.lifecycle.domain.architecture_review.events import PreRead
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.projections.design_work import DESIGN_WORK

router = Router(prefix="/v1/architecture-reviews", tags=["architecture-reviews"])
_READ, _WRITE = needs("architecture-reviews.read"), needs("architecture-reviews.write")


@router.post(
    "", status_code=201, response_model=ArchitectureReviewView, openapi_extra=_WRITE, responses=responses(409, 422)
)
async def prepare_architecture_review(body: PrepareArchitectureReview, call: CallDep, known: DesigningDep) -> Response:
    """Say what both sides will look at, and where people read up on it before they meet."""
    await living_service(call.resources, body.service, "service")
    review = body.id or str(new_id())
    command = Prepare(
        review=review,
        service=body.service,
        owner_team=(await known.profile(body.service)).owner_team,
        title=body.title,
        pre_read=PreRead(str(body.pre_read.url), body.pre_read.sent_at or call.context.at),
        by=actor(call),
        at=call.context.at,
    )
    return await _do(call, command, status=201, location=f"/v1/architecture-reviews/{review}")


@router.get("", openapi_extra=_READ, dependencies=[fresh(DESIGN_WORK)])
async def list_architecture_reviews(
    known: DesigningDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[State] | None, Query()] = None,
    as_of: AsOf = None,
) -> Page[ArchitectureReviewView]:
    """List architecture reviews, those prepared last first.

    A page may hold fewer of them than asked for, even none, while more follow.
    """

    async def load(_: str, review: str) -> ArchitectureReviewView:
        return _shown(await known.resources.handler.load(ARCHITECTURE_REVIEW, review, as_of=as_of))

    return await known.listed(page, "architecture_review", service, state, as_of, load)


@router.get("/{review}", response_model=ArchitectureReviewView, openapi_extra=_READ, responses=responses(404))
async def get_architecture_review(review: str, known: DesigningDep, request: Request, as_of: AsOf = None) -> Response:
    """Read an architecture review: who met, what the service is made of, what was decided, who has signed."""
    loaded = await known.resources.handler.load(ARCHITECTURE_REVIEW, review, as_of=as_of)
    return etag.answer(request, _shown(loaded), version=loaded.version)


@router.post(
    "/{review}:hold",
    response_model=ArchitectureReviewView,
    openapi_extra=_WRITE,
    responses=responses(404, 409, 422),
)
async def hold_architecture_review(
    review: str, body: HoldArchitectureReview, call: CallDep, known: DesigningDep
) -> Response:
    """Write down who met and what came out of it; sent again with something else it corrects that, until it is signed.

    A critical component without redundancy, and each antipattern, opens a finding unless there is one already.
    """
    state = _there(await call.resources.handler.load(ARCHITECTURE_REVIEW, review))
    said = body.minutes(state.minutes.held_at if state.minutes else call.context.at)
    minutes, service = in_words_of(known.catalogs, said), state.prepared.service
    found = tuple(discoveries(review, minutes, known.policy, known.catalogs, lambda: str(new_id())))
    command = Hold(
        review=review,
        minutes=minutes,
        insiders=await known.insiders(service),
        policy=known.policy,
        by=actor(call),
        at=call.context.at,
    )
    also: Sequence[Step[Any, Any, Any]] = ()
    if found and state.minutes != minutes:
        discover = Discover(
            service=service, review=review, discoveries=found, by=call.principal.name, at=call.context.at
        )
        also = (Step(ARCHITECTURE, service, discover),)
    return await _do(call, command, also=also)


@router.post(
    "/{review}:sign", response_model=ArchitectureReviewView, openapi_extra=_WRITE, responses=responses(403, 404, 409)
)
async def sign_architecture_review(review: str, body: SignArchitectureReview, call: CallDep) -> Response:
    """Stand up for what was decided, for the side that one was there for; it holds when both sides have signed."""
    return await _do(call, Sign(review=review, side=body.side, by=actor(call), at=call.context.at))


@router.post(
    "/{review}:withdraw", response_model=ArchitectureReviewView, openapi_extra=_WRITE, responses=responses(404, 409)
)
async def withdraw_architecture_review(review: str, body: Reason, call: CallDep) -> Response:
    """Give it up; what was found stays."""
    return await _do(call, Withdraw(review=review, by=actor(call), reason=body.reason, at=call.context.at))


async def _do(
    call: Call,
    command: Command,
    *,
    status: int = 200,
    location: str | None = None,
    also: Sequence[Step[Any, Any, Any]] = (),
) -> Response:
    return await call.handle(
        ARCHITECTURE_REVIEW, command.review, command, body=_shown, status=status, location=location, also=also
    )


def _shown(found: Loaded[ArchitectureReview] | Outcome[ArchitectureReview]) -> ArchitectureReviewView:
    return architecture_review_view(_there(found))


def _there(found: Loaded[ArchitectureReview] | Outcome[ArchitectureReview]) -> Looked:
    if found.state is None:
        raise UnknownError("architecture review", key_of(found))
    return found.state
