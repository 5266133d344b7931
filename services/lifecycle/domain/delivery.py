"""How deployments are counted: plain data, with the source it comes from."""

from dataclasses import dataclass

from services.lifecycle.domain.policy import InvalidPolicyError


@dataclass(frozen=True, slots=True)
class Environments:
    """Names of environments, and why these."""

    names: tuple[str, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPolicy:
    """How deployments are counted.

    Args:
        version: Of the policy.
        production_environments: Where users are.
    """

    version: str
    production_environments: Environments

    def validate(self) -> None:
        """Refuse a policy by which nothing would count.

        Raises:
            InvalidPolicyError: Names the place.
        """
        if not self.production_environments.names:
            message = "production_environments.names: name at least one, or no deployment counts"
            raise InvalidPolicyError(message)
