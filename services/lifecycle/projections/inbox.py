"""What the read models say of all that may wait for a person, or for a team: a bounded question to each of them."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, cast

import msgspec
from sqlalchemy import ColumnElement, Connection, Table, and_, false, or_, select

from services.lifecycle.domain.inbox.of_engagements import Draft, OpenItem, Pair
from services.lifecycle.domain.inbox.of_services import AtRisk, OpenAction, OpenRisk, Owned, Shortage
from services.lifecycle.domain.inbox.policy import InboxPolicy
from services.lifecycle.domain.inbox.waiting import Teams
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.readiness_review.policy import ReviewPolicy
from services.lifecycle.domain.risk_register.policy import RiskPolicy
from services.lifecycle.domain.risk_register.state import budget_of
from services.lifecycle.domain.service.events import TransitionRequested
from services.lifecycle.domain.team.decider import Registered
from services.lifecycle.domain.team.structure import Structure
from services.lifecycle.domain.waiver.decider import Approved, Requested
from services.lifecycle.projections.capacity import CAPACITY
from services.lifecycle.projections.design_work import DESIGN_WORK, Kind, waiting_design_work
from services.lifecycle.projections.engagement_items import ENGAGEMENT_ITEMS
from services.lifecycle.projections.engagements import ENGAGEMENTS
from services.lifecycle.projections.facts_lessons import FACTS_ACTIONS
from services.lifecycle.projections.gatherings import GATHERINGS
from services.lifecycle.projections.phase_risks import PHASE_RISKS, item_of
from services.lifecycle.projections.readiness_reviews import READINESS_REVIEWS
from services.lifecycle.projections.risks import RISKS
from services.lifecycle.projections.rollouts import ROLLOUTS
from services.lifecycle.projections.services import SERVICES
from services.lifecycle.projections.slo_targets import SLO_TARGETS, strictest
from services.lifecycle.projections.teams import TEAMS, team_in
from services.lifecycle.projections.waivers import WAIVERS, waiver_of

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
    ENGAGEMENTS,
    ENGAGEMENT_ITEMS,
    GATHERINGS,
    READINESS_REVIEWS,
    DESIGN_WORK,
)
"""The read models that are asked."""
_NOBODY: Final = "||"  # the people of a team that names none
_GOING_ON: Final = ("requested", "accepted", "active", "handback_pending")
_UNDER_WAY: Final = frozenset({"requested", "engagement", "analysis", "improvements"})
_DECIDED: Final = frozenset({"approved", "approved_with_conditions", "expired"})
_SETTLED: Final = frozenset({"closed", "waived", "rejected"})


@dataclass(frozen=True, slots=True)
class Asker:
    """For whom it is asked: a person with the teams that name them, or a team.

    Args:
        person: A label; empty when a team asks.
        team: A team; empty when a person asks.
        unclaimed: Whether teams that name nobody are everybody's.
    """

    person: str = ""
    team: str = ""
    unclaimed: bool = False


@dataclass(frozen=True, slots=True)
class Terms:
    """The policies that say from when on something waits, and what may be accepted."""

    inbox: InboxPolicy
    reviews: ReviewPolicy
    risks: RiskPolicy


@dataclass(frozen=True, slots=True)
class OpenReview:
    """A review that may wait for somebody; whether its service has a newer one."""

    review: str
    service: str
    outdated: bool


@dataclass(frozen=True, slots=True)
class PlannedRollout:
    """A roll-out that nobody has reviewed."""

    rollout: str
    service: str
    version: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What may wait for those who ask; whether it does, and for whom, the domain says.

    Args:
        own: The teams that ask.
        teams: How every team is set up that has a part in any of it.
        services: Every service that any of it is about.
        moving: The moves of services that wait for approval.
        at_risk: By service.
        waivers: Asked for, or ending soon.
        risks: By service.
        rollouts: Planned ones.
        shortages: By service; those to be ordered for soon.
        actions: By service.
        pairs: The engagements, by id; those of the teams that ask are *engaged*.
        engaged: Those to look at whole.
        items: By engagement.
        drafts: By engagement.
        reviews: Those that may wait.
        designs: Of designs, architecture and launches what waits: kind, id and service.
    """

    own: tuple[Registered, ...]
    teams: Teams
    services: dict[str, Owned]
    moving: tuple[TransitionRequested, ...]
    at_risk: tuple[tuple[str, AtRisk], ...]
    waivers: tuple[Requested | Approved, ...]
    risks: tuple[tuple[str, OpenRisk], ...]
    rollouts: tuple[PlannedRollout, ...]
    shortages: tuple[tuple[str, Shortage], ...]
    actions: tuple[tuple[str, OpenAction], ...]
    pairs: dict[str, Pair]
    engaged: tuple[str, ...]
    items: tuple[tuple[str, OpenItem], ...]
    drafts: tuple[tuple[str, Draft], ...]
    reviews: tuple[OpenReview, ...]
    designs: tuple[tuple[Kind, str, str], ...]


