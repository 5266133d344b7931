"""What comes in and goes out about deployments and roll-outs."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from pydantic import ConfigDict, Field, HttpUrl, StringConstraints, TypeAdapter
from pydantic.config import JsonDict

from libs.web.schemas import Body, Line, Moment, Name, Text
from services.lifecycle.domain.deployment.decider import Recorded
from services.lifecycle.domain.deployment.events import DeploymentRecorded, Result, Source
from services.lifecycle.domain.rollout.decider import ALLOWED, Going, State
from services.lifecycle.domain.rollout.events import (
    RolloutPlanned,
    RolloutReviewed,
    RolloutRolledBack,
    RolloutStep,
    Strategy,
)

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$")]
_ISO = TypeAdapter(timedelta)  # writes PT1H, where msgspec writes PT3600S
Reason = Annotated[Text, Field(min_length=1)]


DEPLOYMENT_EXAMPLE: JsonDict = {
    "id": "run-4711",
    "service": "checkout-api",
    "environment": "production",
    "version": "1.42.0",
    "commit": "9fceb02d0ae598e95dc970b74767f19372d61af8",
    "committed_at": "2026-11-21T08:00:00Z",
    "at": "2026-11-21T09:30:00Z",
    "url": "https://ci.example/runs/4711",
}


class NewDeployment(Body):
    """Something that was deployed."""

    model_config = ConfigDict(json_schema_extra={"examples": [DEPLOYMENT_EXAMPLE]})

    id: Id | None = Field(default=None, description="The sender's own; the same id again changes nothing.")
    service: Name
    environment: Line = "production"
    production: bool | None = Field(
        default=None, description="Whether users are there; told by the environment's name unless given."
    )
    version: Annotated[str, StringConstraints(max_length=500)] = ""
    result: Result = "succeeded"
    commit: Annotated[str, StringConstraints(max_length=200)] = ""
    committed_at: Moment | None = Field(default=None, description="When that commit was made; for the lead time.")
    unplanned: bool = Field(default=False, description="Made because of a failure in production (rework).")
    rollout: Id | None = None
    major_change: Text = Field(
        default="", description="What it changes that no readiness review has looked at; that ends the approval."
    )
    url: HttpUrl | None = None
    at: Moment | None = Field(default=None, description="When it was done; now, unless given.")


class RollBackDeployment(Body):
    """A deployment is taken back."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"automatic": True, "to_version": "1.41.0", "reason": "error rate above 2 %"}]}
    )

    automatic: bool = False
    to_version: Annotated[str, StringConstraints(max_length=500)] = ""
    reason: Text = ""
    at: Moment | None = Field(default=None, description="Now, unless given.")


class FailDeployment(Body):
    """A deployment made the service worse."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"incident": "INC-42", "reason": "orders were lost"}]})

    incident: Annotated[str, StringConstraints(max_length=100)] = ""
    reason: Text = ""
    at: Moment | None = Field(default=None, description="Now, unless given.")


class RecoverDeployment(Body):
    """The service is well again."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"how": "fixed by run-4712"}]})

    how: Text = ""
    at: Moment | None = Field(default=None, description="Now, unless given.")


@dataclass(frozen=True, slots=True)
class BadEnd:
    """What went wrong with a deployment, or made it right again."""

    by: str
    at: datetime
    reason: str
    incident: str | None = None
    automatic: bool | None = None
    to_version: str | None = None


@dataclass(frozen=True, slots=True)
class DeploymentView:
    """A deployment, and what became of it."""

    id: str
    service: str
    environment: str
    production: bool
    version: str
    state: Literal["serving", "failed", "recovered", "rolled_back"]
    commit: str
    committed_at: datetime | None
    unplanned: bool
    rollout: str | None
    major_change: str | None
    url: str | None
    failed: BadEnd | None
    recovered: BadEnd | None
    rolled_back: BadEnd | None
    source: Source
    summary: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ReceivedView:
    """What became of an event from CI/CD that changes nothing here."""

    type: str
    result: Literal["ignored"]
    why: str


class StepBody(Body):
    """A share of the users."""

    percent: Annotated[float, Field(gt=0, le=100, strict=True)]
    cohort: Annotated[Text, Field(max_length=200)] = Field(default="", description="Who gets it.")
    watch: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=366))] = Field(
        default=timedelta(0), description="How long it is watched there, such as PT1H."
    )


