"""What came out of a checkpoint, as it comes in: a result per kind, told apart by `kind`."""

from typing import Annotated, Literal

from pydantic import Field, StrictBool

from libs.web.schemas import Body, Text
from services.lifecycle.api.checkpoints.checkpoint_plan_schemas import Amount, Figures, Filled, Positive, Span
from services.lifecycle.domain.checkpoint import results
from services.lifecycle.domain.checkpoint.plans import Signal


class ChaosResultBody(Body):
    """What happened while something was broken."""

    kind: Literal["chaos_experiment"]
    held: StrictBool = Field(description="Whether the hypothesis was true.")
    observed: Filled
    figures: Figures = Field(default_factory=dict[str, float])

    def outcome(self) -> results.Outcome:
        """As it is kept."""
        return results.ChaosResult(held=self.held, observed=self.observed, figures=self.figures)


class FaultResultBody(Body):
    """What a fault did."""

    kind: Literal["fault_tolerance_test"]
    as_expected: StrictBool = Field(description="Whether users noticed what was expected, and no more.")
    observed: Filled
    recovery: Span | None = Field(description="How long it took; null: the service did not come back by itself.")

    def outcome(self) -> results.Outcome:
        """As it is kept."""
        return results.FaultResult(as_expected=self.as_expected, observed=self.observed, recovery=self.recovery)


class LoadResultBody(Body):
    """How much was borne."""

    kind: Literal["load_test"]
    load: Amount = Field(description="In the unit of the plan.")
    units: Positive | None = Field(default=None, description="How many instances, nodes or the like bore it.")
    unit_name: Annotated[Text, Field(max_length=100)] = Field(default="", description="Such as instance.")
    figures: Figures = Field(default_factory=dict[str, float])

    def outcome(self) -> results.Outcome:
        """As it is kept."""
        return results.LoadResult(load=self.load, units=self.units, unit_name=self.unit_name, figures=self.figures)


class BenchmarkResultBody(Body):
    """What was measured."""

    kind: Literal["benchmark"]
    figures: Figures

    def outcome(self) -> results.Outcome:
        """As it is kept."""
        return results.BenchmarkResult(figures=self.figures)


class RestoreResultBody(Body):
    """What was lost, how long it took, and whether somebody looked at what came back."""

    kind: Literal["restore_test"]
    recovery_point: Span = Field(description="How far back what was restored ends.")
    recovery_time: Span = Field(description="From the loss until the service was back.")
    verified: StrictBool = Field(description="Whether somebody looked at what came back.")
    observed: Text = ""

    def outcome(self) -> results.Outcome:
        """As it is kept."""
        return results.RestoreResult(
            recovery_point=self.recovery_point,
            recovery_time=self.recovery_time,
            verified=self.verified,
            observed=self.observed,
        )


class RollbackResultBody(Body):
    """Which of the three steps went well."""

    kind: Literal["rollback_drill"]
    upgraded: StrictBool
    rolled_back: StrictBool
    upgraded_again: StrictBool
    rollback_took: Span | None = None
    observed: Text = ""

    def outcome(self) -> results.Outcome:
        """As it is kept."""
        return results.RollbackResult(
            upgraded=self.upgraded,
            rolled_back=self.rolled_back,
            upgraded_again=self.upgraded_again,
            rollback_took=self.rollback_took,
            observed=self.observed,
        )


class SeenBody(Body):
    """Whether a build sends a signal, and where that can be seen."""

    present: StrictBool
    detail: Annotated[Text, Field(max_length=500)] = ""


Signals = dict[Signal, SeenBody]


class ObservabilityResultBody(Body):
    """What can be seen of a build; a signal that is left out is missing."""

    kind: Literal["observability_report"]
    signals: Signals

    def outcome(self) -> results.Outcome:
        """As it is kept."""
        return seen(self.signals)


ResultBody = Annotated[
    ChaosResultBody
    | FaultResultBody
    | LoadResultBody
    | BenchmarkResultBody
    | RestoreResultBody
    | RollbackResultBody
    | ObservabilityResultBody,
    Field(discriminator="kind"),
]


def seen(signals: Signals) -> results.ObservabilityResult:
    """What a build says of itself, as it is kept."""
    told = tuple(results.Seen(name, one.present, one.detail) for name, one in sorted(signals.items()))
    return results.ObservabilityResult(signals=told)
