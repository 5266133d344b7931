"""What waits for a person, or for a team: asked of the read models, and of the streams that they point to."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from libs.events.resources import Resources
from services.lifecycle.config import Policies
from services.lifecycle.contract import (
    ARCHITECTURE,
    ARCHITECTURE_REVIEW,
    DESIGN_REVIEW,
    ENGAGEMENT,
    GATE_POLICY,
    INSTALLATION,
    LAUNCH,
    READINESS_REVIEW,
)
from services.lifecycle.domain.digest.commands import Compile
from services.lifecycle.domain.digest.week import week_of, zone_of
from services.lifecycle.domain.inbox import of_design, of_engagements, of_incidents, of_reviews, of_services, of_teams
from services.lifecycle.domain.inbox.of_services import Owned
from services.lifecycle.domain.inbox.waiting import Teams, Waiting, ordered
from services.lifecycle.domain.people import ANYBODY, Approvers
from services.lifecycle.domain.policy import Policy, Roles
from services.lifecycle.domain.readiness_review.state import Approved as ApprovedReview
from services.lifecycle.domain.readiness_review.state import Underway
from services.lifecycle.domain.team.decider import Registered
from services.lifecycle.domain.waiver.decider import Approved
from services.lifecycle.projections.inbox import waiting_at
from services.lifecycle.projections.inbox_found import Asker, Found, Terms
from services.lifecycle.projections.people import named


@dataclass(frozen=True, slots=True)
class Inbox:
    """What waits for people."""

    resources: Resources
    policies: Policies

    async def of_person(self, person: str, at: datetime, *, unclaimed: bool = False) -> list[Waiting]:
        """What waits for *person*; with *unclaimed* also what waits for anybody, since a team names nobody."""
        items = await self._all(Asker(person=person, unclaimed=unclaimed), at)
        return ordered(item for item in items if item.who.includes(person))

    async def of_team(self, team: str, at: datetime) -> list[Waiting]:
        """What is the affair of *team*, whoever of it has to see to it."""
        return ordered(item for item in await self._all(Asker(team=team), at) if item.team == team)

    async def told(self, team: Registered, at: datetime) -> Compile:
        """What is asked to be told of *team* in the week of *at*."""
        zone = zone_of(team.structure)
        return Compile(
            team=team.team,
            display_name=team.display_name,
            week=week_of(at, zone),
            time_zone=zone.key,
            items=tuple(await self.of_team(team.team, at)),
            policy=self.policies.inbox,
            at=at,
        )

    async def _all(self, asker: Asker, at: datetime) -> list[Waiting]:
        terms = Terms(self.policies.inbox, self.policies.reviews, self.policies.risks)
        found = await self.resources.views.read(waiting_at, asker, terms, at)
        gates = await self._gates()
        items = [*_of_services(found, gates, self.policies, at), *_of_items(found, at)]
        for team in found.own:
            items += of_teams.team(team, self.policies.inbox, self.policies.teams, at)
        items += await self._engagements(found, at)
        items += await self._reviews(found, at)
        items += await self._designs(found, at)
        return items

    async def _gates(self) -> Policy:
        published = (await self.resources.handler.load(GATE_POLICY, INSTALLATION)).state
        return published[-1].policy if published else self.policies.gates

    async def _engagements(self, found: Found, at: datetime) -> list[Waiting]:
        load = self.resources.handler.load
        loaded = await asyncio.gather(*(load(ENGAGEMENT, engagement) for engagement in found.engaged))
        states = [each.state for each in loaded if each.state is not None]
        return [item for state in states for item in of_engagements.engagement(state, found.teams, at)]

    async def _reviews(self, found: Found, at: datetime) -> list[Waiting]:
        load, items = self.resources.handler.load, list[Waiting]()
        loaded = await asyncio.gather(*(load(READINESS_REVIEW, open_.review) for open_ in found.reviews))
        for open_, state in zip(found.reviews, [each.state for each in loaded], strict=True):
            if isinstance(state, Underway | ApprovedReview):
                owned = _owned(found, open_.service)
                asked = of_reviews.review(state, owned, found.teams, self.policies.reviews, at)
                items += (item for item in asked if not (open_.outdated and item.kind == "review_ending"))
        return items

    async def _designs(self, found: Found, at: datetime) -> list[Waiting]:
        items: list[Waiting] = []
        load, teams = self.resources.handler.load, found.teams
        sre_teams = [team.team for team in found.own if team.kind == "sre"]
        for kind, name, service in found.designs:
            owned = _owned(found, service)
            match kind:
                case "design_review" if design := (await load(DESIGN_REVIEW, name)).state:
                    items += of_design.design(design, owned, teams, sre_teams)
                case "architecture_review" if looked := (await load(ARCHITECTURE_REVIEW, name)).state:
                    items += of_design.architecture_review(looked, owned)
                case "finding" if finding := (await load(ARCHITECTURE, service)).state.get(name):
                    items += of_design.architecture_finding(finding, owned, teams, at)
                case "launch" if coming := (await load(LAUNCH, name)).state:
                    items += of_design.launch(coming, owned, teams, at)
                case _:
                    pass
        return items


def _of_services(found: Found, gates: Policy, policies: Policies, at: datetime) -> Iterator[Waiting]:
    teams = found.teams
    for service, lacking in found.at_risk:
        yield from of_services.phase_at_risk(lacking, found.services[service], teams)
    for request in found.moving:
        owned, roles = found.services[request.service], gates.approval.of(request.from_phase, request.to_phase)
        yield of_services.transition(request, owned, _named(roles, owned, teams), teams)
    for waiver in found.waivers:
        owned = _owned(found, waiver.request.service)
        who = _named(gates.waivers.approvers[str(owned.tier or 1)], owned, teams)
        if isinstance(waiver, Approved):
            yield of_services.waiver_end(waiver, owned, who, gates.waivers.renewals.at(owned.tier))
        else:
            yield of_services.waiver_request(waiver.request, owned, who, teams)
    for service, risk in found.risks:
        soon = policies.inbox.acceptance_ends_days.days
        yield from of_services.risk(risk, _owned(found, service), teams, at, soon)
    for each in found.rollouts:
        yield of_services.rollout(each.rollout, each.version, each.by, each.at, found.services[each.service], teams)
    for service, shortage in found.shortages:
        yield of_services.order(shortage, found.services[service], teams, at)
    for service, action in found.actions:
        yield of_services.action(action, _owned(found, service), at)
    for service, due in found.postmortems:
        yield of_services.postmortem(due, found.services[service], teams, at)


def _of_items(found: Found, at: datetime) -> Iterator[Waiting]:
    for engagement, item in found.items:
        if pair := found.pairs.get(engagement):
            yield from of_engagements.item(item, pair, found.teams, at)
    for engagement, draft in found.drafts:
        yield from of_engagements.draft(draft, found.pairs[engagement], found.teams)
    for service, asked in found.asked:
        yield from of_incidents.asked(asked, _owned(found, service), found.teams)


def _owned(found: Found, service: str) -> Owned:
    """Who answers for *service*; nobody while it was only heard of."""
    return found.services.get(service) or Owned(service, "", "", 0)


def _named(roles: Roles | None, owned: Owned, teams: Teams) -> Approvers:
    return named(roles, teams.get(owned.owner_team), teams.get(owned.sre_team)) if roles else ANYBODY
