"""What is asked of teams: plain data, every number with the source it comes from."""

from dataclasses import dataclass

from services.lifecycle.domain.policy import Fault, InvalidPolicyError, Number


@dataclass(frozen=True, slots=True, kw_only=True)
class FitWeights:
    """How much each term of the fit score weighs; together 1."""

    same_product: Number
    similar_stack: Number
    same_dev_teams: Number


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamPolicy:
    """Everything that rules for teams depend on.

    Args:
        version: Of the policy.
        least_at_site: How many people an SRE team has at a site at least.
        structure_review_days: How often people look whether the team is still set up well.
        operational_share_limit: How much of a team's time may go into operations.
        pages_per_shift_limit: How many pages a shift may bring.
        load_window_days: Over which time load is measured.
        fit: How a team is found for a service.
    """

    version: str
    least_at_site: Number
    structure_review_days: Number
    operational_share_limit: Number
    pages_per_shift_limit: Number
    load_window_days: Number
    fit: FitWeights

    def validate(self) -> None:
        """Refuse a policy that contradicts itself.

        Raises:
            InvalidPolicyError: Names the place.
        """
        weights = (self.fit.same_product.value, self.fit.similar_stack.value, self.fit.same_dev_teams.value)
        if abs(sum(weights) - 1) > 1e-9 or min(weights) < 0:  # noqa: PLR2004  rounding of three decimals
            detail = f"the weights are {', '.join(map(str, weights))}; they must be positive and sum to 1"
            raise InvalidPolicyError([Fault("/fit", detail)])
