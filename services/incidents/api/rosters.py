"""What routes of rotations and schedules ask for, from the streams: nobody is shown who was on call a moment ago."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from libs.events.handler import Loaded
from libs.events.resources import Resources
from libs.web.calls import Call
from services.incidents.contract import PERSON, ROTATION, SCHEDULE
from services.incidents.domain.errors import AbsentError, UnknownReferenceError
from services.incidents.domain.on_call.roster import Roster, RotationRevision
from services.incidents.domain.person.decider import Known as Person
from services.incidents.domain.person.events import Side
from services.incidents.domain.schedule.state import Known

_REGISTER = "register them first (POST /v1/people)"


async def scheduled(resources: Resources, schedule: str) -> tuple[Loaded[Known | None], Known, Roster]:
    """A schedule, and all from which it follows who is on call.

    Raises:
        AbsentError: There is no such schedule.
    """
    loaded = await resources.handler.load(SCHEDULE, schedule)
    if loaded.state is None:
        raise AbsentError("schedule")
    known = loaded.state
    rotations = {name: await resources.handler.load(ROTATION, name) for name in sorted(known.layered)}
    found = {name: it.state.revisions for name, it in rotations.items() if it.state is not None}
    version = loaded.version, *(it.version for it in rotations.values())
    return loaded, known, replace(known.roster(found), version=version)


async def revisions(resources: Resources, rotations: Collection[str]) -> dict[str, tuple[RotationRevision, ...]]:
    """What those of *rotations* that there are were, are and will be."""
    found: dict[str, tuple[RotationRevision, ...]] = {}
    for name in rotations:
        state = (await resources.handler.load(ROTATION, name)).state
        if state is not None:
            found[name] = state.revisions
    return found


async def living_rotations(resources: Resources, rotations: Sequence[str]) -> dict[str, tuple[RotationRevision, ...]]:
    """As `revisions`, of the layers that are asked for.

    Raises:
        UnknownReferenceError: One of them does not exist, or has ended.
    """
    for index, name in enumerate(rotations):
        state = (await resources.handler.load(ROTATION, name)).state
        if state is None or state.ended:
            place, remedy = f"layers/{index}/rotation", "define it first (POST /v1/rotations)"
            raise UnknownReferenceError("rotation", name, remedy, place)
    return await revisions(resources, rotations)


async def active_person(resources: Resources, name: str, field: str) -> Person:
    """Somebody who can be called.

    Raises:
        UnknownReferenceError: They cannot.
    """
    state = (await resources.handler.load(PERSON, name)).state
    if state is None or not state.active:
        raise UnknownReferenceError("person", name, _REGISTER, field)
    return state


async def sides_of(resources: Resources, participants: Sequence[str]) -> dict[str, Side]:
    """Who is on which side.

    Raises:
        UnknownReferenceError: Somebody cannot be called.
    """
    return {
        name: (await active_person(resources, name, f"participants/{index}")).side
        for index, name in enumerate(participants)
    }


def whoever(call: Call, named: str | None) -> str:
    """Who is meant: whoever asks, unless they name somebody."""
    return named or call.principal.name
