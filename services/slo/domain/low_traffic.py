"""Few events: when one failure would page, and what helps (SRE Workbook, ch. 5, "Low-Traffic Services").

One bad event among N burns at 1/(N*b). Among too few, that alone is above an alert's factor, and says nothing.
"""

from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Literal

from services.slo.domain.burn_rate import Tier, duration
from services.slo.domain.error_budget import Target

Kind = Literal["longer_window", "weaker_target", "merge", "synthetic_traffic"]

_LONGEST_SHARE = Fraction(1, 3)  # of the period; a longer window hardly is an alert


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Something that would keep a few failures from firing an alert.

    Args:
        kind: What to change.
        value: Minutes of the window, the target, the number of services merged, or synthetic events a minute.
        text: The same for people.
    """

    kind: Kind
    value: Fraction
    text: str


def least_events(target: Target, factor: Fraction, failures: int | Fraction = 1) -> int:
    """The fewest events N of a window in which *failures* bad ones do not burn above *factor*: failures/(factor*b)."""
    return ceil(Fraction(failures * target.q, target.budget) / factor)


def scaled_factor(
    factor: Fraction, window_min: int, window_total: int, period_min: int, period_total: int
) -> Fraction | None:
    """*factor* scaled to the traffic of the window, so that the same number of bad events fires it day and night.

    A factor stands for a share of the period's budget spent in the window, if traffic is even. Where it is not, bad
    events exceed that share when the burn rate exceeds factor * (N_P/P) / (N_w/w): more of few, less of many.

    Returns:
        The threshold; None if the window holds no events.
    """
    if window_total == 0:
        return None
    return factor * Fraction(period_total * window_min, window_total * period_min)


def suggestions(
    target: Target, tier: Tier, period_min: int, period_total: int, failures: int | Fraction = 1
) -> tuple[Suggestion, ...]:
    """What would keep *failures* bad events from firing *tier*; nothing if there is traffic enough.

    Args:
        target: The promise.
        tier: The alert condition; its long window decides.
        period_min: The SLO period, minutes.
        period_total: Events of one period.
        failures: How many bad events should not be enough.
    """
    rate = Fraction(period_total, period_min)
    expected, needed = rate * tier.long_min, least_events(target, tier.factor, failures)
    if expected >= needed or not rate:
        return ()
    window = ceil(needed / rate)
    budget = failures / (tier.factor * expected)
    found: list[Suggestion] = []
    if window <= period_min * _LONGEST_SHARE:
        share = tier.factor * window / period_min
        text = f"look at {duration(window)} instead of {duration(tier.long_min)}; the alert then fires after"
        found.append(Suggestion("longer_window", Fraction(window), f"{text} {float(share):.1%} of the budget"))
    if budget * tier.factor < 1:  # or the alert could never fire
        text = f"promise {float(1 - budget):.5g} instead of {float(target):g}"
        found.append(Suggestion("weaker_target", 1 - budget, text))
    merged = ceil(needed / expected)
    found.append(Suggestion("merge", Fraction(merged), f"measure {merged} services of such traffic as one"))
    synthetic = (needed - expected) / tier.long_min
    text = f"add {float(synthetic):.3g} synthetic events a minute; they show only what they exercise"
    return (*found, Suggestion("synthetic_traffic", synthetic, text))
