"""Takes a step: whom it calls now, what each of them is told through what, and who hears that nobody is called."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from sqlalchemy import Connection

from libs.events.envelope import Context
from libs.events.resources import Resources
from services.incidents.contract import NOTIFICATION
from services.incidents.domain.channel.events import Urgency
from services.incidents.domain.escalation.climbing import Climbed, Found, beside, climb
from services.incidents.domain.escalation.commands import Climb
from services.incidents.domain.escalation.events import Called, Cause, EscalationBegun, SideCalled
from services.incidents.domain.escalation.state import Record
from services.incidents.domain.escalation_policy.steps import Target
from services.incidents.domain.notification.commands import Request
from services.incidents.domain.notification.events import Message
from services.incidents.domain.who_is_paged import Rung
from services.incidents.paging.calling import channels_of, duties_of, finder, shadows_of
from services.incidents.paging.messages import about, call, to
from services.incidents.paging.owners import owners_of
from services.incidents.paging.rehearsal import nobody
from services.incidents.projections.channels import team_channels
from services.incidents.projections.known_services import Known, service_of
from services.incidents.projections.people import person_of

_ANEW: Final[frozenset[Cause]] = frozenset({"declared", "severity", "silence", "snooze-over", "further-alert"})


@dataclass(frozen=True, slots=True)
class Taken:
    """A step, and what is sent because of it, by the notifications' ids."""

    step: Climb
    messages: Mapping[str, Message]

    @property
    def lacks(self) -> bool:
        """Whether somebody whom it means was not found."""
        return bool(self.step.climbed.passed or (self.step.beside and self.step.beside.passed))

    @property
    def waits(self) -> bool:
        """Whether it stays where it is until somebody can be called."""
        it = self.step.climbed
        return not it.people and (it.next_round, it.next_step) == (it.round, it.step)


@dataclass(frozen=True, slots=True)
class TakenBeside:
    """Whom a further side calls, if anybody, and what is sent because of it, by the notifications' ids."""

    step: SideCalled | None
    messages: Mapping[str, Message]

    @property
    def lacks(self) -> bool:
        """Whether somebody whom it means was not found."""
        return self.step is not None and bool(self.step.passed)


def take(
    connection: Connection,
    record: Record,
    place: tuple[int, int],
    cause: Cause,
    context: Context,
    fallback: Sequence[Target],
) -> Taken:
    """What is done at *place* (pass and step, from 1; 0: all were taken) of the escalation in *record*."""
    begun, at = record.begun, context.at
    climbed = _climbed(connection, record, place, context)
    sent = _sent(connection, begun, climbed.people, context)
    messages = _all(sent) | _seen_by_shadows(connection, begun, climbed.people, context)
    further = TakenBeside(None, {})
    if cause in _ANEW:
        further = take_beside(connection, record, context, {each.person for each in climbed.people})
        messages |= further.messages
    urgency: Urgency = "low" if begun.quiet else "high"
    told: tuple[str, ...] = ()
    lost = climbed.fruitless and not record.unassigned
    if lost or (place == (0, 0) and not begun.quiet):
        known = service_of(connection, begun.service) or Known(begun.service, begun.phase, begun.team, "")
        told = tuple(last_resort(connection, known, fallback, at)) if begun.phase != "unsupported" else ()
        why = "; ".join(dict.fromkeys([*(each.why for each in climbed.passed), begun.why]))
        kind = "notice" if begun.quiet else "unassigned" if lost else "exhausted"
        said = about(begun, kind, why, urgency=urgency)
        messages |= through(connection, said, told, context)
    step = Climb(
        climbed=climbed,
        cause=cause,
        notifications={person: tuple(mine) for person, mine in sent.items()},
        beside=further.step,
        told=told,
        at=at,
    )
    return Taken(step, messages)


def take_further(connection: Connection, record: Record, context: Context, holder: str) -> TakenBeside:
    """The next call of the further side, of which nobody was reached; none where *holder* belongs to it."""
    begun, lost = record.begun, record.further
    if lost is None or not lost.people:
        return TakenBeside(None, {})
    last, people = lost.people[-1], [each.person for each in lost.people]
    has_it = person_of(connection, holder) if holder else None
    if has_it and has_it.side == last.side:
        return TakenBeside(None, {})
    taken = (last.side, last.policy, last.step)
    at = [number for number, each in enumerate(begun.beside, 1) if (each.side, each.policy, each.number) == taken]
    left = replace(begun, beside=begun.beside[at[0] if at else 0 :])
    return take_beside(connection, replace(record, begun=left), context, {*people, holder}, anew=True)