class PlanRollout(Body):
    """How a version is to go out."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "service": "checkout-api",
                    "version": "1.42.0",
                    "strategy": "canary",
                    "steps": [
                        {"percent": 1, "cohort": "employees", "watch": "PT1H"},
                        {"percent": 25, "watch": "PT4H"},
                        {"percent": 100, "watch": "P1D"},
                    ],
                    "rollback_when": "burn rate of checkout-availability above 14.4",
                }
            ]
        }
    )

    id: Id | None = Field(default=None, description="The sender's own; the same id again changes nothing.")
    service: Name
    version: Annotated[str, StringConstraints(min_length=1, max_length=500)]
    strategy: Strategy
    steps: Annotated[list[StepBody], Field(min_length=1, max_length=50)]
    rollback_when: Text = Field(default="", description="What takes it back without a person.")
    deployment: Id | None = Field(default=None, description="The deployment that it is.")


class Note(Body):
    """What was found."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"notes": "the first step is small enough"}]})

    notes: Text = ""


class AdvanceRollout(Body):
    """The next step."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"step": 1}]})

    step: Annotated[int, Field(strict=True, ge=0)] = Field(description="Counted from 0.")


class RollBackRollout(Body):
    """A roll-out is taken back."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"automatic": True, "reason": "burn rate above 14.4"}]})

    automatic: bool = False
    reason: Reason


class CancelRollout(Body):
    """A roll-out does not begin."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "superseded by 1.43.0"}]})

    reason: Reason


@dataclass(frozen=True, slots=True)
class RolloutStepView:
    """A share of the users that gets the version."""

    percent: float
    cohort: str
    watch: str


@dataclass(frozen=True, slots=True)
class RolloutView:
    """A roll-out: its plan, how far it has come, and what may be done with it next."""

    id: str
    service: str
    version: str
    strategy: Strategy
    state: State
    steps: tuple[RolloutStepView, ...]
    step: int | None
    percent: float
    rollback_when: str
    deployment: str | None
    planned_by: str
    planned_at: datetime
    reviewed_by: str | None
    started_at: datetime | None
    ended_at: datetime | None
    rolled_back_automatically: bool | None
    reason: str
    allowed: tuple[str, ...]


def deployment_view(state: Recorded) -> DeploymentView:
    """A deployment as it is answered."""
    what, failed, recovered, back = state.what, state.failed, state.recovered, state.rolled_back
    return DeploymentView(
        id=what.deployment,
        service=what.service,
        environment=what.environment,
        production=isinstance(what, DeploymentRecorded),
        version=what.version,
        state=_state(state),
        commit=what.commit,
        committed_at=what.committed_at,
        unplanned=what.unplanned,
        rollout=what.rollout or None,
        major_change=what.major_change or None,
        url=what.url or None,
        failed=BadEnd(failed.by, failed.at, failed.reason, incident=failed.incident or None) if failed else None,
        recovered=BadEnd(recovered.by, recovered.at, recovered.how) if recovered else None,
        rolled_back=BadEnd(back.by, back.at, back.reason, automatic=back.automatic, to_version=back.to_version or None)
        if back
        else None,
        source=what.source,
        summary=what.summary,
        by=what.by,
        at=what.at,
    )


def _state(state: Recorded) -> Literal["serving", "failed", "recovered", "rolled_back"]:
    if state.rolled_back:
        return "rolled_back"
    if state.recovered:
        return "recovered"
    return "failed" if state.failed or state.what.result == "failed" else "serving"


def rollout_view(going: Going) -> RolloutView:
    """A roll-out as it is answered."""
    plan = going.plan
    serves = going.state in {"running", "done"} and going.step is not None
    return RolloutView(
        id=plan.rollout,
        service=plan.service,
        version=plan.version,
        strategy=plan.strategy,
        state=going.state,
        steps=tuple(map(_step, plan.steps)),
        step=going.step,
        percent=plan.steps[going.step].percent if serves and going.step is not None else 0.0,
        rollback_when=plan.rollback_when,
        deployment=plan.deployment or None,
        planned_by=plan.by,
        planned_at=plan.at,
        reviewed_by=going.reviewed.by if going.reviewed else None,
        started_at=going.started_at,
        ended_at=going.ended_at,
        rolled_back_automatically=going.rolled_back.automatic if going.rolled_back else None,
        reason=going.reason,
        allowed=ALLOWED[going.state],
    )


def _step(step: RolloutStep) -> RolloutStepView:
    return RolloutStepView(step.percent, step.cohort, _ISO.dump_python(step.watch, mode="json"))


def rollout_row(row: Mapping[Any, Any]) -> RolloutView:
    """A roll-out of a list, as `rollout_view` would have answered it."""
    reviewed, back = row["reviewed"], row["rolled_back"]
    return rollout_view(
        Going(
            plan=msgspec.convert(row["plan"], RolloutPlanned),
            state=row["state"],
            step=row["step"],
            reviewed=msgspec.convert(reviewed, RolloutReviewed) if reviewed else None,
            started_at=row["started_at"],
            ended_at=row["ended_at"],
            rolled_back=msgspec.convert(back, RolloutRolledBack) if back else None,
            reason=row["reason"],
        )
    )
