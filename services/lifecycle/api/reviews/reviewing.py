"""What all routes of readiness reviews share: the review, its policy, its timers, and what the platform knows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Body, Depends
from starlette.requests import Request
from starlette.responses import Response

from libs.events import codec
from libs.events.handler import Effects, Outcome, Step
from libs.events.resources import Resources
from libs.events.store import Timer
from libs.web.auth import needs
from libs.web.calls import Call
from services.lifecycle.api.asked import Gates
from services.lifecycle.api.reviews.readiness_review_schemas import ReviewView, review_view
from services.lifecycle.api.reviews.review_verdict_schemas import Why
from services.lifecycle.api.views import live
from services.lifecycle.contract import READINESS_REVIEW, SERVICE
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.readiness_review.commands import Command
from services.lifecycle.domain.readiness_review.events import Event, FindingWaived, ReviewApproved
from services.lifecycle.domain.readiness_review.policy import ReviewPolicy
from services.lifecycle.domain.readiness_review.state import Approved, Ended, Review, Underway, end_of
from services.lifecycle.domain.service.commands import Actor
from services.lifecycle.domain.service.decider import Profile

READ, WRITE = needs("readiness-reviews.read"), needs("readiness-reviews.write")
Reason = Annotated[Why, Body(default_factory=Why)]


@dataclass(frozen=True, slots=True)
class Reviews:
    """Reviews as they are answered here.

    Args:
        resources: The service's adapters.
        policy: What limits them.
    """

    resources: Resources
    policy: ReviewPolicy

    async def load(self, review: str, as_of: datetime | None = None) -> tuple[Underway | Approved | Ended, int]:
        """A review, and its version.

        Raises:
            UnknownError: There is none.
        """
        loaded = await self.resources.handler.load(READINESS_REVIEW, review, as_of=as_of)
        return _there(loaded.state, review), loaded.version

    async def service_of(self, state: Underway | Approved | Ended, as_of: datetime | None = None) -> Profile:
        """The service that is reviewed."""
        service = state.record.request.service
        return live(await self.resources.handler.load(SERVICE, service, as_of=as_of)).profile

    async def view(self, state: Underway | Approved | Ended, as_of: datetime | None = None) -> ReviewView:
        """A review as it is answered."""
        profile = await self.service_of(state, as_of)
        return review_view(state, profile.tier, self.policy, as_of or self.resources.clock.now())

    def shown(self, review: str, tier: int, at: datetime) -> Callable[[Outcome[Review]], ReviewView]:
        """Makes the answer to a command."""
        return lambda outcome: review_view(_there(outcome.state, review), tier, self.policy, at)


async def _reviews(request: Request) -> Reviews:
    return Reviews(request.app.state.resources, request.app.state.policies.reviews)


ReviewsDep = Annotated[Reviews, Depends(_reviews)]


def actor(call: Call) -> Actor:
    """Who sends the request."""
    return Actor(call.principal.name, is_person=call.principal.kind == "person")


def timers(state: Review, events: tuple[Event, ...]) -> Effects:
    """What has to be looked at again: the end of an approval, of a condition's day, of a waiver."""
    if state is None:
        return Effects()
    review = state.record.request.review
    stream, payload = READINESS_REVIEW.stream(review), codec.encode({"key": review})
    due: list[tuple[str, datetime]] = []
    for event in events:
        match event:
            case ReviewApproved():
                due.append(("approval", event.expires_at))
                due.extend((f"condition/{each.condition}", end_of(each.due)) for each in event.conditions)
            case FindingWaived():
                due.append((f"finding/{event.finding}", event.until))
            case _:
                pass
    return Effects(schedule=tuple(Timer(f"{stream}/{key}", at, READINESS_REVIEW.category, payload) for key, at in due))


async def do(
    call: Call,
    known: Reviews,
    review: str,
    command: Command,
    *,
    also: Sequence[Step[Command, Review, Event]] = (),
) -> Response:
    """Carry out *command* and answer the review."""
    state, _ = await known.load(review)
    tier = (await known.service_of(state)).tier
    shown = known.shown(review, tier, call.context.at)
    return await call.handle(READINESS_REVIEW, review, command, body=shown, effects=timers, also=also)


async def checks_now(known: Reviews, gates: Gates, review: str, at: datetime) -> tuple[CheckResult, ...]:
    """What the platform knows now of the items that it can answer."""
    state, _ = await known.load(review)
    names = dict.fromkeys(item.check for item in state.record.items.values() if item.check)
    return await gates.look(await known.service_of(state), names, at)


def _there(state: Review, review: str) -> Underway | Approved | Ended:
    if state is None:
        raise UnknownError("readiness review", review)
    return state
