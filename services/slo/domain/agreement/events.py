"""What can happen to the agreement of an SLO."""

from dataclasses import dataclass
from datetime import datetime

from services.slo.domain.signing import Side, Signers


@dataclass(frozen=True, slots=True)
class RevisionProposed:
    """A revision was put to the three sides; see `commands.Propose` for the fields.

    Args:
        slo: Which.
        proposal: Its id.
        base_revision: The revision it was written against.
        document: What would hold.
        what_if: Where figures of the past under it can be seen.
        signers: Who may sign, by side.
        missing: Who has to agree.
        supersedes: The proposal that it ended, or empty.
        reason: Why.
        by: Who proposes.
        expires: When it lapses.
        at: When.
    """

    slo: str
    proposal: str
    base_revision: int
    document: dict[str, object]
    what_if: str
    signers: Signers
    missing: tuple[Side, ...]
    supersedes: str
    reason: str
    by: str
    expires: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class SideAgreed:
    """One side agreed; the others that are *missing* have yet to."""

    slo: str
    proposal: str
    side: Side
    missing: tuple[Side, ...]
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RevisionAgreed:
    """All three sides agreed: the document takes effect; the SLO is revised to it.

    Args:
        slo: Which.
        proposal: Its id.
        base_revision: The revision it was written against.
        document: What holds now.
        development: Who agreed for development.
        sre: Who agreed for SRE.
        product: Who agreed for product.
        reason: Why it was proposed.
        by: Who proposed it.
        at: When the last side agreed.
    """

    slo: str
    proposal: str
    base_revision: int
    document: dict[str, object]
    development: str
    sre: str
    product: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RevisionDeclined:
    """One side refused, and the proposal ended."""

    slo: str
    proposal: str
    side: Side
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RevisionWithdrawn:
    """Whoever proposed it took it back."""

    slo: str
    proposal: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RevisionSuperseded:
    """A newer proposal took its place; it follows in the same moment."""

    slo: str
    proposal: str
    superseded_by: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RevisionExpired:
    """It lapsed while sides were *missing*."""

    slo: str
    proposal: str
    missing: tuple[Side, ...]
    reason: str
    at: datetime


Event = (
    RevisionProposed
    | SideAgreed
    | RevisionAgreed
    | RevisionDeclined
    | RevisionWithdrawn
    | RevisionSuperseded
    | RevisionExpired
)
