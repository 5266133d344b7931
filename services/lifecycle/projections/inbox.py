"""What the read models say of all that may wait for a person, or for a team: a bounded question to each of them."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime
from typing import Any, Final, cast

import msgspec
from sqlalchemy import Connection, Select, Text, and_, bindparam, or_, select

from services.lifecycle.domain.inbox.of_engagements import Draft, OpenItem, Pair
from services.lifecycle.domain.inbox.of_incidents import Asked
from services.lifecycle.domain.inbox.of_services import AtRisk, OpenAction, OpenRisk, Owned, PostmortemDue, Shortage
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.risk_register.state import budget_of
from services.lifecycle.domain.service.events import TransitionRequested
from services.lifecycle.domain.team.decider import Registered
from services.lifecycle.domain.team.structure import Structure
from services.lifecycle.domain.waiver.decider import Approved, Requested
from services.lifecycle.projections.asked_by_incidents import ASKED_BY_INCIDENTS, asked_in
from services.lifecycle.projections.capacity import CAPACITY
from services.lifecycle.projections.design_work import DESIGN_WORK, WAITS, Kind
from services.lifecycle.projections.engagement_items import ENGAGEMENT_ITEMS
from services.lifecycle.projections.engagements import ENGAGEMENTS
from services.lifecycle.projections.facts_lessons import FACTS_ACTIONS
from services.lifecycle.projections.gatherings import GATHERINGS
from services.lifecycle.projections.inbox_found import Asker, Found, OpenReview, PlannedRollout, Terms
from services.lifecycle.projections.phase_risks import PHASE_RISKS, item_of
from services.lifecycle.projections.postmortem_duties import POSTMORTEM_DUTIES
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
    POSTMORTEM_DUTIES,
    ASKED_BY_INCIDENTS,
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


_S: Final = SERVICES.view.c
_TEAMS: Final = bindparam("teams", expanding=True)
_PERSON: Final = bindparam("person", type_=Text)  # null: a team asks, and no person is meant
_NAMED: Final = bindparam("named", type_=Text)  # how the person stands in a list of people; null as above
_SOON: Final = bindparam("soon")
_ENGAGEMENTS: Final = bindparam("engagements", expanding=True)
_OF_TEAMS: Final = and_(or_(_S.owner_team.in_(_TEAMS), _S.sre_team.in_(_TEAMS)), _S.phase != Phase.UNSUPPORTED.value)
_THEIRS: Final = select(_S.name).where(_OF_TEAMS)
"""The services of the teams that ask. All statements are made once: making one takes longer than asking it."""


def teams_of(connection: Connection, person: str) -> frozenset[str]:
    """The teams that name *person*."""
    return frozenset(connection.scalars(_TEAMS_NAMING, {"named": _named(person)}))


def waiting_at(connection: Connection, asker: Asker, terms: Terms, at: datetime) -> Found:
    """All that may wait for *asker* at *at*."""
    own = tuple(_own(connection, asker))
    mine = [team.team for team in own]
    whose: dict[str, object] = {
        "teams": mine,
        "person": asker.person or None,
        "named": _named(asker.person) if asker.person else None,
    }
    services, moving = _services(connection, whose)
    waivers = tuple(_waivers(connection, services, asker.person, at + terms.inbox.waiver_ends_days.days))
    risks = tuple(_risks(connection, whose, at, terms))
    actions = tuple(_actions(connection, whose, asker))
    reviews = tuple(_reviews(connection, services, whose, at + terms.reviews.expires_soon.span))
    designs = tuple(_designs(connection, whose, reads=any(team.kind == "sre" for team in own)))
    asked = tuple(_asked(connection, whose, at - terms.inbox.handover_days.days))
    pairs = _pairs(connection, _ENGAGED, whose)
    engaged = tuple(name for name, pair in pairs.items() if pair.dev_team in mine or pair.sre_team in mine)
    items = tuple(_items(connection, engaged, whose))
    strange = {engagement for engagement, _ in items} - set(pairs)
    about = {waiver.request.service for waiver in waivers} | {service for service, _ in (*risks, *actions)}
    about |= {each.service for each in reviews} | {service for _, _, service in designs}
    about |= {service for service, _ in asked if service}
    services |= _owned(connection, about - set(services))
    looked_at = tuple(pairs)
    pairs |= _pairs(connection, _BY_ID, {"engagements": list(strange)}) if strange else {}
    named = {team for each in services.values() for team in (each.owner_team, each.sre_team)}
    named |= {team for pair in pairs.values() for team in (pair.dev_team, pair.sre_team)}
    return Found(
        own=own,
        teams=_structures(connection, named - set(mine)) | {team.team: team.structure for team in own},
        services=services,
        moving=moving,
        at_risk=tuple(_at_risk(connection, whose)),
        waivers=waivers,
        risks=risks,
        rollouts=tuple(_rollouts(connection, whose)),
        shortages=tuple(_shortages(connection, whose, at + terms.inbox.order_days.days)),
        actions=actions,
        postmortems=tuple(_postmortems(connection, whose)),
        pairs=pairs,
        engaged=looked_at,
        items=items,
        drafts=tuple(_drafts(connection, engaged)),
        reviews=reviews,
        designs=designs,
        asked=asked,
    )


def _named(person: str) -> str:
    """The pattern of a list of people that has *person* in it."""
    return f"%|{person.replace('/', '//').replace('%', '/%').replace('_', '/_')}|%"


_T: Final = TEAMS.view.c
_LIVING: Final = select(TEAMS.view).where(~_T.ended)
_OWN: Final = _LIVING.where(or_(_T.name == bindparam("team"), _T.people.like(_NAMED, escape="/")))
_OWN_OR_NOBODYS: Final = _LIVING.where(
    or_(_T.name == bindparam("team"), _T.people.like(_NAMED, escape="/"), _T.people == _NOBODY)
)
_TEAMS_NAMING: Final = select(_T.name).where(~_T.ended, _T.people.like(_NAMED, escape="/"))
_STRUCTURES: Final = select(_T.name, _T.structure).where(_T.name.in_(bindparam("names", expanding=True)))


def _own(connection: Connection, asker: Asker) -> Iterator[Registered]:
    asked = {"team": asker.team, "named": _named(asker.person) if asker.person else None}
    for row in connection.execute(_OWN_OR_NOBODYS if asker.unclaimed else _OWN, asked).mappings():
        team = team_in(row)
        if isinstance(team, Registered):
            yield team


def _structures(connection: Connection, teams: Collection[str]) -> dict[str, Structure]:
    rows = connection.execute(_STRUCTURES, {"names": list(teams)}) if teams else ()
    return {name: msgspec.convert(structure, Structure) for name, structure in rows}


_ABOUT: Final = select(_S.name, _S.owner_team, _S.sre_team, _S.tier)
_SERVICES: Final = _ABOUT.add_columns(_S.pending).where(_OF_TEAMS).order_by(_S.name)
_STRANGE: Final = _ABOUT.where(_S.name.in_(bindparam("names", expanding=True)))


def _services(
    connection: Connection, whose: dict[str, object]
) -> tuple[dict[str, Owned], tuple[TransitionRequested, ...]]:
    rows = connection.execute(_SERVICES, whose).all()
    services = {name: Owned(name, owner_team, sre_team, tier) for name, owner_team, sre_team, tier, _ in rows}
    return services, tuple(msgspec.convert(pending, TransitionRequested) for *_, pending in rows if pending)


def _owned(connection: Connection, services: Collection[str]) -> dict[str, Owned]:
    rows = connection.execute(_STRANGE, {"names": list(services)}) if services else ()
    return {row[0]: Owned(*row) for row in rows}


_P: Final = PHASE_RISKS.view.c
_AT_RISK: Final = select(PHASE_RISKS.view).where(_P.state == "open", _P.service.in_(_THEIRS)).order_by(_P.item)


def _at_risk(connection: Connection, whose: dict[str, object]) -> Iterator[tuple[str, AtRisk]]:
    for row in connection.execute(_AT_RISK, whose).mappings():
        newest = item_of(row).newest
        lacks = (*newest.lacks, *newest.reasons)
        if lacks:
            yield row["service"], AtRisk(row["item"], newest.phase, lacks, row["opened_at"])


_W: Final = WAIVERS.view.c
_WAIVERS: Final = (
    select(WAIVERS.view)
    .where(or_(_W.state == "requested", and_(_W.state == "approved", _W.expires_at <= _SOON)))
    .order_by(_W.waiver)
)


def _waivers(
    connection: Connection, services: Collection[str], person: str, soon: datetime
) -> Iterator[Requested | Approved]:
    for row in connection.execute(_WAIVERS, {"soon": soon}).mappings():
        if row["service"] not in services and (row["state"] == "requested" or not person):
            continue
        waiver = waiver_of(row)
        if isinstance(waiver, Requested | Approved) and (
            row["service"] in services or waiver.request.risk_owner == person
        ):
            yield waiver


_R: Final = RISKS.view.c
_RISK_FIELDS: Final = tuple(name for name in OpenRisk.__dataclass_fields__ if name != "too_big")
_RISKS: Final = (
    select(_R.service, _R.bad_minutes, *(_R[name] for name in _RISK_FIELDS))
    .where(
        or_(_R.state.in_(("proposed", "assessed", "mitigating")), and_(_R.state == "accepted", _R.until <= _SOON)),
        or_(_R.service.in_(_THEIRS), _R.owner == _PERSON),
    )
    .order_by(_R.risk)
)


def _risks(
    connection: Connection, whose: dict[str, object], at: datetime, terms: Terms
) -> Iterator[tuple[str, OpenRisk]]:
    rows = connection.execute(_RISKS, whose | {"soon": at + terms.inbox.acceptance_ends_days.days}).all()
    assessed = sorted({row.service for row in rows if row.state == "assessed"})
    promises = strictest(connection, assessed) if assessed else {}
    for service, bad, *told in map(tuple, rows):
        promise = promises.get(service)
        cap = budget_of((), promise, terms.risks).cap if promise else None
        too_big = cap is not None and bad is not None and bad > cap
        yield service, OpenRisk(**dict(zip(_RISK_FIELDS, told, strict=True)), too_big=too_big)


_O: Final = ROLLOUTS.view.c
_ROLLOUTS: Final = (
    select(_O.rollout, _O.service, _O.plan, _O.planned_at)
    .where(_O.state == "planned", _O.service.in_(_THEIRS))
    .order_by(_O.rollout)
)


def _rollouts(connection: Connection, whose: dict[str, object]) -> Iterator[PlannedRollout]:
    for rollout, service, plan, planned_at in connection.execute(_ROLLOUTS, whose):
        yield PlannedRollout(rollout, service, plan["version"], plan["by"], planned_at)


_C: Final = CAPACITY.view.c
_SHORTAGES: Final = (
    select(_C.service, _C.shortfall_on, _C.order_by, _C.short_since)
    .where(_C.order_by <= _SOON, _C.service.in_(_THEIRS))
    .order_by(_C.service)
)


def _shortages(connection: Connection, whose: dict[str, object], soon: datetime) -> Iterator[tuple[str, Shortage]]:
    for service, *told in connection.execute(_SHORTAGES, whose | {"soon": soon.date()}):
        yield service, Shortage(*told)


_A: Final = FACTS_ACTIONS.view.c
_ACTIONS_OWNED: Final = select(FACTS_ACTIONS.view).where(_A.owner == _PERSON).order_by(_A.action)
_ACTIONS_OF_TEAMS: Final = select(FACTS_ACTIONS.view).where(_A.service.in_(_THEIRS)).order_by(_A.action)


def _actions(connection: Connection, whose: dict[str, object], asker: Asker) -> Iterator[tuple[str, OpenAction]]:
    query = _ACTIONS_OWNED if asker.person else _ACTIONS_OF_TEAMS
    for row in connection.execute(query, whose).mappings():
        fields = {name: row[name] for name in OpenAction.__dataclass_fields__ if name != "since"}
        yield row["service"], OpenAction(**fields, since=row["at"])


_M: Final = POSTMORTEM_DUTIES.view.c
_POSTMORTEMS: Final = (
    select(_M.service, *(_M[name] for name in PostmortemDue.__dataclass_fields__))
    .where(_M.service.in_(_THEIRS))
    .order_by(_M.incident)
)


def _postmortems(connection: Connection, whose: dict[str, object]) -> Iterator[tuple[str, PostmortemDue]]:
    for service, *told in connection.execute(_POSTMORTEMS, whose):
        yield service, PostmortemDue(*told)


_Q: Final = ASKED_BY_INCIDENTS.view.c
_ASKED: Final = (
    select(_Q.kind, _Q.service, _Q.detail)
    .where(
        or_(_Q.service.in_(_THEIRS), _Q.people.like(_NAMED, escape="/")),
        or_(_Q.kind != "handover", _Q.since > bindparam("lately")),
    )
    .order_by(_Q.id)
)


def _asked(connection: Connection, whose: dict[str, object], lately: datetime) -> Iterator[tuple[str, Asked]]:
    for kind, service, detail in connection.execute(_ASKED, whose | {"lately": lately}):
        for each in asked_in(kind, detail):
            yield service, each


_E: Final = ENGAGEMENTS.view.c
_PAIRS: Final = select(_E.engagement, _E.dev_team, _E.sre_team, _E.services).order_by(_E.engagement)
_ENGAGED: Final = _PAIRS.where(
    _E.standing.in_(_GOING_ON),
    or_(_E.sre_team.in_(_TEAMS), _E.dev_team.in_(_TEAMS), _E.breach_owners.like(_NAMED, escape="/")),
)
_BY_ID: Final = _PAIRS.where(_E.engagement.in_(_ENGAGEMENTS))


def _pairs(connection: Connection, query: Select[*tuple[Any, ...]], asked: dict[str, object]) -> dict[str, Pair]:
    rows = connection.execute(query, asked)
    return {
        name: Pair(name, dev_team, sre_team, tuple(services)) for name, dev_team, sre_team, services in map(tuple, rows)
    }


_I: Final = ENGAGEMENT_ITEMS.view.c
_ITEMS: Final = (
    select(ENGAGEMENT_ITEMS.view)
    .where(_I.goes_on, or_(_I.engagement.in_(_ENGAGEMENTS), _I.owner == _PERSON))
    .order_by(_I.place)
)


def _items(
    connection: Connection, engagements: Sequence[str], whose: dict[str, object]
) -> Iterator[tuple[str, OpenItem]]:
    for row in connection.execute(_ITEMS, whose | {"engagements": engagements}).mappings():
        names = OpenItem.__dataclass_fields__.keys() - {"since", "services"}
        fields = {name: row[name] for name in names}
        yield row["engagement"], OpenItem(**fields, services=tuple(row["services"]), since=row["moved_at"])


_G: Final = GATHERINGS.view.c
_DRAFTS: Final = select(GATHERINGS.view).where(~_G.held, _G.engagement.in_(_ENGAGEMENTS)).order_by(_G.gathering)


def _drafts(connection: Connection, engagements: Sequence[str]) -> Iterator[tuple[str, Draft]]:
    for row in connection.execute(_DRAFTS, {"engagements": engagements}).mappings() if engagements else ():
        fields = {name: row[name] for name in Draft.__dataclass_fields__ if name != "since"}
        yield row["engagement"], Draft(**fields, since=row["drafted_at"])


_D: Final = DESIGN_WORK.view.c
_DESIGNS: Final = select(_D.kind, _D.id, _D.service).where(
    WAITS, or_(_D.service.in_(_THEIRS), _D.people.like(_NAMED, escape="/"))
)
_UNREAD: Final = select(_D.kind, _D.id, _D.service).where(
    _D.kind == "design_review", _D.state == "in_review", _D.service.in_(select(_S.name).where(_S.sre_team == ""))
)


def _designs(connection: Connection, whose: dict[str, object], *, reads: bool) -> list[tuple[Kind, str, str]]:
    """What of designs, architecture and launches may wait; for SREs (*reads*) also designs that have no SRE team."""
    found = {(kind, name, service) for kind, name, service in connection.execute(_DESIGNS, whose)}
    if reads:
        found |= {(kind, name, service) for kind, name, service in connection.execute(_UNREAD)}
    return sorted(found)


_V: Final = READINESS_REVIEWS.view.c
_REVIEWS: Final = (
    select(READINESS_REVIEWS.view)
    .where(
        or_(
            _V.service.in_(_THEIRS),
            _V.reviewers.like(_NAMED, escape="/"),
            _V.owners.like(_NAMED, escape="/"),
        )
    )
    .order_by(_V.number)
)


def _reviews(
    connection: Connection, known: Collection[str], whose: dict[str, object], soon: datetime
) -> Iterator[OpenReview]:
    rows = connection.execute(_REVIEWS, whose).mappings().all()
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
