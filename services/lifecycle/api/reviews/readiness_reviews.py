"""`/v1/readiness-reviews`: asked for, held, decided; and what follows an approval."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Body, Query
from starlette.responses import Response

from libs.events import codec
from libs.events.errors import ReservedError
from libs.events.handler import Effects, Step
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.events.store import Reservation
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.etag import strong
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf, Gates, GatesDep
from services.lifecycle.api.references import living_team
from services.lifecycle.api.reviews.readiness_review_schemas import (
    RequestReview,
    ReviewerBody,
    ReviewersBody,
    ReviewView,
)
from services.lifecycle.api.reviews.review_templates import ShelfDep
from services.lifecycle.api.reviews.review_verdict_schemas import ApproveReview, DeclineReview, MeetConditionBody
from services.lifecycle.api.reviews.reviewing import READ, WRITE, Reason, Reviews, ReviewsDep, actor, checks_now, do
from services.lifecycle.contract import READINESS_REVIEW, SERVICE, TEAM
from services.lifecycle.domain.errors import UnknownError, UnknownReferenceError
from services.lifecycle.domain.readiness_review.commands import (
    Advance,
    Approve,
    ChangeReviewers,
    Decline,
    Follow,
    MeetCondition,
    ReportMajorChange,
    Supersede,
    Withdraw,
)
from services.lifecycle.domain.readiness_review.commands import Request as RequestCommand
from services.lifecycle.domain.readiness_review.errors import ReviewersError, ReviewUnderwayError
from services.lifecycle.domain.readiness_review.events import (
    Condition,
    FrameworkVersion,
    Reviewer,
)
from services.lifecycle.domain.readiness_review.state import (
    Approved,
    Ended,
    ReviewState,
    Underway,
    state_of,
)
from services.lifecycle.domain.team.decider import Registered
from services.lifecycle.projections.readiness_reviews import READINESS_REVIEWS, reviews

_SCOPE = "readiness-review"  # of the reservations `<service>/<number>`, which make numbers unique and in order

router = Router(prefix="/v1/readiness-reviews", tags=["readiness-reviews"])


@router.post("", status_code=201, response_model=ReviewView, openapi_extra=WRITE, responses=responses(409, 422))
async def request_review(body: RequestReview, call: CallDep, known: ReviewsDep, shelf: ShelfDep) -> Response:
    """Ask for a production readiness review of a service.

    A service has one review under way at a time. A delta review takes over the answers of an approved one, except for
    what has changed; it supersedes that one when it is approved.
    """
    resources = call.resources
    found = (await resources.handler.load(SERVICE, body.service)).state
    if found is None:
        raise UnknownReferenceError("service", body.service, "service")
    profile = found.profile
    try:
        template = await shelf.version(body.template, body.template_version)
    except UnknownError as error:
        raise UnknownReferenceError(error.noun, error.name, "template") from error
    previous = await _previous(resources, body.delta_of)
    number, supersedes = await _in_line(resources, body.service)
    review = str(new_id())
    command = RequestCommand(
        review=review,
        service=body.service,
        number=number,
        model=body.model,
        target_phase=body.target_phase,
        template=template.template,
        template_version=template.version,
        items=template.items,
        owner_team=profile.owner_team,
        service_phase=profile.phase,
        tier=profile.tier,
        reviewers=await _reviewers(resources, body.reviewers, profile.owner_team),
        decides_blockers=body.decides_blockers,
        frameworks=tuple(FrameworkVersion(each.name, each.version) for each in body.frameworks),
        previous=previous,
        changed=tuple(body.changed),
        finding_ids={name: str(new_id()) for name in previous.record.findings} if previous else {},
        supersedes=supersedes,
        policy=known.policy,
        by=actor(call),
        reason=body.reason,
        at=call.context.at,
    )
    place = Reservation(_SCOPE, f"{body.service}/{number}", READINESS_REVIEW.stream(review))
    try:
        return await call.handle(
            READINESS_REVIEW,
            review,
            command,
            body=known.shown(review, profile.tier, call.context.at),
            status=201,
            location=f"/v1/readiness-reviews/{review}",
            effects=Effects(reserve=(place,)),
        )
    except ReservedError as error:  # another request was faster
        raise ReviewUnderwayError(body.service, error.holder.partition("/")[2]) from error


@router.get("", openapi_extra=READ, dependencies=[fresh(READINESS_REVIEWS)])
async def list_reviews(
    known: ReviewsDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[ReviewState] | None, Query()] = None,
    reviewer: Annotated[list[str] | None, Query(description="A person who reviews.")] = None,
    as_of: AsOf = None,
) -> Page[ReviewView]:
    """List reviews, those asked for last first.

    With `as_of` a page may hold fewer reviews than asked for, even none, while more follow.
    """
    view = READINESS_REVIEWS.view
    query = reviews(service or [], state or [], reviewer or [], as_of)
    found = await known.resources.views.read(
        page.fetch,
        query,
        key=view.c.review,
        orders={"requested_at": view.c.requested_at, "state_since": view.c.state_since},
        item=lambda row: str(row["review"]),
        descending=True,
    )
    then = [(await known.load(each, as_of))[0] for each in found.items]
    items = [await known.view(each, as_of) for each in then if _fits(each, state or [], reviewer or [])]
    return Page(items=items, next_page_token=found.next_page_token)


@router.get("/{review}", response_model=ReviewView, openapi_extra=READ, responses=responses(404))
async def get_review(review: str, known: ReviewsDep, as_of: AsOf = None) -> Response:
    """Read a review: how it stands, what is missing, who must do what next and why."""
    state, version = await known.load(review, as_of)
    body = await known.view(state, as_of)
    # The version is what If-Match takes; what is next moves with the time, so nothing is answered 304.
    return Response(codec.encode(body), headers={"ETag": strong(version)}, media_type="application/json")


@router.patch(
    "/{review}",
    response_model=ReviewView,
    openapi_extra=needs("readiness-reviews.write", if_match=True),
    responses=responses(403, 404, 409, 422, 428),
)
async def change_reviewers(review: str, body: ReviewersBody, call: CallDep, known: ReviewsDep) -> Response:
    """Let others review; whoever asked for the review cannot choose again alone."""
    state, _ = await known.load(review)
    command = ChangeReviewers(
        review=review,
        reviewers=await _reviewers(call.resources, body.reviewers, state.record.request.owner_team),
        decides_blockers=body.decides_blockers,
        policy=known.policy,
        by=actor(call),
        reason=body.reason,
        at=call.context.at,
    )
    return await do(call, known, review, command)


@router.post("/{review}:engage", response_model=ReviewView, openapi_extra=WRITE, responses=responses(403, 404, 409))
async def engage_review(review: str, call: CallDep, known: ReviewsDep, gates: GatesDep, body: Reason) -> Response:
    """Agree, as a reviewer, what is looked at."""
    return await _advance(call, known, gates, review, "engagement", body.reason)


@router.post("/{review}:analyze", response_model=ReviewView, openapi_extra=WRITE, responses=responses(403, 404, 409))
async def analyze_review(review: str, call: CallDep, known: ReviewsDep, gates: GatesDep, body: Reason) -> Response:
    """Begin, as a reviewer, to look at the service."""
    return await _advance(call, known, gates, review, "analysis", body.reason)


@router.post("/{review}:improve", response_model=ReviewView, openapi_extra=WRITE, responses=responses(403, 404, 409))
async def improve_review(review: str, call: CallDep, known: ReviewsDep, gates: GatesDep, body: Reason) -> Response:
    """Close the analysis, as a reviewer: now what was found is brought in order."""
    return await _advance(call, known, gates, review, "improvements", body.reason)


@router.post(
    "/{review}:approve", response_model=ReviewView, openapi_extra=WRITE, responses=responses(403, 404, 409, 422)
)
async def approve_review(
    review: str,
    body: Annotated[ApproveReview, Body(default_factory=ApproveReview)],
    call: CallDep,
    known: ReviewsDep,
    gates: GatesDep,
) -> Response:
    """Say, as the one who decides blockers, that the service is ready; for what is conditional, under conditions.

    Refused while a blocking item of the review's phase is not met, or a blocking finding is not settled. What the
    platform knows is asked again at this moment.
    """
    state, _ = await known.load(review)
    command = Approve(
        review=review,
        conditions=tuple(
            Condition(str(number), each.text, each.owner, each.due, each.item, each.finding)
            for number, each in enumerate(body.conditions, 1)
        ),
        looked_at=body.looked_at,
        checks=await checks_now(known, gates, review, call.context.at),
        tier=(await known.service_of(state)).tier,
        policy=known.policy,
        by=actor(call),
        reason=body.reason,
        at=call.context.at,
    )
    supersedes = state.record.request.supersedes
    also = [Step(READINESS_REVIEW, supersedes, Supersede(supersedes, review, call.context.at))] if supersedes else []
    return await do(call, known, review, command, also=also if isinstance(state, Underway) else ())


@router.post(
    "/{review}/conditions/{condition}:meet",
    response_model=ReviewView,
    openapi_extra=WRITE,
    responses=responses(403, 404, 409, 422),
)
async def meet_condition(
    review: str, condition: str, body: MeetConditionBody, call: CallDep, known: ReviewsDep
) -> Response:
    """Confirm, as a reviewer who does not own it, that a condition of the approval is met."""
    command = MeetCondition(
        review=review,
        condition=condition,
        url=str(body.url),
        by=actor(call),
        reason=body.reason,
        at=call.context.at,
    )
    return await do(call, known, review, command)


@router.post("/{review}:decline", response_model=ReviewView, openapi_extra=WRITE, responses=responses(403, 404, 409))
async def decline_review(review: str, body: DeclineReview, call: CallDep, known: ReviewsDep) -> Response:
    """Say, as the one who decides blockers, that the service is not ready, and what would make it so."""
    command = Decline(review=review, guidance=body.guidance, by=actor(call), reason=body.reason, at=call.context.at)
    return await do(call, known, review, command)


@router.post("/{review}:withdraw", response_model=ReviewView, openapi_extra=WRITE, responses=responses(404, 409, 422))
async def withdraw_review(review: str, body: Reason, call: CallDep, known: ReviewsDep) -> Response:
    """Give a review up."""
    command = Withdraw(review=review, by=actor(call), reason=body.reason, at=call.context.at)
    return await do(call, known, review, command)


@router.post("/{review}:train", response_model=ReviewView, openapi_extra=WRITE, responses=responses(403, 404, 409))
async def begin_training(review: str, body: Reason, call: CallDep, known: ReviewsDep) -> Response:
    """After the approval: begin to train those who will run the service."""
    return await _follow(call, known, review, "training", body.reason)


@router.post("/{review}:onboard", response_model=ReviewView, openapi_extra=WRITE, responses=responses(403, 404, 409))
async def begin_onboarding(review: str, body: Reason, call: CallDep, known: ReviewsDep) -> Response:
    """After the training: begin to take the service over, bit by bit."""
    return await _follow(call, known, review, "onboarding", body.reason)


@router.post("/{review}:continue", response_model=ReviewView, openapi_extra=WRITE, responses=responses(403, 404, 409))
async def begin_continuous_improvement(review: str, body: Reason, call: CallDep, known: ReviewsDep) -> Response:
    """After the take-over: look after reliability for as long as the service lives."""
    return await _follow(call, known, review, "continuous", body.reason)


@router.post(
    "/{review}:report-major-change",
    response_model=ReviewView,
    openapi_extra=WRITE,
    responses=responses(404, 409, 422),
)
async def report_major_change(review: str, body: Reason, call: CallDep, known: ReviewsDep) -> Response:
    """Say that the service is not what was reviewed any more: the approval is over, and a delta review is due."""
    command = ReportMajorChange(review=review, by=actor(call), reason=body.reason, at=call.context.at)
    return await do(call, known, review, command)


def _fits(state: Underway | Approved | Ended, states: Sequence[str], reviewers: Sequence[str]) -> bool:
    named = set(reviewers) & set(state.record.people)
    return (not states or state_of(state) in states) and (not reviewers or bool(named))


async def _advance(
    call: Call,
    known: Reviews,
    gates: Gates,
    review: str,
    to: Literal["engagement", "analysis", "improvements"],
    reason: str,
) -> Response:
    checks = await checks_now(known, gates, review, call.context.at)
    command = Advance(review=review, to=to, checks=checks, by=actor(call), reason=reason, at=call.context.at)
    return await do(call, known, review, command)


async def _follow(
    call: Call, known: Reviews, review: str, to: Literal["training", "onboarding", "continuous"], reason: str
) -> Response:
    return await do(
        call, known, review, Follow(review=review, to=to, by=actor(call), reason=reason, at=call.context.at)
    )


async def _previous(resources: Resources, review: str | None) -> Underway | Approved | Ended | None:
    if review is None:
        return None
    state = (await resources.handler.load(READINESS_REVIEW, review)).state
    if state is None:
        raise UnknownReferenceError("readiness review", review, "delta_of")
    return state


async def _in_line(resources: Resources, service: str) -> tuple[int, str]:
    """The number of the next review of *service*, and the approved one that it would supersede, if any.

    Raises:
        ReviewUnderwayError: One is under way.
    """
    number, approved = 1, ""
    while (holder := await resources.store.holder(_SCOPE, f"{service}/{number}")) is not None:
        review = holder.partition("/")[2]
        match (await resources.handler.load(READINESS_REVIEW, review)).state:
            case Underway():
                raise ReviewUnderwayError(service, review)
            case Approved():
                approved = review
            case _:
                pass
        number += 1
    return number, approved


async def _reviewers(resources: Resources, named: list[ReviewerBody], owner_team: str) -> tuple[Reviewer, ...]:
    """Who reviews, and whether from outside: of another team than the service's, and none of its people.

    Raises:
        UnknownReferenceError: There is no such team.
        ReferenceEndedError: The team has ended.
        ReviewersError: The service has no team, or somebody is not in the team they are named for.
    """
    if not owner_team:
        detail = "the service has no owner_team, so nobody can be from outside it; set it first (PATCH the service)"
        raise ReviewersError("/service", detail)
    owner = (await resources.handler.load(TEAM, owner_team)).state
    builders = _people(owner) if isinstance(owner, Registered) else set[str]()
    reviewers: list[Reviewer] = []
    for index, each in enumerate(named):
        people = _people(await living_team(resources, each.team, f"reviewers/{index}/team"))
        if people and each.person not in people:
            detail = f"{each.person} is not in team {each.team!r}; name their own team, or add them to it"
            pointer = f"/reviewers/{index}/person"
            raise ReviewersError(pointer, detail)
        reviewers.append(Reviewer(each.person, each.team, each.team != owner_team and each.person not in builders))
    return tuple(reviewers)


def _people(team: Registered) -> set[str]:
    structure = team.structure
    return {*structure.members, *structure.leads, *([structure.product] if structure.product else [])}
