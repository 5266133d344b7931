"""The seven phases of a service, and every way from one to another.

Sources: SRE Workbook ch. 18 (the seven phases); SRE book ch. 32.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """Where a service stands in its life."""

    ARCHITECTURE_AND_DESIGN = "architecture_and_design"
    ACTIVE_DEVELOPMENT = "active_development"
    LIMITED_AVAILABILITY = "limited_availability"
    GENERAL_AVAILABILITY = "general_availability"
    DEPRECATION = "deprecation"
    ABANDONED = "abandoned"
    UNSUPPORTED = "unsupported"

    @property
    def number(self) -> int:
        """From 1, in the order of life."""
        return list(Phase).index(self) + 1


class Kind(StrEnum):
    """How a move relates to the order of life."""

    FORWARD = "forward"
    SKIP = "skip"
    BACKWARD = "backward"


REINSTATEMENT = "reinstatement"  # the gate of 6>4
DECOMMISSIONED = "decommissioned"  # the end of the work that phase 7 is
DEMOTION = "demotion"  # what suggests 4>3; whatever fails there is a reason, and people decide
GATES = (*(phase.value for phase in Phase), REINSTATEMENT, DECOMMISSIONED, DEMOTION)  # others bear their phase's name


@dataclass(frozen=True, slots=True)
class Move:
    """One legal transition, and the gates that it passes; none: people alone decide."""

    kind: Kind
    gates: tuple[str, ...] = ()


_DESIGN, _DEVELOPMENT, _LIMITED, _GENERAL, _DEPRECATION, _ABANDONED, _UNSUPPORTED = Phase

TRANSITIONS: Mapping[tuple[Phase, Phase], Move] = {
    (_DESIGN, _DEVELOPMENT): Move(Kind.FORWARD, (_DEVELOPMENT,)),
    (_DEVELOPMENT, _LIMITED): Move(Kind.FORWARD, (_LIMITED,)),
    (_LIMITED, _GENERAL): Move(Kind.FORWARD, (_GENERAL,)),
    (_GENERAL, _DEPRECATION): Move(Kind.FORWARD, (_DEPRECATION,)),
    (_DEPRECATION, _ABANDONED): Move(Kind.FORWARD, (_ABANDONED,)),
    (_ABANDONED, _UNSUPPORTED): Move(Kind.FORWARD, (_UNSUPPORTED,)),
    # cancelled before anyone relied on it
    (_DESIGN, _UNSUPPORTED): Move(Kind.SKIP, (_UNSUPPORTED,)),
    (_DEVELOPMENT, _UNSUPPORTED): Move(Kind.SKIP, (_UNSUPPORTED,)),
    (_LIMITED, _UNSUPPORTED): Move(Kind.SKIP, (_UNSUPPORTED,)),
    # both gates together, since the phase between is left out
    (_DEVELOPMENT, _GENERAL): Move(Kind.SKIP, (_LIMITED, _GENERAL)),
    # nothing replaces it
    (_GENERAL, _ABANDONED): Move(Kind.SKIP, (_ABANDONED,)),
    # all users have migrated
    (_DEPRECATION, _UNSUPPORTED): Move(Kind.SKIP, (_UNSUPPORTED,)),
    (_DEVELOPMENT, _DESIGN): Move(Kind.BACKWARD),
    (_LIMITED, _DEVELOPMENT): Move(Kind.BACKWARD),
    (_GENERAL, _LIMITED): Move(Kind.BACKWARD),
    (_DEPRECATION, _GENERAL): Move(Kind.BACKWARD),
    (_ABANDONED, _DEPRECATION): Move(Kind.BACKWARD),
    # needs a new production readiness review
    (_ABANDONED, _GENERAL): Move(Kind.BACKWARD, (REINSTATEMENT,)),
}


def allowed_from(phase: Phase) -> dict[Phase, Move]:
    """Where a service in *phase* may go; nowhere from the last one."""
    return {after: move for (before, after), move in TRANSITIONS.items() if before is phase}


def gates_between(phase: Phase, target: Phase) -> tuple[str, ...]:
    """The gates on the way from *phase* to *target*; where no move leads, what *target* itself asks for."""
    move = TRANSITIONS.get((phase, target))
    return (target,) if move is None else move.gates
