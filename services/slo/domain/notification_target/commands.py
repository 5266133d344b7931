"""What one can ask of a notification target. Secrets never pass through here: an address names one."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Address:
    """Where to send.

    Args:
        url: Of an endpoint that takes Alertmanager's webhooks.
        secret: The name of the secret that holds the bearer token; empty for none.
    """

    url: str
    secret: str = ""


@dataclass(frozen=True, slots=True)
class SetTarget:
    """Send what is meant for *target* to *address* from now on."""

    target: str
    address: Address
    at: datetime


@dataclass(frozen=True, slots=True)
class RemoveTarget:
    """Send nothing there any more."""

    target: str
    at: datetime


Command = SetTarget | RemoveTarget
