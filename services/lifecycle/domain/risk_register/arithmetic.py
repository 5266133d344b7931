"""How many bad minutes a risk costs in a year, and how many an SLO allows.

Source of all formulas: Google CRE, "Know thy enemy: how to prioritize and communicate risks".
"""

from collections.abc import Iterable
from dataclasses import dataclass

DAYS_IN_A_YEAR = 365.25
MINUTES_IN_A_YEAR = 525_960  # 365.25 days


@dataclass(frozen=True, slots=True)
class Estimate:
    """What is expected of a risk.

    Args:
        ttd_minutes: Until somebody or something notices.
        ttr_minutes: From then until users are well again.
        users_fraction: The share of users that it hits, from 0 to 1.
        mtbf_days: From one time to the next.
    """

    ttd_minutes: float
    ttr_minutes: float
    users_fraction: float
    mtbf_days: float

    @property
    def times_a_year(self) -> float:
        """How often it is expected."""
        return DAYS_IN_A_YEAR / self.mtbf_days

    @property
    def bad_minutes(self) -> float:
        """What it costs all users in a year: `(ttd + ttr) * users_fraction * 365.25 / mtbf_days`."""
        return (self.ttd_minutes + self.ttr_minutes) * self.users_fraction * self.times_a_year


@dataclass(frozen=True, slots=True)
class Took:
    """How long an incident took to be noticed, and from then until users were well; None: not known yet."""

    ttd_minutes: float | None
    ttr_minutes: float | None


@dataclass(frozen=True, slots=True)
class Systemic:
    """What makes every risk worse, such as missing alerts: more often by a share, noticed and mended later."""

    more_often: float = 0
    ttd_minutes: float = 0
    ttr_minutes: float = 0

    def bad_minutes(self, estimates: Iterable[Estimate]) -> float:
        """What it adds in a year: `(1 + p) * (d_ttd + d_ttr) * sum(u_i * f_i) + p * sum(bad_i)`."""
        known = list(estimates)
        hit = sum(each.users_fraction * each.times_a_year for each in known)
        worse = (1 + self.more_often) * (self.ttd_minutes + self.ttr_minutes) * hit
        return worse + self.more_often * sum(each.bad_minutes for each in known)


def allowed_minutes(target: float) -> float:
    """The bad minutes that an SLO with *target* leaves in a year: `(1 - slo) * 525,960`."""
    return (1 - target) * MINUTES_IN_A_YEAR
