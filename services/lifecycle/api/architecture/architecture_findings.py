"""`/v1/services/{service}/architecture-findings`: what is known to be wrong, until somebody has dealt with it."""

from collections.abc import Callable
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.events import codec
from libs.events.handler import Effects, Outcome
from libs.events.ids import new_id
from libs.events.store import Timer
from libs.web import etag
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from libs.web.schemas import example
from services.lifecycle.api.architecture.designing import Designing, DesigningDep
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.references import living_service
from services.lifecycle.api.reviews.review_finding_schemas import (
    FindingView,
    FixBody,
    OpenFindingBody,
    ReclassifyBody,
    TriageBody,
    WaiveBody,
    shown_finding,
)
from services.lifecycle.api.reviews.reviewing import Reason, actor
from services.lifecycle.contract import ARCHITECTURE
from services.lifecycle.domain.architecture.commands import Discover, Discovery, GoOn
from services.lifecycle.domain.architecture.commands import Step as FindingStep
from services.lifecycle.domain.architecture.decider import Findings, is_known
from services.lifecycle.domain.architecture.errors import KnownFindingError
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.readiness_review.commands import FindingStep as Verb
from services.lifecycle.domain.readiness_review.commands import MoveFinding, Reclassify, Triage, Waive
from services.lifecycle.domain.readiness_review.events import FindingEvent, FindingState, FindingWaived
from services.lifecycle.domain.readiness_review.next_steps import step_of
from services.lifecycle.domain.readiness_review.state import Finding
from services.lifecycle.domain.review_template.checklist import Severity
from services.lifecycle.projections.design_work import DESIGN_WORK

router = Router(prefix="/v1", tags=["architecture-findings"])
_READ, _WRITE = needs("architecture-findings.read"), needs("architecture-findings.write")
_ALL = "/services/{service}/architecture-findings"
_ONE = _ALL + "/{finding}"


class OpenArchitectureFinding(OpenFindingBody):
    """Something that is not as it should be; `item` is the antipattern that it is an example of."""

    model_config = example(
        title="The cache is emptied by each deployment",
        text="All readers ask the database at once for a minute; warm it up before it takes traffic.",
        severity="conditional",
        item="thundering-herd",
    )


@router.post(
    _ALL, status_code=201, response_model=FindingView, openapi_extra=_WRITE, responses=responses(404, 409, 422)
)
async def open_architecture_finding(
    service: str, body: OpenArchitectureFinding, call: CallDep, known: DesigningDep
) -> Response:
    """Record that something is not as it should be; reviews and repeated causes of incidents open findings, too."""
    await known.profile(service)
    await living_service(call.resources, service, "service")
    if body.item:
        known.catalogs.antipattern(body.item, "/item")
    discovery = Discovery(
        finding=str(new_id()),
        item=body.item,
        title=body.title,
        text=body.text,
        severity=body.severity,
        source=body.source,
    )
    command = Discover(service=service, review="", discoveries=(discovery,), by=call.principal.name, at=call.context.at)
    shown = await _shown(known, service, discovery.finding)

    def opened(outcome: Outcome[Findings]) -> FindingView:
        if discovery.finding not in outcome.state:
            raise KnownFindingError(discovery.title, _alike(outcome.state, discovery))
        return shown(outcome)

    location = f"/v1/services/{service}/architecture-findings/{discovery.finding}"
    return await call.handle(ARCHITECTURE, service, command, body=opened, status=201, location=location)


@router.get(_ALL, response_model=Page[FindingView], openapi_extra=_READ, responses=responses(404))
async def list_architecture_findings_of_a_service(
    service: str,
    known: DesigningDep,
    page: PageDep,
    state: Annotated[list[FindingState] | None, Query()] = None,
    severity: Annotated[list[Severity] | None, Query()] = None,
    as_of: AsOf = None,
) -> Page[FindingView]:
    """List what is known to be wrong with the architecture of a service, the oldest first; none is no all-clear."""
    team = (await known.profile(service, as_of)).owner_team
    findings = (await known.resources.handler.load(ARCHITECTURE, service, as_of=as_of)).state
    return page.cut(
        [_view(each, team) for each in findings.values()],
        place=lambda view: view.id,
        shown=lambda view: (not state or view.state in state) and (not severity or view.severity in severity),
    )


