"""A schedule's rules: it changes from now on or later, never before; decisions: `overrides.py` and `swaps.py`."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from services.incidents.domain.errors import AbsentError, IllegalTransitionError
from services.incidents.domain.on_call.errors import (
    BadDefinitionError,
    NameTakenError,
    NeverOpenError,
    NoParticipantsError,
)
from services.incidents.domain.on_call.resolver import resolve
from services.incidents.domain.on_call.roster import Layer, Roster, ScheduleRevision
from services.incidents.domain.on_call.wall_clock import zone_named
from services.incidents.domain.on_call.windows import check_windows
from services.incidents.domain.rotation.decider import check_from, counts_from
from services.incidents.domain.schedule.commands import (
    ApproveSwap,
    Cancel,
    Change,
    Command,
    Decide,
    Define,
    End,
    EndSwap,
    OfferSwap,
    RenewToken,
    Rotations,
    TakeSwap,
)
from services.incidents.domain.schedule.events import Event, ScheduleDefined, ScheduleEnded, TokenRenewed
from services.incidents.domain.schedule.overrides import cancelled, decided
from services.incidents.domain.schedule.state import Known, Schedule
from services.incidents.domain.schedule.swaps import approved, declined, offered, taken

_OPENS_WITHIN: Final = timedelta(days=70)  # two months of the longest kind, and some


def decide(command: Command, state: Schedule) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AbsentError: There is no such schedule, override or swap.
        IllegalTransitionError: It has ended, or the swap does not allow it.
        OnCallError: What is asked means nothing, is taken, or would rewrite the past.
    """
    match state, command:
        case None, Define():
            check_from(command.revision.effective_from, command.at)
            return (_defined(command.schedule, command, command.revision),)
        case None, _:
            raise AbsentError("schedule")
        case Known(), Define():
            same = _same(state.revisions[-1], command.revision) and state.display_name == command.display_name
            if same and not state.ended:
                return ()
            detail = f"there is a schedule {state.schedule!r} already; PATCH it, or use another name"
            raise NameTakenError("name", detail)
        case Known(ended=True), End():
            return ()
        case Known(ended=True), _:
            raise IllegalTransitionError("schedule", "ended", "this", ())
        case Known(), _:
            return _carried_out(command, state)


def _carried_out(command: Command, state: Known) -> tuple[Event, ...]:  # noqa: C901, PLR0911  a table
    match command:
        case Define():
            return ()
        case Change():
            return _revised(state, command)
        case End():
            return (ScheduleEnded(schedule=state.schedule, by=command.by, reason=command.reason, at=command.at),)
        case Decide():
            return decided(command, state)
        case Cancel():
            return cancelled(command, state)
        case OfferSwap():
            return offered(command, state)
        case TakeSwap():
            return taken(command, state)
        case ApproveSwap():
            return approved(command, state)
        case EndSwap():
            return declined(command, state)
        case RenewToken():
            fact = TokenRenewed(schedule=state.schedule, by=command.by, at=command.at, digest=command.digest)
            return () if state.token == command.digest else (fact,)


def _revised(state: Known, command: Change) -> tuple[ScheduleDefined, ...]:
    held, asked = state.revisions[-1], command.revision
    same = _same(held, asked)
    begins, instead_of = counts_from(held.effective_from, asked.effective_from, command.at, same=same)
    if same and (begins, command.display_name) == (held.effective_from, state.display_name):
        return ()
    return (_defined(state.schedule, command, replace(asked, effective_from=begins), instead_of),)


def _defined(
    schedule: str, command: Define | Change, revision: ScheduleRevision, instead_of: datetime | None = None
) -> ScheduleDefined:
    check_definition(revision, command.rotations)
    return ScheduleDefined(
        schedule=schedule,
        display_name=command.display_name,
        revision=revision,
        instead_of=instead_of,
        by=command.by,
        reason=command.reason,
        at=command.at,
    )


def check_definition(revision: ScheduleRevision, rotations: Rotations) -> None:
    """Nothing, if a definition means something.

    Raises:
        OnCallError: It does not; the error says where.
    """
    zone_named(revision.zone)
    if not revision.layers:
        detail = "nobody is on call; add a layer with a rotation"
        raise NoParticipantsError("layers", detail)
    check_windows(revision.off_duty, "off_duty")
    names: set[str] = set()
    for index, layer in enumerate(revision.layers):
        place = f"layers/{index}"
        if layer.name in names:
            field, detail = f"{place}/name", f"another layer is called {layer.name!r}; call it otherwise"
            raise BadDefinitionError(field, detail)
        names.add(layer.name)
        check_windows(layer.restrictions, f"{place}/restrictions")
        if layer.restrictions and not _opens(revision, layer, rotations):
            field = f"{place}/restrictions"
            detail = f"they leave nothing of the rotation {layer.rotation!r}, which has restrictions too; widen one"
            raise NeverOpenError(field, detail)


def _opens(revision: ScheduleRevision, layer: Layer, rotations: Rotations) -> bool:
    alone = ScheduleRevision(revision.zone, (), (layer,), (), "any", (), revision.effective_from)
    start = max(revision.effective_from, *(each.effective_from for each in rotations[layer.rotation]))
    return bool(resolve(Roster("", (alone,), (), rotations), start, start + _OPENS_WITHIN))


def _same(held: ScheduleRevision, asked: ScheduleRevision) -> bool:
    """Whether they say the same, be it of another time."""
    return held == replace(asked, effective_from=held.effective_from)
