"""Every readiness review, and what a gate asks of one."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, cast

import msgspec
from sqlalchemy import Column, Connection, Integer, RowMapping, Select, Text, case, or_, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import CONTRACT
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.readiness_review.events import (
    ChecklistFixed,
    ConditionMet,
    Event,
    FindingMoved,
    FindingOpened,
    FindingReclassified,
    FindingTriaged,
    FindingWaived,
    FindingWaiverExpired,
    FollowUpBegun,
    ItemAnswered,
    ReviewAdvanced,
    ReviewApproved,
    ReviewDeclined,
    Reviewer,
    ReviewersChanged,
    ReviewExpired,
    ReviewRequested,
    ReviewSuperseded,
    ReviewWithdrawn,
)
from services.lifecycle.domain.readiness_review.facts import ConditionFact, FindingFact, ReviewFacts, SecurityItem
from services.lifecycle.domain.review_template.checklist import SECURITY
from services.lifecycle.projections.by_service import ByService


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("review", Text, primary_key=True),
        Column("service", Text, nullable=False),
        Column("number", Integer, nullable=False),
        Column("model", Text, nullable=False),
        Column("target_phase", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("state_since", Instant(), nullable=False),
        Column("reviewers", Text, nullable=False),  # |ana|bo|
        Column("requested_at", Instant(), nullable=False),
        Column("analysis_at", Instant()),
        Column("approved_at", Instant()),
        Column("expires_at", Instant()),
        Column("expired_because", Text, nullable=False),
        Column("conditions", Json(), nullable=False),  # those not met: condition, text, owner, due
        Column("findings", Json(), nullable=False),  # id to title, severity, state, waived_until, owner
        Column("owners", Text, nullable=False),  # |ana|bo|: of conditions that are not met, and of findings
        Column("follow_up", Text, nullable=False),  # how far an approved one has come; empty before it
        Column("security", Json(), nullable=False),  # blocking item to minimum_tier, verdict
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _keys(event: Event, _: Recorded) -> Sequence[Key]:
    return ((event.review,),)


def _people(reviewers: Sequence[Reviewer]) -> str:
    return f"|{'|'.join(reviewer.person for reviewer in reviewers)}|"


def _requested(_: Row | None, event: ReviewRequested, recorded: Recorded, __: Key) -> Row:
    return {
        "review": event.review,
        "service": event.service,
        "number": event.number,
        "model": event.model,
        "target_phase": event.target_phase.value,
        "state": "requested",
        "state_since": event.at,
        "reviewers": _people(event.reviewers),
        "requested_at": event.at,
        "analysis_at": None,
        "approved_at": None,
        "expires_at": None,
        "expired_because": "",
        "conditions": [],
        "findings": {},
        "owners": "||",
        "follow_up": "",
        "security": {},
        "recorded_at": recorded.recorded_at,
    }


def _known(change: Callable[[Row, Any], Row]) -> Fold:
    """A fold of a review that is there."""

    def apply(row: Row | None, event: Event, _: Recorded, __: Key) -> Row | None:
        return row and _owned(row | change(row, event))

    return Fold(_keys, apply)


def _owned(row: Row) -> Row:
    owners = dict.fromkeys(each["owner"] for each in (*row["conditions"], *row["findings"].values()) if each["owner"])
    return row | {"owners": f"|{'|'.join(owners)}|"}


def _checklist(_: Row, event: ChecklistFixed) -> Row:
    asked = {
        item.id: {"minimum_tier": item.minimum_tier, "verdict": None}
        for item in event.items
        if item.axis == SECURITY and item.severity == "blocking" and Phase.LIMITED_AVAILABILITY in item.phases
    }
    return {"security": asked}


def _answered(row: Row, event: ItemAnswered) -> Row:
    security = row["security"]
    if event.item not in security:
        return {}
    return {"security": {**security, event.item: {**security[event.item], "verdict": event.verdict}}}


def _advanced(_: Row, event: ReviewAdvanced) -> Row:
    begun: Row = {"analysis_at": event.at} if event.to_stage == "analysis" else {}
    return begun | _state(event.to_stage, event.at)


def _approved(_: Row, event: ReviewApproved) -> Row:
    conditions = [
        {"condition": each.condition, "text": each.text, "owner": each.owner, "due": each.due.isoformat()}
        for each in event.conditions
    ]
    state = _state("approved_with_conditions" if conditions else "approved", event.at)
    return {"approved_at": event.at, "expires_at": event.expires_at, "conditions": conditions} | state


def _met(row: Row, event: ConditionMet) -> Row:
    left = [each for each in row["conditions"] if each["condition"] != event.condition]
    over = row["state"] != "approved_with_conditions" or left
    return {"conditions": left} | ({} if over else _state("approved", event.at))


def _ended(state: str) -> Fold:
    return _known(lambda _, event: _state(state, event.at))


def _expired(_: Row, event: ReviewExpired) -> Row:
    return {"expired_because": event.reason} | _state("expired", event.at)


def _opened(row: Row, event: FindingOpened) -> Row:
    finding = {
        "title": event.title,
        "severity": event.severity,
        "state": "triaged" if event.owner else "open",
        "waived_until": None,
        "owner": event.owner,
    }
    return {"findings": {**row["findings"], event.finding: finding}}


def _finding(**changes: Callable[[Any], object]) -> Fold:
    def change(row: Row, event: Any) -> Row:  # noqa: ANN401  any event about a finding
        after = row["findings"][event.finding] | {name: of(event) for name, of in changes.items()}
        return {"findings": {**row["findings"], event.finding: after}}

    return _known(change)


def _state(state: str, at: datetime) -> Row:
    return {"state": state, "state_since": at}


READINESS_REVIEWS: Final = Projection(
    name="readiness_reviews",
    columns=_columns,
    events=CONTRACT,
    folds={
        ReviewRequested: Fold(_keys, _requested),
        ChecklistFixed: _known(_checklist),
        ReviewersChanged: _known(lambda _, event: {"reviewers": _people(event.reviewers)}),
        ItemAnswered: _known(_answered),
        ReviewAdvanced: _known(_advanced),
        ReviewApproved: _known(_approved),
        ConditionMet: _known(_met),
        ReviewDeclined: _ended("declined"),
        ReviewWithdrawn: _ended("withdrawn"),
        ReviewSuperseded: _ended("superseded"),
        ReviewExpired: _known(_expired),
        FollowUpBegun: _known(lambda _, event: {"follow_up": event.step}),
        FindingOpened: _known(_opened),
        FindingTriaged: _finding(state=lambda _: "triaged", owner=lambda event: event.owner),
        FindingReclassified: _finding(severity=lambda event: event.severity),
        FindingMoved: _finding(state=lambda event: event.to_state, waived_until=lambda _: None),
        FindingWaived: _finding(state=lambda _: "waived", waived_until=lambda event: event.until.isoformat()),
        FindingWaiverExpired: _finding(state=lambda _: "open", waived_until=lambda _: None),
    },
    indexes=(("service", "number"), ("state",)),
    sources=("lifecycle",),
)
_VIEW = READINESS_REVIEWS.view
_RANK = case(
    (_VIEW.c.state.in_(("approved", "approved_with_conditions")), 0),
    (_VIEW.c.state.in_(("requested", "engagement", "analysis", "improvements")), 1),
    else_=2,
)
_SPEAKING: Final = ByService.of(  # what speaks for a service comes last
    select(_VIEW).order_by(_RANK.desc(), _VIEW.c.number), _VIEW.c.service
)


def reviews(
    services: Sequence[str], states: Sequence[str], reviewers: Sequence[str], as_of: datetime | None
) -> Select[Any]:
    """The reviews of any of *services*, in any of *states*, by any of *reviewers*; nothing named takes all.

    With *as_of* those there were then, whatever their state is now.
    """
    query = select(_VIEW)
    if services:
        query = query.where(_VIEW.c.service.in_(services))
    if as_of:
        return query.where(_VIEW.c.recorded_at <= as_of)
    if states:
        query = query.where(_VIEW.c.state.in_(states))
    if reviewers:
        query = query.where(or_(*(_VIEW.c.reviewers.contains(f"|{name}|", autoescape=True) for name in reviewers)))
    return query


def review_of(connection: Connection, service: str) -> ReviewFacts | None:
    """What speaks for *service*: its approved review, else the one under way, else the last; None: there was none."""
    return reviews_of(connection, service).get(service)


def reviews_of(connection: Connection, *services: str) -> dict[str, ReviewFacts]:
    """What speaks for each of *services*, for all when none is named."""
    rows = _SPEAKING.rows(connection, services)
    return {service: _facts(row) for service, row in {row["service"]: row for row in rows}.items()}


def _facts(row: RowMapping) -> ReviewFacts:
    return ReviewFacts(
        review=row["review"],
        number=row["number"],
        model=row["model"],
        target_phase=Phase(row["target_phase"]),
        state=row["state"],
        state_since=row["state_since"],
        requested_at=row["requested_at"],
        analysis_at=row["analysis_at"],
        approved_at=row["approved_at"],
        expires_at=row["expires_at"],
        expired_because=row["expired_because"],
        conditions=tuple(msgspec.convert(each, ConditionFact) for each in row["conditions"]),
        blocking_findings=tuple(
            msgspec.convert({"finding": name, **each}, FindingFact)
            for name, each in cast("dict[str, dict[str, Any]]", row["findings"]).items()
            if each["severity"] == "blocking"
        ),
        findings=len(row["findings"]),
        security=msgspec.convert(row["security"], dict[str, SecurityItem]),
    )
