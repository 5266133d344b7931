"""A schedule, with what people decided beside it."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.incidents.domain.on_call.roster import (
    HALVES,
    LONG_AGO,
    Override,
    Roster,
    ScheduleRevision,
    decision_of,
    from_then_on,
    with_revision,
)
from services.incidents.domain.on_call.spans import Span
from services.incidents.domain.schedule.commands import Rotations
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

SwapState = Literal["offered", "taken", "approved", "declined"]
_ALLOWED: dict[SwapState, tuple[str, ...]] = {
    "offered": ("take", "decline"),
    "taken": ("approve", "decline"),
    "approved": (),
    "declined": (),
}


@dataclass(frozen=True, slots=True)
class Swap:
    """One stretch of time that goes from one person to another, maybe for another."""

    swap: str
    state: SwapState
    person: str
    span: Span
    taken_by: str = ""
    exchange: Span | None = None
    decided_by: str = ""
    reason: str = ""

    @property
    def allowed(self) -> tuple[str, ...]:
        """What can be done with it now."""
        return _ALLOWED[self.state]


@dataclass(frozen=True, slots=True)
class Known:
    """A schedule with what it was, is and will be."""

    schedule: str
    display_name: str
    revisions: tuple[ScheduleRevision, ...]
    overrides: tuple[Override, ...] = ()
    swaps: tuple[Swap, ...] = ()
    token: str = ""
    ended: bool = False
    changed: datetime = LONG_AGO  # as it was defined; decisions have times of their own

    def roster(self, rotations: Rotations) -> Roster:
        """All from which it follows who is on call."""
        return Roster(self.schedule, self.revisions, self.overrides, rotations)

    def at(self, moment: datetime) -> ScheduleRevision:
        """What is in force at a moment; before the first revision, that one."""
        return from_then_on(self.revisions, moment)[0]

    @property
    def layered(self) -> set[str]:
        """The rotations it ever named."""
        return {layer.rotation for revision in self.revisions for layer in revision.layers}


Schedule = Known | None  # None: never defined


def evolve(state: Schedule, event: Event) -> Schedule:  # noqa: C901, PLR0911  a table, one line an event
    """The state after one more fact."""
    if isinstance(event, ScheduleDefined):
        return _defined(state, event)
    if state is None:
        return None
    match event:
        case ScheduleEnded(at=at):
            last = replace(state.revisions[-1], layers=(), off_duty=(), sides="any", effective_from=at)
            return replace(state, revisions=with_revision(state.revisions, last), ended=True, changed=at)
        case OverrideDecided():
            return replace(state, overrides=(*state.overrides, _override(event)))
        case OverrideCancelled(override=override, at=at):
            return replace(state, overrides=tuple(_cancelled(it, override, at) for it in state.overrides))
        case SwapOffered():
            swap = Swap(event.swap, "offered", event.person, event.span, reason=event.reason)
            return replace(state, swaps=(*state.swaps, swap))
        case SwapTaken(swap=swap, person=person, exchange=exchange):
            return _swapped(state, swap, state="taken", taken_by=person, exchange=exchange)
        case SwapApproved():
            return _approved(state, event)
        case SwapDeclined(swap=swap, by=by):
            return _swapped(state, swap, state="declined", decided_by=by)
        case TokenRenewed(digest=digest):
            return replace(state, token=digest)


def _defined(state: Schedule, event: ScheduleDefined) -> Known:
    if state is None:
        return Known(event.schedule, event.display_name, (event.revision,), changed=event.at)
    revisions = with_revision(state.revisions, event.revision, event.instead_of)
    return replace(state, display_name=event.display_name, revisions=revisions, changed=event.at)


def _override(event: OverrideDecided) -> Override:
    return Override(
        event.override,
        event.kind,
        event.person,
        event.replaces,
        event.start,
        event.end,
        event.reason,
        event.by,
        event.at,
    )


def _cancelled(it: Override, override: str, at: datetime) -> Override:
    return replace(it, end=min(it.end, at), cancelled=at) if it.decision == decision_of(override) else it


def _swapped(known: Known, swap: str, **changes: object) -> Known:
    return replace(known, swaps=tuple(replace(it, **changes) if it.swap == swap else it for it in known.swaps))  # pyright: ignore[reportArgumentType]  fields of a swap


def _approved(known: Known, event: SwapApproved) -> Known:
    """Both halves count as decisions of the same moment."""
    swap = next(it for it in known.swaps if it.swap == event.swap)
    halves = ((swap.span, swap.person, swap.taken_by), (swap.exchange, swap.taken_by, swap.person))
    made = tuple(
        Override(f"{swap.swap}{half}", "swap", to, of, span.start, span.end, event.reason, event.by, event.at)
        for half, (span, of, to) in zip(HALVES, halves, strict=True)
        if span is not None
    )
    after = replace(known, overrides=(*known.overrides, *made))
    return _swapped(after, event.swap, state="approved", decided_by=event.by)
