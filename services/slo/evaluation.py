"""What the buckets say about an SLO at a time: a pure function of both, for a reader and for the worker."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, Final

from sqlalchemy import Connection, RowMapping

from libs.events.ids import new_id
from services.slo.buckets import Inputs, counts, inputs, observed_at
from services.slo.domain.budget.commands import Assess, Reading
from services.slo.domain.budget.events import BudgetAssessed
from services.slo.domain.burn_rate import LEAST_EVENTS, History, Tier, burn_rate, default_tiers, judge, over, tiers_of
from services.slo.domain.error_budget import Counts, Target, coverage, figures
from services.slo.domain.openslo.encoding import read
from services.slo.domain.openslo.promise import minutes

BURN_WINDOWS: Final[Mapping[str, int]] = {
    text: minutes(text) for text in ("5m", "30m", "1h", "2h", "6h", "1d", "3d")
}  # all windows of the SRE Workbook's tiers
_NOTHING = Inputs(0, 0, -1)
_EPOCH, _MINUTE = datetime(1970, 1, 1, tzinfo=UTC), timedelta(minutes=1)


@dataclass(frozen=True)
class Promised:
    """What an evaluation needs to know of an SLO."""

    slo: str
    service: str
    revision: int
    target: float
    window: str
    definition: Mapping[str, Any] | None = None  # as `domain/openslo/encoding.py` writes it

    @classmethod
    def of(cls, row: RowMapping) -> "Promised":
        """From a row of the read model `slos`."""
        return cls(row["slo"], row["service"], row["revision"], row["target"], row["window"], row["definition"])

    @cached_property
    def exact(self) -> Target:
        """The target as a ratio."""
        return Target.of(self.target)

    @cached_property
    def period_min(self) -> int:
        """Length of the window."""
        return minutes(self.window)

    @cached_property
    def tiers(self) -> tuple[Tier, ...]:
        """Its alert conditions."""
        definition = self.definition or {}
        if definition.get("policies") or LEAST_EVENTS in definition.get("annotations", {}):
            return tiers_of(read(dict(definition)))[0]
        return default_tiers(self.period_min, self.exact)[0]


@dataclass(frozen=True, slots=True)
class Status:
    """The figures of an SLO, its burn rates, and how fresh the data under them is."""

    figures: BudgetAssessed
    burn_rates: Mapping[str, float | None]
    data_until: datetime | None


def status(connection: Connection, promised: Promised, at: datetime) -> Status:
    """The SLO at *at*, which may be any time."""
    windows = [_before(at, length) for length in (promised.period_min, *BURN_WINDOWS.values())]
    period, *burning = counts(connection, [promised.slo], windows)[promised.slo]
    taken = inputs(connection, [promised.slo]).get(promised.slo, _NOTHING)
    observed = observed_at(connection, promised.slo, windows[0])
    return Status(
        figures=_assessed(promised, period, taken.version, at),
        burn_rates={t: burn_rate(promised.exact, c) for t, c in zip(BURN_WINDOWS, burning, strict=True)},
        data_until=None if observed is None else datetime.fromtimestamp((observed[1] + 1) * 60, UTC),
    )


def spent(connection: Connection, promised: Promised, at: datetime, windows: Sequence[range]) -> list[Counts]:
    """What lies in each of *windows*, none of which ends after *at*."""
    del at
    return counts(connection, [promised.slo], windows)[promised.slo]


def assessments(
    connection: Connection, promises: Collection[Promised], at: datetime, quiet_for: timedelta
) -> list[Assess]:
    """What the buckets say of many SLOs at once, in a few reads however many they are.

    Figures are those of *at*. Alert conditions are judged where an SLO's data ends, so data that is a few minutes
    late judges the same; data that ended longer ago than a condition's long window says nothing.
    """
    taken = inputs(connection, [promised.slo for promised in promises])
    data = {p.slo: _Data(_before(at, p.period_min), taken.get(p.slo, _NOTHING)) for p in promises}
    sharing: dict[tuple[range, ...], list[str]] = defaultdict(list)  # SLOs that are asked for the same windows
    for promised in promises:
        held = data[promised.slo]
        windows = (window for tier in promised.tiers for window in held.windows(tier))
        sharing[held.period, *windows].append(promised.slo)
    for windows, slos in sharing.items():
        for slo, found in counts(connection, slos, windows).items():
            data[slo].counts.update(zip(windows, found, strict=True))
    return [_assess(connection, promised, data[promised.slo], at, quiet_for) for promised in promises]


@dataclass(frozen=True, slots=True)
class _Data:
    """What is known of one SLO while it is evaluated."""

    period: range
    taken: Inputs
    counts: dict[range, Counts] = field(default_factory=dict[range, Counts])

    @property
    def end(self) -> int:
        """Where alert conditions are judged: behind the last observed minute, but not in the future."""
        return min(self.taken.last + 1, self.period.stop)

    def windows(self, tier: Tier) -> tuple[range, range]:
        """The short and the long window of *tier*."""
        return range(self.end - tier.short_min, self.end), range(self.end - tier.long_min, self.end)


def _assess(connection: Connection, promised: Promised, data: _Data, at: datetime, quiet_for: timedelta) -> Assess:
    readings = tuple([_read(connection, promised, tier, data) for tier in promised.tiers])
    return Assess(_assessed(promised, data.counts[data.period], data.taken.version, at), readings, quiet_for)


def _read(connection: Connection, promised: Promised, tier: Tier, data: _Data) -> Reading:
    short, long = (data.counts[window] for window in data.windows(tier))
    target, end = promised.exact, data.end
    rates = burn_rate(target, short) or 0.0, burn_rate(target, long) or 0.0
    until = datetime.fromtimestamp(end * 60, UTC)
    if data.period.stop - end > tier.long_min:
        return Reading(tier, "unknown", *rates, alert=str(new_id()), data_until=until)
    age = promised.period_min
    if over(tier, target, short, long):  # only then it matters, and it costs a read
        observed = observed_at(connection, promised.slo, data.period)
        age = end - observed[0] if observed else 0
    history = History(data.counts[data.period], age, promised.period_min)

    def earlier() -> list[tuple[Counts, Counts]]:
        windows = [window for back in range(1, tier.after_min + 1) for window in tier.windows(end - back)]
        found = counts(connection, [promised.slo], windows)[promised.slo]
        return list(zip(found[::2], found[1::2], strict=True))

    verdict = judge(tier, target, short, long, history, earlier)
    return Reading(tier, verdict, *rates, alert=str(new_id()), data_until=until)


def _assessed(promised: Promised, period: Counts, version: int, at: datetime) -> BudgetAssessed:
    found = figures(promised.exact, period.good, period.total)
    return BudgetAssessed(
        slo=promised.slo,
        service=promised.service,
        revision=promised.revision,
        state=found.state,
        target=promised.target,
        sli=found.sli,
        good=period.good,
        total=period.total,
        coverage=coverage(period.observed, promised.period_min),
        window=promised.window,
        window_start=at - timedelta(minutes=promised.period_min),
        window_end=at,
        error_budget_consumed=found.consumed,
        error_budget_remaining=found.remaining,
        input_version=version,
        at=at,
    )


def _before(at: datetime, length_min: int) -> range:
    """The *length_min* minutes that end at *at*: those that start in [at - length, at)."""
    stop = -((_EPOCH - at) // _MINUTE)  # rounded up
    return range(stop - length_min, stop)
