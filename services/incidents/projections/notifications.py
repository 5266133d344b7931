"""All notifications: the log of what was sent to whom, and the outbox of what is to be sent."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Integer,
    RowMapping,
    Text,
    and_,
    bindparam,
    func,
    or_,
    select,
)

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.incidents.contract import CONTRACT, SERVICE
from services.incidents.domain.notification.decider import LONGEST
from services.incidents.domain.notification.events import (
    AttemptBegun,
    AttemptEnded,
    NotificationExtended,
    NotificationRequested,
    NotificationWithdrawn,
)
from services.incidents.projections.folds import changes

_TEXTS: Final = (
    "kind",
    "channel",
    "person",
    "team",
    "urgency",
    "subject",
    "incident",
    "number",
    "service",
    "page",
    "event",
)
_CLAIMED: Final = timedelta(minutes=1)  # an attempt on its way ends sooner


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("id", Text, primary_key=True),
        Column("ordinal", BigInteger, nullable=False),  # where it stands in the log, to sort by
        *(Column(name, Text, nullable=False) for name in (*_TEXTS, "state", "detail")),
        Column("trying", Boolean, nullable=False),
        Column("held", Boolean, nullable=False),  # for what is said until its time
        Column("status", Integer),
        Column("attempts", Json(), nullable=False),
        Column("requested_at", Instant(), nullable=False),
        Column("next_at", Instant()),
        Column("ended_at", Instant()),
    )


def _requested(_: Row | None, event: NotificationRequested, recorded: Recorded, key: Key) -> Row:
    return {
        "id": key[0],
        "ordinal": recorded.position,
        **{name: getattr(event.message, name) for name in _TEXTS},
        "state": "pending",
        "detail": "",
        "trying": False,
        "held": event.not_before is not None,
        "status": None,
        "attempts": [],
        "requested_at": event.at,
        "next_at": event.not_before or event.at,
        "ended_at": None,
    }


def _begun(row: Row, event: AttemptBegun) -> Row:
    attempt = {"at": event.at.isoformat(), "outcome": "unknown", "status": None, "detail": ""}
    return {"attempts": [*row["attempts"], attempt], "trying": True, "held": False, "next_at": event.until}


def _ended(row: Row, event: AttemptEnded) -> Row:
    *before, last = row["attempts"]
    ended = last | {"outcome": event.outcome, "status": event.status, "detail": event.detail}
    return {
        "attempts": [*before, ended],
        "trying": False,
        "state": "pending" if event.outcome == "retry" else event.outcome,
        "status": event.status,
        "detail": event.detail,
        "next_at": event.next_at,
        "ended_at": None if event.outcome == "retry" else event.at,
    }


NOTIFICATIONS: Final = Projection(
    name="notifications",
    columns=_columns,
    events=CONTRACT,
    folds={
        NotificationRequested: Fold(lambda event, _: ((event.notification,),), _requested),
        NotificationExtended: changes(
            lambda _, event: {
                name: getattr(event.message, name) for name in ("subject", "incident", "number", "service", "event")
            }
        ),
        AttemptBegun: changes(_begun),
        AttemptEnded: changes(_ended),
        NotificationWithdrawn: changes(
            lambda _, event: {"state": "withdrawn", "detail": event.why, "next_at": None, "ended_at": event.at}
        ),
    },
    sources=(SERVICE,),
    indexes=(("ordinal",), ("state", "next_at"), ("incident", "ordinal"), ("person", "ordinal")),
)


def about_incident(connection: Connection, incident: str) -> Sequence[RowMapping]:
    """All that was sent, or is to be, because of *incident*, the oldest first."""
    query = select(NOTIFICATIONS.view).where(NOTIFICATIONS.view.c.incident == incident)
    return connection.execute(query.order_by(NOTIFICATIONS.view.c.ordinal)).mappings().all()


def due(connection: Connection, now: datetime, most: int) -> tuple[list[str], datetime | None]:
    """What is to be sent now, what waits longest first, and when the first of all is due; None: nothing waits.

    What is urgent comes before all else. Also what waits for a time that a clock set back put off.
    """
    asked = {"now": now, "put_off": now + LONGEST + _CLAIMED, "most": most}
    return list(connection.execute(_DUE, asked).scalars()), connection.execute(_FIRST).scalar_one()


_N = NOTIFICATIONS.view.c
_FIRST = select(func.min(_N.next_at)).where(_N.state == "pending")
_DUE = (  # asked often: made once
    select(_N.id)
    .where(
        _N.state == "pending",
        or_(_N.next_at <= bindparam("now"), and_(_N.next_at > bindparam("put_off"), ~_N.held)),
    )
    .order_by(_N.urgency, _N.next_at)  # high before low
    .limit(bindparam("most", type_=Integer))
)
