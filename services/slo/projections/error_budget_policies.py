"""The error-budget policy of each service: which edition is in force, who has to sign, where the service stands."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import Boolean, Column, Integer, Select, Text, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.slo.contract import CONTRACT
from services.slo.domain.policy.events import (
    PolicySigned,
    PolicyStateChanged,
    PolicyWritten,
    SpareBudgetFound,
    SpareBudgetGone,
)
from services.slo.domain.policy.standing import Standing


def _columns() -> tuple[Column[Any], ...]:
    return (
        Column("service", Text, primary_key=True),
        Column("version", Integer),  # of the edition in force, or of the only one there is
        Column("in_force", Boolean),
        Column("draft", Integer),  # an edition that waits for signatures beside the one in force
        Column("missing", Json()),  # the sides that have to sign the newest edition
        Column("state", Text),
        Column("since", Instant()),
        Column("reason", Text),
        Column("budget_to_spare", Boolean),
    )


def _keys(event: Any, _: Recorded) -> Sequence[Key]:  # noqa: ANN401  any event of a policy names its service
    return ((event.service,),)


def _written(row: Row | None, event: PolicyWritten, _: Recorded, __: Key) -> Row:
    missing = list(event.missing)
    if row and row["in_force"]:
        return row | {"draft": event.version, "missing": missing}
    standing = row or {"state": "healthy", "since": event.at, "reason": "", "budget_to_spare": False}
    return standing | {
        "service": event.service,
        "version": event.version,
        "in_force": False,
        "draft": None,
        "missing": missing,
    }


def _signed(row: Row | None, event: PolicySigned, _: Recorded, __: Key) -> Row | None:
    told: Row = {"missing": list(event.missing)}
    in_force: Row = {} if event.missing else {"version": event.version, "in_force": True, "draft": None}
    return row and row | told | in_force


def _moved(row: Row | None, event: PolicyStateChanged, _: Recorded, __: Key) -> Row | None:
    return row and row | {"state": event.to_state, "since": event.at, "reason": event.reason}


def _spare(row: Row | None, event: SpareBudgetFound | SpareBudgetGone, _: Recorded, __: Key) -> Row | None:
    return row and row | {"budget_to_spare": isinstance(event, SpareBudgetFound)}


ERROR_BUDGET_POLICIES: Final = Projection(
    name="error_budget_policies",
    columns=_columns,
    events=CONTRACT,
    folds={
        PolicyWritten: Fold(_keys, _written),
        PolicySigned: Fold(_keys, _signed),
        PolicyStateChanged: Fold(_keys, _moved),
        SpareBudgetFound: Fold(_keys, _spare),
        SpareBudgetGone: Fold(_keys, _spare),
    },
    sources=("slo",),
    indexes=(("state",),),
)


def policies(states: Sequence[Standing], *, in_force: bool | None) -> Select[Any]:
    """The policies of services in any of *states* (an empty list takes all), signed by both sides or not."""
    view = ERROR_BUDGET_POLICIES.view
    query = select(view)
    if states:
        query = query.where(view.c.state.in_(states))
    return query if in_force is None else query.where(view.c.in_force == in_force)
