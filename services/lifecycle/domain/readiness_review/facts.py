"""What a gate knows of a service's readiness review."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime

from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.readiness_review.events import FindingState, Model, Verdict
from services.lifecycle.domain.readiness_review.state import UNSETTLED, ReviewState, end_of


@dataclass(frozen=True, slots=True)
class ConditionFact:
    """A condition of the approval that is not met."""

    condition: str
    text: str
    owner: str
    due: date


@dataclass(frozen=True, slots=True)
class FindingFact:
    """A blocking finding; *waived_until* is set while it is waived."""

    finding: str
    title: str
    state: FindingState
    waived_until: datetime | None


@dataclass(frozen=True, slots=True)
class SecurityItem:
    """A blocking item of the security axis; no verdict: not answered."""

    minimum_tier: int
    verdict: Verdict | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFacts:
    """The review that speaks for a service: the approved one, else the one under way, else the last.

    Args:
        review: Its id.
        number: Which review of the service it is.
        model: Of the review.
        target_phase: What it makes the service ready for.
        state: Of the review.
        state_since: Since when.
        requested_at: When it was asked for.
        analysis_at: When the analysis began.
        approved_at: When it was approved.
        expires_at: When the approval is over.
        expired_because: Why it was over before that, or at that time.
        conditions: Those that are not met.
        blocking_findings: All of them, whatever has become of them.
        findings: How many there are of any severity; none is no all-clear.
        security: The blocking items of its security axis that stand before limited availability.
    """

    review: str
    number: int
    model: Model
    target_phase: Phase
    state: ReviewState
    state_since: datetime
    requested_at: datetime
    analysis_at: datetime | None = None
    approved_at: datetime | None = None
    expires_at: datetime | None = None
    expired_because: str = ""
    conditions: tuple[ConditionFact, ...] = ()
    blocking_findings: tuple[FindingFact, ...] = ()
    findings: int = 0
    security: Mapping[str, SecurityItem] = field(default_factory=dict[str, SecurityItem])

    def is_approved(self, at: datetime) -> bool:
        """Whether an approval, with conditions or without, is in force at *at*."""
        approved = self.state in {"approved", "approved_with_conditions"}
        return approved and self.expires_at is not None and at < self.expires_at

    @property
    def is_at_least_in_analysis(self) -> bool:
        """Whether somebody has begun to look at the service, and has not given up."""
        return self.state in {"analysis", "improvements", "approved", "approved_with_conditions"}

    def overdue_conditions(self, at: datetime) -> tuple[ConditionFact, ...]:
        """The conditions whose day has passed at *at*."""
        return tuple(condition for condition in self.conditions if end_of(condition.due) <= at)

    def open_blocking_findings(self, at: datetime) -> tuple[FindingFact, ...]:
        """The blocking findings that nothing has settled at *at*."""
        return tuple(
            each
            for each in self.blocking_findings
            if each.state in UNSETTLED or (each.waived_until is not None and each.waived_until <= at)
        )

    @property
    def is_security_opened(self) -> bool:
        """Whether any item of the security axis is answered."""
        return any(item.verdict for item in self.security.values())

    def open_security_items(self, tier: int) -> tuple[str, ...]:
        """The items of the security axis that a service of *tier* (0: not set) has still to show."""
        return tuple(
            name
            for name, item in self.security.items()
            if tier <= item.minimum_tier and item.verdict not in {"met", "not_applicable", "waived"}
        )
