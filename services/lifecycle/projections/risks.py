"""Every risk, and what a gate asks of a service's risks."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Column, Connection, Date, Float, Select, Text, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.risk_register.arithmetic import Took
from services.lifecycle.domain.risk_register.events import (
    AcceptanceEnded,
    Event,
    MitigationBegun,
    RiskAccepted,
    RiskAssessed,
    RiskEliminated,
    RiskProposed,
    RiskRealised,
    RiskState,
    RiskTransferred,
)
from services.lifecycle.domain.risk_register.facts import RiskFact, RiskFacts
from services.lifecycle.projections.by_service import ByService
from services.lifecycle.projections.incident_times import times_of_incident
from services.lifecycle.projections.slo_targets import strictest_of


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("risk", Text, primary_key=True),
        Column("service", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("bad_minutes", Float),  # a year
        Column("since", Instant(), nullable=False),  # when it came into its state
        Column("proposed_by", Text, nullable=False),
        Column("owner", Text, nullable=False),  # who mitigates it, or accepted it; empty when nobody does
        Column("due", Date),  # of a mitigation
        Column("until", Instant()),  # of an acceptance
        Column("proposed_at", Instant(), nullable=False),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: Event, _: Recorded) -> Sequence[Key]:
    return ((event.risk,),)


def _proposed(_: Row | None, event: RiskProposed, recorded: Recorded, __: Key) -> Row:
    return {
        "risk": event.risk,
        "service": event.service,
        "title": event.title,
        "bad_minutes": None,
        **_in_state("proposed", event.at),
        "proposed_by": event.by,
        "proposed_at": event.at,
        "recorded_at": recorded.recorded_at,
    }


def _known(change: Callable[[Row, Any], Row]) -> Fold:
    def apply(row: Row | None, event: Event, _: Recorded, __: Key) -> Row | None:
        return row and row | change(row, event)

    return Fold(_keys, apply)


def _assessed(row: Row, event: RiskAssessed) -> Row:
    changes: Row = {"bad_minutes": event.bad_minutes}
    return changes if row["state"] == "accepted" else changes | _in_state("assessed", event.at)


def _realised(row: Row, event: RiskRealised) -> Row:
    return _in_state("proposed", event.at) if row["state"] in {"eliminated", "transferred"} else {}


def _accepted(_: Row, event: RiskAccepted) -> Row:
    return _in_state("accepted", event.at) | {"owner": event.by, "until": event.until}


def _mitigating(_: Row, event: MitigationBegun) -> Row:
    return _in_state("mitigating", event.at) | {"owner": event.owner, "due": event.due}


def _is(state: RiskState) -> Fold:
    return _known(lambda _, event: _in_state(state, event.at))


def _in_state(state: RiskState, at: datetime) -> Row:
    return {"state": state, "since": at, "owner": "", "due": None, "until": None}


RISKS: Final = Projection(
    name="risks",
    columns=_columns,
    events=CONTRACT,
    folds={
        RiskProposed: Fold(_keys, _proposed),
        RiskAssessed: _known(_assessed),
        RiskAccepted: _known(_accepted),
        AcceptanceEnded: _is("assessed"),
        MitigationBegun: _known(_mitigating),
        RiskEliminated: _is("eliminated"),
        RiskTransferred: _is("transferred"),
        RiskRealised: _known(_realised),
    },
    indexes=(("service",), ("state",), ("owner",)),
    sources=("lifecycle",),
)
_VIEW = RISKS.view
_MINUTE: Final = timedelta(minutes=1)


def risks(services: Sequence[str], states: Sequence[str], as_of: datetime | None) -> Select[Any]:
    """The risks of any of *services*, in any of *states*; with *as_of* those there were, in whichever state."""
    query = select(_VIEW)
    if services:
        query = query.where(_VIEW.c.service.in_(services))
    if as_of:
        return query.where(_VIEW.c.recorded_at <= as_of)
    return query.where(_VIEW.c.state.in_(states)) if states else query


def took_of(connection: Connection, incident: str) -> Took:
    """How long *incident* took, as far as its own times tell."""
    times = times_of_incident(connection, incident)
    if times is None:
        return Took(None, None)
    well = times.mitigated or times.resolved
    ttr = (well - times.detected) / _MINUTE if well else None
    return Took((times.detected - times.impact_started) / _MINUTE, ttr)


_REGISTERED: Final = ByService.of(
    select(_VIEW.c.service, _VIEW.c.risk, _VIEW.c.title, _VIEW.c.state, _VIEW.c.bad_minutes).order_by(_VIEW.c.risk),
    _VIEW.c.service,
)
_OVER: Final = ("eliminated", "transferred")


def risks_of(connection: Connection, service: str) -> RiskFacts:
    """The risks of *service* that somebody has still to bear, and the SLO they are counted against."""
    return risks_by_service(connection, service).get(service) or RiskFacts((), strictest_of(connection, service))


def risks_by_service(connection: Connection, *services: str) -> dict[str, RiskFacts]:
    """`risks_of` each of *services* that ever named a risk, of all when none is named."""
    found: dict[str, list[RiskFact]] = {}
    for row in _REGISTERED.rows(connection, services):
        borne = found.setdefault(row["service"], [])
        if row["state"] not in _OVER:
            borne.append(RiskFact(row["risk"], row["title"], row["state"], row["bad_minutes"]))
    return {service: RiskFacts(tuple(borne), strictest_of(connection, service)) for service, borne in found.items()}
