"""Every finding of every readiness review: who has it, until when, and how it stands."""

from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Column, Date, Select, Text, or_, select

from libs.events.columns import Instant
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT, READINESS_REVIEW
from services.lifecycle.domain.readiness_review.events import (
    FindingMoved,
    FindingOpened,
    FindingReclassified,
    FindingTriaged,
    FindingWaived,
    FindingWaiverExpired,
)
from services.lifecycle.domain.readiness_review.state import UNSETTLED


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("finding", Text, primary_key=True),
        Column("review", Text, nullable=False),
        Column("service", Text, nullable=False),
        Column("severity", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("due", Date),
        Column("opened_at", Instant(), nullable=False),
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
        Column("gone_on_at", Instant()),  # when the log took it over into a later review
    )


def _keys(event: Any, _: Recorded) -> Sequence[Key]:  # noqa: ANN401  any of them names its finding
    return ((event.finding,),)


def _opened_keys(event: FindingOpened, _: Recorded) -> Sequence[Key]:
    return ((event.finding,), *(((event.carried_from,),) if event.carried_from else ()))


def _opened(row: Row | None, event: FindingOpened, recorded: Recorded, key: Key) -> Row | None:
    if recorded.category != READINESS_REVIEW.category:
        return None  # of an architecture: `design_work`
    if key != (event.finding,):
        return row and row | {"gone_on_at": recorded.recorded_at}
    return {
        "finding": event.finding,
        "review": event.review,
        "service": event.service,
        "severity": event.severity,
        "state": "triaged" if event.owner else "open",
        "owner": event.owner,
        "due": event.due,
        "opened_at": event.at,
        "recorded_at": recorded.recorded_at,
        "gone_on_at": None,
    }


def _known(change: Callable[[Any], Row]) -> Fold:
    def apply(row: Row | None, event: object, _: Recorded, __: Key) -> Row | None:
        return row and row | change(event)

    return Fold(_keys, apply)


REVIEW_FINDINGS: Final = Projection(
    name="review_findings",
    columns=_columns,
    events=CONTRACT,
    folds={
        FindingOpened: Fold(_opened_keys, _opened),
        FindingTriaged: _known(lambda event: {"state": "triaged", "owner": event.owner, "due": event.due}),
        FindingReclassified: _known(lambda event: {"severity": event.severity}),
        FindingMoved: _known(lambda event: {"state": event.to_state}),
        FindingWaived: _known(lambda _: {"state": "waived"}),
        FindingWaiverExpired: _known(lambda _: {"state": "open"}),
    },
    indexes=(("service",), ("owner",)),
    sources=("lifecycle",),
)
_VIEW = REVIEW_FINDINGS.view


def findings(
    services: Sequence[str],
    *,
    owners: Sequence[str] = (),
    states: Sequence[str] = (),
    severities: Sequence[str] = (),
    overdue_on: date | None = None,
    as_of: datetime | None = None,
) -> Select[Any]:
    """The findings that have not gone on in a later review; nothing named takes all.

    With *overdue_on* those that should have been settled before that day. With *as_of* those there were then,
    whatever they are now.
    """
    query = select(_VIEW)
    if services:
        query = query.where(_VIEW.c.service.in_(services))
    if as_of:
        gone_on_later = or_(_VIEW.c.gone_on_at.is_(None), _VIEW.c.gone_on_at > as_of)
        return query.where(_VIEW.c.recorded_at <= as_of, gone_on_later)
    query = query.where(_VIEW.c.gone_on_at.is_(None))
    for column, wanted in ((_VIEW.c.owner, owners), (_VIEW.c.state, states), (_VIEW.c.severity, severities)):
        if wanted:
            query = query.where(column.in_(wanted))
    if overdue_on:
        query = query.where(_VIEW.c.due < overdue_on, _VIEW.c.state.in_(UNSETTLED))
    return query
