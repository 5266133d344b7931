"""When an escalation goes on: one timer each; and what makes it wait for who says that they have its incident."""

from datetime import datetime
from typing import Final

from libs.events.handler import NO_EFFECTS, Effects, Step
from libs.events.store import Timer
from services.incidents.contract import ESCALATION
from services.incidents.domain.asked import Asked
from services.incidents.domain.escalation.commands import Command, Reassure
from services.incidents.domain.escalation.events import Event
from services.incidents.domain.escalation.state import Escalation

CLIMBING: Final = "escalation"


def waking(state: Escalation, events: tuple[Event, ...]) -> Effects:
    """One timer per escalation: when it goes on."""
    if state is None or not events:
        return NO_EFFECTS
    incident = state.record.begun.incident
    if state.due is None:
        return Effects(cancel=(timer(incident, events[-1].at).key,))
    return Effects(schedule=(timer(incident, state.due),))


def timer(incident: str, due: datetime) -> Timer:
    """What wakes the escalation of *incident*."""
    return Timer(f"{CLIMBING}/{incident}", due, CLIMBING)


def reassuring(incident: str, asked: Asked) -> Step[Command, Escalation, Event]:
    """Whoever says that they have *incident* is called for no more: at once, also when it was acknowledged before."""
    return Step(ESCALATION, incident, Reassure(by=asked.by, reason=asked.reason, at=asked.at), waking)
