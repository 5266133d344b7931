"""How deployments are counted, and what metrics mean: plain data, with the source it comes from."""

from collections.abc import Mapping
from dataclasses import dataclass

from services.lifecycle.domain.metrics import METRICS
from services.lifecycle.domain.policy import InvalidPolicyError


@dataclass(frozen=True, slots=True)
class Environments:
    """Names of environments, and why these."""

    names: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Number:
    """A number, and why it is that one."""

    value: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Definition:
    """What a metric means; values of two versions are not compared."""

    version: int
    unit: str
    definition: str
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """How deployments are counted, and what metrics mean.

    Args:
        version: Of the policy.
        production_environments: Where users are.
        trend_weeks: Of so many weeks a metric must be known to have a trend.
        metrics: What each metric means.
    """

    version: str
    production_environments: Environments
    trend_weeks: Number
    metrics: Mapping[str, Definition]

    def validate(self) -> None:
        """Refuse a policy by which nothing would count, or whose metrics are not those there are.

        Raises:
            InvalidPolicyError: Names the place.
        """
        if not self.production_environments.names:
            message = "production_environments.names: name at least one, or no deployment counts"
            raise InvalidPolicyError(message)
        if self.trend_weeks.value < 2:  # noqa: PLR2004  a line has two ends
            message = f"trend_weeks: {self.trend_weeks.value:g} is too few; at least 2"
            raise InvalidPolicyError(message)
        for name in sorted(self.metrics.keys() ^ set(METRICS)):
            message = f"metrics.{name}: {'missing' if name in METRICS else 'unknown'}; there are {', '.join(METRICS)}"
            raise InvalidPolicyError(message)
