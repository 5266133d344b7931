"""What can happen under an error-budget policy. Each names the service, and the edition (*version*) it rests on."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.slo.domain.policy.document import Change, Document, Kind
from services.slo.domain.policy.standing import Standing
from services.slo.domain.signing import Side


@dataclass(frozen=True, slots=True)
class PolicyWritten:
    """An edition was put to both sides.

    Args:
        service: Whose policy.
        version: Of this edition; 1 for the first.
        document: What it says.
        missing: Who has to sign it.
        reason: Why it was written.
        by: Who wrote it.
        at: When.
    """

    service: str
    version: int
    document: Document
    missing: tuple[Side, ...]
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PolicySigned:
    """One side agreed to an edition; it is in force once nobody is missing."""

    service: str
    version: int
    side: Side
    missing: tuple[Side, ...]
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PolicyStateChanged:
    """The service stands elsewhere.

    Args:
        service: Which.
        version: Of the policy.
        in_force: Whether both sides have signed it.
        from_state: Where it stood.
        to_state: Where it stands.
        slo: The SLO with the worst budget; empty if none is defined.
        consumed: Of that budget; None if none is defined.
        remaining: Of that budget; None if none is defined.
        reason: Why, and, where the policy is not in force, what it would do.
        at: Since when.
    """

    service: str
    version: int
    in_force: bool
    from_state: Standing
    to_state: Standing
    slo: str
    consumed: float | None
    remaining: float | None
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReleasesFrozen:
    """Releases have stopped; the changes that *pass* have not."""

    service: str
    version: int
    slos: tuple[str, ...]
    passes: tuple[Change, ...]
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReleasesUnfrozen:
    """Releases go on."""

    service: str
    version: int
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SpareBudgetFound:
    """All budgets of the service have plenty left: people may go faster."""

    service: str
    version: int
    slo: str
    remaining: float
    advice: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SpareBudgetGone:
    """There is no budget to spare any more, or it is not known."""

    service: str
    version: int
    at: datetime


@dataclass(frozen=True, slots=True)
class ExemptionGranted:
    """Until *expires* the policy does not bind as far as this goes; see `commands.Exempt` for the fields."""

    service: str
    version: int
    exemption: str
    kind: Kind
    slos: tuple[str, ...]
    reason: str
    evidence: str
    requested_by: str
    approver: str
    expires: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class ExemptionRevoked:
    """An exemption ended early."""

    service: str
    exemption: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class GlassBroken:
    """One deployment may go through a freeze; see `commands.BreakGlass` for the fields."""

    service: str
    version: int
    glass: str
    deployment: str
    reason: str
    follow_up: str
    follow_up_due: date
    by: str
    expires: datetime
    at: datetime


@dataclass(frozen=True, slots=True)
class GlassUsed:
    """That deployment was this one."""

    service: str
    glass: str
    deployment: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class FollowUpDue:
    """What was to follow a broken glass is due, and nobody has shown that it was done.

    Args:
        service: Whose policy.
        obligation: Identifies what is owed: `follow-up:` and the glass.
        glass: Which.
        deployment: The one it let through; empty: none used it.
        follow_up: What was promised.
        due: By when.
        by: Who broke the glass.
        reason: What to do.
        at: When this was noticed.
    """

    service: str
    obligation: str
    glass: str
    deployment: str
    follow_up: str
    due: date
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class RevisitDue:
    """The day has come on which people look at the policy again; *version* is the edition in force."""

    service: str
    version: int
    revisit_by: date
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DisagreementRaised:
    """The executive is asked to decide."""

    service: str
    version: int
    disagreement: str
    about: Literal["calculation", "action"]
    side: Side
    executive: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DisagreementSettled:
    """The executive has decided; if lifted, an exemption of the same id follows."""

    service: str
    disagreement: str
    outcome: Literal["upheld", "lifted"]
    until: datetime | None
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class PostmortemRequired:
    """One incident spent so much that it needs a postmortem with at least one P0 action [EBP].

    Args:
        service: Whose policy.
        version: Of the policy.
        obligation: Identifies what is owed.
        incident: Which.
        slo: Whose budget suffered most.
        share: Of it, over the policy's incident window.
        threshold: Of the policy.
        reason: What to do.
        at: When it was noticed.
    """

    service: str
    version: int
    obligation: str
    incident: str
    slo: str
    share: float
    threshold: float
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class QuarterlyItemRequired:
    """One class of outage spent so much of a quarter's budget that the next quarter's plan needs a P0 item [EBP].

    Args:
        service: Whose policy.
        version: Of the policy.
        obligation: Identifies what is owed.
        outage_class: Which.
        quarter: Whose budget.
        plan: The quarter whose plan needs the item.
        slo: Whose budget suffered most.
        share: Of it, over the quarter.
        threshold: Of the policy.
        reason: What to do.
        at: When it was noticed.
    """

    service: str
    version: int
    obligation: str
    outage_class: str
    quarter: str
    plan: str
    slo: str
    share: float
    threshold: float
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ObligationFulfilled:
    """What was owed was done; see `commands.Fulfil` for the fields."""

    service: str
    obligation: str
    evidence: str
    reason: str
    by: str
    at: datetime


Event = (
    PolicyWritten
    | PolicySigned
    | PolicyStateChanged
    | ReleasesFrozen
    | ReleasesUnfrozen
    | SpareBudgetFound
    | SpareBudgetGone
    | ExemptionGranted
    | ExemptionRevoked
    | GlassBroken
    | GlassUsed
    | FollowUpDue
    | RevisitDue
    | DisagreementRaised
    | DisagreementSettled
    | PostmortemRequired
    | QuarterlyItemRequired
    | ObligationFulfilled
)
