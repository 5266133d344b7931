"""Whether a checkpoint passed: its result against its plan, criterion by criterion. Pure arithmetic.

Numbers are compared as they are written (0.1 is a tenth, not the nearest binary fraction), so that what reaches its
limit exactly has reached it.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction
from typing import Literal

from services.lifecycle.domain.checkpoint.errors import FiguresMissingError, ResultKindError
from services.lifecycle.domain.checkpoint.plans import (
    SIGNALS,
    Benchmark,
    ChaosExperiment,
    Content,
    FaultToleranceTest,
    LoadTest,
    Measure,
    ObservabilityReport,
    RestoreTest,
    RollbackDrill,
    Signal,
    measures_of,
)
from services.lifecycle.domain.checkpoint.results import (
    BenchmarkResult,
    ChaosResult,
    FaultResult,
    LoadResult,
    ObservabilityResult,
    Outcome,
    RestoreResult,
    RollbackResult,
    figures_of,
)

Comparison = Literal["at_most", "at_least", "is"]


@dataclass(frozen=True, slots=True)
class Criterion:
    """One thing that had to be so.

    Args:
        name: Of what was looked at.
        met: Whether it was so.
        says: The same as a sentence.
        measured: The figure, where it is one.
        comparison: How it is compared with *limit*.
        limit: What it had to be.
        unit: Of both.
    """

    name: str
    met: bool
    says: str
    measured: float | None = None
    comparison: Comparison = "is"
    limit: float | None = None
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What follows from a result.

    Args:
        criteria: All that had to be so.
        figures: What was measured, and what follows from it, by name.
    """

    criteria: tuple[Criterion, ...]
    figures: Mapping[str, float] = field(default_factory=dict[str, float])

    @property
    def passed(self) -> bool:
        """Whether everything was as it had to be."""
        return all(criterion.met for criterion in self.criteria)

    @property
    def missed(self) -> tuple[Criterion, ...]:
        """What was not."""
        return tuple(criterion for criterion in self.criteria if not criterion.met)


def judge(plan: Content, result: Outcome, required: Collection[Signal]) -> Verdict:
    """What *result* says of *plan*; *required* are the signals that a build must send.

    Raises:
        ResultKindError: It is the result of something else.
        FiguresMissingError: It leaves out what was to be measured.
    """
    criteria, figures = tuple(_criteria(plan, result, required)), _derived(plan, result)
    if isinstance(result, LoadResult) and result.units and all(criterion.met for criterion in criteria):
        figures["unit_capacity"] = _ratio(result.load, result.units)  # only what was borne well is capacity
    return Verdict(criteria, figures)


def meets(measure: Measure, figure: float) -> bool:
    """Whether *figure* reaches the target."""
    return _within(_exact(figure), _exact(measure.target), measure)


def regressed(measure: Measure, figure: float) -> bool:
    """Whether *figure* is worse than the baseline by more than is allowed; never where there is no baseline."""
    limit = _limit(measure)
    return limit is not None and not _within(_exact(figure), limit, measure)


def _criteria(plan: Content, result: Outcome, required: Collection[Signal]) -> Iterator[Criterion]:
    match plan, result:
        case ChaosExperiment(), ChaosResult(held=held):
            yield Criterion(
                "hypothesis", held, f"the hypothesis {'held' if held else 'did not hold'}: {plan.hypothesis}"
            )
        case FaultToleranceTest(), FaultResult(as_expected=good):
            as_ = "as expected" if good else "otherwise than expected"
            yield Criterion("degradation", good, f"the service degraded {as_}: {plan.expected_degradation}")
            yield _recovered(plan, result)
        case LoadTest(), LoadResult(load=load):
            name = "load"
            yield _at_least(name, load, plan.load, plan.unit)
        case Benchmark(), BenchmarkResult():
            pass
        case RestoreTest(), RestoreResult(verified=verified):
            yield _in_time("recovery_point", result.recovery_point, plan.recovery_point)
            yield _in_time("recovery_time", result.recovery_time, plan.recovery_time)
            looked = "somebody looked at what came back" if verified else "nobody looked at what came back"
            yield Criterion("verified", verified, looked)
        case RollbackDrill(), RollbackResult():
            yield _step("upgrade", plan.from_version, plan.to_version, done=result.upgraded)
            yield _step("rollback", plan.to_version, plan.from_version, done=result.rolled_back)
            yield _step("upgrade_again", plan.from_version, plan.to_version, done=result.upgraded_again)
        case ObservabilityReport(), ObservabilityResult(signals=signals):
            present = {seen.signal for seen in signals if seen.present}
            for signal in required:
                told = f"{signal} are there" if signal in present else f"{signal} are missing"
                yield Criterion(signal, signal in present, told)
        case _:
            raise ResultKindError(plan.kind, result.kind)
    yield from _measured(measures_of(plan), figures_of(result))


