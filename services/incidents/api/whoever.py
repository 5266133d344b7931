"""Who may own an action, and for which side somebody reads a postmortem, as far as people are registered."""

from collections.abc import Sequence

from sqlalchemy import Connection, select

from libs.events.resources import Resources
from libs.web.calls import Call
from services.incidents.contract import PERSON
from services.incidents.domain.errors import OwnerLeftError, UnknownReferenceError
from services.incidents.domain.postmortem.events import Side
from services.incidents.projections.people import PEOPLE

_SIDES: dict[str, Side] = {"sre": "sre", "dev": "product"}


async def require_here(call: Call, person: str, place: str = "owner") -> None:
    """Refuse who is not here; where nobody is registered, or of oneself, nothing is known against it.

    Raises:
        UnknownReferenceError: People are registered, and nobody of this label.
        OwnerLeftError: They were erased.
    """
    resources = call.resources
    state = (await resources.handler.load(PERSON, person)).state
    if state is not None and not state.active:
        raise OwnerLeftError(person, place)
    if state is None and person != call.principal.name and await resources.views.read(_anybody):
        remedy = "GET /v1/people lists who is here; POST /v1/people registers them"
        raise UnknownReferenceError("person", person, remedy, place)


async def require_all_here(call: Call, collaborators: Sequence[str]) -> None:
    """Refuse those of *collaborators* who are not here, as `require_here` does."""
    for index, person in enumerate(collaborators):
        await require_here(call, person, f"collaborators/{index}")


async def side_of(resources: Resources, person: str, place: str = "") -> Side | None:
    """The side to which *person* belongs; None where they are not registered.

    Raises:
        OwnerLeftError: They were erased, and are asked for something at *place*.
    """
    state = (await resources.handler.load(PERSON, person)).state
    if place and state is not None and not state.active:
        raise OwnerLeftError(person, place)
    return _SIDES.get(state.side) if state is not None and state.active else None


def _anybody(connection: Connection) -> bool:
    view = PEOPLE.view.c
    return connection.execute(select(view.person).where(view.active).limit(1)).first() is not None
