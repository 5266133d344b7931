"""`/v1/imports/backstage`: another catalogue's documents become services and teams, with a report."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.events.codec import encode
from libs.events.handler import Step
from libs.events.store import Answer
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.documents import UnreadableError, read_documents
from libs.web.pagination import Page, PageDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf, GatesDep
from services.lifecycle.config import Policies
from services.lifecycle.contract import ENTITY, SERVICE, TEAM
from services.lifecycle.domain.catalog_entity.commands import Import
from services.lifecycle.domain.catalog_entity.events import EntityImported
from services.lifecycle.domain.errors import LifecycleError
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.service.commands import Enrich
from services.lifecycle.domain.service.commands import Register as RegisterService
from services.lifecycle.domain.team.commands import Enrol
from services.lifecycle.domain.team.commands import Register as RegisterTeam
from services.lifecycle.domain.team.structure import Structure
from services.lifecycle.exchange.backstage import Read, Remark, UnreadableEntityError, read_entity
from services.lifecycle.projections.catalog_entities import CATALOG_ENTITIES
from services.lifecycle.timetable import TeamDates, team_dates

router = Router(prefix="/v1/imports/backstage", tags=["imports"])
_READ, _WRITE = needs("services.read"), needs("services.write")
_PERSONAL = ("email", "picture")
_EXAMPLE = {
    "apiVersion": "backstage.io/v1alpha1",
    "kind": "Component",
    "metadata": {"name": "checkout-api", "tags": ["go"]},
    "spec": {"type": "service", "lifecycle": "production", "owner": "group:checkout", "system": "shop"},
}
_DOCUMENTS: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "catalog-info.yaml; YAML may hold several documents, JSON a list of them.",
        "content": {
            kind: {"schema": {"type": ["object", "array", "string"]}, "example": _EXAMPLE}
            for kind in ("application/yaml", "application/json")
        },
    }
}

Result = Literal["created", "updated", "unchanged", "kept", "unreadable"]


@dataclass(frozen=True, slots=True)
class ImportedItem:
    """What became of one document.

    `mapped` are the places that have one here, `kept` those that have none: the original holds them.
    """

    index: int
    ref: str | None
    result: Result
    became: str | None
    mapped: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    remarks: tuple[Remark, ...] = ()


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of all documents; what is not among them is left alone."""

    stored: bool
    counts: Mapping[Result, int]
    items: tuple[ImportedItem, ...]


@dataclass(frozen=True, slots=True)
class EntityView:
    """A document as it came in last, and what it is here."""

    ref: str
    kind: str
    became: str | None
    document: Any
    by: str
    at: datetime


@dataclass(slots=True)
class _Plan:
    dates: TeamDates
    items: list[ImportedItem] = field(default_factory=list[ImportedItem])
    steps: list[Step[Any, Any, Any]] = field(default_factory=list[Step[Any, Any, Any]])
    taken: dict[str, str] = field(default_factory=dict[str, str])  # what a document of this import became already


@router.post("", response_model=ImportReport, openapi_extra={**_WRITE, **_DOCUMENTS}, responses=responses(409, 422))
async def import_backstage(
    request: Request,
    call: CallDep,
    gates: GatesDep,
    dry_run: Annotated[bool, Query(description="Say what would become of them, and store nothing.")] = False,  # noqa: FBT002  a parameter
) -> Response:
    """Import Backstage documents: a Component becomes a service, a Group a team, all else is kept as it is.

    All that can be read is stored together. Imported again nothing changes; what is there is added to, never taken
    from, and no phase and no owner is changed: `spec.owner` is kept for display.
    """
    try:
        documents = read_documents(await request.body())
    except UnreadableError as error:
        detail = str(error)
        raise Problem(422, "unreadable", "The documents cannot be read", detail, [Place(detail, "")]) from error
    policies: Policies = request.app.state.policies
    plan = _Plan(team_dates(policies.inbox, policies.teams))
    for index, document in enumerate(documents):
        await _add(plan, index, document, call, gates)
    counts: Counter[Result] = Counter(item.result for item in plan.items)
    report = ImportReport(stored=not dry_run, counts=counts, items=tuple(plan.items))
    if dry_run or not plan.steps:

        async def answer() -> Answer:
            return Answer(200, encode(report))

        return await call.run(answer)
    first, *others = plan.steps
    return await call.handle(
        first.decider, first.key, first.command, body=lambda _: report, effects=first.effects, also=others
    )


@router.get("/entities", openapi_extra=_READ, dependencies=[fresh(CATALOG_ENTITIES)])
async def list_imported_entities(
    resources: ResourcesDep,
    page: PageDep,
    kind: Annotated[list[str] | None, Query(description="Such as Component, System.")] = None,
    ref: Annotated[list[str] | None, Query(description="Such as component:default/checkout-api.")] = None,
    as_of: AsOf = None,
) -> Page[EntityView]:
    """List the documents that came in, as they came in last, by how their catalogue names them."""
    view = CATALOG_ENTITIES.view
    query = select(view)
    for column, values in ((view.c.kind, kind), (view.c.ref, ref)):
        if values:
            query = query.where(column.in_(values))
    if as_of:
        query = query.where(view.c.recorded_at <= as_of)
    found = await resources.views.read(page.fetch, query, key=view.c.ref, item=lambda row: str(row["ref"]))
    loaded = [(await resources.handler.load(ENTITY, each, as_of=as_of)).state for each in found.items]
    return Page(items=[_view(state) for state in loaded if state], next_page_token=found.next_page_token)


