"""Tells people what is no call: what the table of notices makes of own events, through the channels of calls.

It follows the service's own log. What can wait is held by its notification until its time, and says what comes
meanwhile too; ids follow from what happened, so that hearing of it twice tells it once.
"""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any, Final

from sqlalchemy import Connection

from libs.events.applied import all_applied
from libs.events.envelope import Context, Recorded
from libs.events.ids import timer_id
from libs.events.reactor import Reaction, Reactor
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from services.incidents.config import IncidentsSettings
from services.incidents.contract import CONTRACT, NOTIFICATION, SERVICE
from services.incidents.domain.notification.commands import Request
from services.incidents.domain.notification.decider import GIVE_UP
from services.incidents.domain.notification.events import Message
from services.incidents.paging.digests import next_morning
from services.incidents.paging.notices import NOTICES, Notice
from services.incidents.paging.owners import clock_of
from services.incidents.paging.taking import through
from services.incidents.paging.whom import meant
from services.incidents.projections.channels import CHANNELS
from services.incidents.projections.incidents import INCIDENTS
from services.incidents.projections.people import PEOPLE, person_of
from services.incidents.projections.postmortems import POSTMORTEMS

NAME: Final = "incidents.telling"  # never changes: ids of notifications follow from it
_WINDOW: Final = timedelta(minutes=5)  # what changes within it comes together
_GRACE: Final = timedelta(minutes=1)  # until all that happened in it was heard
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)  # windows are counted from it, to the microsecond


class Telling:
    """Turns what happened into notifications."""

    def __init__(self, resources: Resources, settings: IncidentsSettings) -> None:
        self._resources, self._base = resources, settings.public_url.rstrip("/")
        self._turn = asyncio.Lock()  # what is said together is one stream, and what happened is heard side by side

    @property
    def reactor(self) -> Reactor:
        """Follows the log of incidents."""
        events = EventRegistry({CONTRACT.name_of(kind): kind for kind in NOTICES})
        return Reactor(
            self._resources, [Reaction(NAME, SERVICE, events, dict.fromkeys(NOTICES, self._tell))], follows=NAME
        )

    async def _tell(self, event: Any, recorded: Recorded, context: Context) -> None:  # noqa: ANN401  any of the table
        if context.at - recorded.occurred_at > GIVE_UP:
            return
        # whatever was said before of those who may hear of it is known
        await all_applied(self._resources, PEOPLE, CHANNELS, INCIDENTS, POSTMORTEMS, position=recorded.position)
        for notice in NOTICES[type(event)](event):
            said = _message(notice, str(recorded.event_id), self._base)
            for key, message, due in await self._resources.views.read(_addressed, notice, said, event.at, context):
                request = Request(notification=key, message=message, not_before=due, owed=notice.owed, at=context.at)
                await self._ask(request, context)

    async def _ask(self, asked: Request, context: Context) -> None:
        """Say it with what else waits until *due*; in a message of its own where that is full, or on its way."""
        key, due = asked.notification, asked.not_before
        together = [] if due is None else [_together(asked.message, due)]
        for notification in (*together, key):  # the event has one id in both, so that it is stored once
            request = replace(asked, notification=notification)
            async with self._turn:
                outcome = await self._resources.handler.handle(NOTIFICATION, notification, request, context.part(key))
            if outcome.events:
                return


def _message(notice: Notice, event: str, base: str) -> Message:
    """What is said, as far as it is the same for all: how to do it, and below what `Notice.told` says to each."""
    method, _, path = notice.how.partition(" ")
    return Message(
        kind=notice.kind,
        channel="email",
        urgency=notice.urgency,
        subject=notice.subject,
        text=f"{method} {base}{path}",
        incident=notice.incident,
        number=notice.number,
        service=notice.service,
        event=event,
    )


def _addressed(
    connection: Connection, notice: Notice, said: Message, at: datetime, context: Context
) -> list[tuple[str, Message, datetime | None]]:
    """Each message to somebody with an id that follows from what happened, and until when it is held."""
    knows = [f"person/{name}" for name in notice.but]
    for group in notice.to:
        holders = dict.fromkeys(holder for name in group for holder in meant(connection, name) if holder not in knows)
        if sent := through(connection, said, list(holders), context):
            clocks = {key: _clock(connection, each) for key, each in sent.items()}
            texts = {key: f"{notice.told(clocks[key])}\n{said.text}" for key in sent}
            return [
                (key, replace(each, text=texts[key]), _held(notice, clocks[key], at, context.at))
                for key, each in sent.items()
            ]
    return []


def _clock(connection: Connection, message: Message) -> tzinfo:
    """The clocks of whom *message* is sent to."""
    person = person_of(connection, message.person) if message.person else None
    return person.clock if person else clock_of(connection, message.team)


def _held(notice: Notice, zone: tzinfo, at: datetime, now: datetime) -> datetime | None:
    match notice.when:
        case "now":
            return None
        case "soon":
            due = _end(at)
            return due if due > now else _end(now)
        case "morning":
            return next_morning(now, zone)


def _end(at: datetime) -> datetime:
    """When what happens in the same minutes as *at* is told."""
    return at - (at - _EPOCH) % _WINDOW + _WINDOW + _GRACE


def _together(message: Message, due: datetime) -> str:
    """The notification that says all of its kind that waits for the same moment."""
    said = f"{NAME}/{message.kind}/{message.person}/{message.team}/{message.channel}"
    return str(timer_id(said, due.isoformat(), 0))
