"""Design reviews, architecture reviews, architecture findings and launches: what each is about, and where it stands.

One read model for all four: each is a thing of a service that has a state and a date, and is read by its stream
wherever more is asked.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Column, Connection, RowMapping, Select, Text, and_, or_, select

from libs.events.columns import Instant, Json
from libs.events.envelope import Recorded
from libs.events.projection import Fold, Key, Projection, Row
from services.lifecycle.contract import ARCHITECTURE, CONTRACT
from services.lifecycle.domain.architecture.facts import ArchitectureFacts, DesignReviewFacts, OpenFinding
from services.lifecycle.domain.architecture_review import events as looking
from services.lifecycle.domain.design_review import events as design
from services.lifecycle.domain.launch import events as launch
from services.lifecycle.domain.readiness_review import events as findings
from services.lifecycle.domain.readiness_review.state import UNSETTLED
from services.lifecycle.projections.by_service import ByService

Kind = Literal["design_review", "architecture_review", "finding", "launch"]


def _columns() -> Sequence[Column[Any]]:
    return (
        Column("id", Text, primary_key=True),
        Column("kind", Text, nullable=False),
        Column("service", Text, nullable=False),
        Column("title", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("since", Instant(), nullable=False),  # in this state
        Column("by", Text, nullable=False),  # who brought it there
        Column("people", Text, nullable=False),  # |ana|bo|: who wrote it, was there, or owns it, whatever their team
        Column("detail", Json(), nullable=False),  # of a finding: item, severity, review
        Column("began_at", Instant(), nullable=False),
        Column("event", Text, nullable=False),  # that changed it last
        Column("recorded_at", Instant(), nullable=False),  # when the log took it; `as_of` asks for this
    )


def _began(
    kind: Kind, id_of: Callable[[Any], str], state: str, title: Callable[[Any], str], **detail: Callable[[Any], object]
) -> Fold:
    def apply(_: Row | None, event: Any, recorded: Recorded, __: Key) -> Row | None:  # noqa: ANN401  any of ours
        if kind == "finding" and recorded.category != ARCHITECTURE.category:
            return None  # of a readiness review, which keeps its own
        return {
            "id": id_of(event),
            "kind": kind,
            "service": event.service,
            "title": title(event),
            "state": state,
            "since": event.at,
            "by": event.by,
            "people": _named(event.by if kind == "design_review" else ""),
            "detail": {name: of(event) for name, of in detail.items()},
            "began_at": event.at,
            "event": str(recorded.event_id),
            "recorded_at": recorded.recorded_at,
        }

    return Fold(_keys(id_of), apply)


def _became(
    id_of: Callable[[Any], str],
    state: str | Callable[[Any], str] = "",
    change: Callable[[Row, Any], Row] = lambda _, __: {},
) -> Fold:
    def apply(row: Row | None, event: Any, recorded: Recorded, _: Key) -> Row | None:  # noqa: ANN401  any of ours
        if row is None:
            return None
        now = state(event) if callable(state) else state
        moved: Row = {"state": now, "since": event.at, "by": getattr(event, "by", row["by"])} if now else {}
        return row | moved | change(row, event) | {"event": str(recorded.event_id)}

    return Fold(_keys(id_of), apply)


def _named(*people: str) -> str:
    return f"|{'|'.join(dict.fromkeys(person for person in people if person))}|"


def _wrote_too(row: Row, event: design.DesignRevised) -> Row:
    return {"title": event.design.title, "people": _named(*row["people"].split("|"), event.by)}


def _were_there(_: Row, event: looking.ArchitectureReviewHeld) -> Row:
    return {"people": _named(*(each.person for each in event.minutes.participants))}


def _keys(id_of: Callable[[Any], str]) -> Callable[[Any, Recorded], Sequence[Key]]:
    return lambda event, _: ((id_of(event),),)


def _review(event: Any) -> str:  # noqa: ANN401  an event of a review
    return event.review


def _finding(event: Any) -> str:  # noqa: ANN401  an event of a finding
    return event.finding


def _launch(event: Any) -> str:  # noqa: ANN401  an event of a launch
    return event.launch


DESIGN_WORK: Final = Projection(
    name="design_work",
    columns=_columns,
    events=CONTRACT,
    folds={
        design.DesignReviewOpened: _began("design_review", _review, "draft", lambda event: event.design.title),
        design.DesignRevised: _became(_review, change=_wrote_too),
        design.DesignSubmitted: _became(_review, "in_review"),
        design.DesignApproved: _became(_review, "approved"),
        design.DesignChangesRequested: _became(_review, "changes_requested"),
        design.DesignReviewWithdrawn: _became(_review, "withdrawn"),
        looking.ArchitectureReviewPrepared: _began(
            "architecture_review", _review, "prepared", lambda event: event.title
        ),
        looking.ArchitectureReviewHeld: _became(_review, "held", _were_there),
        looking.ArchitectureReviewConcluded: _became(_review, "signed"),
        looking.ArchitectureReviewWithdrawn: _became(_review, "withdrawn"),
        findings.FindingOpened: _began(
            "finding",
            _finding,
            "open",
            lambda event: event.title,
            item=lambda event: event.item,
            severity=lambda event: event.severity,
            review=lambda event: event.review,
        ),
        findings.FindingTriaged: _became(_finding, "triaged", lambda _, event: {"people": _named(event.owner)}),
        findings.FindingReclassified: _became(
            _finding, change=lambda row, event: {"detail": row["detail"] | {"severity": event.severity}}
        ),
        findings.FindingMoved: _became(_finding, lambda event: event.to_state),
        findings.FindingWaived: _became(_finding, "waived"),
        findings.FindingWaiverExpired: _became(_finding, "open"),
        launch.LaunchPlanned: _began("launch", _launch, "planned", lambda event: event.plan.title),
        launch.LaunchChanged: _became(_launch, change=lambda _, event: {"title": event.plan.title}),
        launch.LaunchReady: _became(_launch, "ready"),
        launch.LaunchDone: _became(_launch, "launched"),
        launch.LaunchCancelled: _became(_launch, "cancelled"),
    },
    indexes=(("service", "kind"), ("kind", "state")),
    sources=("lifecycle",),
)
_VIEW = DESIGN_WORK.view


_IN_ORDER: Final = ByService.of(
    select(_VIEW)
    .where(_VIEW.c.kind.in_(("design_review", "architecture_review", "finding")))
    .order_by(_VIEW.c.since, _VIEW.c.id),
    _VIEW.c.service,
)


def design_work(kind: Kind, services: Sequence[str], states: Sequence[str], as_of: datetime | None) -> Select[Any]:
    """What there is of *kind* in any of *services* and *states*; with *as_of* what there was, in whichever state."""
    query = select(_VIEW).where(_VIEW.c.kind == kind)
    if services:
        query = query.where(_VIEW.c.service.in_(services))
    if as_of:
        return query.where(_VIEW.c.recorded_at <= as_of)
    return query.where(_VIEW.c.state.in_(states)) if states else query


_WAITING: Final = (
    ("design_review", ("in_review", "changes_requested")),
    ("architecture_review", ("held",)),
    ("finding", (*sorted(UNSETTLED), "verified")),
    ("launch", ("planned", "ready")),
)


WAITS: Final = or_(*(and_(_VIEW.c.kind == kind, _VIEW.c.state.in_(states)) for kind, states in _WAITING))
"""What of it waits for somebody."""


def design_review_of(connection: Connection, service: str) -> DesignReviewFacts | None:
    """What speaks for the design of *service*: what was approved last, else what is under way; None: nothing was."""
    return designs(connection, service).get(service, (None, None))[0]


def open_blocking_antipatterns_of(connection: Connection, service: str) -> ArchitectureFacts | None:
    """What is known to be wrong with the architecture of *service*; None: nobody has ever looked at it."""
    return designs(connection, service).get(service, (None, None))[1]


def architecture_review_before(
    connection: Connection, service: str, review: str, began_at: datetime, as_of: datetime | None
) -> str | None:
    """The review of *service* that was held last before *review*, which began at *began_at*; None: there was none."""
    view = _VIEW.c
    earlier = (view.began_at < began_at, view.id != review, view.state.in_(("held", "signed")))
    query = select(view.id).where(view.kind == "architecture_review", view.service == service, *earlier)
    if as_of:
        query = query.where(view.recorded_at <= as_of)
    return connection.scalar(query.order_by(view.began_at.desc(), view.id.desc()).limit(1))


def designs(
    connection: Connection, *services: str
) -> dict[str, tuple[DesignReviewFacts | None, ArchitectureFacts | None]]:
    """What is known of the design of each of *services*, of all when none is named, and of its architecture."""
    rows: dict[str, list[RowMapping]] = {}
    for row in _IN_ORDER.rows(connection, services):
        rows.setdefault(row["service"], []).append(row)
    return {service: (_design(found), _architecture(found)) for service, found in rows.items()}


def _design(rows: Sequence[RowMapping]) -> DesignReviewFacts | None:
    reviews = [row for row in reversed(rows) if row["kind"] == "design_review"]
    if not reviews:
        return None
    row = min(reviews, key=lambda row: {"approved": 0, "withdrawn": 2}.get(row["state"], 1))
    approved_by = row["by"] if row["state"] == "approved" else ""
    return DesignReviewFacts(row["event"], row["id"], row["title"], row["state"], row["since"], approved_by)


def _architecture(rows: Sequence[RowMapping]) -> ArchitectureFacts | None:
    signed = [row for row in rows if row["kind"] == "architecture_review" and row["state"] == "signed"]
    found = [row for row in rows if row["kind"] == "finding"]
    if not signed and not found:
        return None
    blocking = [row for row in found if row["detail"]["severity"] == "blocking"]
    return ArchitectureFacts(
        reviewed_at=signed[-1]["since"] if signed else None,
        review=signed[-1]["id"] if signed else "",
        blocking=tuple(_open(row) for row in blocking if row["state"] in UNSETTLED),
        waived=tuple(_open(row) for row in blocking if row["state"] == "waived"),
        findings=len(found),
        unsettled=tuple(_open(row) for row in found if row["state"] in UNSETTLED),
    )


def _open(row: RowMapping) -> OpenFinding:
    return OpenFinding(
        event=row["event"],
        finding=row["id"],
        item=row["detail"]["item"],
        title=row["title"],
        severity=row["detail"]["severity"],
        state=row["state"],
        since=row["since"],
    )
