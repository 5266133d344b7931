"""What happens to a service's paging."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PoliciesNamed:
    """It pages each side by this policy; empty: by its team's default. *before*: what it named until then."""

    service: str
    dev: str
    sre: str
    before: tuple[str, ...]
    by: str
    reason: str = ""
    at: datetime


Event = PoliciesNamed
