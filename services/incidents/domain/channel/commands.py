"""What can be asked of a channel."""

from dataclasses import dataclass
from datetime import datetime

from services.incidents.domain.asked import Asked
from services.incidents.domain.channel.events import ChannelKind


@dataclass(frozen=True, slots=True, kw_only=True)
class OfChannel(Asked):
    """Whose channel, and of which kind."""

    person: str = ""
    team: str = ""
    kind: ChannelKind


@dataclass(frozen=True, slots=True, kw_only=True)
class SetChannel(OfChannel):
    """Reach a team through it; *contact* is the row that holds the address."""

    contact: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchOff(OfChannel):
    """Send nothing through it until it is switched on again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchOn(OfChannel):
    """Send through it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveChannel(OfChannel):
    """Reach the team through it no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RotateSecret(OfChannel):
    """Sign with another secret, which *secret* names; the one before signs too *until* then."""

    secret: str
    until: datetime


Command = SetChannel | SwitchOff | SwitchOn | RemoveChannel | RotateSecret
