"""What a checkpoint sets out to show; one shape per kind, and `Plan` holds exactly one of them.

Sources: principlesofchaos.org (hypothesis, blast radius, steady state); Kubernetes production-readiness review
(upgrade, rollback, upgrade); ISO 22301 (recovery point and time objectives).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal, get_args

Kind = Literal[
    "chaos_experiment",
    "fault_tolerance_test",
    "load_test",
    "benchmark",
    "restore_test",
    "rollback_drill",
    "observability_report",
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
Environment = Literal["development", "test", "staging", "production"]
Fault = Literal["server_crash", "network_outage", "dependency_loss"]
Scenario = Literal["backup_restore", "failover", "region_loss"]
Signal = Literal["metrics", "logs", "traces", "dashboards"]
SIGNALS: Final[tuple[Signal, ...]] = get_args(Signal)
Better = Literal["lower", "higher"]


@dataclass(frozen=True, slots=True)
class Measure:
    """A figure that is to be reached, and how far it may fall behind an earlier one.

    Args:
        metric: Its name; a result gives a figure of this name.
        target: What it must be, or better.
        better: In which direction better lies.
        unit: Of the figures.
        baseline: What it was before; None where nothing is compared.
        allowed_regression: By which share of the baseline it may be worse than that.
    """

    metric: str
    target: float
    better: Better
    unit: str = ""
    baseline: float | None = None
    allowed_regression: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaosExperiment:
    """Something is broken on purpose, to see whether what is believed of the service is true.

    Args:
        hypothesis: What is believed to happen.
        environment: Where.
        blast_radius: Who or what can be hit at most.
        abort_when: What ends it at once.
        depends_on: The dependency that is taken away; empty when it is something else.
        steady_state: What users must go on getting meanwhile.
    """

    kind: Literal["chaos_experiment"] = "chaos_experiment"
    hypothesis: str
    environment: Environment
    blast_radius: str
    abort_when: str
    depends_on: str = ""
    steady_state: tuple[Measure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultToleranceTest:
    """A fault that will come one day is brought about.

    Args:
        fault: Which.
        environment: Where.
        expected_degradation: What users are to notice, and no more.
        expected_recovery: How soon the service is to be itself again.
        depends_on: The dependency that is lost.
    """

    kind: Literal["fault_tolerance_test"] = "fault_tolerance_test"
    fault: Fault
    environment: Environment
    expected_degradation: str
    expected_recovery: timedelta
    depends_on: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadTest:
    """As much is asked of the service as it is to bear.

    Args:
        environment: Where.
        load: How much is asked of it.
        expected_peak: What its users are expected to ask at most.
        unit: Of both, such as requests/s.
        measures: What it must keep under that load.
    """

    kind: Literal["load_test"] = "load_test"
    environment: Environment
    load: float
    expected_peak: float
    unit: str
    measures: tuple[Measure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Benchmark:
    """Figures that are compared with their targets, and with what they were before."""

    kind: Literal["benchmark"] = "benchmark"
    environment: Environment
    measures: tuple[Measure, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreTest:
    """Data, or the whole service, is brought back, and the time is taken.

    Args:
        scenario: What was lost.
        environment: Where.
        recovery_point: The declared objective: so much may be lost, counted back in time.
        recovery_time: The declared objective: so soon the service must be back.
        declared_in: The evidence that declares them; empty when the plan does itself.
    """

    kind: Literal["restore_test"] = "restore_test"
    scenario: Scenario
    environment: Environment
    recovery_point: timedelta
    recovery_time: timedelta
    declared_in: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RollbackDrill:
    """A version is put in, taken back, and put in again."""

    kind: Literal["rollback_drill"] = "rollback_drill"
    environment: Environment
    from_version: str
    to_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservabilityReport:
    """A build says what can be seen of what it built."""

    kind: Literal["observability_report"] = "observability_report"
    commit: str


Content = (
    ChaosExperiment | FaultToleranceTest | LoadTest | Benchmark | RestoreTest | RollbackDrill | ObservabilityReport
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One of the contents, under the name of its kind: JSON has no other way to say which of them it is."""

    chaos_experiment: ChaosExperiment | None = None
    fault_tolerance_test: FaultToleranceTest | None = None
    load_test: LoadTest | None = None
    benchmark: Benchmark | None = None
    restore_test: RestoreTest | None = None
    rollback_drill: RollbackDrill | None = None
    observability_report: ObservabilityReport | None = None

    @property
    def content(self) -> Content:
        """The one that is there."""
        return only(self)


def only(held: object) -> Any:  # noqa: ANN401  what stands there is of its kind
    """What *held*, a plan or a result, has under the name of a kind."""
    return next(found for kind in KINDS if (found := getattr(held, kind)) is not None)


def planned(content: Content) -> Plan:
    """*content* as an event keeps it."""
    held: dict[str, Any] = {content.kind: content}
    return Plan(**held)


def measures_of(content: Content) -> tuple[Measure, ...]:
    """The figures that a result must give."""
    match content:
        case ChaosExperiment():
            return content.steady_state
        case LoadTest() | Benchmark():
            return content.measures
        case _:
            return ()


def environment_of(content: Content) -> Environment | None:
    """Where it happens; a report is of a build, which is nowhere."""
    return None if isinstance(content, ObservabilityReport) else content.environment


def dependency_of(content: Content) -> str:
    """The dependency that it takes away, or nothing."""
    return content.depends_on if isinstance(content, ChaosExperiment | FaultToleranceTest) else ""


def faults_of(content: Content) -> Iterator[tuple[str, str]]:
    """What contradicts itself in a plan: the place in it, and what to do."""
    yield from _faulty_measures(
        measures_of(content), "steady_state" if content.kind == "chaos_experiment" else "measures"
    )
    match content:
        case FaultToleranceTest(fault="dependency_loss", depends_on=""):
            yield "/depends_on", "name the dependency that is lost"
        case FaultToleranceTest(fault=fault, depends_on=on) if on and fault != "dependency_loss":
            yield "/depends_on", f"a {fault} takes no dependency away; leave it out"
        case RollbackDrill(from_version=before, to_version=after) if before == after:
            yield "/to_version", f"from {before} to {after} nothing is upgraded; name another version"
        case _:
            pass


_DERIVED: Final = frozenset({"load", "peak_ratio", "unit_capacity"})  # figures that follow from a result


def _faulty_measures(measures: Sequence[Measure], field: str) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for index, measure in enumerate(measures):
        place = f"/{field}/{index}"
        if measure.metric in seen:
            yield f"{place}/metric", f"{measure.metric!r} is there twice; leave one out"
        seen.add(measure.metric)
        if measure.metric in _DERIVED:
            yield f"{place}/metric", f"{measure.metric} is worked out from the result; use another name"
        if measure.allowed_regression is not None and measure.baseline is None:
            yield f"{place}/baseline", "say what it may be worse than: a baseline, or baseline_of an earlier checkpoint"
