"""A rotation's rules: it is changed from a moment on, never before now, so that the past stays as it was."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.incidents.domain.errors import AbsentError, IllegalTransitionError
from services.incidents.domain.on_call.errors import NameTakenError, PastError, SidesMissingError, StillNeededError
from services.incidents.domain.on_call.roster import RotationRevision
from services.incidents.domain.on_call.sides import Mixture, mixture_fault
from services.incidents.domain.on_call.turns import check_rota
from services.incidents.domain.rotation.commands import Change, Command, Define, End
from services.incidents.domain.rotation.events import Event, RotationChanged, RotationEnded


@dataclass(frozen=True, slots=True)
class Known:
    """A rotation, with what it was, is and will be."""

    rotation: str
    display_name: str
    sides: Mixture
    revisions: tuple[RotationRevision, ...]
    ended: bool = False


Rotation = Known | None  # None: never defined


def decide(command: Command, state: Rotation) -> tuple[Event, ...]:  # noqa: C901  a table, one line a pair
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AbsentError: There is no such rotation.
        IllegalTransitionError: It has ended.
        OnCallError: What is asked means nothing, is taken, or would rewrite the past.
    """
    match state, command:
        case None, Define():
            return (_changed(command.rotation, command),)
        case None, _:
            raise AbsentError("rotation")
        case Known(), Define():
            if _said(state) == _asked(command) and not state.ended:
                return ()
            detail = f"there is a rotation {state.rotation!r} already; PATCH it, or use another name"
            raise NameTakenError("name", detail)
        case Known(ended=True), Change():
            raise IllegalTransitionError("rotation", "ended", "change", ())
        case Known(), Change():
            if _said(state) == _asked(command):
                return ()
            return (_changed(state.rotation, command),)
        case Known(), End():
            if state.ended:
                return ()
            if command.schedules:
                detail = f"schedules need it: {', '.join(command.schedules)}; take it out of their layers first"
                raise StillNeededError("rotation", detail)
            return (RotationEnded(rotation=state.rotation, by=command.by, reason=command.reason, at=command.at),)


def evolve(state: Rotation, event: Event) -> Rotation:
    """The state after one more fact; what was planned for later than a change is replaced by it."""
    match event:
        case RotationChanged():
            kept = (
                tuple(each for each in state.revisions if each.effective_from < event.effective_from) if state else ()
            )
            revisions = (*kept, RotationRevision(event.rota, event.effective_from))
            return Known(event.rotation, event.display_name, event.sides, revisions)
        case RotationEnded():
            return state and replace(state, ended=True)


def _changed(rotation: str, command: Define | Change) -> RotationChanged:
    check_rota(command.rota)
    check_from(command.effective_from, command.at)
    _check_sides(command)
    return RotationChanged(
        rotation=rotation,
        display_name=command.display_name,
        rota=command.rota,
        sides=command.sides,
        effective_from=command.effective_from,
        by=command.by,
        reason=command.reason,
        at=command.at,
    )


def check_from(effective_from: datetime, now: datetime) -> None:
    """Nothing, if a change does not reach back.

    Raises:
        PastError: It does.
    """
    if effective_from < now:
        detail = f"{effective_from.isoformat()} is over; leave it out, and the change counts from now on"
        raise PastError("effective_from", detail)


def _check_sides(command: Define | Change) -> None:
    fault = mixture_fault(command.sides, command.rota.participants, command.people)
    if fault is not None:
        raise SidesMissingError(*fault)


def _said(it: Known) -> object:
    return it.display_name, it.sides, it.revisions[-1].rota


def _asked(command: Define | Change) -> object:
    return command.display_name, command.sides, command.rota
