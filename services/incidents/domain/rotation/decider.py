"""A rotation's rules: it is changed from a moment on, never before now, so that the past stays as it was."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.incidents.domain.errors import AbsentError, IllegalTransitionError
from services.incidents.domain.on_call.errors import NameTakenError, PastError, SidesMissingError, StillNeededError
from services.incidents.domain.on_call.roster import LONG_AGO, RotationRevision, with_revision
from services.incidents.domain.on_call.sides import Mixture, mixture_fault
from services.incidents.domain.on_call.turns import check_rota
from services.incidents.domain.on_call.wall_clock import checked
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
    changed: datetime = LONG_AGO


Rotation = Known | None  # None: never defined


def decide(command: Command, state: Rotation) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AbsentError: There is no such rotation.
        IllegalTransitionError: It has ended.
        OnCallError: What is asked means nothing, is taken, or would rewrite the past.
    """
    match state, command:
        case None, Define():
            check_from(command.effective_from, command.at)
            return (_changed(command.rotation, command, command.effective_from),)
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
            return _revised(state, command)
        case Known(), End():
            if state.ended:
                return ()
            if command.schedules:
                detail = f"schedules need it: {', '.join(command.schedules)}; take it out of their layers first"
                raise StillNeededError("rotation", detail)
            return (RotationEnded(rotation=state.rotation, by=command.by, reason=command.reason, at=command.at),)


def evolve(state: Rotation, event: Event) -> Rotation:
    """The state after one more fact."""
    match event:
        case RotationChanged():
            revision = RotationRevision(event.rota, event.effective_from)
            revisions = with_revision(state.revisions if state else (), revision, event.instead_of)
            return Known(event.rotation, event.display_name, event.sides, revisions, changed=event.at)
        case RotationEnded():
            return state and replace(state, ended=True)


def _revised(state: Known, command: Change) -> tuple[RotationChanged, ...]:
    held = state.revisions[-1]
    same = held.rota == command.rota
    begins, instead_of = counts_from(held.effective_from, command.effective_from, command.at, same=same)
    if _said(state) == _asked(command) and begins == held.effective_from:
        return ()
    return (_changed(state.rotation, command, begins, instead_of),)


def counts_from(held: datetime, asked: datetime, now: datetime, *, same: bool) -> tuple[datetime, datetime | None]:
    """From when on a change counts, and instead of which plan; what stays the *same* and is in force goes on.

    Args:
        held: From when on what was said last counts, or will.
        asked: From when on the change is to count.
        now: The time.
        same: Whether who takes turns is what was said last, so that at most its moment changes.

    Raises:
        PastError: It would reach back.
    """
    if same and held <= now:
        return held, None
    check_from(asked, now)
    return asked, held if same else None


def _changed(
    rotation: str, command: Define | Change, begins: datetime, instead_of: datetime | None = None
) -> RotationChanged:
    check_rota(command.rota)
    _check_sides(command)
    return RotationChanged(
        rotation=rotation,
        display_name=command.display_name,
        rota=command.rota,
        sides=command.sides,
        effective_from=begins,
        instead_of=instead_of,
        by=command.by,
        reason=command.reason,
        at=command.at,
    )


def check_from(effective_from: datetime, now: datetime) -> None:
    """Nothing, if a change can count from then on.

    Raises:
        OnCallError: It does, or lies too far ahead.
    """
    checked(effective_from, "effective_from")
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
