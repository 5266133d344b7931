"""The wire names of what the gateway writes: all of it stays inside."""

from typing import Final

from libs.events.registry import EventRegistry
from services.gateway.domain.api_key.events import ApiKeyCreated, ApiKeyRevoked

CONTRACT: Final = EventRegistry(
    published={},
    internal={
        "io.concordat.gateway.api-key.created.v1": ApiKeyCreated,
        "io.concordat.gateway.api-key.revoked.v1": ApiKeyRevoked,
    },
)
