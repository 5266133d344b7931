"""An integration's rules: every pair of state and command has one line below. What has ended stays ended."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar, Final, Literal

from services.incidents.domain.errors import AbsentError, IllegalTransitionError, IntegrationTakenError
from services.incidents.domain.integration.commands import Add, Change, Command, End, Rotate
from services.incidents.domain.integration.events import (
    Event,
    IntegrationAdded,
    IntegrationChanged,
    IntegrationEnded,
    IntegrationKeyRotated,
    Kind,
    Profile,
)

BURN_RATES: Final = "slo"  # whom own burn-rate alerts come from; a sender of that name could end them


@dataclass(frozen=True, slots=True)
class Active:
    """It may send.

    Args:
        before: The hash of the key it had before the last rotation.
        before_until: Until when that is good.
    """

    name: ClassVar[Literal["active"]] = "active"

    integration: str
    kind: Kind
    profile: Profile
    key_hash: str
    made_at: datetime
    made_by: str
    rotated_at: datetime | None = None
    before: str = ""
    before_until: datetime | None = None

    def takes(self, key_hash: str, at: datetime) -> bool:
        """Whether the key of that hash is good at *at*."""
        if key_hash == self.key_hash:
            return True
        return key_hash == self.before and self.before_until is not None and at < self.before_until


@dataclass(frozen=True, slots=True)
class Ended:
    """It sends no more; what it was stays readable."""

    name: ClassVar[Literal["ended"]] = "ended"

    was: Active
    at: datetime
    by: str


Integration = Active | Ended | None  # None: never added


def decide(command: Command, state: Integration) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AbsentError: There is no such integration.
        IntegrationTakenError: There is one of that name, of another make.
        IllegalTransitionError: It has ended.
    """
    match state, command:
        case None, Add(integration=integration) if integration != BURN_RATES:
            return (_added(command),)
        case _, Add(integration=integration):
            raise _taken(integration, state)
        case None, _:
            raise AbsentError("integration")
        case Active(), Change(profile=profile):
            if profile == state.profile:
                return ()
            by, reason, at = command.by, command.reason, command.at
            return (IntegrationChanged(integration=state.integration, profile=profile, by=by, reason=reason, at=at),)
        case Active(), Rotate():
            return (_rotated(state, command),)
        case Active(), End(by=by, reason=reason, at=at):
            return (IntegrationEnded(integration=state.integration, by=by, reason=reason, at=at),)
        case Ended(), End():
            return ()
        case Ended(), Change() | Rotate():
            raise IllegalTransitionError("integration", state.name, type(command).__name__.lower(), ())


def evolve(state: Integration, event: Event) -> Integration:
    """The state after one more fact."""
    match state, event:
        case _, IntegrationAdded():
            return Active(event.integration, event.kind, event.profile, event.key_hash, event.at, event.by)
        case Active(), IntegrationChanged(profile=profile):
            return replace(state, profile=profile)
        case Active(), IntegrationKeyRotated(key_hash=key_hash, until=until, at=at):
            return replace(state, key_hash=key_hash, rotated_at=at, before=state.key_hash, before_until=until)
        case Active(), IntegrationEnded(at=at, by=by):
            return Ended(state, at, by)
        case _:
            return state


def _taken(name: str, state: Integration) -> IntegrationTakenError:
    match state:
        case None:
            return IntegrationTakenError(name, "is where Concordat's own burn-rate alerts come from")
        case Active():
            another_key = f", or POST /v1/integrations/{name}:rotate for another key"
            return IntegrationTakenError(name, "is an integration already", another_key)
        case Ended():
            return IntegrationTakenError(name, "was an integration, which has ended")


def _added(command: Add) -> IntegrationAdded:
    return IntegrationAdded(
        integration=command.integration,
        kind=command.kind,
        profile=command.profile,
        key_hash=command.key_hash,
        by=command.by,
        reason=command.reason,
        at=command.at,
    )


def _rotated(state: Active, command: Rotate) -> IntegrationKeyRotated:
    return IntegrationKeyRotated(
        integration=state.integration,
        key_hash=command.key_hash,
        until=command.until,
        by=command.by,
        reason=command.reason,
        at=command.at,
    )
