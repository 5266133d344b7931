"""Sends notifications: what is asked for at once, as the log tells of it, and what is due again a little later.

Several processes may: an attempt is an event with an expected version, so that one of them makes it. One that dies
between the attempt and its answer leaves the attempt open; after some seconds it is made again, under the same id.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from prometheus_client import Counter

from libs.events.backoff import PASSING, Backoff, stopped_within, unless_stopped
from libs.events.envelope import Context, Metadata
from libs.events.errors import ConflictError
from libs.events.resources import Resources
from libs.web.outbound import open_outbound
from services.incidents.config import IncidentsSettings
from services.incidents.contract import CHANNEL, CONTRACT, ESCALATION, NOTIFICATION
from services.incidents.domain.channel.commands import SwitchOff
from services.incidents.domain.channel.decider import Channel, key_of
from services.incidents.domain.channel.events import Urgency
from services.incidents.domain.escalation.state import Ended, Held
from services.incidents.domain.notification.commands import Answer, Attempt, Command, Withdraw
from services.incidents.domain.notification.decider import Sent
from services.incidents.domain.notification.events import Message, NotificationRequested
from services.incidents.paging.delivering import GONE, Messenger, Said
from services.incidents.paging.links import signing
from services.incidents.paging.owed import what_stands
from services.incidents.projections.contacts import read_contact
from services.incidents.projections.notifications import due
from services.incidents.projections.people import contact_of

_LOG = logging.getLogger(__name__)

NAME: Final = "incidents.sender"
_MARGIN_S: Final = 5.0  # beyond the time that a channel has for its answer
_AT_ONCE: Final[Mapping[Urgency, int]] = {"high": 24, "low": 8}  # on one way: a call waits for no reminder
_LOOK_EVERY_S: Final = 0.5  # whether it is time to ask
_LAG_S: Final = 5.0  # so far the read model may be behind what was said
_ASK_AT_LEAST_EVERY_S: Final = 10.0
_LOOKED_AT: Final = 1000
_BATCH: Final = 1000
_OURS: Final = NOTIFICATION.stream("")
_REQUESTED: Final = CONTRACT.name_of(NotificationRequested)

ATTEMPTS: Final = Counter("concordat_incidents_notifications", "Attempts to notify somebody", ["channel", "outcome"])


_Work = Callable[[Messenger, asyncio.Event], Awaitable[None]]


class _Address(NamedTuple):
    """Where a message goes, the channel that leads there, and its version."""

    address: str
    channel: Channel
    version: int


class Sender:
    """The worker's messenger."""

    def __init__(self, resources: Resources, settings: IncidentsSettings) -> None:
        self._resources, self._settings = resources, settings
        self._handler, self._store, self._views = resources.handler, resources.store, resources.views
        self._patience = timedelta(seconds=settings.outbound_timeout_s + _MARGIN_S)
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._rooms: dict[tuple[str, ...], asyncio.Semaphore] = {}
        self._fresh_until = 0.0  # by the same clock as what follows
        self._seen_trying: dict[str, float] = {}  # since when, by a clock that nobody sets

    async def run(self, stop: asyncio.Event) -> None:
        """Send until *stop*; then wait for what is on its way."""
        async with open_outbound(
            self._settings.outbound_timeout_s, private=self._settings.outbound_private
        ) as outbound:
            messenger = Messenger(self._settings, outbound, await signing(self._views))
            async with asyncio.TaskGroup() as group:
                for work in (self._follow, self._look):
                    group.create_task(self._keep(work, messenger, stop))
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _keep(self, work: _Work, messenger: Messenger, stop: asyncio.Event) -> None:
        """Do *work* until *stop*, also when the store was away meanwhile."""
        backoff = Backoff()
        while not stop.is_set():
            try:
                await work(messenger, stop)
            except PASSING as error:
                _LOG.warning("notifications wait: %s", error)
                await backoff.pause(stop)

    async def _follow(self, messenger: Messenger, stop: asyncio.Event) -> None:
        """Begin with what is asked for from now on as soon as it is stored."""
        after = await self._store.head()
        while not stop.is_set():
            events = await self._store.read(after, _BATCH)
            for recorded in events:
                if recorded.type == _REQUESTED:
                    self._begin(messenger, recorded.key)
                if recorded.stream.startswith(_OURS):
                    self._fresh_until = asyncio.get_running_loop().time() + _LAG_S
            if events:
                after = events[-1].position
            else:
                await unless_stopped(stop, self._store.wait(after, _ASK_AT_LEAST_EVERY_S), otherwise=False)

    async def _look(self, messenger: Messenger, stop: asyncio.Event) -> None:
        """Begin with what was left, and what is to be tried again.

        The database is asked when something is due, while the read model may still lag behind what was said, when the
        clock was set back, and else seldom.
        """
        clock = asyncio.get_running_loop().time
        then, ask_at = self._resources.clock.now(), clock()
        next_at: datetime | None = None
        while not stop.is_set():
            now = self._resources.clock.now()
            if (next_at and next_at <= now) or now < then or clock() < self._fresh_until or clock() >= ask_at:
                ids, next_at = await self._views.read(due, now, _LOOKED_AT + len(self._busy))
                ask_at = clock() + _ASK_AT_LEAST_EVERY_S
                for notification in ids:
                    self._begin(messenger, notification)
            then = now
            await stopped_within(stop, _LOOK_EVERY_S)

    def _begin(self, messenger: Messenger, notification: str) -> None:
        if notification not in self._busy:
            task = asyncio.create_task(self._attempt(messenger, notification), name=f"notification {notification}")
            self._busy[notification] = task
            task.add_done_callback(lambda _: self._busy.pop(notification, None))

    async def _attempt(self, messenger: Messenger, notification: str) -> None:
        try:
            loaded = await self._handler.load(NOTIFICATION, notification)
            if loaded.state is not None and loaded.state.state == "pending":
                async with self._room(loaded.state.message):
                    await self._send(messenger, loaded.state, loaded.version)
        except (*PASSING, ConflictError) as error:
            _LOG.info("notification %s is looked at again: %s", notification, error)
        except Exception:  # noqa: BLE001  whatever it is, the others go on, and this one is tried again
            _LOG.exception("notification %s failed in a way nobody foresaw", notification)

    def _room(self, message: Message) -> asyncio.Semaphore:
        """A way is a channel of somebody, so that a slow one holds up nobody else; all e-mails go to one server."""
        whose = "" if message.channel == "email" else message.person or message.team
        key = message.urgency, message.channel, whose
        return self._rooms.setdefault(key, asyncio.Semaphore(_AT_ONCE[message.urgency]))

    async def _send(self, messenger: Messenger, asked: Sent, version: int) -> None:
        notification, now = asked.notification, self._resources.clock.now()
        message = asked.message if asked.trying else await what_stands(self._handler, asked.parts)
        if message is None:
            await self._tell(notification, Withdraw(why="it is done, or owed otherwise by now", at=now), version)
            return
        if not asked.trying and (why := await self._outdated(message)):
            await self._tell(notification, Withdraw(why=why, at=now), version)
            return
        stuck = self._is_stuck(notification, trying=asked.trying)
        attempt = Attempt(patience=self._patience, stuck=stuck, at=now)
        if not await self._tell(notification, attempt, version):
            return
        self._seen_trying.pop(notification, None)
        there = await self._address(message)
        said = await self._hand_over(messenger, notification, message, there)
        if said.said == "final" and said.status != GONE and await self._is_signed_anew(message, there):
            said = replace(said, said="failed")  # its receiver may know the new secret only
        answer = Answer(
            attempt=asked.attempts + 1,
            said=said.said,
            status=said.status,
            detail=said.detail,
            pause=timedelta(seconds=said.pause_s),
            at=self._resources.clock.now(),
        )
        await self._tell(notification, answer, None)
        ATTEMPTS.labels(message.channel, said.said).inc()
        if said.status == GONE:
            await self._switch_off(message, there, said.detail)

    def _is_stuck(self, notification: str, *, trying: bool) -> bool:
        """Whether an attempt that another process began has been on its way for too long, whatever the clock says."""
        if not trying:
            return False
        now = asyncio.get_running_loop().time()
        return now - self._seen_trying.setdefault(notification, now) > self._patience.total_seconds()

    async def _outdated(self, message: Message) -> str:
        """Why a call is not made any more; empty: it is."""
        if not message.page:
            return ""
        state = (await self._handler.load(ESCALATION, message.incident)).state
        if isinstance(state, Ended):
            return "the incident is over"
        if isinstance(state, Held) and message.page not in state.record.beside:
            return f"{state.by} has taken it on"
        calls = [call.page for call in state.record.called if call.person == message.person] if state else []
        return "" if not calls or calls[-1] == message.page else "called again since, for a later step"

    async def _hand_over(self, messenger: Messenger, notification: str, message: Message, there: _Address) -> Said:
        if there.channel.off:
            return Said("final", None, f"the channel is switched off: {there.channel.off}")
        if not there.address:
            return Said("final", None, "there is no address any more; it was changed or erased")
        now = self._resources.clock.now()
        return await messenger.deliver(notification, message, there.address, now, there.channel.secrets(now))

    async def _is_signed_anew(self, message: Message, there: _Address) -> bool:
        """Whether the secret was rotated since *there* was looked up."""
        key = key_of(message.channel, person=message.person, team=message.team)
        return (await self._handler.load(CHANNEL, key)).state.secret != there.channel.secret

    async def _address(self, message: Message) -> _Address:
        """Where a message goes; looked up again where another address was set in between."""
        key, seen = key_of(message.channel, person=message.person, team=message.team), -1
        while True:
            loaded = await self._handler.load(CHANNEL, key)
            if message.person:
                contact = await self._views.read(contact_of, message.person)
                found = getattr(contact, message.channel) if contact else ""
            else:
                row = await self._views.read(read_contact, loaded.state.contact)
                found = row["address"] if row else ""
            if found or loaded.version == seen:
                return _Address(found, loaded.state, loaded.version)
            seen = loaded.version

    async def _switch_off(self, message: Message, gone: _Address, why: str) -> None:
        """Send nothing there any more, unless it leads elsewhere by now."""
        if await self._address(message) == gone:
            whose = {"person": message.person, "team": message.team}
            key, at = key_of(message.channel, **whose), self._resources.clock.now()
            command = SwitchOff(**whose, kind=message.channel, by=NAME, reason=why, at=at)
            await self._handler.handle(CHANNEL, key, command, self._context(), expected=gone.version)

    async def _tell(self, notification: str, command: Command, expected: int | None) -> bool:
        """Whether *command* changed anything."""
        outcome = await self._handler.handle(NOTIFICATION, notification, command, self._context(), expected=expected)
        return bool(outcome.events)

    def _context(self) -> Context:
        return Context.of_request(self._resources.clock.now(), Metadata(actor=NAME, auth_method="sender"))
