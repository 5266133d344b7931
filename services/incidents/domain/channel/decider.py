"""A channel's rules. What nobody said anything of is on: people's own stand in their contact rows."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, TypeVar

from services.incidents.domain.channel.commands import (
    Command,
    OfChannel,
    RemoveChannel,
    RotateSecret,
    SetChannel,
    SwitchOff,
    SwitchOn,
)
from services.incidents.domain.channel.events import (
    ChannelFact,
    ChannelRemoved,
    ChannelSet,
    ChannelSwitchedOff,
    ChannelSwitchedOn,
    Event,
    SecretRotated,
)
from services.incidents.domain.errors import AbsentError

F = TypeVar("F", bound=ChannelFact)


@dataclass(frozen=True, slots=True)
class Channel:
    """How it stands.

    Args:
        contact: The row that holds a team's address; empty: none was set, or it is a person's.
        off: Why nothing is sent through it; empty: something is.
        secret: What names the secret that signs; empty: the first. It outlives the address.
        before: What named the one before the last rotation.
        before_until: Until when that signs too.
    """

    contact: str = ""
    off: str = ""
    secret: str = ""
    before: str = ""
    before_until: datetime | None = None

    def two_until(self, at: datetime) -> datetime | None:
        """Until when two secrets sign; None when one does at *at*."""
        return self.before_until if self.before_until and at < self.before_until else None

    def secrets(self, at: datetime) -> tuple[str, ...]:
        """What names the secrets that sign at *at*, the newest first."""
        return (self.secret, self.before) if self.two_until(at) else (self.secret,)


UNSAID: Final = Channel()


def key_of(kind: str, *, person: str = "", team: str = "") -> str:
    """What the channel of that *kind* is called, of a person or a team."""
    return f"person/{person}/{kind}" if person else f"team/{team}/{kind}"


def decide(command: Command, state: Channel) -> tuple[Event, ...]:
    """The facts *command* produces; none if they are so already.

    Raises:
        AbsentError: The team has no such channel.
    """
    match command:
        case SetChannel(contact=contact):
            return (_fact(ChannelSet, command, contact),)
        case _ if command.team and not state.contact:
            raise AbsentError("channel", f"/v1/teams/{command.team}/channels")
        case SwitchOff():
            return () if state.off else (_fact(ChannelSwitchedOff, command, state.contact),)
        case SwitchOn():
            return (_fact(ChannelSwitchedOn, command, state.contact),) if state.off else ()
        case RemoveChannel():
            return (_fact(ChannelRemoved, command, ""),)
        case RotateSecret(at=at, until=until) if state.two_until(at) and until > at:
            return ()  # the rotation that was asked for goes on; of three secrets one would sign no more
        case RotateSecret(secret=secret, until=until):
            return (_fact(SecretRotated, command, state.contact, secret=secret, until=until),)


def evolve(state: Channel, event: Event) -> Channel:
    """The state after one more fact."""
    match event:
        case ChannelSet(contact=contact):
            return replace(state, contact=contact, off="")
        case ChannelSwitchedOff(reason=reason):
            return replace(state, off=reason or "switched off")
        case ChannelSwitchedOn():
            return replace(state, off="")
        case ChannelRemoved():
            return replace(state, contact="", off="")
        case SecretRotated(secret=secret, until=until):
            return replace(state, secret=secret, before=state.secret, before_until=until)


def _fact(event: type[F], command: OfChannel, contact: str, **more: object) -> F:
    return event(
        person=command.person,
        team=command.team,
        kind=command.kind,
        contact=contact,
        by=command.by,
        reason=command.reason,
        at=command.at,
        **more,
    )
