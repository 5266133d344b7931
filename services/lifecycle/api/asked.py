"""What several routes ask first: as of when, by which policy, and what the gates say."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query
from starlette.requests import Request

from libs.events.handler import Step
from libs.events.ids import new_id
from libs.events.resources import Resources
from libs.web.schemas import Moment
from services.lifecycle.api.references import caught_up, patience
from services.lifecycle.contract import EVALUATION, GATE_POLICY, INSTALLATION
from services.lifecycle.domain.checks import NUMBERS
from services.lifecycle.domain.errors import UnknownReferenceError
from services.lifecycle.domain.evaluation.commands import Keep
from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.gate_policy.decider import GatePolicies
from services.lifecycle.domain.gate_policy.inherited import completed
from services.lifecycle.domain.gates import Verdict, evaluate, look, reuse
from services.lifecycle.domain.people import Approvers
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.policy import Policy, Roles
from services.lifecycle.domain.service.decider import Profile
from services.lifecycle.projections.facts import OWN, facts_about
from services.lifecycle.projections.people import approvers_of

AsOf = Annotated[Moment | None, Query(description="Answer what was known at this time.")]


@dataclass(frozen=True, slots=True)
class Gates:
    """The gates of this installation.

    Args:
        resources: The service's adapters.
        policy: What the gates ask for: what was published last, with the numbers that it lacks, else what comes with
            the program.
        shipped: What comes with the program.
        wait_s: How long to wait for evidence that was just stored.
    """

    resources: Resources
    policy: Policy
    shipped: Policy
    wait_s: float

    async def ask(self, profile: Profile, target: Phase, at: datetime, *, evaluation: str | None = None) -> Verdict:
        """What the gates between a service and *target* say at *at*, all stored evidence considered.

        Args:
            profile: The service.
            target: Where it wants to go.
            at: Now.
            evaluation: The stored evaluation whose attestations count.

        Raises:
            Problem: 503, the evidence stored last is not in the read model yet.
            UnknownReferenceError: There is no such evaluation.
            EvaluationOutdatedError: It cannot be used any more.
        """
        resources = self.resources
        await self.caught_up()
        verdict = evaluate(self.policy, await facts_about(resources.views, profile, at), target, at)
        if evaluation is None:
            return verdict
        kept = (await resources.handler.load(EVALUATION, evaluation)).state
        if kept is None:
            raise UnknownReferenceError("evaluation", evaluation, "evaluation")
        return reuse(kept, verdict, self.policy.evaluation_valid_days.days)

    async def look(self, profile: Profile, checks: Iterable[str], at: datetime) -> tuple[CheckResult, ...]:
        """What *checks* say about a service at *at*, all stored evidence considered.

        Raises:
            Problem: 503, the evidence stored last is not in the read model yet.
        """
        await self.caught_up()
        return look(self.policy, checks, await facts_about(self.resources.views, profile, at), at)

    async def approvers(self, profile: Profile, roles: Roles | None) -> Approvers:
        """Who has one of *roles* for a service; anybody, if the policy names none."""
        await self.caught_up()
        sre_team = profile.engaged.sre_team if profile.engaged else ""
        return await self.resources.views.read(approvers_of, roles, profile.owner_team, sre_team)

    async def caught_up(self) -> None:
        """Return once the read models that gates and approvals ask show all that is stored.

        Raises:
            Problem: 503, one is behind.
        """
        await caught_up(self.resources, self.wait_s, *OWN)


def keep(verdict: Verdict, by: str) -> tuple[str, tuple[Step[Any, Any, Any], ...]]:
    """The id under which *verdict* will be kept, and the step that keeps it; neither when nothing was checked."""
    if not verdict.checks:
        return "", ()
    evaluation = str(new_id())
    return evaluation, (Step(EVALUATION, evaluation, Keep(evaluation, verdict, by)),)


async def published(resources: Resources, as_of: datetime | None = None) -> GatePolicies:
    """The gate policies that were published here, the oldest first."""
    return (await resources.handler.load(GATE_POLICY, INSTALLATION, as_of=as_of)).state


async def _gates(request: Request) -> Gates:
    resources: Resources = request.app.state.resources
    shipped: Policy = request.app.state.policies.gates
    found = await published(resources)
    policy = completed(found[-1].policy, shipped, NUMBERS) if found else shipped
    return Gates(resources, policy, shipped, patience(request))


GatesDep = Annotated[Gates, Depends(_gates)]
