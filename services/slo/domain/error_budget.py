"""SLI, consumed and remaining error budget, and the state they amount to.

T is the target, b = 1 - T the budget, G / B / N good, bad and total events of a window (SRE Workbook, ch. 2 and 5).
Counts and the target are integers until the last division, and nothing is rounded or clamped: with T = p/q,
consumed = (B/N)/b = B*q / (N*(q-p)), remaining = 1 - consumed = (G*q - p*N) / (N*(q-p)).
"""

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

from services.slo.domain.errors import InvalidTargetError

State = Literal["met", "at_risk", "violated", "undefined"]

AT_RISK = Fraction(3, 4)  # of the budget consumed; a default of ours, not of the literature
_PARTS, _WHOLE = AT_RISK.as_integer_ratio()


@dataclass(frozen=True, slots=True)
class Target:
    """A target as the exact ratio p/q that its decimal notation means; 0 <= p < q."""

    p: int
    q: int

    @classmethod
    def of(cls, value: float | str | Decimal) -> "Target":
        """The target written as *value*: 0.999 is 999/1000, not the binary fraction nearest to it.

        Raises:
            InvalidTargetError: It is not in [0, 1).
        """
        exact = Decimal(str(value))
        if not exact.is_finite() or not 0 <= exact < 1:
            raise InvalidTargetError(value)
        p, q = exact.as_integer_ratio()
        return cls(p, q)

    @classmethod
    def of_percent(cls, value: float | str | Decimal) -> "Target":
        """The target written in percent: 99.9 is 999/1000."""
        return cls.of(Decimal(str(value)) / 100)

    @property
    def budget(self) -> int:
        """The numerator of b = (q-p)/q."""
        return self.q - self.p

    def __float__(self) -> float:
        return self.p / self.q


@dataclass(frozen=True, slots=True)
class Counts:
    """Good and total events of a window, and how many of its minutes were observed (an explicit zero counts)."""

    good: int = 0
    total: int = 0
    observed: int = 0

    @property
    def bad(self) -> int:
        """Events that failed."""
        return self.total - self.good

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.good + other.good, self.total + other.total, self.observed + other.observed)


class Figures(NamedTuple):  # made by the ten thousand a tick, for which a frozen dataclass takes three times as long
    """What counts mean for a target; None where there were no events: 0/0 is undefined, not 100 %."""

    sli: float | None
    consumed: float | None
    remaining: float | None
    state: State


UNDEFINED = Figures(None, None, None, "undefined")


def figures(target: Target, good: int, total: int) -> Figures:
    """The figures of *good* out of *total* under *target*."""
    if total == 0:
        return UNDEFINED
    spent, whole = (total - good) * target.q, total * (target.q - target.p)  # of the budget, in events times q
    left = whole - spent
    if left < 0:
        state: State = "violated"
    elif spent * _WHOLE >= _PARTS * whole:
        state = "at_risk"
    else:
        state = "met"
    return Figures(good / total, spent / whole, left / whole, state)


@dataclass(frozen=True, slots=True)
class Projection:
    """What a calendar period that has not ended may come to; its total is unknown until then.

    Args:
        total: Events of the whole period, if they keep coming as so far.
        consumed: Of the budget that such a period has, the share that is spent already. (What is consumed *to date* is
            measured against the events so far, as `figures` has it; the two meet at the period's end.)
        remaining: Of it.
    """

    total: Fraction
    consumed: float
    remaining: float


def projection(target: Target, good: int, total: int, elapsed_min: int, period_min: int) -> Projection | None:
    """The period of *period_min*, of which *elapsed_min* have passed; None without events."""
    if total == 0 or elapsed_min == 0:
        return None
    spent, whole = (total - good) * target.q * elapsed_min, total * target.budget * period_min
    return Projection(Fraction(total * period_min, elapsed_min), spent / whole, (whole - spent) / whole)


def coverage(observed: int, expected: int) -> float:
    """The share of the window's minutes that were observed."""
    return observed / expected
