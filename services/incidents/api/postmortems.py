"""Postmortems: draft from an incident, write, review, publish."""

from typing import Annotated, Any

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from libs.events.errors import ReservedError
from libs.events.handler import Effects, Step
from libs.events.ids import new_id
from libs.events.store import Reservation
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.auth import principal as principal_of
from libs.web.calls import Call, CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.etag import answer
from libs.web.pagination import Page, PageDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.incidents.api.filters import matching
from services.incidents.api.postmortem_schemas import (
    Amendment,
    Approval,
    Draft,
    PostmortemAnswer,
    PostmortemItem,
    PostmortemState,
    Submission,
    postmortem_answer,
)
from services.incidents.api.postmortem_templates import Shelf, ShelfDep
from services.incidents.api.postmortem_versions import AsOf, Version
from services.incidents.api.schemas import Why, of_row
from services.incidents.api.verbs import Id, add_verbs
from services.incidents.api.whoever import side_of
from services.incidents.contract import DUTY, INCIDENT, POSTMORTEM
from services.incidents.domain.errors import AbsentError, UnknownReferenceError
from services.incidents.domain.incident.commands import Classify
from services.incidents.domain.incident.state import Cancelled
from services.incidents.domain.learning import LearningPolicy
from services.incidents.domain.postmortem import commands
from services.incidents.domain.postmortem.errors import NoReviewerError
from services.incidents.domain.postmortem.events import Reviewer
from services.incidents.domain.postmortem.state import Known
from services.incidents.domain.postmortem_duty.commands import Meet
from services.incidents.domain.postmortem_duty.events import Stage
from services.incidents.effects import find_incident, incident_effects
from services.incidents.looking_back import ONE_EACH, History, look_back
from services.incidents.projections.postmortems import POSTMORTEMS, listed
from services.incidents.projections.surroundings import SURROUNDINGS, unknown_risks
from services.incidents.timetable import owing

router = Router(prefix="/v1/postmortems", tags=["postmortems"])
_READ, _WRITE = needs("postmortems.read"), needs("postmortems.write")


async def _policy(request: Request) -> LearningPolicy:
    return request.app.state.learning


PolicyDep = Annotated[LearningPolicy, Depends(_policy)]


@router.post("", status_code=201, response_model=PostmortemAnswer, openapi_extra=_WRITE)
async def draft_postmortem(call: CallDep, body: Draft, shelf: ShelfDep, policy: PolicyDep) -> Response:
    """Begin one for an incident, with its timeline, times, figures and people written down; an incident has one."""
    resources, postmortem = call.resources, str(new_id())
    incident = await find_incident(resources.store, body.incident)
    seen = await look_back(resources, incident)
    if seen is None:
        raise UnknownReferenceError("incident", body.incident, "GET /v1/incidents lists them")
    command = commands.Draft(
        postmortem=postmortem,
        incident=seen.record,
        incident_version=seen.version,
        timeline=seen.timeline,
        participants=seen.participants,
        budgets=seen.budgets,
        template=_template(shelf, body.template),
        by=call.principal.name,
        reason=body.reason,
        at=call.context.at,
    )
    only = Reservation(ONE_EACH, incident, POSTMORTEM.stream(postmortem))
    try:
        return await call.handle(
            POSTMORTEM,
            postmortem,
            command,
            body=lambda outcome: postmortem_answer(outcome.state),
            status=201,
            location=f"/v1/postmortems/{postmortem}",
            effects=Effects(reserve=(only,)),
            also=(_met(call, incident, "draft", policy),),
        )
    except ReservedError as error:
        raise _exists(body.incident, error.holder.partition("/")[2]) from error


@router.get("", openapi_extra=_READ, dependencies=[fresh(POSTMORTEMS)])
async def list_postmortems(
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[PostmortemState] | None, Query()] = None,
    incident: Annotated[list[str] | None, Query()] = None,
) -> Page[PostmortemItem]:
    """Postmortems in all states unless filtered, the newest first."""
    c = POSTMORTEMS.view.c
    incidents = [await find_incident(resources.store, reference) for reference in incident or ()]
    query = listed().where(*matching({c.service: service, c.state: state, c.incident: incidents}))
    return await resources.views.read(
        page.fetch, query, key=c.id, item=lambda row: of_row(PostmortemItem, row), descending=True
    )


@router.get("/{id}", response_model=PostmortemAnswer, openapi_extra=_READ, responses=responses(404))
async def get_postmortem(
    request: Request, resources: ResourcesDep, reference: Id, as_of: AsOf = None, version: Version = None
) -> Response:
    """One postmortem whole, as it is, as it was known at a time, or in one of its versions."""
    if version is None:
        loaded = await resources.handler.load(POSTMORTEM, reference, as_of=as_of)
        return answer(request, postmortem_answer(loaded.state), version=loaded.version)
    found = (await History.of(resources, reference)).at(version)
    return answer(request, postmortem_answer(found))


