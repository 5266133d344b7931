"""All waivers, by service and check."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from msgspec import convert, to_builtins
from sqlalchemy import Column, Connection, RowMapping, Text, bindparam, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.facts import InForce
from services.lifecycle.domain.waiver.decider import Approved, Over, Requested
from services.lifecycle.domain.waiver.events import (
    Event,
    WaiverApproved,
    WaiverExpired,
    WaiverRenewed,
    WaiverRequested,
    WaiverRevoked,
)
from services.lifecycle.projections.by_service import ByService


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("waiver", Text, primary_key=True),
        Column("service", Text, nullable=False),
        Column("check", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("expires_at", Instant(), nullable=False),
        Column("request", Json(), nullable=False),  # the events, as the stream has them
        Column("approval", Json()),
        Column("renewals", Json(), nullable=False),
        Column("end", Json()),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: Event, _: Recorded) -> Sequence[Key]:
    return ((event.waiver,),)


def _requested(_: Row | None, event: WaiverRequested, recorded: Recorded, __: Key) -> Row:
    return {
        "waiver": event.waiver,
        "service": event.service,
        "check": event.check,
        "state": "requested",
        "expires_at": event.expires_at,
        "request": to_builtins(event),
        "approval": None,
        "renewals": [],
        "end": None,
        "recorded_at": recorded.recorded_at,
    }


def _approved(row: Row | None, event: WaiverApproved, _: Recorded, __: Key) -> Row | None:
    told = {"state": "approved", "expires_at": event.expires_at, "approval": to_builtins(event)}
    return row and row | told


def _renewed(row: Row | None, event: WaiverRenewed, _: Recorded, __: Key) -> Row | None:
    return row and row | {"expires_at": event.expires_at, "renewals": [*row["renewals"], to_builtins(event)]}


def _over(row: Row | None, event: WaiverRevoked | WaiverExpired, _: Recorded, __: Key) -> Row | None:
    state = "revoked" if isinstance(event, WaiverRevoked) else "expired"
    return row and row | {"state": state, "end": to_builtins(event)}


WAIVERS: Final = Projection(
    name="waivers",
    columns=_columns,
    events=CONTRACT,
    folds={
        WaiverRequested: Fold(_keys, _requested),
        WaiverApproved: Fold(_keys, _approved),
        WaiverRenewed: Fold(_keys, _renewed),
        WaiverRevoked: Fold(_keys, _over),
        WaiverExpired: Fold(_keys, _over),
    },
    indexes=(("service", "state"),),
    sources=("lifecycle",),
)


_VIEW: Final = WAIVERS.view
_IN_FORCE: Final = ByService.of(
    select(_VIEW).where(_VIEW.c.state == "approved", _VIEW.c.expires_at > bindparam("at")).order_by(_VIEW.c.waiver),
    _VIEW.c.service,
)


def waiver_of(row: RowMapping) -> Requested | Approved | Over:
    """A row as the state that its stream folds to."""
    request = convert(row["request"], WaiverRequested)
    last: Requested | Approved = Requested(request)
    if row["approval"] is not None:
        renewals = convert(row["renewals"], tuple[WaiverRenewed, ...])
        last = Approved(request, convert(row["approval"], WaiverApproved), renewals)
    if row["end"] is None:
        return last
    return Over(last, convert(row["end"], WaiverRevoked if row["state"] == "revoked" else WaiverExpired))


def waivers_in_force(connection: Connection, at: datetime, *services: str) -> dict[str, dict[str, InForce]]:
    """Per service and check, the waiver that lets it through at *at*; of all services when none is named."""
    found: dict[str, dict[str, InForce]] = {}
    for row in _IN_FORCE.rows(connection, services, at=at):
        request, approval = row["request"], row["approval"]
        waiver = InForce(
            row["waiver"],
            row["check"],
            row["expires_at"],
            request["risk_owner"],
            approval["by"],
            request["control"]["what"],
        )
        found.setdefault(row["service"], {})[row["check"]] = waiver
    return found
