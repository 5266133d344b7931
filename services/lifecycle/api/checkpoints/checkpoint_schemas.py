"""What comes in about checkpoints; plans and results by kind have modules of their own."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, HttpUrl
from pydantic.config import JsonDict

from libs.web.schemas import Body, Line, Moment, Name, Text, example
from services.lifecycle.api.checkpoints.checkpoint_plan_schemas import Commit, Filled, Id, PlanBody
from services.lifecycle.api.checkpoints.checkpoint_result_schemas import ResultBody, Signals
from services.lifecycle.domain.checkpoint.commands import Performed
from services.lifecycle.domain.checkpoint.events import (
    WeakPoint,
)
from services.lifecycle.domain.review_template.checklist import Severity

_LOAD_TEST: JsonDict = {
    "kind": "load_test",
    "environment": "staging",
    "load": 1500,
    "expected_peak": 1000,
    "unit": "requests/s",
    "measures": [{"metric": "p99_ms", "target": 250, "unit": "ms", "baseline": 200, "allowed_regression": 0.1}],
}
_LOAD_RESULT: JsonDict = {
    "result": {
        "kind": "load_test",
        "load": 1510,
        "units": 6,
        "unit_name": "instance",
        "figures": {"p99_ms": 214},
    },
    "performed_at": "2026-11-20T14:00:00Z",
    "evidence": ["https://ci.example/runs/9"],
}
_EXPERIMENT: JsonDict = {
    "service": "checkout-api",
    "title": "without the payment provider",
    "plan": {
        "kind": "chaos_experiment",
        "hypothesis": "orders are taken, and charged when the provider is back",
        "environment": "production",
        "blast_radius": "1 % of the users in one region",
        "abort_when": "more than 2 % of their orders fail for a minute",
        "depends_on": "payments",
        "steady_state": [{"metric": "orders_taken", "target": 0.99, "better": "higher"}],
    },
}


class WeakPointBody(Body):
    """Something that is not as it should be."""

    title: Line
    text: Text = ""
    severity: Severity = "conditional"


class Conclusion(Body):
    """What came out; whether it passed is worked out from that."""

    model_config = ConfigDict(json_schema_extra={"examples": [_LOAD_RESULT]})

    result: ResultBody
    performed_at: Moment | None = Field(default=None, description="Now, unless given.")
    performed_by: Line | None = Field(default=None, description="Who carried it out; whoever sends it, unless given.")
    evidence: Annotated[tuple[HttpUrl, ...], Field(min_length=1, max_length=20)] = Field(description="Where to see it.")
    weak_points: Annotated[tuple[WeakPointBody, ...], Field(max_length=50)] = Field(
        default=(), description="Each becomes a finding of the service's architecture, unless it is known already."
    )

    def performed(self, by: str, now: datetime) -> Performed:
        """As it is asked of the checkpoint."""
        return Performed(
            result=self.result.outcome(),
            at=self.performed_at or now,
            by=self.performed_by or by,
            evidence=tuple(map(str, self.evidence)),
            weak_points=weak_points(self.weak_points),
        )


class PlanCheckpoint(Body):
    """What is to be shown; with its conclusion when it has been carried out already."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                _EXPERIMENT,
                {
                    "service": "checkout-api",
                    "title": "1.5 times the peak of December",
                    "plan": _LOAD_TEST,
                    "conclusion": _LOAD_RESULT,
                },
            ]
        }
    )

    id: Id | None = Field(default=None, description="The sender's own; the same id again changes nothing.")
    service: Name
    title: Line
    plan: PlanBody
    conclusion: Conclusion | None = None


class ChangeCheckpoint(Body):
    """What is to be shown otherwise; what is left out stays, and a plan is sent whole."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"plan": _EXPERIMENT["plan"], "reason": "the provider asked for less"}]}
    )

    title: Line | None = None
    plan: PlanBody | None = None
    reason: Text = ""


class ReportObservability(Body):
    """What can be seen of a build; a signal that is left out is missing."""

    model_config = example(
        commit="9fceb02d0ae598e95dc970b74767f19372d61af8",
        url="https://ci.example/runs/4711",
        signals={
            "metrics": {"present": True, "detail": "/metrics answers"},
            "logs": {"present": True},
            "traces": {"present": False, "detail": "no exporter is set up"},
            "dashboards": {"present": True, "detail": "https://dash.example/checkout"},
        },
    )

    id: Id | None = Field(default=None, description="The sender's own; the same id again changes nothing.")
    commit: Commit
    url: HttpUrl = Field(description="The build.")
    signals: Signals
    at: Moment | None = Field(default=None, description="When it was built; now, unless given.")


class AbortCheckpoint(Body):
    """Why it was stopped, and what that showed."""

    model_config = example(
        reason="more than 2 % of the orders failed",
        weak_points=[{"title": "orders wait for the provider", "text": "there is no timeout"}],
    )

    reason: Filled
    weak_points: Annotated[tuple[WeakPointBody, ...], Field(max_length=50)] = ()


class CancelCheckpoint(Body):
    """Why it does not begin."""

    model_config = example(reason="the provider has a maintenance window")

    reason: Filled


def weak_points(bodies: Sequence[WeakPointBody]) -> tuple[WeakPoint, ...]:
    """Weak points, as they are kept."""
    return tuple(WeakPoint(each.title, each.text, each.severity) for each in bodies)
