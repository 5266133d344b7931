"""What can be asked of an integration."""

from dataclasses import dataclass
from datetime import datetime

from services.incidents.domain.asked import Asked
from services.incidents.domain.integration.events import Kind, Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Add(Asked):
    """Let a sender send."""

    integration: str
    kind: Kind
    profile: Profile
    key_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Asked):
    """Make it like this."""

    profile: Profile


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotate(Asked):
    """Give it another key; the one it has is good until *until*."""

    key_hash: str
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class End(Asked):
    """Let it send no more."""


Command = Add | Change | Rotate | End
