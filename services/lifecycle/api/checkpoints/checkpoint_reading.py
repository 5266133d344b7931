"""What all routes of checkpoints share: the checkpoint, the policy, and what both are looked at against."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from libs.events.handler import Loaded, Outcome
from libs.events.resources import Resources
from libs.web.auth import needs
from services.lifecycle.api.checkpoints.checkpoint_plan_schemas import (
    Around,
    Objectives,
    PlanBenchmark,
    PlanBody,
    PlanChaosExperiment,
    PlanFaultToleranceTest,
    PlanLoadTest,
    PlanRestoreTest,
)
from services.lifecycle.api.checkpoints.checkpoint_views import CheckpointView, Surroundings, checkpoint_view
from services.lifecycle.api.references import caught_up, patience
from services.lifecycle.api.views import live
from services.lifecycle.contract import ARCHITECTURE, CHECKPOINT, DEPENDENCIES, SERVICE
from services.lifecycle.domain.checkpoint.decider import Checkpoint, Known
from services.lifecycle.domain.checkpoint.errors import BaselineError, ObjectivesError
from services.lifecycle.domain.checkpoint.events import CheckpointConcluded
from services.lifecycle.domain.checkpoint.policy import CheckpointPolicy
from services.lifecycle.domain.errors import UnknownError, UnknownReferenceError
from services.lifecycle.domain.evidence.events import EvidenceRecorded
from services.lifecycle.projections.evidence import EVIDENCE, latest_evidence

READ, WRITE = needs("checkpoints.read"), needs("checkpoints.write")
_YEAR_MINUTES = 366 * 24 * 60  # more is no objective
DECLARATION = "recovery_objectives"  # the kind of evidence that declares them, as gates ask for it


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """The checkpoints of this installation, and for how long they speak."""

    resources: Resources
    policy: CheckpointPolicy
    wait_s: float

    async def load(self, checkpoint: str, as_of: datetime | None = None) -> tuple[Known, int]:
        """A checkpoint and its version.

        Raises:
            UnknownError: There is none.
        """
        loaded = await self.resources.handler.load(CHECKPOINT, checkpoint, as_of=as_of)
        return there(loaded), loaded.version

    async def around(self, service: str, as_of: datetime | None = None) -> Surroundings:
        """What a checkpoint of *service* is looked at against."""
        profile = live(await self.resources.handler.load(SERVICE, service, as_of=as_of)).profile
        findings = (await self.resources.handler.load(ARCHITECTURE, service, as_of=as_of)).state
        at = as_of or self.resources.clock.now()
        return Surroundings(profile.owner_team, profile.tier, self.policy, at, findings)

    async def behind(self, service: str, plan: PlanBody) -> Around:
        """What *plan* takes from elsewhere: what it names must be there.

        Raises:
            UnknownReferenceError: The service relies on no such thing.
            CheckpointError: There are no figures to compare with, or no objectives.
        """
        match plan:
            case PlanChaosExperiment(depends_on=str() as on) | PlanFaultToleranceTest(depends_on=str() as on):
                if on not in (await self.resources.handler.load(DEPENDENCIES, service)).state.on:
                    noun = f"dependency of {service!r} named"
                    raise UnknownReferenceError(noun, on, "plan/depends_on")
            case PlanLoadTest(baseline_of=str() as earlier) | PlanBenchmark(baseline_of=str() as earlier):
                state = (await self.resources.handler.load(CHECKPOINT, earlier)).state
                return Around(baselines=_baselines(earlier, service, state))
            case PlanRestoreTest():
                await caught_up(self.resources, self.wait_s, EVIDENCE)
                evidence = await self.resources.views.read(latest_evidence, service)
                return Around(objectives=_objectives(plan, evidence.get(DECLARATION)))
            case _:
                pass
        return Around()


async def _checkpoints(request: Request) -> Checkpoints:
    state = request.app.state
    return Checkpoints(state.resources, state.policies.checkpoints, patience(request))


CheckpointsDep = Annotated[Checkpoints, Depends(_checkpoints)]


def there(found: Loaded[Checkpoint] | Outcome[Checkpoint]) -> Known:
    """The checkpoint.

    Raises:
        UnknownError: There is none.
    """
    if found.state is None:
        raise UnknownError("checkpoint", found.stream.partition("/")[2])
    return found.state


def shown(around: Surroundings) -> Callable[[Outcome[Checkpoint]], CheckpointView]:
    """Makes the answer to a command."""
    return lambda outcome: checkpoint_view(there(outcome), around)


def _baselines(earlier: str, service: str, state: Checkpoint) -> dict[str, float]:
    if state is None:
        raise BaselineError(earlier, "does not exist")
    if state.planned.service != service:
        raise BaselineError(earlier, f"is of {state.planned.service!r}")
    if not isinstance(state.ended, CheckpointConcluded):
        raise BaselineError(earlier, f"is {state.state}, and has no figures")
    return dict(state.ended.figures)


def _objectives(plan: PlanRestoreTest, declared: EvidenceRecorded | None) -> Objectives:
    """What the plan says, or else what is declared; a plan asks no less of a test than was declared."""
    spans = [
        _objective(name, given, declared)
        for name, given in (("recovery_point", plan.recovery_point), ("recovery_time", plan.recovery_time))
    ]
    return Objectives(*spans, declared_in=declared.evidence if declared else "")


def _objective(name: str, given: timedelta | None, declared: EvidenceRecorded | None) -> timedelta:
    figure = declared.figures.get(f"{name}_minutes") if declared else None
    promised = timedelta(minutes=figure) if isinstance(figure, int | float) and 0 <= figure <= _YEAR_MINUTES else None
    if given is None and promised is None:
        detail = f"say it here, or declare it with evidence of kind {DECLARATION} and the figure {name}_minutes"
        raise ObjectivesError(name, detail)
    if given is not None and promised is not None and given > promised:
        detail = f"{given} is laxer than the {promised} that the service declares; ask for that, or declare anew"
        raise ObjectivesError(name, detail)
    return given if given is not None else promised or timedelta(0)
