"""The wire names of what the gateway writes, all of which stays inside, and the rules behind it."""

from typing import Final

from libs.events.decider import Decider
from libs.events.registry import EventRegistry
from services.gateway.domain.api_key.commands import Command
from services.gateway.domain.api_key.decider import ApiKey, decide, evolve
from services.gateway.domain.api_key.events import ApiKeyCreated, ApiKeyRevoked, Event

API_KEY: Final[Decider[Command, ApiKey, Event]] = Decider("api-key", None, decide, evolve)

CONTRACT: Final = EventRegistry(
    published={},
    internal={
        "io.concordat.gateway.api-key.created.v1": ApiKeyCreated,
        "io.concordat.gateway.api-key.revoked.v1": ApiKeyRevoked,
    },
)
