"""Which windows and burn rates alert on an SLO of a period, as Sloth catalogues them (`AlertWindows`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Literal

import promql_parser as promql

from services.slo.domain.openslo import Fault
from services.slo.domain.openslo.faults import TOP
from services.slo.exchange.reader import Notes, Reader

Severity = Literal["page", "ticket"]

HOUR, DAY = 60, 24 * 60  # minutes
_SHORTEST_PERIODS = 3  # long windows must fit so often into the period
_CATALOGUED = (28 * DAY, 30 * DAY)


@dataclass(frozen=True, slots=True)
class Window:
    """One condition: fires when both windows burn above *factor*.

    Args:
        severity: How urgent.
        short_min: Short window, minutes.
        long_min: Long window, minutes.
        factor: Burn rate that spends the condition's share of the period's budget in the long window.
    """

    severity: Severity
    short_min: int
    long_min: int
    factor: Fraction


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The conditions for one period: quick and slow, for pages and for tickets.

    Args:
        period_min: Length of the SLO's period, minutes.
        windows: Its conditions, at least one; the first is the page that is quickest.
        warnings: Which conditions were left out, and why.
    """

    period_min: int
    windows: tuple[Window, ...]
    warnings: tuple[str, ...] = ()


# severity, short, long, share of the budget: SRE Workbook ch. 5, table 5-8; Sloth's google-28d and google-30d.
_SHARES: Sequence[tuple[Severity, int, int, Fraction]] = (
    ("page", 5, HOUR, Fraction(2, 100)),
    ("page", 30, 6 * HOUR, Fraction(5, 100)),
    ("ticket", 2 * HOUR, DAY, Fraction(10, 100)),
    ("ticket", 6 * HOUR, 3 * DAY, Fraction(10, 100)),
)
# Sloth's example for 7 days: 13.44, 3.5, 1.4, 0.98.
_OF_PERIOD: Mapping[int, tuple[Fraction, ...]] = {
    7 * DAY: (Fraction(8, 100), Fraction(125, 1000), Fraction(20, 100), Fraction(42, 100))
}


def catalogue(period_min: int) -> Catalogue:
    """The default conditions for a period of *period_min* minutes.

    28 and 30 days are Sloth's. For any other period the shares of the budget stay, so the factors change; none goes
    below 1, which spends just the budget, and windows longer than a third of the period are left out. A week has
    shares of its own, Sloth's too, and keeps its three days.
    """
    shares = _OF_PERIOD.get(period_min)
    windows: list[Window] = []
    warnings: list[str] = []
    for index, (severity, short, long, share) in enumerate(_SHARES):
        if shares is None and long * _SHORTEST_PERIODS > period_min and windows:
            name = f"the {severity} over {duration(short)} and {duration(long)}"
            warnings.append(f"{name} is left out: its long window is over a third of {duration(period_min)}")
            continue
        factor = (shares[index] if shares else share) * period_min / long
        windows.append(Window(severity, short, long, factor if period_min in _CATALOGUED else max(factor, Fraction(1))))
    return Catalogue(period_min, tuple(windows), tuple(warnings))


def read_catalogue(document: object) -> Catalogue | list[Fault]:
    """Conditions as a Sloth `AlertWindows` document gives them, taken as they stand; its faults otherwise."""
    notes = Notes()
    top = Reader(document, TOP, notes)
    version, kind = top.text("apiVersion"), top.text("kind")
    if (version, kind) != ("sloth.slok.dev/v1", "AlertWindows"):
        top.refuse("kind", "kind_unknown", "must be AlertWindows of sloth.slok.dev/v1")
        return notes.faults
    spec = top.section("spec")
    period = _minutes(spec, "sloPeriod")
    windows: list[Window] = []
    severities: tuple[Severity, ...] = ("page", "ticket")
    for severity in severities:
        for speed in ("quick", "slow"):
            fields = spec.section(severity).section(speed)
            share = fields.number("errorBudgetPercent") or 0
            if share <= 0:
                fields.refuse("errorBudgetPercent", "out_of_range", "must be above 0")
            short, long = _minutes(fields, "shortWindow"), _minutes(fields, "longWindow")
            if long:
                windows.append(Window(severity, short, long, Fraction(str(share)) / 100 * period / long))
    return notes.faults or Catalogue(period, tuple(windows))


def duration(minutes: int) -> str:
    """*minutes* as Prometheus writes them: `5m`, `1d12h`, `4w`."""
    return promql.display_duration(timedelta(minutes=minutes))


def minutes(text: str) -> int:
    """The whole minutes of a Prometheus duration.

    Raises:
        ValueError: It is no duration, or not of whole minutes.
    """
    length = promql.parse_duration(text)
    whole, rest = divmod(length, timedelta(minutes=1))
    if rest or not whole:
        message = f"{text} is not a number of whole minutes"
        raise ValueError(message)
    return whole


def _minutes(fields: Reader, name: str) -> int:
    text = fields.text(name, required=True)
    try:
        return minutes(text) if text else 0
    except ValueError as error:
        fields.refuse(name, "duration_invalid", f"{error}; write it as Prometheus does, such as 30d")
        return 0
