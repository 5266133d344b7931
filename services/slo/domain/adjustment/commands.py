"""What one can ask of an adjustment."""

from dataclasses import dataclass
from datetime import datetime

from services.slo.domain.adjustments import Adjustment
from services.slo.domain.signing import Signers


@dataclass(frozen=True, slots=True, kw_only=True)
class Agree:
    """Excuse some time.

    Args:
        adjustment: Its id.
        slos: Whose; empty for all of *service*.
        service: All of its SLOs, also later ones; empty if *slos* are named.
        time: Which time, and what happens to it.
        reason: Why.
        development: Who agreed for development.
        sre: Who agreed for SRE.
        signers: Who may, by the error-budget policy of each service concerned that has one.
        by: Who wrote it down.
        at: When.
    """

    adjustment: str
    slos: tuple[str, ...]
    service: str
    time: Adjustment
    reason: str
    development: str
    sre: str
    signers: tuple[Signers, ...]
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Excuse nothing from *until* on; what it excused before stays excused."""

    adjustment: str
    until: datetime
    reason: str
    by: str
    at: datetime


Command = Agree | End
