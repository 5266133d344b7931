"""The error-budget policy of each service: whether it is in force, and where the service stands under it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Boolean, Column, Connection, Integer, RowMapping, Text, bindparam, func, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from libs.events.registry import EventRegistry


@dataclass(frozen=True, slots=True)
class Written:
    """What is read of an edition that is put to both sides."""

    service: str
    version: int
    missing: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Signed:
    """What is read of a signature."""

    service: str
    version: int
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """What is read when a service comes to stand elsewhere."""

    service: str
    to_state: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Frozen:
    """What is read when releases stop."""

    service: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Unfrozen:
    """What is read when they go on."""

    service: str


@dataclass(frozen=True, slots=True)
class Spare:
    """What is read when there is budget to spare."""

    service: str


@dataclass(frozen=True, slots=True)
class NoSpare:
    """What is read when there is none any more."""

    service: str


_Event = Written | Signed | Moved | Frozen | Unfrozen | Spare | NoSpare


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("service", Text, primary_key=True),
        Column("version", Integer, nullable=False),  # of the edition in force, or of the only one there is
        Column("in_force", Boolean, nullable=False),
        Column("missing", Json(), nullable=False),  # who has to sign the newest edition
        Column("state", Text, nullable=False),
        Column("since", Instant(), nullable=False),
        Column("reason", Text, nullable=False),
        Column("frozen_since", Instant()),
        Column("budget_to_spare", Boolean, nullable=False),
    )


def _keys(event: _Event, _: Recorded) -> Sequence[Key]:
    return ((event.service,),)


def _written(row: Row | None, event: Written, _: Recorded, __: Key) -> Row:
    missing = list(event.missing)
    if row is not None:
        return row | {"missing": missing} | ({} if row["in_force"] else {"version": event.version})
    return {
        "service": event.service,
        "version": event.version,
        "in_force": False,
        "missing": missing,
        "state": "healthy",
        "since": event.at,
        "reason": "",
        "frozen_since": None,
        "budget_to_spare": False,
    }


def _signed(row: Row | None, event: Signed, _: Recorded, __: Key) -> Row | None:
    in_force = {} if event.missing else {"version": event.version, "in_force": True}
    return row and row | {"missing": list(event.missing)} | in_force


def _moved(row: Row | None, event: Moved, _: Recorded, __: Key) -> Row | None:
    return row and row | {"state": event.to_state, "since": event.at, "reason": event.reason}


def _frozen(row: Row | None, event: Frozen, _: Recorded, __: Key) -> Row | None:
    return row and row | {"frozen_since": event.at}


def _unfrozen(row: Row | None, _: Unfrozen, __: Recorded, ___: Key) -> Row | None:
    return row and row | {"frozen_since": None}


def _spare(row: Row | None, event: Spare | NoSpare, _: Recorded, __: Key) -> Row | None:
    return row and row | {"budget_to_spare": isinstance(event, Spare)}


POLICIES: Final = Projection(
    name="error_budget_policies",
    columns=_columns,
    events=EventRegistry(
        {
            "io.concordat.slo.policy.written.v1": Written,
            "io.concordat.slo.policy.signed.v1": Signed,
            "io.concordat.slo.policy.state-changed.v1": Moved,
            "io.concordat.slo.policy.frozen.v1": Frozen,
            "io.concordat.slo.policy.unfrozen.v1": Unfrozen,
            "io.concordat.slo.policy.budget-to-spare.v1": Spare,
            "io.concordat.slo.policy.spare-budget-gone.v1": NoSpare,
        }
    ),
    folds={
        Written: Fold(_keys, _written),
        Signed: Fold(_keys, _signed),
        Moved: Fold(_keys, _moved),
        Frozen: Fold(_keys, _frozen),
        Unfrozen: Fold(_keys, _unfrozen),
        Spare: Fold(_keys, _spare),
        NoSpare: Fold(_keys, _spare),
    },
    sources=("slo",),
)


_OF_SERVICE: Final = (  # made once: making it takes as long as asking
    select(POLICIES.view).where(POLICIES.view.c.service == bindparam("service"))
)


def find_policy(connection: Connection, service: str) -> RowMapping | None:
    """The policy of *service*, if somebody has written one."""
    return connection.execute(_OF_SERVICE, {"service": service}).mappings().first()


def count_by_policy_state(connection: Connection) -> dict[str, int]:
    """How many services stand where under their policies; states without any are left out."""
    state = POLICIES.view.c.state
    rows = connection.execute(select(state, func.count()).group_by(state))
    return {name: count for name, count in rows}  # noqa: C416  rows are no pairs to the type checker


def frozen_services(connection: Connection, limit: int) -> Sequence[RowMapping]:
    """The services whose releases are frozen, by name; at most *limit*."""
    view = POLICIES.view
    query = select(view).where(view.c.frozen_since.is_not(None)).order_by(view.c.service).limit(limit)
    return connection.execute(query).mappings().all()