async def _add(plan: _Plan, index: int, document: object, call: Call, gates: GatesDep) -> None:
    """Plan what becomes of one document, and say so."""
    try:
        read = read_entity(document)
    except UnreadableEntityError as error:
        plan.items.append(ImportedItem(index, None, "unreadable", None, remarks=(error.remark,)))
        return
    became = f"{read.becomes}/{read.name}" if read.becomes else ""
    for taken in (read.ref, became):
        if taken and taken in plan.taken:
            detail = f"document {plan.taken[taken]} of this import is {taken} already; rename one of them"
            plan.items.append(
                ImportedItem(index, read.ref, "unreadable", None, remarks=(Remark("twice", "/metadata/name", detail),))
            )
            return
    steps = [_kept(read, document, became, call)]
    if read.becomes:
        steps.append(await (_service(read, call, gates) if read.becomes == "service" else _team(read, call, plan)))
    changed: list[Step[Any, Any, Any]] = []
    created = False
    try:
        for step in steps:
            state = (await call.resources.handler.load(step.decider, step.key)).state
            if step.decider.decide(step.command, state):
                changed.append(step)
                created = created or (step is steps[-1] and state is None)
    except LifecycleError as error:
        remark = Remark("refused", "/metadata/name", str(error))
        plan.items.append(ImportedItem(index, read.ref, "unreadable", None, remarks=(remark,)))
        return
    plan.taken |= dict.fromkeys((read.ref, became) if became else (read.ref,), str(index))
    plan.steps += changed
    result: Result = "unchanged"
    if changed:
        result = "created" if created else "updated"
    if not read.becomes and result == "created":
        result = "kept"
    plan.items.append(
        ImportedItem(index, read.ref, result, became or None, tuple(read.mapped), tuple(read.kept), tuple(read.remarks))
    )


def _kept(read: Read, document: object, became: str, call: Call) -> Step[Any, Any, Any]:
    text = json.dumps(_impersonal(document), sort_keys=True, ensure_ascii=False)
    what = EntityImported(
        ref=read.ref,
        kind=read.kind,
        document=text,
        became=became,
        by=call.principal.name,
        at=call.context.at,
    )
    return Step(ENTITY, read.ref, Import(what))


def _impersonal(document: Any) -> Any:  # noqa: ANN401  whatever came in
    profile = document["spec"].get("profile") if isinstance(document.get("spec"), dict) else None
    if not isinstance(profile, dict):
        return document
    without = {key: value for key, value in profile.items() if key not in _PERSONAL}
    return {**document, "spec": {**document["spec"], "profile": without}}


async def _service(read: Read, call: Call, gates: GatesDep) -> Step[Any, Any, Any]:
    """What registers the service, or adds to it; its phase and its owner are people's matter once it is there."""
    state = (await call.resources.handler.load(SERVICE, read.name)).state
    if state is None:
        command: RegisterService | Enrich = RegisterService(
            service=read.name,
            display_name=read.display_name or read.name,
            owner_team="",
            tier=0,
            phase=read.phase or Phase.ARCHITECTURE_AND_DESIGN,
            revives="",
            grace=gates.policy.grandfathering_days.days,
            grandfathered_until=None,
            by=call.principal.name,
            at=call.context.at,
            catalogue=read.catalogue,
        )
        return Step(SERVICE, read.name, command)
    if read.phase and read.phase is not state.profile.phase:
        detail = f"the service is in {state.profile.phase} here, which an import leaves; move it by a transition"
        read.remarks.append(Remark("phase-differs", "/spec/lifecycle", detail))
    command = Enrich(service=read.name, display_name=read.display_name, catalogue=read.catalogue, at=call.context.at)
    return Step(SERVICE, read.name, command)


async def _team(read: Read, call: Call, plan: _Plan) -> Step[Any, Any, Any]:
    if (await call.resources.handler.load(TEAM, read.name)).state is None:
        detail = "Backstage does not say whether a group develops or runs services; it is a dev team here"
        read.remarks.append(Remark("kind-assumed", "/spec/type", detail))
        register = RegisterTeam(
            team=read.name,
            kind="dev",
            display_name=read.display_name or read.name,
            at=call.context.at,
            structure=Structure(members=read.members),
            by=call.principal.name,
        )
        return Step(TEAM, read.name, register, plan.dates.of)
    enrol = Enrol(
        team=read.name,
        display_name=read.display_name,
        members=read.members,
        by=call.principal.name,
        at=call.context.at,
    )
    return Step(TEAM, read.name, enrol)


def _view(event: EntityImported) -> EntityView:
    return EntityView(event.ref, event.kind, event.became or None, json.loads(event.document), event.by, event.at)
