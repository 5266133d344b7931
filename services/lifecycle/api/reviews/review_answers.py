"""`/v1/readiness-reviews/{review}/answers`: what is asked, and what was answered."""

from typing import Annotated

from fastapi import Query
from starlette.responses import Response

from libs.web.calls import Call, CallDep
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf, GatesDep
from services.lifecycle.api.reviews.readiness_review_schemas import ReviewView
from services.lifecycle.api.reviews.review_answer_schemas import AnswerBody, AnswersBody, ReviewItemView, item_view
from services.lifecycle.api.reviews.reviewing import READ, WRITE, Reviews, ReviewsDep, actor, checks_now, do
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.readiness_review.commands import Answer, Collect, Said

router = Router(prefix="/v1/readiness-reviews", tags=["readiness-reviews"])


@router.get("/{review}/answers", response_model=Page[ReviewItemView], openapi_extra=READ, responses=responses(404))
async def list_answers(
    review: str,
    known: ReviewsDep,
    page: PageDep,
    axis: Annotated[list[str] | None, Query()] = None,
    blocks: Annotated[  # noqa: FBT002  a parameter
        bool, Query(description="Only those that keep the review from being approved.")
    ] = False,
    as_of: AsOf = None,
) -> Page[ReviewItemView]:
    """List the items of a review with their answers, in the order of the checklist."""
    state, _ = await known.load(review, as_of)
    tier = (await known.service_of(state, as_of)).tier
    return page.cut(
        [item_view(state.record, item, tier) for item in state.record.items.values()],
        place=lambda view: view.item.id,
        shown=lambda view: (not axis or view.item.axis in axis) and (view.blocks or not blocks),
    )


@router.put("/{review}/answers", response_model=ReviewView, openapi_extra=WRITE, responses=responses(404, 409, 422))
async def answer_items(review: str, body: AnswersBody, call: CallDep, known: ReviewsDep) -> Response:
    """Answer several items, all of them or none."""
    return await _answer(call, known, review, [(each.item, each) for each in body.answers])


@router.put(
    "/{review}/answers/{item}", response_model=ReviewView, openapi_extra=WRITE, responses=responses(404, 409, 422)
)
async def answer_item(review: str, item: str, body: AnswerBody, call: CallDep, known: ReviewsDep) -> Response:
    """Answer one item: with a link, an attestation, what is missing, or why it does not apply."""
    state, _ = await known.load(review)
    if item not in state.record.items:
        raise UnknownError("item of this review", item)
    return await _answer(call, known, review, [(item, body)])


@router.post("/{review}:collect", response_model=ReviewView, openapi_extra=WRITE, responses=responses(404, 409))
async def collect_answers(review: str, call: CallDep, known: ReviewsDep, gates: GatesDep) -> Response:
    """Answer the items that the platform knows about by what it knows now; every step of a review does so too."""
    checks = await checks_now(known, gates, review, call.context.at)
    return await do(call, known, review, Collect(review=review, checks=checks, by=actor(call), at=call.context.at))


async def _answer(call: Call, known: Reviews, review: str, answers: list[tuple[str, AnswerBody]]) -> Response:
    said = tuple(
        Said(item, each.verdict, str(each.url) if each.url else "", each.note, each.at or call.context.at)
        for item, each in answers
    )
    return await do(call, known, review, Answer(review=review, answers=said, by=actor(call), at=call.context.at))
