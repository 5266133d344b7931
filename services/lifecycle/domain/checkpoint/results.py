"""What came out of a checkpoint; one shape per kind, and `Result` holds exactly one of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Literal

from services.lifecycle.domain.checkpoint.plans import Signal, only


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosResult:
    """What happened while something was broken; *held*: the hypothesis was true."""

    kind: Literal["chaos_experiment"] = "chaos_experiment"
    held: bool
    observed: str
    figures: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultResult:
    """What a fault did; *recovery* is None when the service did not come back by itself."""

    kind: Literal["fault_tolerance_test"] = "fault_tolerance_test"
    as_expected: bool
    observed: str
    recovery: timedelta | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadResult:
    """How much was borne; *units*: how many instances, nodes or the like bore it."""

    kind: Literal["load_test"] = "load_test"
    load: float
    units: float | None = None
    unit_name: str = ""
    figures: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True, kw_only=True)
class BenchmarkResult:
    """What was measured."""

    kind: Literal["benchmark"] = "benchmark"
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreResult:
    """What was lost, how long it took, and whether somebody looked at what came back."""

    kind: Literal["restore_test"] = "restore_test"
    recovery_point: timedelta
    recovery_time: timedelta
    verified: bool
    observed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackResult:
    """Which of the three steps went well, and how long the second took."""

    kind: Literal["rollback_drill"] = "rollback_drill"
    upgraded: bool
    rolled_back: bool
    upgraded_again: bool
    rollback_took: timedelta | None = None
    observed: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """Whether a build sends a signal, and where that can be seen."""

    signal: Signal
    present: bool
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservabilityResult:
    """What can be seen of a build."""

    kind: Literal["observability_report"] = "observability_report"
    signals: tuple[Seen, ...]


Outcome = (
    ChaosResult | FaultResult | LoadResult | BenchmarkResult | RestoreResult | RollbackResult | ObservabilityResult
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """One of the outcomes, under the name of its kind."""

    chaos_experiment: ChaosResult | None = None
    fault_tolerance_test: FaultResult | None = None
    load_test: LoadResult | None = None
    benchmark: BenchmarkResult | None = None
    restore_test: RestoreResult | None = None
    rollback_drill: RollbackResult | None = None
    observability_report: ObservabilityResult | None = None

    @property
    def outcome(self) -> Outcome:
        """The one that is there."""
        return only(self)


def kept(outcome: Outcome) -> Result:
    """*outcome* as an event keeps it."""
    held: dict[str, Any] = {outcome.kind: outcome}
    return Result(**held)


def figures_of(outcome: Outcome) -> Mapping[str, float]:
    """The figures that were measured, by metric."""
    return outcome.figures if isinstance(outcome, ChaosResult | LoadResult | BenchmarkResult) else {}
