"""All that lifecycle knows about services when their gates are evaluated, as of one moment."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, Select, select

from libs.events.clock import SystemClock
from libs.events.views import Views
from services.lifecycle.domain.checks.migration import replacement_in
from services.lifecycle.domain.facts import Dependency, Engagement, Facts, Grandfathered, Replacement, Review
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.readiness_review.facts import ReviewFacts
from services.lifecycle.domain.service.decider import Profile
from services.lifecycle.projections.capacity import CAPACITY, capacity_by_service
from services.lifecycle.projections.dependencies import (
    DEPENDENCIES,
    DEPENDENCIES_CONFIRMED,
    dependencies_by_service,
    live_dependents,
)
from services.lifecycle.projections.dependencies import Dependency as DeclaredDependency
from services.lifecycle.projections.design_work import DESIGN_WORK, designs
from services.lifecycle.projections.evidence import EVIDENCE, latest_of_each
from services.lifecycle.projections.facts_freezes import FACTS_FREEZES, freezes
from services.lifecycle.projections.facts_incidents import FACTS_INCIDENTS, open_incidents
from services.lifecycle.projections.facts_lessons import FACTS_ACTIONS, FACTS_POSTMORTEMS, open_actions, postmortems
from services.lifecycle.projections.facts_on_call import FACTS_SCHEDULES, FACTS_SHIFTS, rotas, shifts_since
from services.lifecycle.projections.facts_policies import FACTS_POLICIES, budget_policies
from services.lifecycle.projections.facts_slo import FACTS_SLO, slos
from services.lifecycle.projections.heard import heard_ago
from services.lifecycle.projections.operational_work import OPERATIONAL_WORK, hours_since
from services.lifecycle.projections.readiness_reviews import READINESS_REVIEWS, reviews_of
from services.lifecycle.projections.risks import RISKS, risks_by_service
from services.lifecycle.projections.rollouts import ROLLOUTS, planned_rollouts
from services.lifecycle.projections.sdlc_checkpoints import SDLC_CHECKPOINTS, checkpoints_for_gates
from services.lifecycle.projections.services import SERVICES, phases_of
from services.lifecycle.projections.teams import TEAMS, team_of
from services.lifecycle.projections.waivers import WAIVERS, waivers_in_force

HEARD: Final = (
    FACTS_SLO,
    FACTS_FREEZES,
    FACTS_POLICIES,
    FACTS_INCIDENTS,
    FACTS_ACTIONS,
    FACTS_POSTMORTEMS,
    FACTS_SCHEDULES,
    FACTS_SHIFTS,
)
"""What gates are judged by, of that which other services say."""

OWN: Final = (
    EVIDENCE,
    WAIVERS,
    TEAMS,
    READINESS_REVIEWS,
    DEPENDENCIES,
    DEPENDENCIES_CONFIRMED,
    SERVICES,
    RISKS,
    ROLLOUTS,
    OPERATIONAL_WORK,
    DESIGN_WORK,
    CAPACITY,
    SDLC_CHECKPOINTS,
)
"""What gates are judged by, of that which lifecycle says itself: a gate waits until they show all that is stored."""

_SHIFTS_FOR: Final = timedelta(days=92)  # longer than any window that a policy looks at
_ROLLOUTS_FOR: Final = timedelta(days=366)  # as long as the longest time for which a policy lets evidence count


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What a service's own record says of it."""

    service: str
    phase: Phase
    phase_since: datetime
    owner_team: str
    tier: int
    grandfathered: Grandfathered | None = None
    engagement: Engagement | None = None
    stateful: bool | None = None


def standing_of(profile: Profile) -> Standing:
    """What the record of one service says."""
    return Standing(
        service=profile.service,
        phase=profile.phase,
        phase_since=profile.stay.since,
        owner_team=profile.owner_team,
        tier=profile.tier,
        grandfathered=profile.grandfathered,
        engagement=Engagement(profile.engaged.engagement, profile.engaged.sre_team) if profile.engaged else None,
        stateful=profile.catalogue.stateful,
    )


async def facts_about(views: Views, profile: Profile, at: datetime) -> Facts:
    """The service's own record, its evidence, and what slo and incidents have said about it."""
    standing = standing_of(profile)
    found = await views.read(read_facts, [standing], at, profile.service)
    return found[profile.service]


def facts_of_all(connection: Connection, at: datetime) -> Mapping[str, Facts]:
    """The facts about every service that is not at its end, by name."""
    return read_facts(connection, _standings(connection, _ALIVE), at)


def facts_after(connection: Connection, at: datetime, after: str, limit: int) -> Mapping[str, Facts]:
    """The facts about the next services, *limit* at most, that are not at their end, by name."""
    standings = _standings(connection, _ALIVE.where(SERVICES.view.c.name > after).limit(limit))
    return read_facts(connection, standings, at, *(each.service for each in standings)) if standings else {}


_ALIVE: Final = (
    select(SERVICES.view).where(SERVICES.view.c.phase != Phase.UNSUPPORTED.value).order_by(SERVICES.view.c.name)
)


