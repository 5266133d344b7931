"""What both teams agree on: priorities, goals, definitions, ground rules, working agreements; both acknowledge them."""

from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Outcome
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.engagements import engagement_charter_schemas as schemas
from services.lifecycle.api.engagements.engaged import EngagementsDep, engaged, said, speaker
from services.lifecycle.api.engagements.engagement_charter_schemas import ChapterView, chapter_view
from services.lifecycle.contract import ENGAGEMENT
from services.lifecycle.domain.engagement.charter import OCCASIONS, Entry, Goal, Part, WorkingAgreement
from services.lifecycle.domain.engagement.commands import Acknowledge, Propose
from services.lifecycle.domain.engagement.next_steps import next_steps
from services.lifecycle.domain.engagement.state import Engagement

router = Router(prefix="/v1/engagements/{engagement}", tags=["engagements"])

_READ, _WRITE = needs("engagements.read"), needs("engagements.write")
_REFUSALS = responses(404, 409, 422)


@router.put("/priorities", response_model=ChapterView, openapi_extra=_WRITE, responses=_REFUSALS)
async def propose_priorities(
    engagement: str, body: schemas.ProposePriorities, call: CallDep, terms: EngagementsDep
) -> Response:
    """Propose both sides' priorities in their order; they hold when both sides have acknowledged them."""
    entries = tuple(entry.entry() for entry in body.entries)
    return await _propose(call, engagement, "priorities", entries, body.reason, terms)


@router.put("/goals", response_model=ChapterView, openapi_extra=_WRITE, responses=_REFUSALS)
async def propose_goals(engagement: str, body: schemas.ProposeGoals, call: CallDep, terms: EngagementsDep) -> Response:
    """Propose the shared goals, of reliability and of velocity, in one list."""
    entries = tuple(entry.entry() for entry in body.entries)
    return await _propose(call, engagement, "goals", entries, body.reason, terms)


@router.put("/definitions", response_model=ChapterView, openapi_extra=_WRITE, responses=_REFUSALS)
async def propose_definitions(
    engagement: str, body: schemas.ProposeDefinitions, call: CallDep, terms: EngagementsDep
) -> Response:
    """Propose what the metrics mean that both sides report."""
    entries = tuple(entry.entry() for entry in body.entries)
    return await _propose(call, engagement, "definitions", entries, body.reason, terms)


@router.put("/ground-rules", response_model=ChapterView, openapi_extra=_WRITE, responses=_REFUSALS)
async def propose_ground_rules(
    engagement: str, body: schemas.ProposeGroundRules, call: CallDep, terms: EngagementsDep
) -> Response:
    """Propose the ground rules; those that hold are measured once a day."""
    entries = tuple(entry.entry() for entry in body.entries)
    return await _propose(call, engagement, "ground_rules", entries, body.reason, terms)


@router.put("/working-agreements", response_model=ChapterView, openapi_extra=_WRITE, responses=_REFUSALS)
async def propose_working_agreements(
    engagement: str, body: schemas.ProposeWorkingAgreements, call: CallDep, terms: EngagementsDep
) -> Response:
    """Propose how both sides go about releases, incidents and reviews; templates come with the program."""
    entries = tuple(entry.entry() for entry in body.entries)
    return await _propose(call, engagement, "working_agreements", entries, body.reason, terms)


def _read_and_acknowledge(part: Part, what: str) -> None:
    """The two routes that are the same for every part."""
    path = "/" + part.replace("_", "-")

    async def read(engagement: str, resources: ResourcesDep, request: Request, as_of: AsOf = None) -> Response:
        loaded = await resources.handler.load(ENGAGEMENT, engagement, as_of=as_of)
        view = _view(engaged(loaded), part, as_of or resources.clock.now())
        return etag.answer(request, view, version=loaded.version)

    async def acknowledge(engagement: str, body: schemas.AcknowledgeEdition, call: CallDep) -> Response:
        state = engaged(await call.resources.handler.load(ENGAGEMENT, engagement))
        command = Acknowledge(
            **said(call, engagement, body.reason),
            part=part,
            version=body.version,
            side=body.side,
            speaker=await speaker(call, state.team(body.side)),
        )
        return await call.handle(ENGAGEMENT, engagement, command, body=_shown(part, call.context.at))

    read.__doc__ = f"Read {what}: what holds, and what waits for somebody."
    acknowledge.__doc__ = f"Agree for one side to the edition of {what} that was read."
    router.get(path, name=f"get_{part}", response_model=ChapterView, openapi_extra=_READ, responses=responses(404))(
        read
    )
    router.post(
        f"{path}:acknowledge",
        name=f"acknowledge_{part}",
        response_model=ChapterView,
        openapi_extra=_WRITE,
        responses=responses(403, 404, 409),
    )(acknowledge)


_read_and_acknowledge("priorities", "both sides' priorities")
_read_and_acknowledge("goals", "the shared goals")
_read_and_acknowledge("definitions", "the shared definitions")
_read_and_acknowledge("ground_rules", "the ground rules")
_read_and_acknowledge("working_agreements", "how both sides go about releases, incidents and reviews")


async def _propose(
    call: Call, engagement: str, part: Part, entries: tuple[Entry, ...], reason: str, terms: EngagementsDep
) -> Response:
    command = Propose(
        **said(call, engagement, reason), part=part, entries=entries, metrics=frozenset(terms.policy.metrics)
    )
    return await call.handle(ENGAGEMENT, engagement, command, body=_shown(part, call.context.at))


def _shown(part: Part, at: datetime) -> Callable[[Outcome[Engagement | None]], ChapterView]:
    return lambda outcome: _view(engaged(outcome), part, at)


def _view(state: Engagement, part: Part, at: datetime) -> ChapterView:
    path = f"/v1/engagements/{state.engagement}/{part.replace('_', '-')}"
    steps = tuple(step for step in next_steps(state, at) if path in step.how)
    return chapter_view(state.chapter(part), steps, _note(state, part))


def _note(state: Engagement, part: Part) -> str:
    """What two teams may want to know about what they wrote."""
    newest = state.chapter(part).newest
    if newest is None:
        return ""
    if part == "working_agreements":
        agreed = {entry.occasion for entry in newest.entries if isinstance(entry, WorkingAgreement)}
        missing = [f"{occasion}s" for occasion in OCCASIONS if occasion not in agreed]
        return f"nothing is agreed about {' and '.join(missing)}" if missing else ""
    if part != "goals":
        return ""
    kinds = {entry.kind for entry in newest.entries if isinstance(entry, Goal)}
    lacking = {"reliability", "velocity"} - kinds
    return f"no goal of {lacking.pop()}: reliability and velocity balance each other" if lacking else ""
