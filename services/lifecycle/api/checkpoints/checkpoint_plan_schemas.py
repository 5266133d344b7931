"""What a checkpoint is to show, as it comes in: a plan per kind, told apart by `kind`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from libs.web.schemas import Body, Line, Name, Text
from services.lifecycle.domain.checkpoint import plans
from services.lifecycle.domain.checkpoint.plans import Better, Environment, Fault, Scenario

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$")]
Metric = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_.-]{0,62}$")]
Amount = Annotated[float, Field(strict=True, ge=0, le=1e15, allow_inf_nan=False)]
Positive = Annotated[float, Field(strict=True, ge=1e-9, le=1e15, allow_inf_nan=False)]
Filled = Annotated[Text, Field(min_length=1)]
Span = Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=366))]
Figures = Annotated[dict[Metric, Amount], Field(max_length=50)]
Commit = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z][0-9A-Za-z._/-]{0,199}$")]


@dataclass(frozen=True, slots=True)
class Objectives:
    """How much may be lost and how long it may take, and which evidence declares it."""

    recovery_point: timedelta
    recovery_time: timedelta
    declared_in: str = ""


@dataclass(frozen=True, slots=True)
class Around:
    """What a plan takes from elsewhere: figures of an earlier checkpoint, and declared recovery objectives."""

    baselines: Mapping[str, float] = field(default_factory=dict[str, float])
    objectives: Objectives | None = None


class MeasureBody(Body):
    """A figure that is to be reached."""

    metric: Metric = Field(description="A result gives a figure of this name.")
    target: Amount = Field(description="What it must be, or better.")
    better: Better = "lower"
    unit: Annotated[Text, Field(max_length=50)] = ""
    baseline: Amount | None = Field(default=None, description="What it was before.")
    allowed_regression: Annotated[float, Field(strict=True, ge=0, le=1, allow_inf_nan=False)] | None = Field(
        default=None, description="By which share of the baseline it may be worse; 0 unless given."
    )

    def measure(self, around: Around) -> plans.Measure:
        """As it is kept."""
        baseline = around.baselines.get(self.metric) if self.baseline is None else self.baseline
        return plans.Measure(self.metric, self.target, self.better, self.unit, baseline, self.allowed_regression)


Measures = Annotated[tuple[MeasureBody, ...], Field(max_length=20)]
BaselineOf = Annotated[
    Id | None, Field(description="An earlier checkpoint of the service, whose figures are the baselines not given.")
]


class PlanChaosExperiment(Body):
    """Break something on purpose, to see whether what is believed of the service is true."""

    kind: Literal["chaos_experiment"]
    hypothesis: Filled
    environment: Environment
    blast_radius: Filled = Field(description="Who or what can be hit at most.")
    abort_when: Filled = Field(description="What ends it at once.")
    depends_on: Name | None = Field(default=None, description="The dependency that is taken away.")
    steady_state: Measures = ()

    def content(self, around: Around) -> plans.Content:
        """As it is kept."""
        return plans.ChaosExperiment(
            hypothesis=self.hypothesis,
            environment=self.environment,
            blast_radius=self.blast_radius,
            abort_when=self.abort_when,
            depends_on=self.depends_on or "",
            steady_state=tuple(each.measure(around) for each in self.steady_state),
        )


class PlanFaultToleranceTest(Body):
    """Bring about a fault that will come one day."""

    kind: Literal["fault_tolerance_test"]
    fault: Fault
    environment: Environment
    expected_degradation: Filled = Field(description="What users are to notice, and no more.")
    expected_recovery: Span = Field(description="How soon the service is to be itself again, such as PT30S.")
    depends_on: Name | None = Field(default=None, description="The dependency that is lost.")

    def content(self, around: Around) -> plans.Content:  # noqa: ARG002  all plans are asked alike
        """As it is kept."""
        return plans.FaultToleranceTest(
            fault=self.fault,
            environment=self.environment,
            expected_degradation=self.expected_degradation,
            expected_recovery=self.expected_recovery,
            depends_on=self.depends_on or "",
        )


class PlanLoadTest(Body):
    """Ask of the service as much as it is to bear."""

    kind: Literal["load_test"]
    environment: Environment
    load: Positive = Field(description="How much is asked of it.")
    expected_peak: Positive = Field(description="What its users are expected to ask at most.")
    unit: Line = "requests/s"
    measures: Measures = ()
    baseline_of: BaselineOf = None

    def content(self, around: Around) -> plans.Content:
        """As it is kept."""
        return plans.LoadTest(
            environment=self.environment,
            load=self.load,
            expected_peak=self.expected_peak,
            unit=self.unit,
            measures=tuple(each.measure(around) for each in self.measures),
        )


class PlanBenchmark(Body):
    """Compare figures with their targets, and with what they were before."""

    kind: Literal["benchmark"]
    environment: Environment
    measures: Annotated[Measures, Field(min_length=1)]
    baseline_of: BaselineOf = None

    def content(self, around: Around) -> plans.Content:
        """As it is kept."""
        measures = tuple(each.measure(around) for each in self.measures)
        return plans.Benchmark(environment=self.environment, measures=measures)


class PlanRestoreTest(Body):
    """Bring data, or the whole service, back, and take the time; objectives are as declared unless given."""

    kind: Literal["restore_test"]
    scenario: Scenario
    environment: Environment
    recovery_point: Span | None = Field(default=None, description="So much may be lost, such as PT5M.")
    recovery_time: Span | None = Field(default=None, description="So soon the service must be back, such as PT1H.")

    def content(self, around: Around) -> plans.Content:
        """As it is kept."""
        objectives = around.objectives or Objectives(timedelta(0), timedelta(0))
        return plans.RestoreTest(
            scenario=self.scenario,
            environment=self.environment,
            recovery_point=objectives.recovery_point,
            recovery_time=objectives.recovery_time,
            declared_in=objectives.declared_in,
        )


class PlanRollbackDrill(Body):
    """Put a version in, take it back, and put it in again."""

    kind: Literal["rollback_drill"]
    environment: Environment
    from_version: Line
    to_version: Line

    def content(self, around: Around) -> plans.Content:  # noqa: ARG002  all plans are asked alike
        """As it is kept."""
        return plans.RollbackDrill(
            environment=self.environment, from_version=self.from_version, to_version=self.to_version
        )


class PlanObservabilityReport(Body):
    """Say what can be seen of a build."""

    kind: Literal["observability_report"]
    commit: Commit

    def content(self, around: Around) -> plans.Content:  # noqa: ARG002  all plans are asked alike
        """As it is kept."""
        return plans.ObservabilityReport(commit=self.commit)


PlanBody = Annotated[
    PlanChaosExperiment
    | PlanFaultToleranceTest
    | PlanLoadTest
    | PlanBenchmark
    | PlanRestoreTest
    | PlanRollbackDrill
    | PlanObservabilityReport,
    Field(discriminator="kind"),
]
