"""What the read models say of reviews that may wait: of readiness, designs, architecture, and what incidents ask."""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any, Final, cast

from sqlalchemy import Connection, bindparam, or_, select

from services.lifecycle.domain.inbox.of_incidents import Asked
from services.lifecycle.projections.asked_by_incidents import ASKED_BY_INCIDENTS, asked_in
from services.lifecycle.projections.design_work import DESIGN_WORK, WAITS, Kind
from services.lifecycle.projections.inbox_asking import NAMED, THEIRS
from services.lifecycle.projections.inbox_found import OpenReview
from services.lifecycle.projections.readiness_reviews import READINESS_REVIEWS
from services.lifecycle.projections.services import SERVICES

_UNDER_WAY: Final = frozenset({"requested", "engagement", "analysis", "improvements"})
_DECIDED: Final = frozenset({"approved", "approved_with_conditions", "expired"})
_SETTLED: Final = frozenset({"closed", "waived", "rejected"})
_S: Final = SERVICES.view.c
_D: Final = DESIGN_WORK.view.c
_DESIGNS: Final = select(_D.kind, _D.id, _D.service).where(
    WAITS, or_(_D.service.in_(THEIRS), _D.people.like(NAMED, escape="/"))
)
_UNREAD: Final = select(_D.kind, _D.id, _D.service).where(
    _D.kind == "design_review", _D.state == "in_review", _D.service.in_(select(_S.name).where(_S.sre_team == ""))
)


def designs(connection: Connection, whose: dict[str, object], *, reads: bool) -> list[tuple[Kind, str, str]]:
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
            _V.service.in_(THEIRS),
            _V.reviewers.like(NAMED, escape="/"),
            _V.owners.like(NAMED, escape="/"),
        )
    )
    .order_by(_V.number)
)


def reviews(
    connection: Connection, known: Collection[str], whose: dict[str, object], soon: datetime
) -> Iterator[OpenReview]:
    """The readiness reviews that still ask something of somebody; *known* are the services of those who ask."""
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


_Q: Final = ASKED_BY_INCIDENTS.view.c
_ASKED: Final = (
    select(_Q.kind, _Q.service, _Q.detail)
    .where(
        or_(_Q.service.in_(THEIRS), _Q.people.like(NAMED, escape="/")),
        or_(_Q.kind != "handover", _Q.since > bindparam("lately")),
    )
    .order_by(_Q.id)
)


def asked(connection: Connection, whose: dict[str, object], lately: datetime) -> Iterator[tuple[str, Asked]]:
    """What the incidents service keeps waiting; hand-overs only since *lately*."""
    for kind, service, detail in connection.execute(_ASKED, whose | {"lately": lately}):
        for each in asked_in(kind, detail):
            yield service, each
