"""What the read models say of all that may wait for a person, or for a team: a bounded question to each of them."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, bindparam, or_, select

from services.lifecycle.domain.team.decider import Registered
from services.lifecycle.domain.team.structure import Structure
from services.lifecycle.projections import inbox_of_engagements as of_engagements
from services.lifecycle.projections import inbox_of_reviews as of_reviews
from services.lifecycle.projections import inbox_of_services as of_services
from services.lifecycle.projections.asked_by_incidents import ASKED_BY_INCIDENTS
from services.lifecycle.projections.capacity import CAPACITY
from services.lifecycle.projections.design_work import DESIGN_WORK
from services.lifecycle.projections.engagement_items import ENGAGEMENT_ITEMS
from services.lifecycle.projections.engagements import ENGAGEMENTS
from services.lifecycle.projections.facts_lessons import FACTS_ACTIONS
from services.lifecycle.projections.gatherings import GATHERINGS
from services.lifecycle.projections.inbox_asking import NAMED, NOBODY, named
from services.lifecycle.projections.inbox_found import Asker, Found, Terms
from services.lifecycle.projections.phase_risks import PHASE_RISKS
from services.lifecycle.projections.postmortem_duties import POSTMORTEM_DUTIES
from services.lifecycle.projections.readiness_reviews import READINESS_REVIEWS
from services.lifecycle.projections.risks import RISKS
from services.lifecycle.projections.rollouts import ROLLOUTS
from services.lifecycle.projections.services import SERVICES
from services.lifecycle.projections.slo_targets import SLO_TARGETS
from services.lifecycle.projections.teams import TEAMS, team_in
from services.lifecycle.projections.waivers import WAIVERS

ASKED: Final = (
    TEAMS,
    SERVICES,
    PHASE_RISKS,
    WAIVERS,
    RISKS,
    SLO_TARGETS,
    ROLLOUTS,
    CAPACITY,
    FACTS_ACTIONS,
    POSTMORTEM_DUTIES,
    ASKED_BY_INCIDENTS,
    ENGAGEMENTS,
    ENGAGEMENT_ITEMS,
    GATHERINGS,
    READINESS_REVIEWS,
    DESIGN_WORK,
)
"""The read models that are asked."""


def teams_of(connection: Connection, person: str) -> frozenset[str]:
    """The teams that name *person*."""
    return frozenset(connection.scalars(_TEAMS_NAMING, {"named": named(person)}))


def waiting_at(connection: Connection, asker: Asker, terms: Terms, at: datetime) -> Found:
    """All that may wait for *asker* at *at*."""
    own = tuple(_own(connection, asker))
    mine = [team.team for team in own]
    whose: dict[str, object] = {
        "teams": mine,
        "person": asker.person or None,
        "named": named(asker.person) if asker.person else None,
    }
    services, moving = of_services.services(connection, whose)
    waivers = tuple(of_services.waivers(connection, services, asker.person, at + terms.inbox.waiver_ends_days.days))
    risks = tuple(of_services.risks(connection, whose, at, terms))
    actions = tuple(of_services.actions(connection, whose, asker))
    reviews = tuple(of_reviews.reviews(connection, services, whose, at + terms.reviews.expires_soon.span))
    designs = tuple(of_reviews.designs(connection, whose, reads=any(team.kind == "sre" for team in own)))
    asked = tuple(of_reviews.asked(connection, whose, at - terms.inbox.handover_days.days))
    pairs = of_engagements.pairs(connection, of_engagements.ENGAGED, whose)
    engaged = tuple(name for name, pair in pairs.items() if pair.dev_team in mine or pair.sre_team in mine)
    items = tuple(of_engagements.items(connection, engaged, whose))
    strange = {engagement for engagement, _ in items} - set(pairs)
    about = {waiver.request.service for waiver in waivers} | {service for service, _ in (*risks, *actions)}
    about |= {each.service for each in reviews} | {service for _, _, service in designs}
    about |= {service for service, _ in asked if service}
    services |= of_services.owned(connection, about - set(services))
    looked_at = tuple(pairs)
    pairs |= of_engagements.pairs(connection, of_engagements.BY_ID, {"engagements": list(strange)}) if strange else {}
    teams = {team for each in services.values() for team in (each.owner_team, each.sre_team)}
    teams |= {team for pair in pairs.values() for team in (pair.dev_team, pair.sre_team)}
    return Found(
        own=own,
        teams=_structures(connection, teams - set(mine)) | {team.team: team.structure for team in own},
        services=services,
        moving=moving,
        at_risk=tuple(of_services.at_risk(connection, whose)),
        waivers=waivers,
        risks=risks,
        rollouts=tuple(of_services.rollouts(connection, whose)),
        shortages=tuple(of_services.shortages(connection, whose, at + terms.inbox.order_days.days)),
        actions=actions,
        postmortems=tuple(of_services.postmortems(connection, whose)),
        pairs=pairs,
        engaged=looked_at,
        items=items,
        drafts=tuple(of_engagements.drafts(connection, engaged)),
        reviews=reviews,
        designs=designs,
        asked=asked,
    )


_T: Final = TEAMS.view.c
_LIVING: Final = select(TEAMS.view).where(~_T.ended)
_OWN: Final = _LIVING.where(or_(_T.name == bindparam("team"), _T.people.like(NAMED, escape="/")))
_OWN_ORNOBODYS: Final = _LIVING.where(
    or_(_T.name == bindparam("team"), _T.people.like(NAMED, escape="/"), _T.people == NOBODY)
)
_TEAMS_NAMING: Final = select(_T.name).where(~_T.ended, _T.people.like(NAMED, escape="/"))
_STRUCTURES: Final = select(_T.name, _T.structure).where(_T.name.in_(bindparam("names", expanding=True)))


def _own(connection: Connection, asker: Asker) -> Iterator[Registered]:
    asked = {"team": asker.team, "named": named(asker.person) if asker.person else None}
    for row in connection.execute(_OWN_ORNOBODYS if asker.unclaimed else _OWN, asked).mappings():
        team = team_in(row)
        if isinstance(team, Registered):
            yield team


def _structures(connection: Connection, teams: Collection[str]) -> dict[str, Structure]:
    rows = connection.execute(_STRUCTURES, {"names": list(teams)}) if teams else ()
    return {name: msgspec.convert(structure, Structure) for name, structure in rows}
