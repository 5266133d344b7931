"""The numbers of the risk register: plain data, each with the source it comes from."""

from dataclasses import dataclass
from datetime import timedelta

from services.lifecycle.domain.policy import Fault, InvalidPolicyError, Roles


@dataclass(frozen=True, slots=True)
class Share:
    """A share of the error budget, and why it is that large."""

    share: float
    source: str


@dataclass(frozen=True, slots=True)
class Span:
    """A number of days, and why it is that long."""

    days: int
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskPolicy:
    """What may be accepted.

    Args:
        version: Of these numbers.
        largest: A single risk costs at most this share of the budget.
        accepted: All that is accepted costs at most this share together.
        acceptance: An acceptance lasts at most this long.
        deciders: Who may accept a risk, and say that it is gone or that somebody else bears it; None: anybody.
    """

    version: str
    largest: Share
    accepted: Share
    acceptance: Span
    deciders: Roles | None = None

    @property
    def longest(self) -> timedelta:
        """How long an acceptance lasts at most."""
        return timedelta(days=self.acceptance.days)

    def validate(self) -> None:
        """Refuse shares that are none, and acceptances that end before they begin.

        Raises:
            InvalidPolicyError: Names the place.
        """
        faults = [
            Fault(f"/{name}/share", f"{value:g} is no share; more than 0, at most 1")
            for name, value in (("largest", self.largest.share), ("accepted", self.accepted.share))
            if not 0 < value <= 1
        ]
        if self.acceptance.days < 1:
            faults.append(Fault("/acceptance/days", f"{self.acceptance.days} is too short; at least 1"))
        if faults:
            raise InvalidPolicyError(faults)
