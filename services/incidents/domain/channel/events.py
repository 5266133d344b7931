"""What happens to a channel."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

ChannelKind = Literal["webhook", "slack", "email"]
Urgency = Literal["high", "low"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelFact:
    """Whose channel it is: a person's or a team's, and of which kind; *contact* is the row of a team's address."""

    person: str = ""
    team: str = ""
    kind: ChannelKind
    contact: str = ""
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSet(ChannelFact):
    """A team is reached through it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSwitchedOff(ChannelFact):
    """Nothing is sent through it until somebody switches it on again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelSwitchedOn(ChannelFact):
    """What is sent goes through it again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelRemoved(ChannelFact):
    """The team is reached through it no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretRotated(ChannelFact):
    """Another secret signs from now on, which follows from *secret*; the one before signs too *until* then."""

    secret: str
    until: datetime


Event = ChannelSet | ChannelSwitchedOff | ChannelSwitchedOn | ChannelRemoved | SecretRotated
