"""`/plan`, `/insights`, `/trainings`, `/wins` and `/adjustments` of an engagement: five kinds, one life each."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Outcome
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle import timetable
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.engagements import engagement_item_schemas as schemas
from services.lifecycle.api.engagements.engaged import EngagementsDep, engaged, member_of_either, side_of
from services.lifecycle.api.engagements.engagement_item_schemas import EngagementItemView, item_view
from services.lifecycle.contract import ENGAGEMENT, ENGAGEMENT_ITEM
from services.lifecycle.domain.engagement.charter import Goal, Side
from services.lifecycle.domain.engagement.commands import Speaker
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.engagement_item.commands import Change, Command, Go, Open, Report
from services.lifecycle.domain.engagement_item.decider import Item
from services.lifecycle.domain.engagement_item.events import Content
from services.lifecycle.domain.engagement_item.lives import LIVES, PATHS, Kind, Move, Speaks, State
from services.lifecycle.domain.errors import UnknownError, UnknownReferenceError
from services.lifecycle.projections.engagement_items import ENGAGEMENT_ITEMS, open_milestones, overlaps

router = Router(prefix="/v1/engagements/{engagement}", tags=["engagements"])

_READ, _WRITE = needs("engagements.read"), needs("engagements.write")
_OPENED: Final[dict[str, Any]] = {
    "status_code": 201,
    "response_model": EngagementItemView,
    "openapi_extra": _WRITE,
    "responses": responses(404, 422),
}
_BY: Final[dict[Speaks, str]] = {
    "anybody": "",
    "either": "; for a person of either team",
    "both": "; for both leads, one after the other: who agrees to something else asks the other side anew",
}


@router.post("/plan", **_OPENED)
async def plan_milestone(engagement: str, body: schemas.OpenMilestone, call: CallDep) -> Response:
    """Plan something that one side does for a shared goal."""
    return await _open(call, engagement, "milestone", body.content(), body.reason)


@router.post("/insights", **_OPENED)
async def open_insight(engagement: str, body: schemas.OpenInsight, call: CallDep) -> Response:
    """Tell the other side something that it should act on."""
    return await _open(call, engagement, "insight", body.content(), body.reason)


@router.post("/trainings", **_OPENED)
async def plan_training(engagement: str, body: schemas.OpenTraining, call: CallDep) -> Response:
    """Plan a training or a workshop."""
    return await _open(call, engagement, "training", body.content(), body.reason)


@router.post("/wins", **_OPENED)
async def propose_win(engagement: str, body: schemas.OpenWin, call: CallDep) -> Response:
    """Say that something went well; some wins propose themselves."""
    return await _open(call, engagement, "win", body.content(), body.reason)


@router.post("/adjustments", **_OPENED)
async def propose_adjustment(engagement: str, body: schemas.OpenAdjustment, call: CallDep) -> Response:
    """Propose to do something differently because of the budget; most propose themselves."""
    return await _open(call, engagement, "adjustment", body.content(), body.reason)


@router.post("/plan/{item}:report", response_model=EngagementItemView, openapi_extra=_WRITE, responses=responses(404))
async def report_milestone(
    engagement: str, item: str, body: schemas.TrackerReport, call: CallDep, terms: EngagementsDep
) -> Response:
    """Take over how a milestone stands in a tracker: what its webhook calls."""
    here = _Here(engagement, "milestone", item)
    command = Report(
        **here.said(call, ""), status=body.status, url=str(body.url or ""), means=terms.policy.means(body.status)
    )
    return await _do(call, here, command)


@dataclass(frozen=True, slots=True)
class _Here:
    engagement: str
    kind: Kind
    item: str

    @property
    def path(self) -> str:
        return f"/v1/engagements/{self.engagement}/{PATHS[self.kind]}"

    def said(self, call: Call, reason: str) -> dict[str, Any]:
        who = {"by": call.principal.name, "reason": reason, "at": call.context.at}
        return {"item": self.item, "engagement": self.engagement, "kind": self.kind, **who}

    def shown(self, at: datetime) -> Callable[[Outcome[Item | None]], EngagementItemView]:
        return lambda outcome: item_view(self.found(outcome.state), self.path, at.date())

    def found(self, state: Item | None) -> Item:
        if state is None or (state.engagement, state.kind) != (self.engagement, self.kind):
            raise UnknownError(self.kind, self.item)
        return state


def _routes(kind: Kind) -> None:
    """What is the same for every kind: list, read, change, and the verbs of its life."""
    path = f"/{PATHS[kind]}"

    async def read_all(
        engagement: str,
        resources: ResourcesDep,
        page: PageDep,
        state: Annotated[list[State] | None, Query()] = None,
        topic: Annotated[list[str] | None, Query()] = None,
        as_of: AsOf = None,
    ) -> Page[EngagementItemView]:
        engaged(await resources.handler.load(ENGAGEMENT, engagement, as_of=as_of))
        at, view = as_of or resources.clock.now(), ENGAGEMENT_ITEMS.view.c
        query = select(ENGAGEMENT_ITEMS.view).where(view.engagement == engagement, view.kind == kind)
        if as_of:
            query = query.where(view.recorded_at <= as_of)
        elif state:
            query = query.where(view.state.in_(state))
        if topic:
            query = query.where(view.topic.in_(topic))
        found = await resources.views.read(
            page.fetch, query, key=view.place, item=lambda row: str(row["item"]), descending=True
        )
        items = [await _loaded(resources, _Here(engagement, kind, each), as_of) for each in found.items]
        crossing = await _crossing(resources) if kind == "milestone" and not as_of else {}
        return Page(
            items=[
                item_view(item, f"/v1/engagements/{engagement}{path}", at.date(), crossing.get(item.item, ()))
                for item in items
                if not state or item.state in state
            ],
            next_page_token=found.next_page_token,
        )

    async def read(
        engagement: str, item: str, resources: ResourcesDep, request: Request, as_of: AsOf = None
    ) -> Response:
        here = _Here(engagement, kind, item)
        loaded = await resources.handler.load(ENGAGEMENT_ITEM, item, as_of=as_of)
        at = as_of or resources.clock.now()
        return etag.answer(request, item_view(here.found(loaded.state), here.path, at.date()), version=loaded.version)

    @retried_on_conflict
    async def change(engagement: str, item: str, body: schemas.ChangeItem, call: CallDep) -> Response:
        here = _Here(engagement, kind, item)
        loaded = await call.resources.handler.load(ENGAGEMENT_ITEM, item)
        state = here.found(loaded.state)
        given = {name: getattr(body, name) for name in body.model_fields_set}
        told = {name: "" if value is None and name in {"text", "owner"} else value for name, value in given.items()}
        content = replace(state.content, **told)
        return await _do(call.pinned(loaded), here, Change(**here.said(call, ""), content=content))

    things, one = PATHS[kind], kind
    read_all.__doc__ = f"List the {things} of an engagement, the newest first, with who must do what next."
    read.__doc__ = f"Read one {one}, its way so far and what is next."
    change.__doc__ = f"Change a {one} (JSON merge patch)."
    router.get(path, name=f"list_{things}", openapi_extra=_READ, responses=responses(404), dependencies=[_FRESH])(
        read_all
    )
    router.get(
        f"{path}/{{item}}",
        name=f"get_{one}",
        response_model=EngagementItemView,
        openapi_extra=_READ,
        responses=responses(404),
    )(read)
    router.patch(
        f"{path}/{{item}}",
        name=f"change_{one}",
        response_model=EngagementItemView,
        openapi_extra=needs("engagements.write", if_match=True),
        responses=responses(404, 422, 428),
    )(change)
    for verb in LIVES[kind].moves:
        _verb(kind, verb)


def _verb(kind: Kind, verb: str) -> None:
    move = LIVES[kind].moves[verb]

    async def go(engagement: str, item: str, body: schemas.MoveItem, call: CallDep) -> Response:
        here = _Here(engagement, kind, item)
        side, who = await _speaking(call, engagement, move, body.side)
        command = Go(
            **here.said(call, body.reason),
            verb=verb,
            speaker=who,
            side=side,
            outcome=body.outcome,
            owner=body.owner or "",
            due=body.due,
            people=body.people,
        )
        return await _do(call, here, command)

    asks = f"; needs {', '.join(move.needs)}" if move.needs else ""
    go.__doc__ = f"Move a {kind} from {' or '.join(move.origins)} to {move.to}{asks}{_BY[move.by]}."
    router.post(
        f"/{PATHS[kind]}/{{item}}:{verb}",
        name=f"{verb}_{kind}",
        response_model=EngagementItemView,
        openapi_extra=_WRITE,
        responses=responses(*([403] if move.by != "anybody" else []), 404, 409, 422),
    )(go)


async def _speaking(call: Call, engagement: str, move: Move, side: Side | None) -> tuple[Side | None, Speaker | None]:
    """For which side, and as who, somebody moves an item."""
    if move.by == "anybody":
        return None, None
    state = engaged(await call.resources.handler.load(ENGAGEMENT, engagement))
    if move.by == "both":
        return await side_of(call, state, side)
    return None, await member_of_either(call, state)


_FRESH = fresh(ENGAGEMENT_ITEMS)
_routes("milestone")
_routes("insight")
_routes("training")
_routes("win")
_routes("adjustment")


async def _open(call: Call, engagement: str, kind: Kind, content: Content, reason: str) -> Response:
    state = engaged(await call.resources.handler.load(ENGAGEMENT, engagement))
    _refer(state, content)
    here = _Here(engagement, kind, str(new_id()))
    command = Open(**here.said(call, reason), content=content)
    return await _do(call, here, command, status=201, location=f"{here.path}/{here.item}")


def _refer(state: Engagement, content: Content) -> None:
    """Refuse what names a goal or a service that is not the engagement's."""
    newest = state.chapter("goals").newest
    goals = {goal.id for goal in newest.entries if isinstance(goal, Goal)} if newest else set[str]()
    if content.serves and content.serves not in goals:
        raise UnknownReferenceError("shared goal", content.serves, "serves")
    for index, service in enumerate(content.services):
        if service not in state.services:
            raise UnknownReferenceError("service of the engagement", service, f"services/{index}")


async def _do(call: Call, here: _Here, command: Command, *, status: int = 200, location: str | None = None) -> Response:
    return await call.handle(
        ENGAGEMENT_ITEM,
        here.item,
        command,
        body=here.shown(call.context.at),
        status=status,
        location=location,
        effects=timetable.reminding,
    )


async def _loaded(resources: Resources, here: _Here, as_of: datetime | None) -> Item:
    return here.found((await resources.handler.load(ENGAGEMENT_ITEM, here.item, as_of=as_of)).state)


async def _crossing(resources: Resources) -> dict[str, tuple[str, ...]]:
    """Of every milestone that goes on, those of others that get in its way."""
    going = await resources.views.read(open_milestones)
    return {each.item: tuple(other.item for other in overlaps(each, going)) for each in going}
