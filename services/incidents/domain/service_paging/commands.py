"""What can be asked of a service's paging."""

from dataclasses import dataclass

from services.incidents.domain.asked import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class NamePolicies(Asked):
    """Page each side by this policy; empty: by its team's default."""

    service: str
    dev: str
    sre: str


Command = NamePolicies
