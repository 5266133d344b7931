"""For a time it is otherwise: two decisions never speak of the same time, and none reaches back."""

from datetime import datetime, timedelta
from typing import Final

from services.incidents.domain.errors import AbsentError
from services.incidents.domain.on_call.errors import (
    BadDefinitionError,
    NotOnCallError,
    OverlapError,
    PastError,
    TimeRangeError,
)
from services.incidents.domain.on_call.resolver import resolve
from services.incidents.domain.on_call.roster import decision_of
from services.incidents.domain.on_call.spans import Span
from services.incidents.domain.on_call.wall_clock import checked
from services.incidents.domain.schedule.commands import Cancel, Decide, Rotations
from services.incidents.domain.schedule.events import OverrideCancelled, OverrideDecided
from services.incidents.domain.schedule.state import Known

LONGEST: Final = timedelta(days=400)


def decided(command: Decide, state: Known) -> tuple[OverrideDecided, ...]:
    """For a time it is otherwise, if that says something new.

    Raises:
        OnCallError: It cannot be so.
    """
    for it in state.overrides:
        held = (it.kind, it.person, it.replaces, it.start, it.end)
        if held == (command.kind, command.person, command.replaces, command.start, command.end):
            return ()
    check_span(Span(command.start, command.end), command.at)
    if command.person and command.person == command.replaces:
        detail = f"{command.person} would stand in for themselves; name somebody else"
        raise BadDefinitionError("person", detail)
    for it in state.overrides:
        if it.replaces == command.replaces and it.start < command.end and it.end > command.start:
            span = f"{it.start.isoformat()} to {it.end.isoformat()}"
            detail = f"override {it.override} decides about {span} already; cancel it, or use another time"
            raise OverlapError("start", detail)
    if command.replaces:
        check_on_call(state, command.rotations, command.replaces, Span(command.start, command.end), "replaces")
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


def cancelled(command: Cancel, state: Known) -> tuple[OverrideCancelled, ...]:
    """A decision counts no more, if it did; both halves of a swap are one.

    Raises:
        AbsentError: There is no such decision.
    """
    if not any(it.override == command.override for it in state.overrides):
        raise AbsentError("override", f"/v1/schedules/{state.schedule}/overrides")
    held = (it for it in state.overrides if it.decision == decision_of(command.override))
    if all(it.cancelled or it.end <= command.at for it in held):
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


def check_span(span: Span, now: datetime) -> None:
    """Nothing, if a time can be decided about.

    Raises:
        OnCallError: It is none, too long, or over.
    """
    checked(span.end, "end")
    if span.end <= span.start:
        detail = f"it ends at {span.end.isoformat()}, not after its start; let it end later"
        raise TimeRangeError("end", detail)
    if span.lasts > LONGEST:
        detail = f"it lasts {span.lasts.days} days; at most {LONGEST.days} are decided at once: change the rotation"
        raise TimeRangeError("end", detail)
    if span.start < now:
        detail = f"{span.start.isoformat()} is over; who was on call is not rewritten: leave it out to start now"
        raise PastError("start", detail)


def check_on_call(state: Known, rotations: Rotations, person: str, span: Span, field: str) -> None:
    """Nothing, if *person* is on call in a time.

    Raises:
        NotOnCallError: They are not.
    """
    found = resolve(state.roster(rotations), span.start, span.end)
    if not any(each.person == person and not each.shadow for each in found):
        others = ", ".join(sorted({each.person for each in found if not each.shadow})) or "nobody"
        detail = f"{person} is not on call between {span.start.isoformat()} and {span.end.isoformat()}; {others} is"
        raise NotOnCallError(field, detail)
