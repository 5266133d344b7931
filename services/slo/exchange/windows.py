"""Which windows and burn rates alert on an SLO of a period, as Sloth catalogues them (`AlertWindows`)."""

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

import promql_parser as promql

from services.slo.domain.burn_rate import Severity, Tier, tiers_of_period
from services.slo.domain.openslo import Fault
from services.slo.domain.openslo.faults import TOP
from services.slo.exchange.reader import Notes, Reader

HOUR, DAY = 60, 24 * 60  # minutes


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The conditions for one period: quick and slow, for pages and for tickets.

    Args:
        period_min: Length of the SLO's period, minutes.
        windows: Its conditions, at least one; the first is the page that is quickest.
        warnings: Which conditions were left out, and why.
    """

    period_min: int
    windows: tuple[Tier, ...]
    warnings: tuple[str, ...] = ()


def catalogue(period_min: int) -> Catalogue:
    """The default conditions for a period of *period_min* minutes: those that the service itself alerts by."""
    return Catalogue(period_min, *tiers_of_period(period_min))


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
    windows: list[Tier] = []
    severities: tuple[Severity, ...] = ("page", "ticket")
    for severity in severities:
        for speed in ("quick", "slow"):
            fields = spec.section(severity).section(speed)
            share = fields.number("errorBudgetPercent") or 0
            if share <= 0:
                fields.refuse("errorBudgetPercent", "out_of_range", "must be above 0")
            short, long = _minutes(fields, "shortWindow"), _minutes(fields, "longWindow")
            if long:
                part = Fraction(str(share)) / 100
                windows.append(Tier(severity, short, long, part, part * period / long))
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