def teams_of(connection: Connection, person: str) -> frozenset[str]:
    """The teams that name *person*."""
    view = TEAMS.view.c
    query = select(view.name).where(~view.ended, view.people.contains(f"|{person}|", autoescape=True))
    return frozenset(connection.scalars(query))


def waiting_at(connection: Connection, asker: Asker, terms: Terms, at: datetime) -> Found:
    """All that may wait for *asker* at *at*."""
    own = tuple(_own(connection, asker))
    mine = [team.team for team in own]
    services, moving = _services(connection, mine)
    names = tuple(services)
    waivers = tuple(_waivers(connection, names, asker.person, at + terms.inbox.waiver_ends_days.days))
    risks = tuple(_risks(connection, names, asker.person, at, terms))
    rollouts = tuple(_rollouts(connection, names))
    actions = tuple(_actions(connection, names, asker))
    reviews = tuple(_reviews(connection, names, asker.person, at + terms.reviews.expires_soon.span))
    engaged = _engaged(connection, mine)
    items = tuple(_items(connection, tuple(engaged), asker.person))
    strange = {engagement for engagement, _ in items} - set(engaged)
    pairs = engaged | _pairs(connection, ENGAGEMENTS.view.c.engagement.in_(strange))
    about = {waiver.request.service for waiver in waivers} | {service for service, _ in (*risks, *actions)}
    about |= {each.service for each in reviews}
    services |= _owned(connection, about - set(services))
    named = {team for each in services.values() for team in (each.owner_team, each.sre_team)}
    named |= {team for pair in pairs.values() for team in (pair.dev_team, pair.sre_team)}
    return Found(
        own=own,
        teams=_structures(connection, named) | {team.team: team.structure for team in own},
        services=services,
        moving=moving,
        at_risk=tuple(_at_risk(connection, names)),
        waivers=waivers,
        risks=risks,
        rollouts=rollouts,
        shortages=tuple(_shortages(connection, names, at + terms.inbox.order_days.days)),
        actions=actions,
        pairs=pairs,
        engaged=tuple(engaged),
        items=items,
        drafts=tuple(_drafts(connection, tuple(engaged))),
        reviews=reviews,
        designs=tuple(waiting_design_work(connection, names)),
    )


def _own(connection: Connection, asker: Asker) -> Iterator[Registered]:
    view = TEAMS.view
    wanted = view.c.name == asker.team
    if asker.person:
        wanted = view.c.people.contains(f"|{asker.person}|", autoescape=True)
    if asker.unclaimed:
        wanted = or_(wanted, view.c.people == _NOBODY)
    for row in connection.execute(select(view).where(~view.c.ended, wanted)).mappings():
        team = team_in(row)
        if isinstance(team, Registered):
            yield team


def _structures(connection: Connection, teams: Collection[str]) -> dict[str, Structure]:
    view = TEAMS.view.c
    rows = connection.execute(select(view.name, view.structure).where(view.name.in_(teams)))
    return {name: msgspec.convert(structure, Structure) for name, structure in rows}


