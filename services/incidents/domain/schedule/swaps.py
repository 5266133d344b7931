"""Somebody gives a time of theirs to somebody else, maybe for another: offered > taken > approved by a third person.

It is declined, or withdrawn, while it is offered or taken.
"""

from typing import Final

from services.incidents.domain.errors import AbsentError, IllegalTransitionError
from services.incidents.domain.on_call.errors import NotTheirsError, OverlapError, PastError, TimeRangeError
from services.incidents.domain.on_call.spans import Span
from services.incidents.domain.schedule.commands import ApproveSwap, EndSwap, OfferSwap, TakeSwap
from services.incidents.domain.schedule.events import SwapApproved, SwapDeclined, SwapOffered, SwapTaken
from services.incidents.domain.schedule.overrides import check_on_call, check_span
from services.incidents.domain.schedule.state import Known, Swap

_KEPT_SWAPS: Final = ("offered", "taken")


def offered(command: OfferSwap, state: Known) -> tuple[SwapOffered, ...]:
    """A time of theirs is on offer, if it was not."""
    span = Span(command.start, command.end)
    for it in state.swaps:
        if it.person == command.person and it.state in _KEPT_SWAPS and it.span == span:
            return ()
    check_span(span, command.at)
    check_on_call(state, command.rotations, command.person, span, "start")
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


def taken(command: TakeSwap, state: Known) -> tuple[SwapTaken, ...]:
    """Somebody takes it."""
    swap = _swap(state, command.swap)
    if (command.start is None) is not (command.end is None):
        detail = "a time of theirs has a start and an end; say both, or neither to take it for nothing"
        raise TimeRangeError("end" if command.end is None else "start", detail)
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
        check_span(exchange, command.at)
        check_on_call(state, command.rotations, command.person, exchange, "start")
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


def approved(command: ApproveSwap, state: Known) -> tuple[SwapApproved, ...]:
    """It counts from now on."""
    swap = _swap(state, command.swap)
    if swap.state == "approved":
        return ()
    _check_allowed(swap, command.verb)
    managers = state.at(command.at).managers
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
            check_span(span, command.at)
            check_on_call(state, command.rotations, person, span, "swap")
            for it in state.overrides:
                if it.replaces == person and it.start < span.end and it.end > span.start:
                    detail = f"override {it.override} replaces {person} in that time already; decline the swap"
                    raise OverlapError("swap", detail)
    return (SwapApproved(schedule=state.schedule, swap=swap.swap, by=command.by, reason=command.reason, at=command.at),)


def declined(command: EndSwap, state: Known) -> tuple[SwapDeclined, ...]:
    """It comes to nothing."""
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
