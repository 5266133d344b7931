"""`/v1/people`: who can be called, where they belong and how they are reached."""

from typing import Annotated, Any, Final

from fastapi import Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.events import codec
from libs.events.handler import Effects, Loaded
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.events.store import Timer
from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.calls import CallDep, retried_on_conflict
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import responses
from libs.web.routing import Router
from services.incidents.api.addresses import check_addresses
from services.incidents.api.filters import matching
from services.incidents.api.people_schemas import ChangePerson, PersonAnswer, RegisterPerson, answered, person_answer
from services.incidents.contract import PERSON
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.on_call.errors import StillNeededError
from services.incidents.domain.on_call.wall_clock import zone_named
from services.incidents.domain.person.commands import Change, Erase, Register
from services.incidents.domain.person.decider import Known, Person
from services.incidents.domain.person.events import Side
from services.incidents.on_call.changes import ERASING, changing
from services.incidents.projections.contacts import drop_before, drop_contact, erase, read_contact, write_contact
from services.incidents.projections.people import PEOPLE, people_of
from services.incidents.projections.schedules import ROTATIONS, SCHEDULES, rotations_with, stands_in
from services.incidents.timetable import leaving

_READ, _WRITE = needs("people.read"), needs("people.write")
_CONTACT: Final = "/contact/{kind}"

router = Router(prefix="/v1/people", tags=["people"])


@router.post("", status_code=201, response_model=PersonAnswer, openapi_extra=_WRITE, responses=responses(409, 422))
async def register_person(body: RegisterPerson, request: Request, call: CallDep) -> Response:
    """Register somebody who can be called; only label, team, side and site ever stand in events."""
    zone_named(body.zone)
    check_addresses(request, body.personal["contact"], _CONTACT)
    resources = call.resources
    loaded, before = await _found(resources, body.name)
    same = loaded.state is not None and before == body.personal
    contact = loaded.state.contact if loaded.state and same else str(new_id())
    if loaded.state is None:
        await resources.views.write(write_contact, contact, body.name, body.personal)
    command = Register(
        person=body.name,
        team=body.team,
        side=body.side,
        site=body.site,
        contact=contact,
        by=call.principal.name,
        reason=body.reason,
        at=call.context.at,
    )
    return await call.handle(
        PERSON,
        body.name,
        command,
        body=lambda outcome: person_answer(_known(outcome.state), body.personal),
        status=201,
        location=f"/v1/people/{body.name}",
        effects=changing,
    )


@router.get("", openapi_extra=_READ, dependencies=[fresh(PEOPLE)])
async def list_people(
    resources: ResourcesDep,
    page: PageDep,
    team: Annotated[list[str] | None, Query()] = None,
    side: Annotated[list[Side] | None, Query()] = None,
    active: Annotated[list[bool] | None, Query()] = None,
) -> Page[PersonAnswer]:
    """List people by label; who was erased has only that."""
    c = PEOPLE.view.c
    query = select(c.person).where(*matching({c.team: team, c.side: side, c.active: active}))
    found = await resources.views.read(page.fetch, query, key=c.person, item=lambda row: str(row["person"]))
    known = await resources.views.read(people_of, found.items)
    items = [
        answered(it.name, it.display_name, (it.team, it.side, it.site), it.zone, contact, active=it.active)
        for it, contact in (known[name] for name in found.items)
    ]
    return Page(items=items, next_page_token=found.next_page_token)


@router.get("/{person}", response_model=PersonAnswer, openapi_extra=_READ, responses=responses(404))
async def get_person(person: str, request: Request, resources: ResourcesDep) -> Response:
    """Read a person."""
    loaded, data = await _found(resources, person)
    return etag.answer(request, person_answer(_known(loaded.state), data), version=loaded.version)


@router.patch(
    "/{person}",
    response_model=PersonAnswer,
    openapi_extra=needs("people.write", if_match=True),
    responses=responses(404, 409, 412, 422),
)
@retried_on_conflict
async def change_person(person: str, body: ChangePerson, request: Request, call: CallDep) -> Response:
    """Change a person by a merge patch: team, side, site, zone, contact, preferences, unavailability."""
    zone_named(body.zone)
    resources = call.resources
    loaded, before = await _found(resources, person)
    known = _known(loaded.state)
    sent = body.model_dump(mode="json", exclude_unset=True, exclude={"reason"})
    check_addresses(request, sent.get("contact"), _CONTACT)
    place = {name: sent.pop(name, getattr(known, name)) for name in ("team", "side", "site")}
    data = _merged(before, sent)
    contact = known.contact
    if data != before and known.active:
        contact = str(new_id())
        await resources.views.write(write_contact, contact, person, data)
    command = Change(contact=contact, by=call.principal.name, reason=body.reason, at=call.context.at, **place)
    try:
        answer = await call.pinned(loaded).handle(
            PERSON,
            person,
            command,
            body=lambda outcome: person_answer(_known(outcome.state), data),
            effects=changing,
        )
    except Exception:
        if contact != known.contact:
            await resources.views.write(drop_contact, contact)  # who is erased meanwhile leaves nothing
        raise
    await resources.views.write(drop_before, person, contact)
    return answer


@router.delete(
    "/{person}",
    response_model=PersonAnswer,
    openapi_extra=_WRITE,
    responses=responses(404, 409),
    dependencies=[fresh(ROTATIONS, SCHEDULES)],
)
async def erase_person(person: str, call: CallDep) -> Response:
    """Erase what is personal, once no rotation counts on them; the label stays in what has happened."""
    now, views = call.context.at, call.resources.views
    taking_turns = await views.read(rotations_with, person, now)
    if taking_turns:
        detail = f"{person} takes turns in {', '.join(taking_turns)}; take them out of the participants first"
        raise StillNeededError("person", detail)
    standing_in = await views.read(stands_in, person, now)
    if standing_in:
        detail = f"{person} stands in for somebody in {', '.join(standing_in)}; cancel that override first"
        raise StillNeededError("person", detail)
    command = Erase(by=call.principal.name, at=now)
    due = Timer(f"{ERASING}/{person}", now, ERASING, codec.encode({"person": person}))
    answer = await call.handle(
        PERSON,
        person,
        command,
        body=lambda outcome: person_answer(_known(outcome.state), {}),
        effects=Effects(schedule=(due, leaving(person, now))),  # the first should this process end before the next line
    )
    await call.resources.views.write(erase, person)
    return answer


def _known(state: Person) -> Known:
    if state is None:
        raise AbsentError("person", "/v1/people")
    return state


async def _found(resources: Resources, person: str) -> tuple[Loaded[Person], dict[str, Any]]:
    """A person with their contact row; read again where that was replaced in between."""
    loaded = await resources.handler.load(PERSON, person)
    while loaded.state is not None and loaded.state.active:
        data = await resources.views.read(read_contact, loaded.state.contact)
        if data is not None:
            return loaded, data
        before, loaded = loaded.version, await resources.handler.load(PERSON, person)
        if loaded.version == before:
            break
    return loaded, {}


def _merged(before: dict[str, Any], patch: dict[str, Any]) -> dict[str, Any]:
    """A JSON merge patch (RFC 7396)."""
    after = dict(before)
    for name, value in patch.items():
        held = after.get(name)
        after[name] = _merged(held, value) if isinstance(held, dict) and isinstance(value, dict) else value
    return after