def _services(connection: Connection, teams: Sequence[str]) -> tuple[dict[str, Owned], tuple[TransitionRequested, ...]]:
    view = SERVICES.view.c
    query = select(view.name, view.owner_team, view.sre_team, view.tier, view.pending)
    rows = connection.execute(
        query.where(
            or_(view.owner_team.in_(teams), view.sre_team.in_(teams)), view.phase != Phase.UNSUPPORTED.value
        ).order_by(view.name)
    ).all()
    services = {row.name: Owned(row.name, row.owner_team, row.sre_team, row.tier) for row in rows}
    return services, tuple(msgspec.convert(row.pending, TransitionRequested) for row in rows if row.pending)


def _at_risk(connection: Connection, services: Sequence[str]) -> Iterator[tuple[str, AtRisk]]:
    view = PHASE_RISKS.view
    query = select(view).where(view.c.state == "open", view.c.service.in_(services)).order_by(view.c.item)
    for row in connection.execute(query).mappings():
        newest = item_of(row).newest
        lacks = (*newest.lacks, *newest.reasons)
        if lacks:
            yield row["service"], AtRisk(row["item"], newest.phase, lacks, row["opened_at"])


def _owned(connection: Connection, services: Collection[str]) -> dict[str, Owned]:
    view = SERVICES.view.c
    query = select(view.name, view.owner_team, view.sre_team, view.tier).where(view.name.in_(services))
    return {row.name: Owned(row.name, row.owner_team, row.sre_team, row.tier) for row in connection.execute(query)}


def _waivers(
    connection: Connection, services: Sequence[str], person: str, soon: datetime
) -> Iterator[Requested | Approved]:
    view = WAIVERS.view
    ending = and_(view.c.state == "approved", view.c.expires_at <= soon)
    requested = and_(view.c.state == "requested", view.c.service.in_(services))
    for row in connection.execute(select(view).where(or_(requested, ending)).order_by(view.c.waiver)).mappings():
        waiver = waiver_of(row)
        if isinstance(waiver, Requested | Approved) and (
            row["service"] in services or waiver.request.risk_owner == person
        ):
            yield waiver


def _risks(
    connection: Connection, services: Sequence[str], person: str, at: datetime, terms: Terms
) -> Iterator[tuple[str, OpenRisk]]:
    view = RISKS.view
    soon = at + terms.inbox.acceptance_ends_days.days
    open_ = or_(
        view.c.state.in_(("proposed", "assessed", "mitigating")),
        and_(view.c.state == "accepted", view.c.until <= soon),
    )
    query = select(view).where(open_, or_(view.c.service.in_(services), _owns(view, person))).order_by(view.c.risk)
    rows = connection.execute(query).mappings().all()
    promises = strictest(connection, sorted({row["service"] for row in rows if row["state"] == "assessed"}))
    for row in rows:
        promise, bad = promises.get(row["service"]), row["bad_minutes"]
        cap = budget_of((), promise, terms.risks).cap if promise else None
        fields = {name: row[name] for name in OpenRisk.__dataclass_fields__ if name != "too_big"}
        too_big = cap is not None and bad is not None and bad > cap
        yield row["service"], OpenRisk(**fields, too_big=too_big)


def _rollouts(connection: Connection, services: Sequence[str]) -> Iterator[PlannedRollout]:
    view = ROLLOUTS.view.c
    query = select(view.rollout, view.service, view.plan, view.planned_at)
    rows = connection.execute(query.where(view.state == "planned", view.service.in_(services)).order_by(view.rollout))
    for row in rows:
        yield PlannedRollout(row.rollout, row.service, row.plan["version"], row.plan["by"], row.planned_at)


def _shortages(connection: Connection, services: Sequence[str], soon: datetime) -> Iterator[tuple[str, Shortage]]:
    view = CAPACITY.view.c
    query = select(view.service, view.shortfall_on, view.order_by, view.short_since)
    rows = connection.execute(
        query.where(view.order_by <= soon.date(), view.service.in_(services)).order_by(view.service)
    )
    for row in rows:
        yield row.service, Shortage(row.shortfall_on, row.order_by, row.short_since)


