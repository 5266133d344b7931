"""Who may sign for which side, and that everybody signs only once.

An SLO needs the consent of three sides (SRE Workbook, ch. 2): product says that it is good enough for users,
development that it will act when the budget is spent, SRE that it can be defended without heroic effort. An
error-budget policy needs the two that it binds: development and SRE.

SloError
└── SigningError
    ├── MachineSignsError         only people sign
    ├── NotASignerError           not one of those who may sign for the side
    └── SignedOtherwiseError      the same person signed for another side already
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from services.slo.domain.errors import SloError

Side = Literal["development", "sre", "product"]
SIDES: Final[tuple[Side, ...]] = ("development", "sre", "product")


class SigningError(SloError):
    """This signature does not count."""


class MachineSignsError(SigningError):
    """Only people sign."""

    def __init__(self, actor: str, may: tuple[str, ...]) -> None:
        super().__init__(f"{actor} is a machine; only people decide this, here {_any_of(may)}")
        self.actor, self.may = actor, may


class NotASignerError(SigningError):
    """Not one of those who may do this."""

    def __init__(self, actor: str, role: str, may: tuple[str, ...]) -> None:
        super().__init__(f"{actor} does not stand for {role}; {_any_of(may)} can")
        self.actor, self.role, self.may = actor, role, may


class SignedOtherwiseError(SigningError):
    """The same person signed for another side already: a side is more than a name on a list."""

    def __init__(self, actor: str, side: Side, may: tuple[str, ...]) -> None:
        super().__init__(f"{actor} signed for {side} already and cannot stand for two sides; {_any_of(may)} can")
        self.actor, self.side, self.may = actor, side, may


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks; a machine never counts as somebody who agrees."""

    name: str
    is_person: bool


@dataclass(frozen=True, slots=True)
class Signers:
    """The people who may sign, by side."""

    development: tuple[str, ...] = ()
    sre: tuple[str, ...] = ()
    product: tuple[str, ...] = ()

    def of(self, side: Side) -> tuple[str, ...]:
        """Who may sign for *side*."""
        match side:
            case "development":
                return self.development
            case "sre":
                return self.sre
            case "product":
                return self.product

    @property
    def all(self) -> tuple[str, ...]:
        """Everybody, each once."""
        return tuple(dict.fromkeys((*self.development, *self.sre, *self.product)))


@dataclass(frozen=True, slots=True)
class Signature:
    """One side's consent."""

    side: Side
    by: str
    reason: str
    at: datetime


def require_signer(actor: Actor, side: Side, signers: Signers, signed: Iterable[Signature]) -> None:
    """Refuse unless *actor* may sign for *side*, beside those who have *signed*.

    Raises:
        SigningError: Says who can.
    """
    require_one_of(actor, side, signers.of(side))
    for signature in signed:
        if signature.by == actor.name and signature.side != side:
            may = tuple(name for name in signers.of(side) if name != actor.name)
            raise SignedOtherwiseError(actor.name, signature.side, may)


def require_one_of(actor: Actor, role: str, may: tuple[str, ...]) -> None:
    """Refuse unless *actor* is a person and one of those who *may* act in this *role*.

    Raises:
        SigningError: Says who can.
    """
    if not actor.is_person:
        raise MachineSignsError(actor.name, may)
    if actor.name not in may:
        raise NotASignerError(actor.name, role, may)


def missing(sides: Iterable[Side], signed: Iterable[Signature]) -> tuple[Side, ...]:
    """Those of *sides* for which nobody has signed."""
    present = {signature.side for signature in signed}
    return tuple(side for side in sides if side not in present)


def whom_to_ask(sides: Iterable[Side], signers: Signers) -> str:
    """Who is to sign for *sides*, for people: `sre (bo or cleo) and product (nobody is named)`."""
    return " and ".join(f"{side} ({_any_of(signers.of(side))})" for side in sides)


def _any_of(names: tuple[str, ...]) -> str:
    return " or ".join(names) or "nobody is named"
