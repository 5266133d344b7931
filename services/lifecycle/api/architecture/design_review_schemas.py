"""What comes in and goes out of design reviews."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, HttpUrl

from libs.web.schemas import Body, Filled, Line, Name, Text, example
from services.lifecycle.api.architecture.designing import Id
from services.lifecycle.domain.design_review.decider import ALLOWED, Reviewed, State, gaps
from services.lifecycle.domain.design_review.events import (
    Alternative,
    Decision,
    Design,
    DesignApproved,
    DesignChangesRequested,
    DesignGoal,
)
from services.lifecycle.domain.policy import Fault
from services.lifecycle.domain.readiness_review.next_steps import NextStep

_MANY = 50


class DesignGoalBody(Body):
    """What the design is for."""

    id: Name
    text: Filled


class AlternativeBody(Body):
    """Another way, and why it was not taken."""

    title: Line
    why_not: Filled


class DecisionBody(Body):
    """What is decided, and for which goals."""

    text: Filled
    why: Text = ""
    serves: list[Name] = Field(default_factory=list[Name], max_length=_MANY, description="Ids of goals.")


_DESIGN = {
    "title": "Pay by invoice",
    "url": "https://wiki.example/checkout/invoice",
    "goals": [{"id": "pay-later", "text": "Customers pay within 14 days"}],
    "constraints": ["no card data is stored"],
    "alternatives": [{"title": "ask the provider for each order", "why_not": "it charges for each question"}],
    "decisions": [{"text": "keep open invoices in a table of our own", "why": "asked often", "serves": ["pay-later"]}],
}


class DesignBody(Body):
    """A design as it is read."""

    title: Line
    url: Annotated[HttpUrl | None, Field(description="Where the whole document is.")] = None
    goals: list[DesignGoalBody] = Field(default_factory=list[DesignGoalBody], max_length=_MANY)
    constraints: list[Filled] = Field(default_factory=list[Filled], max_length=_MANY)
    alternatives: list[AlternativeBody] = Field(default_factory=list[AlternativeBody], max_length=_MANY)
    decisions: list[DecisionBody] = Field(default_factory=list[DecisionBody], max_length=_MANY)

    @property
    def design(self) -> Design:
        """It, as the domain has it."""
        return Design(
            title=self.title,
            url=str(self.url or ""),
            goals=tuple(DesignGoal(each.id, each.text) for each in self.goals),
            constraints=tuple(self.constraints),
            alternatives=tuple(Alternative(each.title, each.why_not) for each in self.alternatives),
            decisions=tuple(Decision(each.text, each.why, tuple(each.serves)) for each in self.decisions),
        )


class OpenDesignReview(DesignBody):
    """A design that somebody begins to write; what is still missing keeps it from being submitted."""

    model_config = example(service="checkout-api", **_DESIGN)

    id: Annotated[Id | None, Field(description="Sent again with the same id, nothing happens.")] = None
    service: Name


class ReviseDesign(DesignBody):
    """A design that was written anew."""

    model_config = example(**_DESIGN, reason="asked what happens at the limit")

    reason: Text = ""


class RequestDesignChanges(Body):
    """What has to change before it can be approved."""

    model_config = example(changes="say what happens when the provider is down for a day")

    changes: Filled


@dataclass(frozen=True, slots=True)
class VerdictView:
    """What somebody from outside said last."""

    verdict: Literal["approved", "changes_requested"]
    text: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class DesignReviewView:
    """A design review; `gaps` keep it from being submitted, `next` is who must do what."""

    id: str
    service: str
    owner_team: str
    title: str
    url: str | None
    goals: tuple[DesignGoal, ...]
    constraints: tuple[str, ...]
    alternatives: tuple[Alternative, ...]
    decisions: tuple[Decision, ...]
    state: State
    since: datetime
    opened_by: str
    opened_at: datetime
    writers: tuple[str, ...]
    rounds: int
    decided: VerdictView | None
    withdrawn_because: str | None
    gaps: tuple[Fault, ...]
    allowed: tuple[str, ...]
    next: tuple[NextStep, ...]


def design_review_view(review: Reviewed) -> DesignReviewView:
    """A design review as it is answered."""
    opened, design, decided = review.opened, review.design, review.decided
    verdict = None
    if isinstance(decided, DesignApproved):
        verdict = VerdictView("approved", decided.reason, decided.by, decided.at)
    elif decided:
        verdict = VerdictView("changes_requested", decided.changes, decided.by, decided.at)
    return DesignReviewView(
        id=opened.review,
        service=opened.service,
        owner_team=opened.owner_team,
        title=design.title,
        url=design.url or None,
        goals=design.goals,
        constraints=design.constraints,
        alternatives=design.alternatives,
        decisions=design.decisions,
        state=review.state,
        since=review.since,
        opened_by=opened.by,
        opened_at=opened.at,
        writers=review.writers,
        rounds=review.rounds,
        decided=verdict,
        withdrawn_because=review.withdrawn.reason if review.withdrawn else None,
        gaps=tuple(gaps(design)),
        allowed=ALLOWED[review.state],
        next=tuple(_next(review)),
    )


def _next(review: Reviewed) -> Iterator[NextStep]:
    team = review.opened.owner_team or review.opened.service
    match review.state:
        case "draft" | "changes_requested":
            missing = [gap.pointer for gap in gaps(review.design)]
            asked = review.decided.changes if isinstance(review.decided, DesignChangesRequested) else ""
            if missing:
                what, why = f"write what is missing: {', '.join(missing)}", asked or "nobody can read it yet"
                yield NextStep(review.writers, what, why)
            else:
                yield NextStep(review.writers, "submit it", asked or "somebody from outside has to read it", ":submit")
        case "in_review":
            who = (f"a person from outside {team}, not {' or '.join(review.writers)}",)
            yield NextStep(
                who, "read it, then approve it or say what to change", "a design is cheapest to change now", ":approve"
            )
        case "approved" | "withdrawn":
            pass
