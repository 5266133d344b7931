"""A schedule's rules: it changes from now on or later, never before; two decisions never speak of the same time.

swap: offered > taken > approved (by somebody else) | declined from offered and taken
"""

from datetime import datetime, timedelta
from typing import Final

from services.incidents.domain.errors import AbsentError, IllegalTransitionError
from services.incidents.domain.on_call.errors import (
    BadDefinitionError,
    NameTakenError,
    NeverOpenError,
    NoParticipantsError,
    NotOnCallError,
    NotTheirsError,
    OverlapError,
    PastError,
    TimeRangeError,
)
from services.incidents.domain.on_call.resolver import resolve
from services.incidents.domain.on_call.roster import Layer, Roster, ScheduleRevision
from services.incidents.domain.on_call.spans import Span
from services.incidents.domain.on_call.wall_clock import zone_named
from services.incidents.domain.on_call.windows import check_windows
from services.incidents.domain.rotation.decider import check_from
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
from services.incidents.domain.schedule.events import (
    Event,
    OverrideCancelled,
    OverrideDecided,
    ScheduleDefined,
    ScheduleEnded,
    SwapApproved,
    SwapDeclined,
    SwapOffered,
    SwapTaken,
    TokenRenewed,
)
from services.incidents.domain.schedule.state import Known, Schedule, Swap

LONGEST: Final = timedelta(days=400)
_OPENS_WITHIN: Final = timedelta(days=70)  # two months of the longest kind, and some
_KEPT_SWAPS: Final = ("offered", "taken")


