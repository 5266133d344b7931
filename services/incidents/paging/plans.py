"""By which policies a service is paged: its own, or its teams' defaults, each with those that go on after it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from libs.events.resources import Resources
from services.incidents.contract import ESCALATION_POLICY, SERVICE_PAGING
from services.incidents.domain.escalation_policy.decider import EscalationPolicy
from services.incidents.domain.escalation_policy.steps import Content, Side, Target
from services.incidents.domain.incident.terms import Severity
from services.incidents.domain.service_paging.decider import Named
from services.incidents.domain.who_is_paged import Chain, Order, Rung, ladder, order_of, unwaiting
from services.incidents.projections.known_services import Known, service_of

DEFAULT: Final = "escalation-default"  # the reservation of a team's one default policy


@dataclass(frozen=True, slots=True)
class SideOfPlan:
    """The policies that a side is paged by, one after the other; none: *why* says so."""

    side: Side
    team: str
    chain: tuple[tuple[str, Content], ...]
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Who is paged for a service.

    Args:
        known: The service.
        named: The policies that it names itself.
        order: Which sides, and why.
        sides: Their policies.
        rungs: All steps, one after the other.
        beside: Those of the side that is called at once too, where it is not the first.
    """

    known: Known
    named: Named
    order: Order
    sides: tuple[SideOfPlan, ...]
    rungs: tuple[Rung, ...]
    beside: tuple[Rung, ...] = ()

    @property
    def rounds(self) -> int:
        """How often all steps are taken: what the first policy says."""
        return (
            1 + next((side.chain[0][1].repeat for side in self.sides if side.chain), 0) if not self.order.quiet else 1
        )

    @property
    def acknowledgement_timeout(self) -> timedelta | None:
        """How long an acknowledgement holds: what the first policy says."""
        return next((side.chain[0][1].acknowledgement_timeout for side in self.sides if side.chain), None)

    @property
    def why(self) -> str:
        """Why these, in this order, and who is missing."""
        return "; ".join([self.order.why, *(side.why for side in self.sides if not side.chain)])

    @property
    def begins(self) -> dict[str, Any]:
        """What an escalation that begins by it says of who is called in which order."""
        return {
            "phase": self.known.phase,
            "team": self.known.owner_team,
            "quiet": self.order.quiet,
            "why": self.why,
            "plan": self.rungs,
            "beside": self.beside,
            "rounds": self.rounds,
            "acknowledgement_timeout": self.acknowledgement_timeout,
        }


async def plan_of(resources: Resources, service: str, severity: Severity) -> Plan:
    """Who is paged for an incident of *service*; of one that nobody told of, nobody."""
    known = await resources.views.read(service_of, service) or Known(service, "", "", "")
    named = (await resources.handler.load(SERVICE_PAGING, service)).state
    order = order_of(known.phase, severity, engaged=bool(known.sre_team))
    sides = tuple([await _side(resources, side, known, named) for side in order.sides])
    chains: dict[Side, Chain] = {side.side: side.chain for side in sides}
    rungs = ladder(order.sides, chains)
    beside = ladder([side for side in order.together if rungs and rungs[0].side != side], chains)
    return Plan(known, named, order, sides, unwaiting(rungs[:1]) if order.quiet else rungs, beside)


async def policies_from(resources: Resources, policy: str) -> tuple[tuple[str, Content], ...]:
    """*policy* and those that go on after it, each once; one that was ended ends the row."""
    chain: dict[str, Content] = {}
    while policy and policy not in chain:
        state: EscalationPolicy = (await resources.handler.load(ESCALATION_POLICY, policy)).state
        if state is None or state.ended:
            break
        chain[policy], policy = state.content, state.content.then
    return tuple(chain.items())


async def fallback_of(resources: Resources, policy: str) -> tuple[Target, ...]:
    """Who hears of it first when nobody can be called: whom the first step of *policy* calls."""
    chain = await policies_from(resources, policy)
    return chain[0][1].steps[0].targets if chain else ()


async def default_of(resources: Resources, team: str) -> str:
    """The policy by which the services of *team* are paged unless they name another; empty: there is none."""
    held = await resources.store.holder(DEFAULT, team)
    return held.partition("/")[2] if held else ""


async def _side(resources: Resources, side: Side, known: Known, named: Named) -> SideOfPlan:
    team = known.owner_team if side == "dev" else known.sre_team
    own: str = getattr(named, side)
    if own and (chain := await policies_from(resources, own)):
        return SideOfPlan(side, team, chain, f"the service names {own}")
    policy = await default_of(resources, team) if team else ""
    if policy and (chain := await policies_from(resources, policy)):
        return SideOfPlan(side, team, chain, f"{policy} is the default of {team}")
    who = f"{team} has no escalation policy" if team else f"it has no team on the {side} side"
    return SideOfPlan(side, team, (), f"{who}; POST /v1/escalation-policies")