@router.patch(
    "/{id}",
    response_model=PostmortemAnswer,
    openapi_extra=needs("postmortems.write", if_match=True),
    responses=responses(404, 422),
    dependencies=[fresh(SURROUNDINGS)],
)
async def amend_postmortem(call: CallDep, reference: Id, body: Amendment) -> Response:
    """A JSON merge patch of its sections and authors; approvals of what it said before count no more."""
    if body.risks and (unknown := await call.resources.views.read(unknown_risks, body.risks)):
        place = f"risks/{body.risks.index(unknown[0])}"
        raise UnknownReferenceError("risk", unknown[0], "GET /v1/risks lists the register", place)
    authors = tuple(dict.fromkeys(body.authors)) or None
    command = commands.Amend(
        sections=body.sections(),
        authors=authors,
        by=call.principal.name,
        reason=body.reason,
        at=call.context.at,
    )
    return await _carry(call, reference, command)


@router.post("/{id}:submit", response_model=PostmortemAnswer, openapi_extra=_WRITE, responses=responses(404, 422))
async def submit_postmortem(call: CallDep, reference: Id, body: Submission | None = None) -> Response:
    """Ask SRE and product engineering to read it; in review, with other reviewers, who all approve it anew."""
    asked = body or Submission()
    for index, each in enumerate(asked.reviewers):
        side = await side_of(call.resources, each.person, f"reviewers/{index}/person")
        if side not in {None, each.side}:
            why = f"belongs to the side {side}; name somebody of {each.side}"
            raise NoReviewerError(each.person, why, f"/reviewers/{index}/side")
    reviewers = tuple(Reviewer(person=each.person, side=each.side) for each in asked.reviewers)
    command = commands.Submit(reviewers=reviewers, by=call.principal.name, reason=asked.reason, at=call.context.at)
    return await _carry(call, reference, command)


@router.post("/{id}:approve", response_model=PostmortemAnswer, openapi_extra=_WRITE, responses=responses(404, 409, 422))
async def approve_postmortem(request: Request, call: CallDep, reference: Id, body: Approval | None = None) -> Response:
    """Agree to what it says, for one side; when both sides have, it is approved."""
    asked = body or Approval()
    command = commands.Approve(
        side=asked.side,
        belongs_to=await side_of(call.resources, call.principal.name),
        is_person=principal_of(request).kind == "person",
        by=call.principal.name,
        reason=asked.reason,
        at=call.context.at,
    )
    return await _carry(call, reference, command)


@router.post("/{id}:publish", response_model=PostmortemAnswer, openapi_extra=_WRITE, responses=responses(404, 409))
@retried_on_conflict
async def publish_postmortem(call: CallDep, reference: Id, policy: PolicyDep, body: Why | None = None) -> Response:
    """Let everybody learn from it; before both sides approved it, only with a reason, where the policy lets it."""
    command = commands.Publish(
        may_skip_review=policy.review.publish_unreviewed == "with_reason",
        by=call.principal.name,
        reason=body.reason if body else "",
        at=call.context.at,
    )
    loaded = await call.resources.handler.load(POSTMORTEM, reference)
    state = loaded.state
    if state is None:
        raise AbsentError("postmortem")
    met = _met(call, state.content.drafted.incident, "publish", policy)
    return await _carry(call.pinned(loaded), reference, command, (met, *await _classified(call, state)))


async def _carry(
    call: Call, reference: str, command: commands.Command, also: tuple[Step[Any, Any, Any], ...] = ()
) -> Response:
    return await call.handle(
        POSTMORTEM, reference, command, body=lambda outcome: postmortem_answer(outcome.state), also=also
    )


def _met(call: Call, incident: str, stage: Stage, policy: LearningPolicy) -> Step[Any, Any, Any]:
    """What the duty to write it is told."""
    met = Meet(stage=stage, by=call.principal.name, at=call.context.at)
    return Step(DUTY, incident, met, owing(policy))


async def _classified(call: Call, state: Known) -> tuple[Step[Any, Any, Any], ...]:
    """Its incident is of the class of the root cause, where nobody said of which: others count repeats by it."""
    root = next((each.antipattern for each in state.content.sections.causes if each.kind == "root"), "")
    key = state.content.drafted.incident
    incident = (await call.resources.handler.load(INCIDENT, key)).state
    if not root or incident is None or isinstance(incident, Cancelled):
        return ()
    reason = f"the root cause, says postmortem {state.content.drafted.postmortem}"
    classify = Classify(outage_class=root, unless_said=True, by=call.principal.name, reason=reason, at=call.context.at)
    return (Step(INCIDENT, key, classify, incident_effects),)


def _template(shelf: Shelf, name: str) -> commands.Template:
    found = shelf.versions(name, "/template")[-1]
    return commands.Template(name=name, version=found.version, texts=found.texts, required=found.required)


def _exists(incident: str, postmortem: str) -> Problem:
    detail = f"{incident} has the postmortem {postmortem}; amend that one"
    place = Place(detail, "/incident")
    extra = {"postmortem": postmortem}
    return Problem(409, "postmortem-exists", "The incident has a postmortem", detail, [place], extra=extra)


add_verbs(router, "postmortem", (commands.RequestChanges, commands.Reopen), _carry, answer=PostmortemAnswer)
