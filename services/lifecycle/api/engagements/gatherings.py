"""`/meetings`, `/quarterly-updates` and `/service-reviews` of an engagement, with packs drafted from data."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Annotated, Any, Final

from fastapi import Query
from sqlalchemy import Connection, select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Outcome, Step
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from libs.web.schemas import Name
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.engagements import gathering_schemas as schemas
from services.lifecycle.api.engagements.engaged import Engagements, EngagementsDep, engaged, said, speaker
from services.lifecycle.api.engagements.engagement_schemas import EngagementView, engagement_view
from services.lifecycle.api.engagements.gathering_page import HEADERS
from services.lifecycle.api.engagements.gathering_page import page as page_of
from services.lifecycle.api.engagements.gathering_schemas import Format, GatheringView, gathering_view
from services.lifecycle.contract import ENGAGEMENT, GATHERING
from services.lifecycle.domain.capacity.facts import Cover
from services.lifecycle.domain.engagement.commands import Cadence, EndSeries, Hold, SetSeries
from services.lifecycle.domain.engagement.errors import IncompleteError
from services.lifecycle.domain.engagement.events import SeriesKind
from services.lifecycle.domain.engagement.state import Engagement, Series
from services.lifecycle.domain.engagement_item.lives import PATHS
from services.lifecycle.domain.errors import UnknownError, UnknownReferenceError
from services.lifecycle.domain.gathering.commands import Command, Conclude, Draft, Note, Tell
from services.lifecycle.domain.gathering.decider import Gathering
from services.lifecycle.domain.gathering.events import Section
from services.lifecycle.domain.gathering.pack import Prospects, Released, Tracked, agenda, markdown, pack
from services.lifecycle.projections.capacity import CAPACITY, capacity_of
from services.lifecycle.projections.deployments import DEPLOYMENTS, deployed
from services.lifecycle.projections.design_work import open_blocking_antipatterns_of
from services.lifecycle.projections.engagement_items import ENGAGEMENT_ITEMS, items_of
from services.lifecycle.projections.gatherings import GATHERINGS
from services.lifecycle.projections.happenings import HAPPENINGS, is_silent, measured_for, seen
from services.lifecycle.projections.risks import RISKS, risks_of
from services.lifecycle.projections.slo_days import SLO_DAYS
from services.lifecycle.projections.waivers import WAIVERS, waivers_in_force

router = Router(prefix="/v1/engagements/{engagement}", tags=["engagements"])

_READ, _WRITE = needs("engagements.read"), needs("engagements.write")
_KINDS: Final[dict[SeriesKind, str]] = {
    "meeting": "meetings",
    "quarterly_update": "quarterly-updates",
    "service_review": "service-reviews",
}


@router.put(
    "/meeting-series/{series}", response_model=EngagementView, openapi_extra=_WRITE, responses=responses(404, 409)
)
async def set_meeting_series(engagement: str, series: Name, body: schemas.SetMeetingSeries, call: CallDep) -> Response:
    """Meet at least so often; when the teams did not, an event says so."""
    at = call.context.at
    cadence = Cadence(series, "meeting", body.title, body.every_days, "agreed by both teams")
    command = SetSeries(**said(call, engagement, body.reason), cadence=cadence)
    return await call.handle(
        ENGAGEMENT, engagement, command, body=lambda outcome: engagement_view(engaged(outcome), at)
    )


@router.delete(
    "/meeting-series/{series}", response_model=EngagementView, openapi_extra=_WRITE, responses=responses(404, 422)
)
async def end_meeting_series(engagement: str, series: str, call: CallDep) -> Response:
    """Meet no more."""
    at = call.context.at
    command = EndSeries(**said(call, engagement, ""), series=series)
    return await call.handle(
        ENGAGEMENT, engagement, command, body=lambda outcome: engagement_view(engaged(outcome), at)
    )


@dataclass(frozen=True, slots=True)
class _Here:
    state: Engagement
    kind: SeriesKind
    gathering: str

    @property
    def path(self) -> str:
        return f"/v1/engagements/{self.state.engagement}/{_KINDS[self.kind]}"

    def said(self, call: Call, reason: str = "") -> dict[str, Any]:
        who = {"by": call.principal.name, "reason": reason, "at": call.context.at}
        return {"gathering": self.gathering, "engagement": self.state.engagement, "kind": self.kind, **who}

    def found(self, state: Gathering | None) -> Gathering:
        if state is None or (state.drafted.engagement, state.drafted.kind) != (self.state.engagement, self.kind):
            raise UnknownError(self.kind.replace("_", " "), self.gathering)
        return state

    def view(self, state: Gathering | None) -> GatheringView:
        teams = {"dev": self.state.dev_team, "sre": self.state.sre_team}
        return gathering_view(self.found(state), self.path, {"dev": teams["dev"], "sre": teams["sre"]})

    def shown(self) -> Callable[[Outcome[Gathering | None]], GatheringView]:
        return lambda outcome: self.view(outcome.state)


def _changes(kind: SeriesKind) -> None:
    """What can be asked of a kind of gathering."""
    path, one = f"/{_KINDS[kind]}", kind.replace("_", " ")

    async def draft(engagement: str, body: schemas.DraftGathering, call: CallDep, terms: EngagementsDep) -> Response:
        here = await _here(call.resources, engagement, kind, str(new_id()))
        series = _series(here.state, kind, body.series)
        until = min(body.until or call.context.at, call.context.at)
        began = series.held[-1] if series.held else here.state.active_since or here.state.stays[0].since
        since = body.since or began
        made = await call.resources.views.read(_drafted, here.state, kind, since, until, terms)
        title = f"{series.title}, {until.date()}"
        command = Draft(
            **here.said(call, body.reason), series=series.series, title=title, since=since, until=until, pack=made
        )
        location = f"{here.path}/{here.gathering}"
        return await call.handle(GATHERING, here.gathering, command, body=here.shown(), status=201, location=location)

    async def tell(
        engagement: str, gathering: str, body: schemas.MakeStatement, call: CallDep, terms: EngagementsDep
    ) -> Response:
        here = await _here(call.resources, engagement, kind, gathering)
        command = Tell(
            **here.said(call),
            side=body.side,
            text=body.text,
            horizon_months=body.horizon_months,
            reaches=(terms.policy.roadmap_months_least.value, terms.policy.roadmap_months_most.value),
            speaker=await speaker(call, here.state.team(body.side)),
        )
        return await _do(call, here, command)

    async def note(engagement: str, gathering: str, body: schemas.TakeNotes, call: CallDep) -> Response:
        here = await _here(call.resources, engagement, kind, gathering)
        held = here.view((await call.resources.handler.load(GATHERING, gathering)).state)
        command = Note(
            **here.said(call),
            notes=held.notes if body.notes is None else body.notes,
            start=held.start if body.start is None else body.start,
            stop=held.stop if body.stop is None else body.stop,
            keep=held.keep if body.keep is None else body.keep,
        )
        return await _do(call, here, command)

    async def hold(engagement: str, gathering: str, body: schemas.HoldGathering, call: CallDep) -> Response:
        here = await _here(call.resources, engagement, kind, gathering)
        series = here.view((await call.resources.handler.load(GATHERING, gathering)).state).series
        command = Conclude(
            **here.said(call, body.reason), decision=body.decision, is_person=call.principal.kind == "person"
        )
        held = Hold(**said(call, engagement, body.reason), series=series, gathering=gathering)
        return await _do(call, here, command, Step(ENGAGEMENT, engagement, held))

    draft.__doc__ = f"Draft a {one} from what is known of the time since the last one."
    tell.__doc__ = "Say for one side how things stand."
    note.__doc__ = "Write down what was said, and what both start, stop and keep doing (JSON merge patch)."
    hold.__doc__ = f"Say that the {one} was held, and what was decided; the next one is due from now."
    made_from = fresh(HAPPENINGS, SLO_DAYS, ENGAGEMENT_ITEMS, DEPLOYMENTS, RISKS, WAIVERS, CAPACITY)
    refused = responses(403, 404, 409, 422)
    changes: dict[str, Any] = {"response_model": GatheringView, "openapi_extra": _WRITE, "responses": refused}
    noted: dict[str, Any] = changes | {"openapi_extra": needs("engagements.write", if_match=True)}
    router.post(path, name=f"draft_{kind}", status_code=201, dependencies=[made_from], **changes)(draft)
    if kind != "meeting":
        router.post(f"{path}/{{gathering}}:tell", name=f"tell_{kind}", **changes)(tell)
    router.patch(f"{path}/{{gathering}}", name=f"note_{kind}", **noted)(note)
    router.post(f"{path}/{{gathering}}:hold", name=f"hold_{kind}", **changes)(hold)


def _reads(kind: SeriesKind) -> None:
    """How a kind of gathering is read."""
    path, one = f"/{_KINDS[kind]}", kind.replace("_", " ")

    async def read_all(
        engagement: str, resources: ResourcesDep, page: PageDep, as_of: AsOf = None
    ) -> Page[GatheringView]:
        here = await _here(resources, engagement, kind, "", as_of)
        view = GATHERINGS.view.c
        query = select(GATHERINGS.view).where(view.engagement == engagement, view.kind == kind)
        if as_of:
            query = query.where(view.recorded_at <= as_of)
        found = await resources.views.read(
            page.fetch, query, key=view.gathering, item=lambda row: str(row["gathering"]), descending=True
        )
        items = [(await resources.handler.load(GATHERING, each, as_of=as_of)).state for each in found.items]
        return Page(items=list(map(here.view, items)), next_page_token=found.next_page_token)

    async def read(
        engagement: str, gathering: str, resources: ResourcesDep, request: Request, as_of: AsOf = None
    ) -> Response:
        here = await _here(resources, engagement, kind, gathering, as_of)
        loaded = await resources.handler.load(GATHERING, gathering, as_of=as_of)
        return etag.answer(request, here.view(loaded.state), version=loaded.version)

    async def document(
        engagement: str,
        gathering: str,
        resources: ResourcesDep,
        format_: Annotated[Format, Query(alias="format")] = "markdown",
        as_of: AsOf = None,
    ) -> Response:
        here = await _here(resources, engagement, kind, gathering, as_of)
        state = here.found((await resources.handler.load(GATHERING, gathering, as_of=as_of)).state)
        if format_ == "markdown":
            return Response(markdown(state, here.state), media_type="text/markdown")
        return Response(page_of(state, here.state), media_type="text/html", headers=HEADERS)

    read_all.__doc__ = f"List the {_KINDS[kind].replace('-', ' ')} of an engagement, the newest first."
    read.__doc__ = f"Read a {one}: the pack, both sides' word, the notes, and what is next."
    document.__doc__ = f"A {one} as Markdown, or as a page of safe HTML; every figure leads to where it comes from."
    it, named = f"{path}/{{gathering}}", responses(404)
    router.get(path, name=f"list_{kind}s", openapi_extra=_READ, responses=named, dependencies=[fresh(GATHERINGS)])(
        read_all
    )
    router.get(it, name=f"get_{kind}", response_model=GatheringView, openapi_extra=_READ, responses=named)(read)
    content = {"text/markdown": {"schema": {"type": "string"}}, "text/html": {"schema": {"type": "string"}}}
    router.get(
        f"{it}/document",
        name=f"get_{kind}_document",
        openapi_extra=_READ,
        responses={200: {"content": content, "description": "The document"}} | named,
        response_class=Response,
    )(document)


for _kind in _KINDS:
    _changes(_kind)
    _reads(_kind)


async def _here(
    resources: Resources, engagement: str, kind: SeriesKind, gathering: str, as_of: datetime | None = None
) -> _Here:
    return _Here(engaged(await resources.handler.load(ENGAGEMENT, engagement, as_of=as_of)), kind, gathering)


async def _do(call: Call, here: _Here, command: Command, *also: Step[Any, Any, Any]) -> Response:
    return await call.handle(GATHERING, here.gathering, command, body=here.shown(), also=also)


def _series(state: Engagement, kind: SeriesKind, named: str | None) -> Series:
    """The series that a gathering belongs to."""
    if kind == "meeting" and named is None:
        raise IncompleteError([("/series", "say which; PUT /meeting-series makes one")])
    for series in state.series.values():
        if series.kind == kind and named in {None, series.series}:
            return series
    raise UnknownReferenceError("series of this kind in an active engagement", named or kind, "series")


def _drafted(
    connection: Connection,
    state: Engagement,
    kind: SeriesKind,
    since: datetime,
    until: datetime,
    terms: Engagements,
) -> tuple[Section, ...]:
    heard = seen(connection, state.services, since, until, severe=frozenset(terms.policy.severe))
    heard = replace(heard, silent=is_silent(connection, terms.policy))
    here = f"/v1/engagements/{state.engagement}"
    tracked = [
        Tracked(
            each.kind,
            f"{here}/{PATHS[each.kind]}/{each.item}",
            each.title,
            each.state,
            each.owner,
            each.due,
            each.goes_on,
            each.moved_at,
        )
        for each in items_of(connection, state.engagement)
    ]
    if kind == "meeting":
        return agenda(state, heard, tracked)
    released = [
        Released(each.deployment, each.at, each.failed_at is not None)
        for each in deployed(connection, state.services, since, until)
    ]
    waivers = waivers_in_force(connection, until, *state.services)
    prospects = {
        service: Prospects(
            risks_of(connection, service),
            tuple(waivers.get(service, {}).values()),
            _cover(connection, service, until.date(), terms.capacity_stale_days),
            open_blocking_antipatterns_of(connection, service),
        )
        for service in state.services
    }
    measured = measured_for(connection, state, until, terms.policy)
    return pack(state, heard, measured, tracked, released, prospects)


def _cover(connection: Connection, service: str, today: date, stale_days: float) -> Cover | None:
    """Whether the capacity of *service* covers the time that its plan looks at."""
    capacity = capacity_of(connection, service)
    if capacity is None:
        return None
    plan = capacity.basis.plan
    return capacity.cover(today, least_days=plan.plan.horizon_days if plan else 0, spare=0, stale_days=int(stale_days))