@router.get("/architecture-findings", openapi_extra=_READ, dependencies=[fresh(DESIGN_WORK)])
async def list_architecture_findings(
    known: DesigningDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
    state: Annotated[list[FindingState] | None, Query()] = None,
    as_of: AsOf = None,
) -> Page[FindingView]:
    """List architecture findings of all services, those opened last first.

    A page may hold fewer of them than asked for, even none, while more follow.
    """

    async def load(of: str, finding: str) -> FindingView:
        team = (await known.profile(of, as_of)).owner_team
        return _view((await known.resources.handler.load(ARCHITECTURE, of, as_of=as_of)).state[finding], team)

    return await known.listed(page, "finding", service, state, as_of, load)


@router.get(_ONE, response_model=FindingView, openapi_extra=_READ, responses=responses(404))
async def get_architecture_finding(
    service: str, finding: str, request: Request, known: DesigningDep, as_of: AsOf = None
) -> Response:
    """Read a finding: how it stands, what became of it, who must do what next."""
    team = (await known.profile(service, as_of)).owner_team
    loaded = await known.resources.handler.load(ARCHITECTURE, service, as_of=as_of)
    return etag.answer(request, _view(_there(loaded.state, finding), team), version=loaded.version)


@router.post(_ONE + ":triage", response_model=FindingView, openapi_extra=_WRITE, responses=responses(404, 409, 422))
async def triage_architecture_finding(
    service: str, finding: str, body: TriageBody, call: CallDep, known: DesigningDep
) -> Response:
    """Give a finding to somebody, until a day."""
    command = Triage(
        review=await _review(known, service, finding),
        finding=finding,
        owner=body.owner,
        due=body.due,
        by=actor(call),
        reason=body.reason,
        at=call.context.at,
    )
    return await _go_on(call, known, service, command)


@router.post(
    _ONE + ":reclassify", response_model=FindingView, openapi_extra=_WRITE, responses=responses(403, 404, 409, 422)
)
async def reclassify_architecture_finding(
    service: str, finding: str, body: ReclassifyBody, call: CallDep, known: DesigningDep
) -> Response:
    """Say, as somebody from outside the team, how severe a finding is."""
    command = Reclassify(
        review=await _review(known, service, finding),
        finding=finding,
        severity=body.severity,
        by=actor(call),
        reason=body.reason,
        at=call.context.at,
    )
    return await _go_on(call, known, service, command)


@router.post(_ONE + ":waive", response_model=FindingView, openapi_extra=_WRITE, responses=responses(403, 404, 409, 422))
async def waive_architecture_finding(
    service: str, finding: str, body: WaiveBody, call: CallDep, known: DesigningDep
) -> Response:
    """Live with a finding until a time, because a control is in place; then it is open again by itself."""
    command = Waive(
        review=await _review(known, service, finding),
        finding=finding,
        control=body.control,
        control_url=str(body.control_url),
        until=body.until,
        policy=known.findings,
        by=actor(call),
        reason=body.reason,
        at=call.context.at,
    )
    return await _go_on(call, known, service, command)


@router.post(_ONE + ":start", response_model=FindingView, openapi_extra=_WRITE, responses=responses(404, 409))
async def start_architecture_finding(
    service: str, finding: str, body: Reason, call: CallDep, known: DesigningDep
) -> Response:
    """Begin to fix it."""
    return await _move(call, known, service, finding, "start", body.reason)


@router.post(_ONE + ":fix", response_model=FindingView, openapi_extra=_WRITE, responses=responses(404, 409, 422))
async def fix_architecture_finding(
    service: str, finding: str, body: FixBody, call: CallDep, known: DesigningDep
) -> Response:
    """Say that it is fixed, and where that can be seen."""
    return await _move(call, known, service, finding, "fix", body.reason, str(body.url))


