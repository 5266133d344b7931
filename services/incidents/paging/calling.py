"""Whom a step calls at a moment, and how each is reached."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from services.incidents.domain.channel.events import ChannelKind, Urgency
from services.incidents.domain.escalation.climbing import Found
from services.incidents.domain.escalation.events import Called
from services.incidents.domain.escalation_policy.steps import Target
from services.incidents.domain.who_is_paged import Rung
from services.incidents.projections.channels import switched_off
from services.incidents.projections.people import Contact, contact_of, team_members
from services.incidents.projections.schedules import on_call

_KINDS: Final[tuple[ChannelKind, ...]] = ("webhook", "slack", "email")
_NO_CHANNEL: Final = "{} has no channel that is switched on; PATCH /v1/people/{} or :switch-on one of its channels"


@dataclass(frozen=True, slots=True)
class Duty:
    """Somebody whom a target means."""

    person: str
    schedule: str = ""
    shift: str = ""
    shadow: bool = False


def finder(connection: Connection, at: datetime, page: Callable[[Rung, str], str]) -> Callable[[Rung], Found]:
    """Finds whom a step calls at *at*; *page* gives the id of the call of a person."""

    def find(rung: Rung) -> Found:
        people: dict[str, Called] = {}
        missing: list[str] = []
        for target in rung.step.targets:
            duties = [duty for duty in duties_of(connection, target, at) if not duty.shadow]
            if not duties:
                missing.append(_nobody(target))
            for duty in duties:
                if duty.person in people:
                    continue
                if why := _unreachable(connection, duty, at):
                    missing.append(why)
                    continue
                people[duty.person] = Called(
                    page=page(rung, duty.person),
                    person=duty.person,
                    side=rung.side,
                    policy=rung.policy,
                    step=rung.number,
                    schedule=duty.schedule,
                    shift=duty.shift,
                )
        return Found(tuple(people.values()), tuple(dict.fromkeys(missing)))

    return find


def duties_of(connection: Connection, target: Target, at: datetime) -> Iterator[Duty]:
    """Whom *target* means at *at*, shadows too."""
    match target.kind:
        case "person":
            yield Duty(target.name)
        case "team":
            yield from (Duty(person) for person in team_members(connection, target.name))
        case "schedule":
            for each in on_call(connection, target.name, at):
                yield Duty(each.person, target.name, each.shift, each.shadow)


def shadows_of(connection: Connection, called: Sequence[Called], at: datetime) -> dict[str, str]:
    """Who sees these calls without the duty, and whose schedule they shadow."""
    schedules = dict.fromkeys(each.schedule for each in called if each.schedule)
    found = {
        duty.person: duty.schedule
        for schedule in schedules
        for duty in duties_of(connection, Target("schedule", schedule), at)
        if duty.shadow
    }
    return {person: schedule for person, schedule in found.items() if person not in {each.person for each in called}}


def channels_of(connection: Connection, person: str, urgency: Urgency) -> tuple[ChannelKind, ...]:
    """Through what *person* hears of something of that urgency, as they wish; nothing that is switched off."""
    contact = contact_of(connection, person)
    if contact is None:
        return ()
    off = switched_off(connection, person)
    there: tuple[ChannelKind, ...] = tuple([kind for kind in _KINDS if getattr(contact, kind) and kind not in off])
    wished = contact.high if urgency == "high" else contact.low
    return tuple([kind for kind in there if kind in wished]) or there


def _unreachable(connection: Connection, duty: Duty, at: datetime) -> str:
    """Why somebody is not called; empty: they are."""
    contact = contact_of(connection, duty.person)
    if contact is None:
        return f"{duty.person} is nobody who can be called; POST /v1/people"
    if not duty.schedule and _away(contact, at):
        return f"{duty.person} is away"
    if not channels_of(connection, duty.person, "high"):
        return _NO_CHANNEL.format(duty.person, duty.person)
    return ""


def _away(contact: Contact, at: datetime) -> bool:
    return any(span.start <= at < span.end for span in contact.unavailability)


def _nobody(target: Target) -> str:
    match target.kind:
        case "schedule":
            return f"nobody is on call in {target.name}"
        case "team":
            return f"nobody of {target.name} can be called"
        case "person":
            return f"{target.name} cannot be called"
