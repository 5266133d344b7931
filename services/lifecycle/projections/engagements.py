"""All engagements, by team, standing and service; each is read whole from its own stream."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Column, Connection, Select, Text, or_, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.engagement.events import (
    BreachAnswered,
    BreachClosed,
    EngagementAccepted,
    EngagementActivated,
    EngagementDeclined,
    EngagementEnded,
    EngagementFact,
    EngagementRequested,
    EngagementTeamChanged,
    GroundRuleBreached,
    HandbackGivenUp,
    HandbackStarted,
    HandedBack,
    ModelChanged,
    ServiceJoined,
    ServiceLeft,
)
from services.lifecycle.domain.engagement.state import Standing


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("engagement", Text, primary_key=True),
        Column("sre_team", Text, nullable=False),
        Column("dev_team", Text, nullable=False),
        Column("services", Json(), nullable=False),
        Column("model", Text, nullable=False),
        Column("standing", Text, nullable=False),
        Column("since", Instant(), nullable=False),
        Column("breaches", Json(), nullable=False),  # that nobody has answered: whose rule each is of
        Column("breach_owners", Text, nullable=False),  # |ana|sre-pay|
        Column("requested_at", Instant(), nullable=False),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: EngagementFact, _: Recorded) -> Sequence[Key]:
    return ((event.engagement,),)


def _requested(_: Row | None, event: EngagementRequested, recorded: Recorded, __: Key) -> Row:
    return {
        "engagement": event.engagement,
        "sre_team": event.sre_team,
        "dev_team": event.dev_team,
        "services": list(event.services),
        "model": event.model,
        "standing": "requested",
        "since": event.at,
        "breaches": {},
        "breach_owners": "||",
        "requested_at": event.at,
        "recorded_at": recorded.recorded_at,
    }


_STANDINGS: Final[dict[type[EngagementFact], Standing]] = {
    EngagementAccepted: "accepted",
    EngagementDeclined: "declined",
    EngagementActivated: "active",
    ModelChanged: "active",
    HandbackStarted: "handback_pending",
    HandbackGivenUp: "active",
    HandedBack: "handed_back",
    EngagementEnded: "disengaged",
}


def _moved(row: Row | None, event: EngagementFact, _: Recorded, __: Key) -> Row | None:
    model = row and row["model"]
    if isinstance(event, EngagementActivated):
        model = event.model
    elif isinstance(event, ModelChanged):
        model = event.to_model
    return row and row | {"standing": _STANDINGS[type(event)], "since": event.at, "model": model}


def _joined(row: Row | None, event: ServiceJoined, _: Recorded, __: Key) -> Row | None:
    return row and row | {"services": [*row["services"], event.service]}


def _left(row: Row | None, event: ServiceLeft, _: Recorded, __: Key) -> Row | None:
    return row and row | {"services": [each for each in row["services"] if each != event.service]}


def _team_changed(row: Row | None, event: EngagementTeamChanged, _: Recorded, __: Key) -> Row | None:
    return row and row | {f"{event.side}_team": event.to_team}


def _breached(row: Row | None, event: GroundRuleBreached, _: Recorded, __: Key) -> Row | None:
    return row and row | _open_breaches({**row["breaches"], event.breach: event.owner})


def _answered(row: Row | None, event: BreachAnswered | BreachClosed, _: Recorded, __: Key) -> Row | None:
    return row and row | _open_breaches({key: owner for key, owner in row["breaches"].items() if key != event.breach})


def _open_breaches(owners: dict[str, str]) -> Row:
    return {"breaches": owners, "breach_owners": f"|{'|'.join(dict.fromkeys(owners.values()))}|"}


ENGAGEMENTS: Final = Projection(
    name="engagements",
    columns=_columns,
    events=CONTRACT,
    folds={
        EngagementRequested: Fold(_keys, _requested),
        ServiceJoined: Fold(_keys, _joined),
        ServiceLeft: Fold(_keys, _left),
        EngagementTeamChanged: Fold(_keys, _team_changed),
        GroundRuleBreached: Fold(_keys, _breached),
        BreachAnswered: Fold(_keys, _answered),
        BreachClosed: Fold(_keys, _answered),
        **{event: Fold(_keys, _moved) for event in _STANDINGS},
    },
    indexes=(("sre_team",), ("dev_team",), ("standing",)),
    sources=("lifecycle",),
)


def _served_keys(event: EngagementRequested | ServiceJoined | ServiceLeft, _: Recorded) -> Sequence[Key]:
    services = event.services if isinstance(event, EngagementRequested) else (event.service,)
    return tuple((event.engagement, service) for service in services)


def _served(_: Row | None, __: EngagementRequested | ServiceJoined, ___: Recorded, key: Key) -> Row:
    return {"engagement": key[0], "service": key[1]}


def _served_no_more(_: Row | None, __: ServiceLeft, ___: Recorded, ____: Key) -> None:
    return None


ENGAGED_SERVICES: Final = Projection(
    name="engaged_services",
    columns=lambda: (Column("engagement", Text, primary_key=True), Column("service", Text, primary_key=True)),
    events=CONTRACT,
    folds={
        EngagementRequested: Fold(_served_keys, _served),
        ServiceJoined: Fold(_served_keys, _served),
        ServiceLeft: Fold(_served_keys, _served_no_more),
    },
    indexes=(("service",),),
    sources=("lifecycle",),
)


def open_engagements_of(connection: Connection, team: str) -> list[str]:
    """The engagements of *team*, on either side, that may still go on, by id."""
    view = ENGAGEMENTS.view.c
    query = select(view.engagement).where(
        or_(view.sre_team == team, view.dev_team == team), view.standing.not_in(("declined", "disengaged"))
    )
    return list(connection.execute(query.order_by(view.engagement)).scalars())


def engagements(
    sre_team: Sequence[str], dev_team: Sequence[str], standings: Sequence[Standing], services: Sequence[str]
) -> Select[Any]:
    """The engagements of any of these; an empty list takes all."""
    view = ENGAGEMENTS.view.c
    query = select(ENGAGEMENTS.view)
    for column, wanted in ((view.sre_team, sre_team), (view.dev_team, dev_team), (view.standing, standings)):
        if wanted:
            query = query.where(column.in_(wanted))
    if services:
        served = ENGAGED_SERVICES.view.c
        query = query.where(view.engagement.in_(select(served.engagement).where(served.service.in_(services))))
    return query