@router.post(_ONE + ":verify", response_model=FindingView, openapi_extra=_WRITE, responses=responses(403, 404, 409))
async def verify_architecture_finding(
    service: str, finding: str, body: Reason, call: CallDep, known: DesigningDep
) -> Response:
    """Confirm a fix, as somebody who neither owns the finding nor fixed it."""
    return await _move(call, known, service, finding, "verify", body.reason)


@router.post(_ONE + ":close", response_model=FindingView, openapi_extra=_WRITE, responses=responses(404, 409))
async def close_architecture_finding(
    service: str, finding: str, body: Reason, call: CallDep, known: DesigningDep
) -> Response:
    """Close a verified finding."""
    return await _move(call, known, service, finding, "close", body.reason)


@router.post(
    _ONE + ":reject", response_model=FindingView, openapi_extra=_WRITE, responses=responses(403, 404, 409, 422)
)
async def reject_architecture_finding(
    service: str, finding: str, body: Reason, call: CallDep, known: DesigningDep
) -> Response:
    """Say, with a reason, that a finding is none; of a blocking one that is for somebody from outside the team."""
    return await _move(call, known, service, finding, "reject", body.reason)


@router.post(_ONE + ":reopen", response_model=FindingView, openapi_extra=_WRITE, responses=responses(404, 409, 422))
async def reopen_architecture_finding(
    service: str, finding: str, body: Reason, call: CallDep, known: DesigningDep
) -> Response:
    """Open a finding again that was taken for settled, with a reason."""
    return await _move(call, known, service, finding, "reopen", body.reason)


async def _move(  # noqa: PLR0913  each is a part of one request
    call: Call, known: Designing, service: str, finding: str, step: Verb, reason: str, url: str = ""
) -> Response:
    command = MoveFinding(
        review=await _review(known, service, finding),
        finding=finding,
        step=step,
        url=url,
        by=actor(call),
        reason=reason,
        at=call.context.at,
    )
    return await _go_on(call, known, service, command)


async def _go_on(call: Call, known: Designing, service: str, step: FindingStep) -> Response:
    team, insiders = (await known.profile(service)).owner_team, await known.insiders(service)
    command = GoOn(service=service, step=step, owner_team=team, insiders=insiders)
    shown = await _shown(known, service, step.finding)
    return await call.handle(ARCHITECTURE, service, command, body=shown, effects=_timers)


async def _review(known: Designing, service: str, finding: str) -> str:
    """The review in which it was found, or nothing."""
    return _there((await known.resources.handler.load(ARCHITECTURE, service)).state, finding).opened.review


async def _shown(known: Designing, service: str, finding: str) -> Callable[[Outcome[Findings]], FindingView]:
    team = (await known.profile(service)).owner_team
    return lambda outcome: _view(_there(outcome.state, finding), team)


def _view(finding: Finding, team: str) -> FindingView:
    but = " or ".join(dict.fromkeys(name for name in (finding.owner, finding.fixed_by) if name))
    step = step_of(finding, team or finding.opened.service, (f"anybody but {but}",), "/architecture-findings")
    return shown_finding(finding, step)


def _there(findings: Findings, finding: str) -> Finding:
    if finding not in findings:
        raise UnknownError("architecture finding of this service", finding)
    return findings[finding]


def _alike(findings: Findings, discovery: Discovery) -> str:
    return next(
        name
        for name, each in findings.items()
        if is_known(each) and (each.opened.item, each.opened.title) == (discovery.item, discovery.title)
    )


def _timers(_: Findings, events: tuple[FindingEvent, ...]) -> Effects:
    """A waiver ends by itself."""
    return Effects(
        schedule=tuple(
            Timer(
                f"{ARCHITECTURE.stream(event.service)}/{event.finding}",
                event.until,
                ARCHITECTURE.category,
                codec.encode({"key": event.service}),
            )
            for event in events
            if isinstance(event, FindingWaived)
        )
    )
