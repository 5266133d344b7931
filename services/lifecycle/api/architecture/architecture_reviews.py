"""`/v1/architecture-reviews`: both sides look at what a service is made of, and sign what they decided."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from libs.events import codec
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
    Beside,
    HoldArchitectureReview,
    PrepareArchitectureReview,
    SignArchitectureReview,
    architecture_review_view,
)
from services.lifecycle.api.architecture.designing import Designing, DesigningDep
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.references import living_service
from services.lifecycle.api.reviews.reviewing import Reason, actor
from services.lifecycle.api.views import key_of
from services.lifecycle.contract import ARCHITECTURE, ARCHITECTURE_REVIEW, DEPENDENCIES
from services.lifecycle.domain.architecture.commands import Discover
from services.lifecycle.domain.architecture_review.commands import Command, Hold, Prepare, Sign, Withdraw
from services.lifecycle.domain.architecture_review.decider import ArchitectureReview, Looked, State
from services.lifecycle.domain.architecture_review.discoveries import discoveries, in_words_of
from services.lifecycle.domain.architecture_review.events import ArchitectureReviewPrepared, Minutes, PreRead
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.projections.design_work import DESIGN_WORK, architecture_review_before
from services.lifecycle.projections.services import phases_of

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
    return await _do(call, known, command, status=201, location=f"/v1/architecture-reviews/{review}")


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
        found = _there(await known.resources.handler.load(ARCHITECTURE_REVIEW, review, as_of=as_of))
        return architecture_review_view(found, await _beside(known, found.prepared, found.minutes, as_of))

    return await known.listed(page, "architecture_review", service, state, as_of, load)


@router.get("/{review}", response_model=ArchitectureReviewView, openapi_extra=_READ, responses=responses(404))
async def get_architecture_review(review: str, known: DesigningDep, as_of: AsOf = None) -> Response:
    """Read an architecture review: who met, what the service is made of, what was decided, who has signed.

    `components` says what is otherwise than in the review before, and than in the dependency graph.
    """
    loaded = await known.resources.handler.load(ARCHITECTURE_REVIEW, review, as_of=as_of)
    found = _there(loaded)
    body = codec.encode(architecture_review_view(found, await _beside(known, found.prepared, found.minutes, as_of)))
    # The version is what If-Match takes; what it is compared with moves without it, so nothing is answered 304.
    return Response(body, headers={"ETag": etag.strong(loaded.version)}, media_type="application/json")


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
    return await _do(call, known, command, also=also)


@router.post(
    "/{review}:sign", response_model=ArchitectureReviewView, openapi_extra=_WRITE, responses=responses(403, 404, 409)
)
async def sign_architecture_review(
    review: str, body: SignArchitectureReview, call: CallDep, known: DesigningDep
) -> Response:
    """Stand up for what was decided, for the side that one was there for; it holds when both sides have signed."""
    return await _do(call, known, Sign(review=review, side=body.side, by=actor(call), at=call.context.at))


@router.post(
    "/{review}:withdraw", response_model=ArchitectureReviewView, openapi_extra=_WRITE, responses=responses(404, 409)
)
async def withdraw_architecture_review(review: str, body: Reason, call: CallDep, known: DesigningDep) -> Response:
    """Give it up; what was found stays."""
    return await _do(call, known, Withdraw(review=review, by=actor(call), reason=body.reason, at=call.context.at))


async def _do(
    call: Call,
    known: Designing,
    command: Command,
    *,
    status: int = 200,
    location: str | None = None,
    also: Sequence[Step[Any, Any, Any]] = (),
) -> Response:
    state = (await call.resources.handler.load(ARCHITECTURE_REVIEW, command.review)).state
    minutes = command.minutes if isinstance(command, Hold) else state.minutes if state else None
    beside = await _beside(known, state.prepared, minutes) if state else Beside(None, {}, frozenset())

    def shown(outcome: Outcome[ArchitectureReview]) -> ArchitectureReviewView:
        return architecture_review_view(_there(outcome), beside)

    return await call.handle(
        ARCHITECTURE_REVIEW, command.review, command, body=shown, status=status, location=location, also=also
    )


async def _beside(
    known: Designing, prepared: ArchitectureReviewPrepared, minutes: Minutes | None, as_of: datetime | None = None
) -> Beside:
    """What the components of a review are compared with; nothing, until it was held."""
    if minutes is None:
        return Beside(None, {}, frozenset())
    load, service = known.resources.handler.load, prepared.service
    earlier = await known.resources.views.read(architecture_review_before, service, prepared.review, prepared.at, as_of)
    before = (await load(ARCHITECTURE_REVIEW, earlier, as_of=as_of)).state if earlier else None
    needs = (await load(DEPENDENCIES, service, as_of=as_of)).state.on
    names = {"-".join(each.name.lower().replace("_", " ").split()) for each in minutes.components}
    found = await known.resources.views.read(phases_of, names)
    return Beside(before, {name: one.criticality for name, one in needs.items()}, frozenset(found))


def _there(found: Loaded[ArchitectureReview] | Outcome[ArchitectureReview]) -> Looked:
    if found.state is None:
        raise UnknownError("architecture review", key_of(found))
    return found.state
