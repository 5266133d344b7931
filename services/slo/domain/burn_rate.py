"""Burn rates, and the multi-window alert conditions on them (SRE Workbook, ch. 5).

The burn rate of a window is (B/N)/b: 1 spends exactly the whole budget in one period. An alert condition (tier)
looks at a long window, so that little noise fires it, and at a short one, so that it clears soon after.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from operator import ge, gt, le, lt
from typing import Any, Final, Literal

from services.slo.domain.error_budget import Counts, Target
from services.slo.domain.openslo.decoding import UNITS
from services.slo.domain.openslo.definition import Definition, Operator, Policy
from services.slo.domain.windows import Rolling, Window

Severity = Literal["page", "ticket"]

LEAST_EVENTS: Final = "concordat.io/alert-least-events"  # annotation of an SLO

_HOUR = 60  # minutes
_DAY = 24 * _HOUR
_SHORTEST_PERIODS = 3  # long windows must fit so often into the period
_AS_COVERED = Fraction(9, 10)  # of the coverage since data began; a default of ours
_SHORT = 12  # short windows fit so often into long ones


@dataclass(frozen=True, slots=True)
class Tier:
    """One alert condition: fires while both windows burn above *factor*.

    Args:
        severity: How urgent.
        short_min: Short window, minutes.
        long_min: Long window, minutes.
        share: Of the period's budget that is spent when the long window burns at the threshold.
        factor: The threshold.
        op: How the burn rate compares with it while the alert is on.
        after_min: For how many minutes it must have done so.
        policy: The AlertPolicy it comes from; empty for a default.
        condition: The AlertCondition it comes from; empty for a default.
        on_burning: Whether it fires at all when it burns; else only for want of data.
        on_no_data: Whether it fires when its long window passes without any data.
        targets: Who is notified, by name.
        tell_resolved: Whether they hear of the end too.
        least_events: A long window with fewer events says nothing.
    """

    severity: Severity
    short_min: int
    long_min: int
    share: Fraction
    factor: Fraction
    op: Operator = "gt"
    after_min: int = 0
    policy: str = ""
    condition: str = ""
    on_burning: bool = True
    on_no_data: bool = False
    targets: tuple[str, ...] = ()
    tell_resolved: bool = False
    least_events: int = 0

    @property
    def name(self) -> str:
        """Identifies the tier within its SLO, such as `page-5m-1h`, or `policy.condition`."""
        if self.condition:
            return f"{self.policy}.{self.condition}"
        return f"{self.severity}-{duration(self.short_min)}-{duration(self.long_min)}"

    def windows(self, end: int) -> tuple[range, range]:
        """Its short and its long window that end with the minute before *end*."""
        return range(end - self.short_min, end), range(end - self.long_min, end)


def duration(minutes: int) -> str:
    """*minutes* in OpenSLO's short form: the largest of `d`, `h`, `m` that divides them."""
    if minutes % _DAY == 0:
        return f"{minutes // _DAY}d"
    return f"{minutes // _HOUR}h" if minutes % _HOUR == 0 else f"{minutes}m"


def length_min(window: Window) -> int:
    """The length of a period that factors are scaled to; a month of the calendar counts as 30 days."""
    return window.length_min if isinstance(window, Rolling) else window.count * UNITS[window.unit]


# severity, short, long, share of the budget: SRE Workbook ch. 5, table 5-8; Sloth's google-28d and google-30d.
_SHARES: Sequence[tuple[Severity, int, int, Fraction]] = (
    ("page", 5, _HOUR, Fraction(2, 100)),
    ("page", 30, 6 * _HOUR, Fraction(5, 100)),
    ("ticket", 2 * _HOUR, _DAY, Fraction(10, 100)),
    ("ticket", 6 * _HOUR, 3 * _DAY, Fraction(10, 100)),
)
_CATALOGUED = (28 * _DAY, 30 * _DAY)
# Sloth's example for 7 days: 13.44, 3.5, 1.4, 0.98.
_OF_PERIOD: Mapping[int, tuple[Fraction, ...]] = {
    7 * _DAY: (Fraction(8, 100), Fraction(125, 1000), Fraction(20, 100), Fraction(42, 100))
}

Tiers = tuple[tuple[Tier, ...], tuple[str, ...]]  # and a warning for each thing that has no effect


