"""What a schedule is made of: layers of rotations, and what people decided beside them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeVar

from services.incidents.domain.on_call.turns import Rota
from services.incidents.domain.on_call.windows import Window

Kind = Literal["cover", "replacement", "take", "swap", "off_duty"]
LONG_AGO: Final = datetime(1970, 1, 1, tzinfo=UTC)
HALVES: Final = ("-1", "-2")  # after the id of a swap, what each gives
Sides = Literal["any", "both", "by_phase"]


@dataclass(frozen=True, slots=True)
class RotationRevision:
    """A rotation as it is from a moment on, until the next one."""

    rota: Rota
    effective_from: datetime


@dataclass(frozen=True, slots=True)
class Layer:
    """A rotation in a schedule.

    Args:
        name: Of its own in the schedule.
        rotation: Whose turns it takes.
        priority: A layer is cut by those of higher priority; equal ones stand beside each other.
        restrictions: When it is in force, on the schedule's clock; always, where there are none.
        shadow: Its people see the pages without the duty.
    """

    name: str
    rotation: str
    priority: int = 0
    restrictions: tuple[Window, ...] = ()
    shadow: bool = False


@dataclass(frozen=True, slots=True)
class ScheduleRevision:
    """A schedule as it is from a moment on, until the next one.

    Args:
        zone: On whose clock restrictions and off-duty hours are.
        services: Which services it answers for.
        layers: Who is on call.
        off_duty: When nobody needs to be.
        sides: Which sides must be on call at every moment: any, both, or those that the phases of its services ask for.
        managers: Who approves swaps; anybody but the two who swap, where nobody is named.
        effective_from: From when on.
    """

    zone: str
    services: tuple[str, ...]
    layers: tuple[Layer, ...]
    off_duty: tuple[Window, ...]
    sides: Sides
    managers: tuple[str, ...]
    effective_from: datetime


@dataclass(frozen=True, slots=True)
class Override:
    """Somebody decided otherwise for a time.

    Args:
        override: Its id.
        kind: `cover`: *person* alone is on call; `off_duty`: nobody is; all others: *person* in place of *replaces*.
        person: Who is on call instead; empty when nobody is.
        replaces: In whose place.
        start: From when on.
        end: Until when; moved forward when it is cancelled.
        reason: Why.
        by: Who decided it.
        at: When it was decided: later decisions build upon it.
        cancelled: When it was; None where it stands.
    """

    override: str
    kind: Kind
    person: str
    replaces: str
    start: datetime
    end: datetime
    reason: str
    by: str
    at: datetime
    cancelled: datetime | None = None

    @property
    def decision(self) -> str:
        """What it is a part of: both halves of a swap are one decision."""
        return decision_of(self.override)


def decision_of(override: str) -> str:
    """What an override of this id is a part of."""
    return override.removesuffix(HALVES[0]).removesuffix(HALVES[1])


@dataclass(frozen=True, slots=True)
class Roster:
    """Everything from which it follows who is on call; *version* tells one from another of the same schedule."""

    schedule: str
    revisions: tuple[ScheduleRevision, ...]
    overrides: tuple[Override, ...]
    rotations: Mapping[str, tuple[RotationRevision, ...]]
    version: tuple[int, ...] = ()

    @property
    def people(self) -> set[str]:
        """Everybody who takes turns, or was put on call, at any time."""
        turning = (name for turned in self.rotations.values() for each in turned for name in each.rota.participants)
        return {*turning, *(each.person for each in self.overrides if each.person)}

    def revision(self, moment: datetime) -> ScheduleRevision | None:
        """What is in force at a moment; before the first revision, that one."""
        return _in_force(self.revisions, moment)

    def turning(self, moment: datetime) -> list[str]:
        """Who takes turns at a moment, by the layers in force, each once; shadows do not."""
        revision, found = self.revision(moment), dict[str, None]()
        for layer in revision.layers if revision else ():
            turned = _in_force(self.rotations.get(layer.rotation, ()), moment)
            if turned and not layer.shadow:
                found |= dict.fromkeys(turned.rota.participants)
        return list(found)


_R = TypeVar("_R", RotationRevision, ScheduleRevision)


def with_revision(held: Sequence[_R], revision: _R, instead_of: datetime | None = None) -> tuple[_R, ...]:
    """*held* and one more, which replaces what was planned for later than it, or for *instead_of*."""
    begins = min(revision.effective_from, instead_of or revision.effective_from)
    return (*(each for each in held if each.effective_from < begins), revision)


def from_then_on(revisions: Sequence[_R], moment: datetime) -> Sequence[_R]:
    """What is in force at *moment*, and what is planned for later."""
    begun = sum(each.effective_from <= moment for each in revisions)
    return revisions[max(begun - 1, 0) :]


def _in_force(revisions: Sequence[_R], moment: datetime) -> _R | None:
    return next(iter(from_then_on(revisions, moment)), None)


@dataclass(slots=True, unsafe_hash=True)  # as if frozen, which would take five times as long to make
class Source:
    """Why somebody is on call.

    Args:
        type: `rotation`, or the kind of override.
        layer: Whose turn it is, or was before somebody took it.
        rotation: Of that layer.
        begins: The hand-off at which the shift of that rotation begins, which may be before this part of it.
        override: The one that put them there; empty when none did.
    """

    type: str
    layer: str = ""
    rotation: str = ""
    begins: datetime | None = None
    override: str = ""

    @property
    def shift(self) -> str:
        """What the shift of that rotation is called; it is not made for every stretch, which would take a while."""
        return f"{self.rotation}@{_stamp(self.begins)}" if self.begins else ""


@dataclass(slots=True, unsafe_hash=True)  # as if frozen, as above
class OnCall:
    """Somebody on call, from when until when, and why."""

    person: str
    since: datetime
    until: datetime
    source: Source
    shadow: bool = False
    schedule: str = ""

    @property
    def shift(self) -> str:
        """What this time of theirs is called."""
        return f"{self.schedule}.{self.source.layer or 'cover'}.{self.person}.{_stamp(self.since)}"


def _stamp(moment: datetime) -> str:
    """As 20261123T090000Z."""
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