def _standings(connection: Connection, query: Select[Any]) -> list[Standing]:
    return [
        Standing(
            service=row["name"],
            phase=Phase(row["phase"]),
            phase_since=row["phase_since"],
            owner_team=row["owner_team"],
            tier=row["tier"],
            grandfathered=Grandfathered(Phase(row["imported_at"]), row["grandfathered_until"])
            if row["imported_at"]
            else None,
            engagement=Engagement(row["engagement"], row["sre_team"]) if row["engagement"] else None,
            stateful=row["catalogue"].get("stateful") if row["catalogue"] else None,
        )
        for row in connection.execute(query).mappings()
    ]


def read_facts(
    connection: Connection, standings: Sequence[Standing], at: datetime, *services: str
) -> Mapping[str, Facts]:
    """The facts about each of *standings*; *services* are their names, or nothing when they are very many."""
    evidence = latest_of_each(connection, *services)
    of_slos, frozen = slos(connection, *services), freezes(connection, *services)
    policies = budget_policies(connection, *services)
    incidents, actions = open_incidents(connection, *services), open_actions(connection, *services)
    lessons, on_call = postmortems(connection, *services), rotas(connection, *services)
    shifts = shifts_since(connection, at - _SHIFTS_FOR, *services)
    reviews = reviews_of(connection, *services)
    needed, confirmed = dependencies_by_service(connection, *services)
    dependents = live_dependents(connection, *services)
    waivers = waivers_in_force(connection, at, *services)
    of_designs, risks = designs(connection, *services), risks_by_service(connection, *services)
    capacity = capacity_by_service(connection, *services)
    checkpoints = checkpoints_for_gates(connection, *services)
    rollouts = planned_rollouts(connection, at - _ROLLOUTS_FOR, *services)
    teams = {team for each in standings for team in _teams(each)}
    work = hours_since(connection, (at - _SHIFTS_FOR).date(), teams) if teams else {}
    named = {service: name for service, kinds in evidence.items() if (name := replacement_in(kinds))}
    phases = phases_of(connection, set(named.values())) if named else {}
    heard = heard_ago(connection, [projection.name for projection in HEARD], SystemClock().now())
    owners: dict[str, frozenset[str]] = {"": frozenset()}
    found: dict[str, Facts] = {}
    for each in standings:
        if each.owner_team not in owners:
            team = team_of(connection, each.owner_team)
            owners[each.owner_team] = frozenset((*team.members, *team.leads)) if team else frozenset()
        design, architecture = of_designs.get(each.service, (None, None))
        found[each.service] = Facts(
            service=each.service,
            phase=each.phase,
            phase_since=each.phase_since,
            owner_team=each.owner_team,
            tier=each.tier,
            grandfathered=each.grandfathered,
            slos=of_slos.get(each.service, ()),
            freeze=frozen.get(each.service),
            budget_policy=policies.get(each.service),
            incidents=incidents.get(each.service, ()),
            actions=actions.get(each.service, ()),
            postmortems=lessons.get(each.service, ()),
            rotas=on_call.get(each.service),
            shifts=shifts.get(each.service),
            review=_review(reviews.get(each.service), each.tier, at),
            engagement=each.engagement,
            dependencies=_dependencies(needed.get(each.service, ()), confirmed=each.service in confirmed),
            dependencies_confirmed=each.service in confirmed,
            dependents=dependents.get(each.service, ()),
            rollouts=rollouts.get(each.service, ()),
            work=[hours for team in _teams(each) for hours in work.get(team, ())],
            risks=risks.get(each.service),
            capacity=capacity.get(each.service),
            checkpoints=checkpoints.get(each.service),
            design=design,
            architecture=architecture,
            replacement=Replacement(named[each.service], phases.get(named[each.service]))
            if each.service in named
            else None,
            stateless=None if each.stateful is None else not each.stateful,
            waivers=waivers.get(each.service, {}),
            owners=owners[each.owner_team],
            attestations=evidence.get(each.service, {}),
            heard=heard,
        )
    return found


def _teams(standing: Standing) -> list[str]:
    sre = standing.engagement.sre_team if standing.engagement else ""
    return [team for team in dict.fromkeys((standing.owner_team, sre)) if team]


def _review(review: ReviewFacts | None, tier: int, at: datetime) -> Review | None:
    if review is None:
        return None
    return Review(
        id=review.review,
        state=review.state,
        started=review.requested_at,
        changed=review.state_since,
        expires=review.expires_at,
        open_blocking=len(review.open_blocking_findings(at)),
        overdue_conditions=len(review.overdue_conditions(at)),
        security_opened=review.is_security_opened,
        security_open=review.open_security_items(tier) if review.security else None,
    )


def _dependencies(needed: Sequence[DeclaredDependency], *, confirmed: bool) -> list[Dependency] | None:
    if not needed and not confirmed:
        return None
    return [
        Dependency(each.on, described=bool(each.slo and each.failure_behaviour), is_hard=each.criticality == "hard")
        for each in needed
    ]