def tiers_of_period(period_min: int) -> Tiers:
    """The default tiers of a period, whatever the target; factor = share * period / long window.

    28 and 30 days are Sloth's. For any other period the shares of the budget stay, so the factors change; none goes
    below 1, which spends just the budget. A long window over a third of the period is left out, or shortened to it
    where no tier would be left. A week has shares of its own, Sloth's too, and keeps its three days.
    """
    shares = _OF_PERIOD.get(period_min)
    tiers: list[Tier] = []
    warnings: list[str] = []
    for index, (severity, short, long, default) in enumerate(_SHARES):
        tier = Tier(severity, short, long, shares[index] if shares else default, Fraction(1))
        if shares is None and long * _SHORTEST_PERIODS > period_min:
            if tiers:
                third = f"its long window is over a third of {duration(period_min)}"
                warnings.append(f"{tier.name} is left out: {third}")
                continue
            long = max(1, period_min // _SHORTEST_PERIODS)  # noqa: PLW2901  shortened
            tier = replace(tier, short_min=max(1, long // _SHORT), long_min=long)
        factor = tier.share * period_min / tier.long_min
        tiers.append(replace(tier, factor=factor if period_min in _CATALOGUED else max(factor, Fraction(1))))
    return tuple(tiers), tuple(warnings)


@lru_cache(maxsize=1024)  # ten thousand SLOs have a dozen periods and targets
def default_tiers(period_min: int, target: Target) -> Tiers:
    """The tiers of an SLO that names none.

    The largest burn rate there can be is 1/b (every event bad), so a tier whose factor reaches it could never fire.
    """
    tiers, warnings = tiers_of_period(period_min)
    impossible = [tier for tier in tiers if tier.factor * target.budget >= target.q]
    return tuple([tier for tier in tiers if tier not in impossible]), (
        *warnings,
        *[
            f"{tier.name} is left out: a burn rate above {float(tier.factor):g} is impossible,"
            f" since a target of {float(target):g} allows at most {target.q / target.budget:g}"
            for tier in impossible
        ],
    )


def tiers_of(definition: Definition) -> Tiers:
    """The alert conditions of an SLO: those of its policies, or the default ones."""
    period_min = length_min(definition.window)
    tiers, warnings = tiers_of_policies(definition.policies, period_min, definition.target)
    least = definition.annotations.get(LEAST_EVENTS, "0")
    if not (least.isascii() and least.isdigit()):
        said = f"metadata.annotations: {LEAST_EVENTS} is {least!r} and has no effect; give a number of events"
        return tiers, (*warnings, said)
    return tuple([replace(tier, least_events=int(least)) for tier in tiers]), warnings


def tiers_of_policies(policies: Iterable[Policy], period_min: int, target: Target) -> Tiers:
    """The tiers of all *policies*; without any, the default ones."""
    tiers: dict[str, Tier] = {}
    warnings: list[str] = []
    policies = tuple(policies)
    if not policies:
        return default_tiers(period_min, target)
    for policy in policies:
        for condition in policy.conditions:
            tier = Tier(
                severity=condition.urgency,
                short_min=condition.short_min,
                long_min=condition.lookback_min,
                share=condition.factor * condition.lookback_min / period_min,
                factor=condition.factor,
                op=condition.op,
                after_min=condition.after_min,
                policy=policy.name,
                condition=condition.name,
                on_burning=policy.when_breaching or not policy.when_no_data,  # a policy that asks for neither means it
                on_no_data=policy.when_no_data,
                targets=tuple([notification.name for notification in policy.notifications]),
                tell_resolved=policy.when_resolved,
            )
            if tier.name in tiers:
                warnings.append(f"{tier.name} is left out: an earlier policy has it too; give it another name")
            elif tier.long_min > period_min:
                warnings.append(f"{tier.name}: looks back over more than the period of {duration(period_min)}")
            tiers.setdefault(tier.name, tier)
    return tuple(tiers.values()), tuple(warnings)


def burn_rate(target: Target, counts: Counts) -> float | None:
    """(B/N)/b; None when there were no events."""
    return counts.bad * target.q / (counts.total * target.budget) if counts.total else None


_COMPARE: Mapping[Operator, Callable[[Any, Any], bool]] = {"gt": gt, "gte": ge, "lt": lt, "lte": le}


def burns(target: Target, counts: Counts, factor: Fraction, op: Operator = "gt") -> bool:
    """Whether the burn rate is above *factor* (or as *op* says), compared as integers; without events nothing burns."""
    if not counts.total:
        return False
    return _COMPARE[op](counts.bad * target.q * factor.denominator, factor.numerator * counts.total * target.budget)


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


Verdict = Literal["burning", "quiet", "unknown", "few"]
Pairs = Iterable[tuple[Counts, Counts]]  # short and long windows


def judge(
    tier: Tier,
    target: Target,
    short: Counts,
    long: Counts,
    history: History,
    earlier: Callable[[], Pairs] = tuple,
) -> Verdict:
    """What the windows of *tier* say; `few` (no data in one of them, or too few events) never ends an alert.

    Missing data says nothing: an outage that kills the telemetry is still an outage. An observed minute without
    events does say something: that nothing failed. `unknown` is for the caller to say, of data that ended before the
    long window began.

    Args:
        tier: The condition.
        target: Of the SLO.
        short: What its short window holds.
        long: What its long window holds.
        history: Of the SLO.
        earlier: The windows that ended 1, 2 ... `tier.after_min` minutes earlier; asked for when it matters.
    """
    if short.observed == 0 or long.observed == 0 or long.total < tier.least_events:
        return "few"
    if not tier.on_burning or not over(tier, target, short, long):
        return "quiet"
    if tier.after_min and not all(over(tier, target, *pair) for pair in earlier()):
        return "quiet"
    return "burning" if trusted(tier, target, long, history) else "quiet"


def over(tier: Tier, target: Target, short: Counts, long: Counts) -> bool:
    """Whether both windows are over the threshold."""
    return all(burns(target, window, tier.factor, tier.op) for window in (short, long))


def trusted(tier: Tier, target: Target, long: Counts, history: History) -> bool:
    """Whether there is enough data for the long window's ratio to mean anything.

    Either data covers the window (as well as it covers the period since it began, since sources may leave minutes
    out), or its bad events alone exceed share * b * N_P, with N_P the events expected in a period at the mean rate so
    far: B > share * (q-p)/q * N * P/observed.
    """
    seen = history.counts.observed
    if history.age_min >= tier.long_min and long.observed * history.age_min >= _AS_COVERED * seen * tier.long_min:
        return True
    expected = tier.share * target.budget * history.counts.total * history.period_min
    return long.bad * target.q * seen > expected
