"""Burn rates, and the multi-window alert conditions on them (SRE Workbook, ch. 5).

The burn rate of a window is (B/N)/b: 1 spends exactly the whole budget in one period. An alert condition (tier)
looks at a long window, so that little noise fires it, and at a short one, so that it clears soon after.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from services.slo.domain.error_budget import Counts, Target

Severity = Literal["page", "ticket"]

_HOUR = 60  # minutes
_DAY = 24 * _HOUR
_SHORTEST_PERIODS = 3  # long windows must fit so often into the period


@dataclass(frozen=True, slots=True)
class Tier:
    """One alert condition: fires above *factor* in both windows.

    Args:
        severity: How urgent.
        short_min: Short window, minutes.
        long_min: Long window, minutes.
        share: Of the period's budget that is spent when the long window burns at the threshold.
        factor: The threshold.
    """

    severity: Severity
    short_min: int
    long_min: int
    share: Fraction
    factor: Fraction

    @property
    def name(self) -> str:
        """Identifies the tier within its SLO, such as `page-5m-1h`."""
        return f"{self.severity}-{duration(self.short_min)}-{duration(self.long_min)}"


def duration(minutes: int) -> str:
    """*minutes* in OpenSLO's short form: the largest of `d`, `h`, `m` that divides them."""
    if minutes % _DAY == 0:
        return f"{minutes // _DAY}d"
    return f"{minutes // _HOUR}h" if minutes % _HOUR == 0 else f"{minutes}m"


# severity, short, long, share of the budget: 2 % of it in 1 h, SRE Workbook ch. 5 (14.4 for 30 days, 13.44 for 28).
_DEFAULTS: Sequence[tuple[Severity, int, int, Fraction]] = (("page", 5, _HOUR, Fraction(2, 100)),)
# Sloth's own table for 7 days spends 8 % in 1 h: factor 13.44.
_OF_PERIOD: Mapping[int, Sequence[tuple[Severity, int, int, Fraction]]] = {
    7 * _DAY: (("page", 5, _HOUR, Fraction(8, 100)),),
}


def default_tiers(period_min: int, target: Target) -> tuple[tuple[Tier, ...], tuple[str, ...]]:
    """The tiers of an SLO that names none, and a warning for each that was left out.

    factor = share * period / long window, at least 1. The largest burn rate there can be is 1/b (every event bad),
    so a tier whose factor reaches it could never fire.
    """
    tiers: list[Tier] = []
    warnings: list[str] = []
    for severity, short, long, share in _OF_PERIOD.get(period_min, _DEFAULTS):
        tier = Tier(severity, short, long, share, max(share * period_min / long, Fraction(1)))
        if long * _SHORTEST_PERIODS > period_min:
            warnings.append(f"{tier.name} is left out: its long window is over a third of {duration(period_min)}")
        elif tier.factor * target.budget >= target.q:
            warnings.append(
                f"{tier.name} is left out: a burn rate above {float(tier.factor):g} is impossible,"
                f" since a target of {float(target):g} allows at most {target.q / target.budget:g}"
            )
        else:
            tiers.append(tier)
    return tuple(tiers), tuple(warnings)


def burn_rate(target: Target, counts: Counts) -> float | None:
    """(B/N)/b; None when there were no events."""
    return counts.bad * target.q / (counts.total * target.budget) if counts.total else None


def burns(target: Target, counts: Counts, factor: Fraction) -> bool:
    """Whether the burn rate is above *factor*, compared as integers; without events nothing burns."""
    return counts.bad * target.q * factor.denominator > factor.numerator * counts.total * target.budget


@dataclass(frozen=True, slots=True)
class History:
    """What is known of the period that ends with an alert's windows.

    Args:
        counts: Of the period.
        age_min: Minutes since its first observed one.
        period_min: Its length.
    """

    counts: Counts
    age_min: int
    period_min: int


Verdict = Literal["burning", "quiet", "unknown"]


def judge(tier: Tier, target: Target, short: Counts, long: Counts, history: History) -> Verdict:
    """What the windows of *tier* say; `unknown` never changes an alert.

    Missing data says nothing: an outage that kills the telemetry is still an outage. An observed minute without
    events does say something: that nothing failed.
    """
    if short.observed == 0 or long.observed == 0:
        return "unknown"
    if not (burns(target, short, tier.factor) and burns(target, long, tier.factor)):
        return "quiet"
    return "burning" if _trusted(tier, target, long, history) else "quiet"


def _trusted(tier: Tier, target: Target, long: Counts, history: History) -> bool:
    """Whether there is enough history for the long window's ratio to mean anything.

    Either data covers the window, or its bad events alone exceed share * b * N_P, with N_P the events expected in a
    period at the mean rate so far: B > share * (q-p)/q * N * P/age.
    """
    if history.age_min >= tier.long_min:
        return True
    expected = tier.share * target.budget * history.counts.total * history.period_min
    return long.bad * target.q * history.age_min > expected