def _actions(connection: Connection, services: Sequence[str], asker: Asker) -> Iterator[tuple[str, OpenAction]]:
    view = FACTS_ACTIONS.view
    whose = _owns(view, asker.person) if asker.person else view.c.service.in_(services)
    for row in connection.execute(select(view).where(whose).order_by(view.c.action)).mappings():
        fields = {name: row[name] for name in OpenAction.__dataclass_fields__ if name != "since"}
        yield row["service"], OpenAction(**fields, since=row["at"])


def _engaged(connection: Connection, teams: Sequence[str]) -> dict[str, Pair]:
    view = ENGAGEMENTS.view.c
    ours = or_(view.sre_team.in_(teams), view.dev_team.in_(teams))
    return _pairs(connection, and_(ours, view.standing.in_(_GOING_ON)))


def _pairs(connection: Connection, wanted: ColumnElement[bool]) -> dict[str, Pair]:
    view = ENGAGEMENTS.view.c
    query = select(view.engagement, view.dev_team, view.sre_team, view.services).where(wanted)
    rows = connection.execute(query.order_by(view.engagement))
    return {row.engagement: Pair(row.engagement, row.dev_team, row.sre_team, tuple(row.services)) for row in rows}


def _items(connection: Connection, engagements: Sequence[str], person: str) -> Iterator[tuple[str, OpenItem]]:
    view = ENGAGEMENT_ITEMS.view
    whose = or_(view.c.engagement.in_(engagements), _owns(view, person))
    for row in connection.execute(select(view).where(view.c.goes_on, whose).order_by(view.c.place)).mappings():
        names = OpenItem.__dataclass_fields__.keys() - {"since", "services"}
        fields = {name: row[name] for name in names}
        yield row["engagement"], OpenItem(**fields, services=tuple(row["services"]), since=row["moved_at"])


def _drafts(connection: Connection, engagements: Sequence[str]) -> Iterator[tuple[str, Draft]]:
    view = GATHERINGS.view
    query = select(view).where(~view.c.held, view.c.engagement.in_(engagements)).order_by(view.c.gathering)
    for row in connection.execute(query).mappings():
        fields = {name: row[name] for name in Draft.__dataclass_fields__ if name != "since"}
        yield row["engagement"], Draft(**fields, since=row["drafted_at"])


def _reviews(connection: Connection, services: Sequence[str], person: str, soon: datetime) -> Iterator[OpenReview]:
    view = READINESS_REVIEWS.view
    known = set(services)
    whose: list[ColumnElement[bool]] = [view.c.service.in_(services)]
    if person:
        whose += [view.c[name].contains(f"|{person}|", autoescape=True) for name in ("reviewers", "owners")]
    rows = connection.execute(select(view).where(or_(*whose)).order_by(view.c.number)).mappings().all()
    newest = {row["service"]: row["review"] for row in rows if row["state"] != "withdrawn"}
    for row in rows:
        outdated = row["service"] not in known or newest.get(row["service"]) != row["review"]
        if row["state"] in _UNDER_WAY or (row["state"] in _DECIDED and _asks(row, soon)):
            yield OpenReview(row["review"], row["service"], outdated)


def _asks(row: Any, soon: datetime) -> bool:  # noqa: ANN401  a row of any projection is untyped
    """Whether a decided review still asks something of somebody."""
    if row["state"] == "expired":
        return True
    findings = cast("dict[str, dict[str, Any]]", row["findings"]).values()
    return (
        bool(row["conditions"])
        or row["follow_up"] != "continuous"
        or row["expires_at"] <= soon
        or any(each["state"] not in _SETTLED for each in findings)
    )


def _owns(view: Table, person: str) -> ColumnElement[bool]:
    return view.c.owner == person if person else false()