def _measured(measures: Collection[Measure], figures: Mapping[str, float]) -> Iterator[Criterion]:
    if missing := [measure.metric for measure in measures if measure.metric not in figures]:
        raise FiguresMissingError(missing)
    for measure in measures:
        figure, unit = figures[measure.metric], measure.unit
        words: Comparison = "at_most" if measure.better == "lower" else "at_least"
        says = _says(measure.metric, figure, words, measure.target, unit)
        yield Criterion(measure.metric, meets(measure, figure), says, figure, words, measure.target, unit)
        limit = _limit(measure)
        if limit is None or measure.baseline is None:
            continue
        says = f"{_says(measure.metric, figure, words, float(limit), unit)}; it was {measure.baseline:g}"
        met = not regressed(measure, figure)
        yield Criterion(f"{measure.metric}.regression", met, says, figure, words, float(limit), unit)


def _limit(measure: Measure) -> Fraction | None:
    """The worst that is still allowed after the baseline."""
    if measure.baseline is None:
        return None
    slack = _exact(measure.allowed_regression or 0)
    return _exact(measure.baseline) * (1 + slack if measure.better == "lower" else 1 - slack)


def _within(figure: Fraction, limit: Fraction, measure: Measure) -> bool:
    return figure <= limit if measure.better == "lower" else figure >= limit


def _recovered(plan: FaultToleranceTest, result: FaultResult) -> Criterion:
    if result.recovery is not None:
        return _in_time("recovery", result.recovery, plan.expected_recovery)
    limit = plan.expected_recovery.total_seconds()
    return Criterion(
        "recovery", met=False, says="the service did not recover", comparison="at_most", limit=limit, unit="s"
    )


def _in_time(name: str, took: timedelta, limit: timedelta) -> Criterion:
    words = name.replace("_", " ")
    says = f"{words} was {took}, at most {limit}"
    return Criterion(name, took <= limit, says, took.total_seconds(), "at_most", limit.total_seconds(), "s")


def _at_least(name: str, figure: float, limit: float, unit: str) -> Criterion:
    met = _exact(figure) >= _exact(limit)
    return Criterion(name, met, _says(name, figure, "at_least", limit, unit), figure, "at_least", limit, unit)


def _step(name: str, before: str, after: str, *, done: bool) -> Criterion:
    words = name.replace("_", " ")
    return Criterion(name, done, f"{words} from {before} to {after} {'worked' if done else 'did not work'}")


def _says(name: str, figure: float, words: Comparison, limit: float, unit: str) -> str:
    of = f" {unit}" if unit else ""
    return f"{name} was {figure:g}{of}, {words.replace('_', ' ')} {limit:g}{of}"


def _derived(plan: Content, result: Outcome) -> dict[str, float]:
    """What gates and plans read: figures by name, durations in seconds."""
    figures = dict(figures_of(result))
    match plan, result:
        case LoadTest(), LoadResult():
            figures |= {"load": result.load, "peak_ratio": _ratio(result.load, plan.expected_peak)}
        case FaultToleranceTest(), FaultResult(recovery=timedelta() as recovery):
            figures["recovery_s"] = recovery.total_seconds()
        case RestoreTest(), RestoreResult():
            figures["recovery_point_s"] = result.recovery_point.total_seconds()
            figures["recovery_time_s"] = result.recovery_time.total_seconds()
        case RollbackDrill(), RollbackResult(rollback_took=timedelta() as took):
            figures["rollback_s"] = took.total_seconds()
        case ObservabilityReport(), ObservabilityResult(signals=signals):
            present = {seen.signal for seen in signals if seen.present}
            figures |= {signal: float(signal in present) for signal in SIGNALS}
        case _:
            pass
    return figures


def _ratio(figure: float, of: float) -> float:
    return float(_exact(figure) / _exact(of))


def _exact(number: float) -> Fraction:
    """The number as it is written."""
    return Fraction(str(number))