def decide(command: Command, state: Schedule) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AbsentError: There is no such schedule, override or swap.
        IllegalTransitionError: It has ended, or the swap does not allow it.
        OnCallError: What is asked means nothing, is taken, or would rewrite the past.
    """
    match state, command:
        case None, Define():
            return (_defined(command.schedule, command),)
        case None, _:
            raise AbsentError("schedule")
        case Known(), Define():
            if _unchanged(state, command) and not state.ended:
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
            return () if _unchanged(state, command) else (_defined(state.schedule, command),)
        case End():
            return (ScheduleEnded(schedule=state.schedule, by=command.by, reason=command.reason, at=command.at),)
        case Decide():
            return _decided(command, state)
        case Cancel():
            return _cancelled(command, state)
        case OfferSwap():
            return _offered(command, state)
        case TakeSwap():
            return _taken(command, state)
        case ApproveSwap():
            return _approved(command, state)
        case EndSwap():
            return _declined(command, state)
        case RenewToken():
            fact = TokenRenewed(schedule=state.schedule, by=command.by, at=command.at, digest=command.digest)
            return () if state.token == command.digest else (fact,)


def _defined(schedule: str, command: Define | Change) -> ScheduleDefined:
    check_from(command.revision.effective_from, command.at)
    check_definition(command.revision, command.rotations)
    return ScheduleDefined(
        schedule=schedule,
        display_name=command.display_name,
        revision=command.revision,
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


def _unchanged(state: Known, command: Define | Change) -> bool:
    held, asked = state.revisions[-1], command.revision
    same = (held.zone, held.services, held.layers, held.off_duty, held.sides, held.managers)
    return (state.display_name, same) == (
        command.display_name,
        (asked.zone, asked.services, asked.layers, asked.off_duty, asked.sides, asked.managers),
    )


def _decided(command: Decide, state: Known) -> tuple[Event, ...]:
    for it in state.overrides:
        held = (it.kind, it.person, it.replaces, it.start, it.end)
        if held == (command.kind, command.person, command.replaces, command.start, command.end):
            return ()
    _check_span(Span(command.start, command.end), command.at)
    if command.person and command.person == command.replaces:
        detail = f"{command.person} would stand in for themselves; name somebody else"
        raise BadDefinitionError("person", detail)
    for it in state.overrides:
        if it.replaces == command.replaces and it.start < command.end and it.end > command.start:
            span = f"{it.start.isoformat()} to {it.end.isoformat()}"
            detail = f"override {it.override} decides about {span} already; cancel it, or use another time"
            raise OverlapError("start", detail)
    if command.replaces:
        _check_on_call(state, command.rotations, command.replaces, Span(command.start, command.end), "replaces")
    return (
        OverrideDecided(
            schedule=state.schedule,
            override=command.override,
            kind=command.kind,
            person=command.person,
            replaces=command.replaces,
            start=command.start,
            end=command.end,
            by=command.by,
            reason=command.reason,
            at=command.at,
        ),
    )


def _cancelled(command: Cancel, state: Known) -> tuple[Event, ...]:
    held = next((it for it in state.overrides if it.override == command.override), None)
    if held is None:
        raise AbsentError("override", f"/v1/schedules/{state.schedule}/overrides")
    if held.end <= command.at or held.start >= held.end:
        return ()
    return (
        OverrideCancelled(
            schedule=state.schedule,
            override=command.override,
            by=command.by,
            reason=command.reason,
            at=command.at,
        ),
    )


def _offered(command: OfferSwap, state: Known) -> tuple[Event, ...]:
    span = Span(command.start, command.end)
    for it in state.swaps:
        if it.person == command.person and it.state in _KEPT_SWAPS and it.span == span:
            return ()
    _check_span(span, command.at)
    _check_on_call(state, command.rotations, command.person, span, "start")
    return (
        SwapOffered(
            schedule=state.schedule,
            swap=command.swap,
            person=command.person,
            span=span,
            by=command.by,
            reason=command.reason,
            at=command.at,
        ),
    )


def _taken(command: TakeSwap, state: Known) -> tuple[Event, ...]:
    swap = _swap(state, command.swap)
    exchange = Span(command.start, command.end) if command.start and command.end else None
    if swap.state == "taken" and (swap.taken_by, swap.exchange) == (command.person, exchange):
        return ()
    _check_allowed(swap, command.verb)
    if command.person == swap.person:
        detail = f"{command.person} offered it; decline it, if it is no longer wanted"
        raise NotTheirsError("person", detail)
    if swap.span.start < command.at:
        detail = "it has begun; take the shift instead"
        raise PastError("swap", detail)
    if exchange is not None:
        _check_span(exchange, command.at)
        _check_on_call(state, command.rotations, command.person, exchange, "start")
    return (
        SwapTaken(
            schedule=state.schedule,
            swap=command.swap,
            person=command.person,
            exchange=exchange,
            by=command.by,
            reason=command.reason,
            at=command.at,
        ),
    )


def _approved(command: ApproveSwap, state: Known) -> tuple[Event, ...]:
    swap = _swap(state, command.swap)
    if swap.state == "approved":
        return ()
    _check_allowed(swap, command.verb)
    managers = state.revisions[-1].managers
    if not command.is_person or command.by in {swap.person, swap.taken_by} or (managers and command.by not in managers):
        who = (
            f"one of {', '.join(managers)}"
            if managers
            else f"a person who is neither {swap.person} nor {swap.taken_by}"
        )
        detail = f"{command.by} cannot approve it; ask {who}"
        raise NotTheirsError("by", detail)
    for person, span in ((swap.person, swap.span), (swap.taken_by, swap.exchange)):
        if span is not None:
            _check_span(span, command.at)
            _check_on_call(state, command.rotations, person, span, "swap")
            for it in state.overrides:
                if it.replaces == person and it.start < span.end and it.end > span.start:
                    detail = f"override {it.override} replaces {person} in that time already; decline the swap"
                    raise OverlapError("swap", detail)
    return (SwapApproved(schedule=state.schedule, swap=swap.swap, by=command.by, reason=command.reason, at=command.at),)


def _declined(command: EndSwap, state: Known) -> tuple[Event, ...]:
    swap = _swap(state, command.swap)
    if swap.state == "declined":
        return ()
    _check_allowed(swap, command.verb)
    return (SwapDeclined(schedule=state.schedule, swap=swap.swap, by=command.by, reason=command.reason, at=command.at),)


def _swap(state: Known, name: str) -> Swap:
    found = next((it for it in state.swaps if it.swap == name), None)
    if found is None:
        raise AbsentError("swap", f"/v1/schedules/{state.schedule}/swaps")
    return found


def _check_allowed(swap: Swap, verb: str) -> None:
    if verb not in swap.allowed:
        raise IllegalTransitionError("swap", swap.state, verb, swap.allowed)


def _check_span(span: Span, now: datetime) -> None:
    if span.end <= span.start:
        detail = f"it ends at {span.end.isoformat()}, not after its start; let it end later"
        raise TimeRangeError("end", detail)
    if span.lasts > LONGEST:
        detail = f"it lasts {span.lasts.days} days; at most {LONGEST.days} are decided at once: change the rotation"
        raise TimeRangeError("end", detail)
    if span.start < now:
        detail = f"{span.start.isoformat()} is over; who was on call is not rewritten: leave it out to start now"
        raise PastError("start", detail)


def _check_on_call(state: Known, rotations: Rotations, person: str, span: Span, field: str) -> None:
    found = resolve(state.roster(rotations), span.start, span.end)
    if not any(each.person == person and not each.shadow for each in found):
        others = ", ".join(sorted({each.person for each in found if not each.shadow})) or "nobody"
        detail = f"{person} is not on call between {span.start.isoformat()} and {span.end.isoformat()}; {others} is"
        raise NotOnCallError(field, detail)
