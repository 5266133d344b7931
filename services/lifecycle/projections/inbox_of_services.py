"""What the read models say of services that may wait: moves, risks, waivers, roll-outs, capacity, postmortems."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Connection, and_, bindparam, not_, or_, select

from services.lifecycle.domain.inbox.of_services import AtRisk, OpenAction, OpenRisk, Owned, PostmortemDue, Shortage
from services.lifecycle.domain.risk_register.state import budget_of
from services.lifecycle.domain.service.events import TransitionRequested
from services.lifecycle.domain.waiver.decider import Approved, Requested
from services.lifecycle.projections.capacity import CAPACITY
from services.lifecycle.projections.facts_lessons import FACTS_ACTIONS
from services.lifecycle.projections.inbox_asking import OF_TEAMS, PERSON, SOON, THEIRS, THEIRS_TO_DO
from services.lifecycle.projections.inbox_found import Asker, PlannedRollout, Terms
from services.lifecycle.projections.phase_risks import PHASE_RISKS, item_of
from services.lifecycle.projections.postmortem_duties import POSTMORTEM_DUTIES
from services.lifecycle.projections.risks import RISKS
from services.lifecycle.projections.rollouts import ROLLOUTS
from services.lifecycle.projections.services import SERVICES
from services.lifecycle.projections.slo_targets import strictest
from services.lifecycle.projections.waivers import WAIVERS, waiver_of

_S: Final = SERVICES.view.c
_ABOUT: Final = select(_S.name, _S.owner_team, _S.sre_team, _S.tier)
_SERVICES: Final = _ABOUT.add_columns(_S.pending).where(OF_TEAMS).order_by(_S.name)
_STRANGE: Final = _ABOUT.where(_S.name.in_(bindparam("names", expanding=True)))


def services(
    connection: Connection, whose: dict[str, object]
) -> tuple[dict[str, Owned], tuple[TransitionRequested, ...]]:
    """The services of the teams that ask, and the moves of these that wait for approval."""
    rows = connection.execute(_SERVICES, whose).all()
    services = {name: Owned(name, owner_team, sre_team, tier) for name, owner_team, sre_team, tier, _ in rows}
    return services, tuple(msgspec.convert(pending, TransitionRequested) for *_, pending in rows if pending)


def owned(connection: Connection, services: Collection[str]) -> dict[str, Owned]:
    """Who answers for services of other teams."""
    rows = connection.execute(_STRANGE, {"names": list(services)}) if services else ()
    return {row[0]: Owned(*row) for row in rows}


_P: Final = PHASE_RISKS.view.c
_AT_RISK: Final = select(PHASE_RISKS.view).where(_P.state == "open", _P.service.in_(THEIRS)).order_by(_P.item)


def at_risk(connection: Connection, whose: dict[str, object]) -> Iterator[tuple[str, AtRisk]]:
    """What services lack in their phase."""
    for row in connection.execute(_AT_RISK, whose).mappings():
        newest = item_of(row).newest
        lacks = (*newest.lacks, *newest.reasons)
        if lacks:
            yield row["service"], AtRisk(row["item"], newest.phase, lacks, row["opened_at"])


_W: Final = WAIVERS.view.c
_WAIVERS: Final = (
    select(WAIVERS.view)
    .where(or_(_W.state == "requested", and_(_W.state == "approved", _W.expires_at <= SOON)))
    .order_by(_W.waiver)
)


def waivers(
    connection: Connection, services: Collection[str], person: str, soon: datetime
) -> Iterator[Requested | Approved]:
    """Waivers that are asked for, or end soon, of *services* or for whose risk *person* answers."""
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
        or_(_R.state.in_(("proposed", "assessed", "mitigating")), and_(_R.state == "accepted", _R.until <= SOON)),
        or_(_R.service.in_(THEIRS_TO_DO), _R.owner == PERSON),
    )
    .order_by(_R.risk)
)


def risks(
    connection: Connection, whose: dict[str, object], at: datetime, terms: Terms
) -> Iterator[tuple[str, OpenRisk]]:
    """Risks that their team or the person has to see to."""
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
    .where(_O.state == "planned", _O.service.in_(THEIRS))
    .order_by(_O.rollout)
)


def rollouts(connection: Connection, whose: dict[str, object]) -> Iterator[PlannedRollout]:
    """Roll-outs that nobody has reviewed."""
    for rollout, service, plan, planned_at in connection.execute(_ROLLOUTS, whose):
        yield PlannedRollout(rollout, service, plan["version"], plan["by"], planned_at)


_C: Final = CAPACITY.view.c
_SHORTAGES: Final = (
    select(_C.service, _C.shortfall_on, _C.order_by, _C.short_since)
    .where(_C.order_by <= SOON, _C.service.in_(THEIRS))
    .order_by(_C.service)
)


def shortages(connection: Connection, whose: dict[str, object], soon: datetime) -> Iterator[tuple[str, Shortage]]:
    """Services for which more is to be ordered soon."""
    for service, *told in connection.execute(_SHORTAGES, whose | {"soon": soon.date()}):
        yield service, Shortage(*told)


_A: Final = FACTS_ACTIONS.view.c
_ACTIONS_OWNED: Final = select(FACTS_ACTIONS.view).where(_A.owner == PERSON).order_by(_A.action)
_ACTIONS_OF_TEAMS: Final = select(FACTS_ACTIONS.view).where(_A.service.in_(THEIRS)).order_by(_A.action)


def actions(connection: Connection, whose: dict[str, object], asker: Asker) -> Iterator[tuple[str, OpenAction]]:
    """What postmortems led to: what the person owns, or what is open in services of the team."""
    query = _ACTIONS_OWNED if asker.person else _ACTIONS_OF_TEAMS
    for row in connection.execute(query, whose).mappings():
        fields = {name: row[name] for name in OpenAction.__dataclass_fields__ if name != "since"}
        yield row["service"], OpenAction(**fields, since=row["at"])


_M: Final = POSTMORTEM_DUTIES.view.c
_POSTMORTEMS: Final = (
    select(_M.service, *(_M[name] for name in PostmortemDue.__dataclass_fields__))
    .where(_M.service.in_(THEIRS), _M.required, not_(_M.published))
    .order_by(_M.incident)
)


def postmortems(connection: Connection, whose: dict[str, object]) -> Iterator[tuple[str, PostmortemDue]]:
    """Postmortems that are owed."""
    for service, *told in connection.execute(_POSTMORTEMS, whose):
        yield service, PostmortemDue(*told)
