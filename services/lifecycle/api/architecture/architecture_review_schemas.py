"""What comes in and goes out of architecture reviews."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field, HttpUrl

from libs.web.schemas import Body, Filled, Line, Moment, Name, Text, example
from services.lifecycle.api.architecture.designing import Id
from services.lifecycle.domain.architecture_review.comparison import (
    ComponentChange,
    Disagreement,
    changes,
    disagreements,
)
from services.lifecycle.domain.architecture_review.decider import ALLOWED, Looked, State
from services.lifecycle.domain.architecture_review.events import (
    AntipatternFound,
    Component,
    Criticality,
    Minutes,
    Participant,
    PatternUsed,
    PreRead,
    Side,
)
from services.lifecycle.domain.dependencies.events import Criticality as Need
from services.lifecycle.domain.readiness_review.next_steps import NextStep
from services.lifecycle.domain.review_template.checklist import Severity

_MANY = 200


class PreReadBody(Body):
    """What people read before they meet."""

    url: HttpUrl
    sent_at: Annotated[Moment | None, Field(description="Since when they can; now, unless given.")] = None


class PrepareArchitectureReview(Body):
    """What both sides will look at."""

    model_config = example(
        service="checkout-api",
        title="Checkout before the sales",
        pre_read={"url": "https://wiki.example/checkout/architecture", "sent_at": "2026-11-18T09:00:00Z"},
    )

    id: Annotated[Id | None, Field(description="Sent again with the same id, nothing happens.")] = None
    service: Name
    title: Line
    pre_read: PreReadBody


class ParticipantBody(Body):
    """Somebody who was there."""

    person: Name
    side: Side


class ComponentBody(Body):
    """A part of the service."""

    name: Line
    criticality: Annotated[
        Criticality, Field(description="`critical`: users are not served without it; `supporting`: they do not notice.")
    ]
    redundancy: Annotated[int, Field(ge=0, le=1000, description="How many may be lost before it is missed; 0: none.")]
    failure_domains: list[Line] = Field(
        default_factory=list[Line], max_length=_MANY, description="Where it runs; what is in one can fail together."
    )
    note: Text = ""


class PatternBody(Body):
    """What keeps the service up, by its id in the catalogue."""

    pattern: Line
    where: Text = ""


class AntipatternBody(Body):
    """What was found, by its id in the catalogue; each opens a finding."""

    antipattern: Line
    where: Line
    severity: Severity
    text: Annotated[Text, Field(description="What to do; what the catalogue says, unless given.")] = ""


class HoldArchitectureReview(Body):
    """Who met, and what came out of it."""

    model_config = example(
        participants=[{"person": "ana", "side": "dev"}, {"person": "bo", "side": "sre"}],
        components=[
            {"name": "orders-db", "criticality": "critical", "redundancy": 0, "failure_domains": ["zone-a"]},
            {"name": "web", "criticality": "critical", "redundancy": 2, "failure_domains": ["zone-a", "zone-b"]},
        ],
        patterns=[{"pattern": "circuit-breaker", "where": "calls to the payment provider"}],
        antipatterns=[{"antipattern": "retry-storm", "where": "checkout > payments", "severity": "conditional"}],
        decisions=["a second database in zone b by March"],
    )

    held_at: Annotated[Moment | None, Field(description="When people met; now, unless given.")] = None
    participants: Annotated[list[ParticipantBody], Field(max_length=_MANY)]
    components: Annotated[list[ComponentBody], Field(max_length=_MANY)]
    patterns: list[PatternBody] = Field(default_factory=list[PatternBody], max_length=_MANY)
    antipatterns: list[AntipatternBody] = Field(default_factory=list[AntipatternBody], max_length=_MANY)
    decisions: Annotated[list[Filled], Field(max_length=_MANY)]

    def minutes(self, held_at: datetime) -> Minutes:
        """It, as the domain has it."""
        return Minutes(
            held_at=self.held_at or held_at,
            participants=tuple(Participant(each.person, each.side) for each in self.participants),
            components=tuple(
                Component(
                    name=each.name,
                    criticality=each.criticality,
                    redundancy=each.redundancy,
                    failure_domains=tuple(each.failure_domains),
                    note=each.note,
                )
                for each in self.components
            ),
            patterns=tuple(PatternUsed(each.pattern, each.where) for each in self.patterns),
            antipatterns=tuple(
                AntipatternFound(each.antipattern, each.where, each.severity, each.text) for each in self.antipatterns
            ),
            decisions=tuple(self.decisions),
        )


class SignArchitectureReview(Body):
    """For which side somebody signs."""

    model_config = example(side="sre")

    side: Side


@dataclass(frozen=True, slots=True)
class SignatureView:
    """Who stands up for what was decided, for one side."""

    side: Side
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class ComponentsView:
    """What the list of components says beside the one of the review before, and beside the declared dependencies.

    Args:
        before: The review that was held before; null: this is the first.
        changes: What was added, is gone, or is otherwise since then.
        dependencies: What one of review and dependency graph does not name, or weighs otherwise.
    """

    before: str | None
    changes: tuple[ComponentChange, ...]
    dependencies: tuple[Disagreement, ...]


@dataclass(frozen=True, slots=True)
class ArchitectureReviewView:
    """An architecture review; `minutes` are what came out of it, `next` is who must do what.

    `components` compares what it is made of with what was known; null until it was held.
    """

    id: str
    service: str
    owner_team: str
    title: str
    pre_read: PreRead
    state: State
    since: datetime
    prepared_by: str
    prepared_at: datetime
    minutes: Minutes | None
    components: ComponentsView | None
    signatures: tuple[SignatureView, ...]
    withdrawn_because: str | None
    findings: str
    allowed: tuple[str, ...]
    next: tuple[NextStep, ...]


@dataclass(frozen=True, slots=True)
class Beside:
    """What the components of a review are compared with.

    Args:
        before: The review of the service that was held before.
        needs: What the service depends on.
        services: The names of all services that are named like a component, or depended on.
    """

    before: Looked | None
    needs: Mapping[str, Need]
    services: frozenset[str]


def architecture_review_view(review: Looked, beside: Beside) -> ArchitectureReviewView:
    """An architecture review as it is answered."""
    prepared = review.prepared
    return ArchitectureReviewView(
        id=prepared.review,
        service=prepared.service,
        owner_team=prepared.owner_team,
        title=prepared.title,
        pre_read=prepared.pre_read,
        state=review.state,
        since=review.since,
        prepared_by=prepared.by,
        prepared_at=prepared.at,
        minutes=review.minutes,
        components=_components(prepared.service, review.minutes, beside) if review.minutes else None,
        signatures=tuple(SignatureView(each.side, each.by, each.at) for each in (review.signed or {}).values()),
        withdrawn_because=review.withdrawn.reason if review.withdrawn else None,
        findings=f"/v1/services/{prepared.service}/architecture-findings",
        allowed=ALLOWED[review.state],
        next=tuple(_next(review)),
    )


def _components(service: str, minutes: Minutes, beside: Beside) -> ComponentsView:
    before = beside.before
    then = before.minutes.components if before and before.minutes else None
    return ComponentsView(
        before=before.prepared.review if before else None,
        changes=tuple(changes(then, minutes.components)) if then is not None else (),
        dependencies=tuple(disagreements(service, minutes.components, beside.needs, beside.services)),
    )


def _next(review: Looked) -> Iterator[NextStep]:
    team = f"team {review.prepared.owner_team or review.prepared.service}"
    match review.state:
        case "prepared":
            what = "meet with the other side, and write down components, what was found and what was decided"
            yield NextStep((team, "SRE"), what, "both sides look at it together", ":hold")
        case "held":
            for side in review.missing:
                why = f"what was decided holds when the {side} side has signed, too"
                yield NextStep(review.present(side), f"sign for the {side} side", why, ":sign")
        case "signed" | "withdrawn":
            pass
