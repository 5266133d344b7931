"""A shift's rules: closed once, acknowledged by somebody who comes, and noted as often as there is something new."""

from dataclasses import dataclass, replace

from services.incidents.domain.on_call.errors import NotTheirsError
from services.incidents.domain.shift.commands import AcknowledgeHandover, Close, Command, HandOver
from services.incidents.domain.shift.events import Event, HandoverAcknowledged, ShiftClosed, ShiftHandedOver


@dataclass(frozen=True, slots=True)
class Shift:
    """What is known of a shift beside its times."""

    handed_over: ShiftHandedOver | None = None
    acknowledged: HandoverAcknowledged | None = None
    closed: ShiftClosed | None = None


NOTHING = Shift()


def decide(command: Command, state: Shift) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        NotTheirsError: Who hands over is not on duty, or who acknowledges does not come.
    """
    match command:
        case HandOver():
            return _handed_over(command, state)
        case AcknowledgeHandover():
            if state.acknowledged is not None and state.acknowledged.by == command.by:
                return ()
            if command.by not in command.incoming:
                who = ", ".join(command.incoming) or "nobody"
                detail = f"{command.by} does not come on duty after this shift; {who} does: they acknowledge it"
                raise NotTheirsError("by", detail)
            done = HandoverAcknowledged(shift=command.shift, schedule=command.schedule, by=command.by, at=command.at)
            return (done,)
        case Close(closed):
            return () if state.closed else (closed,)


def evolve(state: Shift, event: Event) -> Shift:
    """The state after one more fact; a new note is to be acknowledged anew."""
    match event:
        case ShiftHandedOver():
            return replace(state, handed_over=event, acknowledged=None)
        case HandoverAcknowledged():
            return replace(state, acknowledged=event)
        case ShiftClosed():
            return replace(state, closed=event)


def _handed_over(command: HandOver, state: Shift) -> tuple[Event, ...]:
    if command.by != command.person:
        detail = f"{command.person} has this shift, and says what others must know of it; {command.by} cannot"
        raise NotTheirsError("shift", detail)
    held = state.handed_over
    if held is not None and held.note == command.note:
        return ()
    return (
        ShiftHandedOver(
            shift=command.shift,
            schedule=command.schedule,
            person=command.person,
            incoming=command.incoming,
            note=command.note,
            incidents=command.incidents,
            by=command.by,
            at=command.at,
        ),
    )
