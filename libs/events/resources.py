"""What a service's process works with; made once by the wiring, handed to its app and its worker."""

from dataclasses import dataclass
from functools import cached_property

from libs.events.bus import Bus
from libs.events.clock import Clock
from libs.events.handler import CommandHandler
from libs.events.registry import EventRegistry
from libs.events.store import Store
from libs.events.views import Views


@dataclass(frozen=True)
class Resources:
    """One service's adapters, chosen by settings alone (`adapters.py`).

    Args:
        service: Its name, such as `lifecycle`.
        registry: The events it writes.
        store: Its event store.
        views: Its read models' database.
        bus: The log it shares with the other services.
        clock: Its clock.
    """

    service: str
    registry: EventRegistry
    store: Store
    views: Views
    bus: Bus
    clock: Clock

    @cached_property
    def handler(self) -> CommandHandler:
        """Carries out commands; one per process, so that folded states are kept."""
        return CommandHandler(self.store, self.registry)
