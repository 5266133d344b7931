"""What comes in and goes out where a ground rule was not kept."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from libs.web.schemas import Body, Filled, Line, Text, example
from services.lifecycle.domain.engagement.events import (
    EngagementEvidence,
    Step,
)
from services.lifecycle.domain.engagement.state import Engagement


class AnswerBreach(Body):
    """The step of the ladder that people chose."""

    model_config = example(step="named_engineers", engineers=["ana", "bo"], reason="the noise comes from one alert")

    step: Step
    engineers: Annotated[tuple[Line, ...], Field(max_length=20)] = ()
    reason: Filled


class CloseBreach(Body):
    """What was done, and that it is enough."""

    model_config = example(outcome="the alert is gone", reason="two calm weeks")

    outcome: Filled
    reason: Text = ""


@dataclass(frozen=True, slots=True)
class BreachView:
    """A ground rule that was not kept, and what people did about it."""

    id: str
    rule: str
    metric: str
    limit: float
    value: float
    window_days: float
    action: str
    owner: str
    at: datetime
    evidence: tuple[EngagementEvidence, ...]
    step: Step | None
    engineers: tuple[str, ...]
    state: Literal["open", "answered", "closed"]
    outcome: str | None


def breach_views(state: Engagement) -> list[BreachView]:
    """The breaches of an engagement, the newest first."""
    return [
        BreachView(
            id=breach.key,
            rule=breach.told.rule,
            metric=breach.told.metric,
            limit=breach.told.limit,
            value=breach.told.value,
            window_days=breach.told.window_days,
            action=breach.told.action,
            owner=breach.told.owner,
            at=breach.told.at,
            evidence=breach.told.evidence,
            step=breach.answers[-1].step if breach.answers else None,
            engineers=breach.answers[-1].engineers if breach.answers else (),
            state="closed" if breach.closed else "answered" if breach.answers else "open",
            outcome=breach.closed.outcome if breach.closed else None,
        )
        for breach in reversed(state.breaches)
    ]
