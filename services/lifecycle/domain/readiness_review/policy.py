"""The numbers of readiness reviews: plain data, each with the source it comes from."""

from dataclasses import dataclass
from datetime import timedelta

from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.policy import Fault, InvalidPolicyError


@dataclass(frozen=True, slots=True)
class Days:
    """A span that limits something, and why it is that long."""

    days: int
    source: str

    @property
    def span(self) -> timedelta:
        """It, as a span of time."""
        return timedelta(days=self.days)


@dataclass(frozen=True, slots=True)
class Count:
    """A number that limits something, and why it is that number."""

    count: int
    source: str


@dataclass(frozen=True, slots=True)
class StartPhases:
    """In which phases a review may be asked for, and why."""

    phases: tuple[Phase, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewPolicy:
    """What limits reviews.

    Args:
        version: Named by every review.
        approval: After this an approval expires.
        expires_soon: So long before its end a new review should be asked for.
        condition: A condition of an approval is due within this.
        waiver: A finding is waived for at most this long.
        waivers: How often a finding may be waived.
        carried: A delta review takes over answers that are at most this old.
        reviewers: At most so many people review.
        start: Where a service may stand when a review begins.
    """

    version: str
    approval: Days
    expires_soon: Days
    condition: Days
    waiver: Days
    waivers: Count
    carried: Days
    reviewers: Count
    start: StartPhases

    def validate(self) -> None:
        """Refuse a policy by which nothing could ever be approved, waived or reviewed.

        Raises:
            InvalidPolicyError: Names the place.
        """
        spans = {
            name: getattr(self, name).days for name in ("approval", "expires_soon", "condition", "waiver", "carried")
        }
        counts = {name: getattr(self, name).count for name in ("waivers", "reviewers")}
        for name, value in {**spans, **counts}.items():
            if value < 1:
                raise InvalidPolicyError([Fault(f"/{name}", f"{value} is too few; at least 1")])
