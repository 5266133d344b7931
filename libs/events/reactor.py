"""Another service's event becomes an own command."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from libs.events.envelope import Context, Recorded
from libs.events.registry import EventRegistry

Act = Callable[[Any, Recorded, Context], Awaitable[None]]


@dataclass(frozen=True)
class Reaction:
    """What a service does when another one tells it something.

    An act sends commands with the context it is given: their events' ids follow from the source event, so that acting
    on it again changes nothing. It is repeated while a store or the bus is away; any other error that it lets through
    means that the event cannot be acted on: it becomes a dead letter, and its stream waits behind it.

    Args:
        name: Unique in the service; actor of the events, and part of their ids: never renamed.
        source: The service whose events are read.
        events: Decodes them; a reader declares only the fields it needs.
        act: Per event class, what to do.
    """

    name: str
    source: str
    events: EventRegistry
    act: Mapping[type[object], Act]