def take_beside(
    connection: Connection, record: Record, context: Context, but: Collection[str], *, anew: bool = False
) -> TakenBeside:
    """The call of the side that is called beside the ladder, if there is one; nobody of *but* is called.

    *anew*: a step that calls nobody else is passed over; otherwise that side has been called.
    """
    begun = record.begun

    def page(rung: Rung, person: str) -> str:
        return _id(context, f"page/beside/{rung.side}/{rung.policy}/{rung.number}/{person}")

    find = finder(connection, context.at, page)

    def others(rung: Rung) -> Found:
        found = find(rung)
        return replace(found, people=tuple(each for each in found.people if each.person not in but))

    found = beside(begun.beside, context.at, others if anew else find)
    people = tuple(each for each in found.people if each.person not in but)
    if not people and (found.people or not found.passed):
        return TakenBeside(None, {})
    sent = _sent(connection, begun, people, context)
    messages = _all(sent) | _seen_by_shadows(connection, begun, people, context)
    called = SideCalled(
        incident=begun.incident,
        service=begun.service,
        people=people,
        passed=found.passed,
        notifications=tuple(_all(sent)),
        at=context.at,
    )
    return TakenBeside(called, messages)


def through(connection: Connection, said: Message, holders: Sequence[str], context: Context) -> dict[str, Message]:
    """*said* to `person/<label>` and `team/<name>`, through all channels that they want for it."""
    sent: dict[str, Message] = {}
    for holder in holders:
        kind, _, name = holder.partition("/")
        channels = team_channels(connection, name) if kind == "team" else channels_of(connection, name, said.urgency)
        sent |= {_id(context, f"{said.kind}/{holder}/{channel}"): to(said, holder, channel) for channel in channels}
    return sent


def through_or_last_resort(
    connection: Connection, said: Message, holder: str, fallback: Sequence[Target], context: Context
) -> dict[str, Message]:
    """*said* to *holder*; to the fallback and the owners where that is nobody who can be reached, as a machine is."""
    return through(connection, said, [holder], context) or to_last_resort(connection, said, fallback, context)


def to_last_resort(
    connection: Connection, said: Message, fallback: Sequence[Target], context: Context
) -> dict[str, Message]:
    """*said* to the fallback, and to the owners of its service."""
    known = service_of(connection, said.service) or Known(said.service, "", "", "")
    return through(connection, said, last_resort(connection, known, fallback, context.at), context)


async def send(resources: Resources, messages: Mapping[str, Message], context: Context) -> None:
    """Ask for each of *messages*, under its id."""
    for key, message in messages.items():
        request = Request(notification=key, message=message, at=context.at)
        await resources.handler.handle(NOTIFICATION, key, request, context.part(key))


def _sent(
    connection: Connection, begun: EscalationBegun, people: Sequence[Called], context: Context
) -> dict[str, dict[str, Message]]:
    """By person: what they are sent, through all channels that they want for it."""
    urgency: Urgency = "low" if begun.quiet else "high"
    return {
        called.person: {
            _id(context, f"{called.page}/{channel}"): to(call(begun, called), f"person/{called.person}", channel)
            for channel in channels_of(connection, called.person, urgency)
        }
        for called in people
    }


def _all(sent: Mapping[str, Mapping[str, Message]]) -> dict[str, Message]:
    return {key: message for mine in sent.values() for key, message in mine.items()}


def _seen_by_shadows(
    connection: Connection, begun: EscalationBegun, people: Sequence[Called], context: Context
) -> dict[str, Message]:
    messages: dict[str, Message] = {}
    for person, schedule in shadows_of(connection, people, context.at).items():
        why = f"You shadow {schedule}: {', '.join(each.person for each in people)} is called."
        messages |= through(connection, about(begun, "notice", why, urgency="low"), [f"person/{person}"], context)
    return messages


def _climbed(connection: Connection, record: Record, place: tuple[int, int], context: Context) -> Climbed:
    begun = record.begun
    if not begun.plan:
        return nobody()
    if place == (0, 0):
        return Climbed(round=begun.rounds, step=len(begun.plan))

    def page(rung: Rung, person: str) -> str:
        return _id(context, f"page/{place[0]}/{rung.side}/{rung.policy}/{rung.number}/{person}")

    climbed = climb(begun.plan, begun.rounds, place, context.at, finder(connection, context.at, page))
    return replace(climbed, next_round=0, next_step=0, due=None) if begun.quiet else climbed


def last_resort(connection: Connection, known: Known, fallback: Sequence[Target], at: datetime) -> list[str]:
    """Who hears that nobody can be called: the fallback, and the owners."""
    people = [f"person/{duty.person}" for target in fallback for duty in duties_of(connection, target, at)]
    return list(dict.fromkeys([*people, *owners_of(connection, known)]))


def _id(context: Context, name: str) -> str:
    """An id that follows from what caused it."""
    return str(context.part(name).event_id(0))
