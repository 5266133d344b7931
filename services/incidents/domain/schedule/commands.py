"""What can be asked of a schedule."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.incidents.domain.asked import Asked
from services.incidents.domain.on_call.roster import Kind, RotationRevision, ScheduleRevision

Rotations = Mapping[str, tuple[RotationRevision, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Define(Asked):
    """Somebody is to be on call like this."""

    schedule: str
    display_name: str
    revision: ScheduleRevision
    rotations: Rotations


@dataclass(frozen=True, slots=True, kw_only=True)
class Change(Asked):
    """From a moment on like this; what was before stays as it was."""

    display_name: str
    revision: ScheduleRevision
    rotations: Rotations


@dataclass(frozen=True, slots=True, kw_only=True)
class End(Asked):
    """Nobody is on call here any more."""

    verb: ClassVar[str] = "end"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decide(Asked):
    """For a time it is otherwise (an override)."""

    override: str
    kind: Kind
    person: str
    replaces: str
    start: datetime
    end: datetime
    rotations: Rotations


@dataclass(frozen=True, slots=True, kw_only=True)
class Cancel(Asked):
    """What was decided for a time counts no more, from now on."""

    override: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OfferSwap(Asked):
    """Somebody would rather not be on call for a time of theirs."""

    swap: str
    person: str
    start: datetime
    end: datetime
    rotations: Rotations


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeSwap(Asked):
    """Somebody takes it, and gives a time of their own in exchange, if they name one."""

    verb: ClassVar[str] = "take"

    swap: str
    person: str
    start: datetime | None
    end: datetime | None
    rotations: Rotations


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproveSwap(Asked):
    """Somebody else agrees: it counts."""

    verb: ClassVar[str] = "approve"

    swap: str
    is_person: bool
    rotations: Rotations


@dataclass(frozen=True, slots=True, kw_only=True)
class EndSwap(Asked):
    """It comes to nothing: withdrawn by who offered it, or declined."""

    verb: ClassVar[str] = "decline"

    swap: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewToken(Asked):
    """The calendar has another address from now on."""

    digest: str


Command = Define | Change | End | Decide | Cancel | OfferSwap | TakeSwap | ApproveSwap | EndSwap | RenewToken
