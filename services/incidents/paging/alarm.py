"""Says loudly that somebody should be called and nobody can be: something in here does not work."""

import logging
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from prometheus_client import Counter

from libs.events import codec
from libs.events.backoff import PASSING
from libs.events.envelope import Context, Recorded
from libs.events.projector import DeadLetterLimit
from libs.events.reactor import Reaction, Reactor
from libs.events.resources import Resources
from services.incidents.config import IncidentsSettings
from services.incidents.domain.notification.events import Message
from services.incidents.paging.plans import fallback_of
from services.incidents.paging.taking import send, to_last_resort

_LOG = logging.getLogger(__name__)

_NAME: Final = "incidents.alarm"  # never changes: ids of notifications follow from it
_QUIET_FOR = timedelta(minutes=5)  # of one service: a storm that nobody can be called for is said once
_FACTS: Final = codec.decoder(dict[str, Any])

STUCK: Final = Counter(
    "concordat_incidents_stuck", "Events that should call somebody and could not be acted on, each time they were tried"
)


class Alarm:
    """Counts, logs, and tells the fallback and the owners of the service; one for all that may have to say it.

    Args:
        resources: The service's adapters.
        settings: The fallback.
    """

    def __init__(self, resources: Resources, settings: IncidentsSettings) -> None:
        self._resources, self._fallback = resources, settings.paging_fallback
        self._told: dict[str, datetime] = {}

    def follower(self, name: str, *reactions: Reaction) -> Reactor:
        """One that reads by itself; what it cannot act on raises the alarm, and never stops it."""
        return Reactor(self._resources, reactions, DeadLetterLimit.never(), follows=name, refused=self.sound)

    async def sound(self, recorded: Recorded, error: Exception) -> None:
        """Nobody is called because of *recorded*, which cannot be acted on.

        Raises:
            StoreUnavailableError: The store is away.
        """
        try:
            facts = _FACTS.decode(recorded.data)
        except msgspec.DecodeError:  # which may be why
            facts = {}
        service, now = str(facts.get("service", "")), self._resources.clock.now()
        what = f"{service or 'some service'}: {facts.get('summary') or facts.get('title') or recorded.stream}"
        _LOG.critical("NOBODY IS CALLED because of %s (%s): %r", recorded.stream, what, error)
        told = self._told.get(service)
        if told is None or now - told >= _QUIET_FOR:
            try:
                await self._tell(service, what, recorded, error)
            except PASSING:
                raise
            except Exception:  # noqa: BLE001  what cannot be told either is in the log, and the figure counts it
                _LOG.exception("nor can anybody be told that nobody is called because of %s", recorded.stream)
            self._told[service] = now
        STUCK.inc()

    async def _tell(self, service: str, what: str, recorded: Recorded, error: Exception) -> None:
        said = Message(
            kind="unassigned",
            channel="email",
            urgency="high",
            subject=f"NOBODY IS CALLED: {what}",
            text=(
                f"NOBODY IS CALLED. Please look after it, or find somebody who does.\n\n{what}\n\n"
                f"{recorded.stream} cannot be acted on: {error!r}. It waits, with what follows of it, and calls whom it"
                " should when the cause is mended: concordat dead-letters list, concordat dead-letters replay."
            ),
            service=service,
        )
        context = Context.of_reaction(recorded, _NAME, self._resources.clock.now())
        targets = await fallback_of(self._resources, self._fallback)
        messages = await self._resources.views.read(to_last_resort, said, targets, context)
        await send(self._resources, messages, context)
