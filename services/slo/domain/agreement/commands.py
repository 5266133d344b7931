"""What can be asked about the agreement of an SLO. One agreement per SLO, with at most one open proposal."""

from dataclasses import dataclass
from datetime import datetime

from services.slo.domain.signing import Actor, Side, Signers

Document = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Propose:
    """Put a revision of an SLO to the three sides; an open proposal is superseded by it.

    To have the SLO agreed as it is, propose the document that is in force.

    Args:
        slo: Which.
        proposal: The id it will have.
        base_revision: The revision it was written against; 0 if the SLO is new.
        document: The OpenSLO document that would hold; it must have been read without faults.
        what_if: Where the figures of the past under it can be seen; empty if nobody computed them.
        signers: Who may sign, by side: those of the service's error-budget policy.
        reason: Why.
        by: Who proposes; that does not count as a signature.
        expires: When it lapses.
        at: When.
    """

    slo: str
    proposal: str
    base_revision: int
    document: Document
    what_if: str
    signers: Signers
    reason: str
    by: str
    expires: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Agree:
    """Agree for one side to the proposal of this id: the one that was read."""

    slo: str
    proposal: str
    side: Side
    reason: str
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Decline:
    """Refuse for one side, even if it had agreed before; that ends the proposal."""

    slo: str
    proposal: str
    side: Side
    reason: str
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Take one's own proposal back."""

    slo: str
    proposal: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Expire:
    """End a proposal whose time has passed; before that it does nothing."""

    slo: str
    proposal: str
    at: datetime


Command = Propose | Agree | Decline | Withdraw | Expire
