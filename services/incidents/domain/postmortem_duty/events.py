"""What happens to the duty to write a postmortem; its stream is called by the incident."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.incidents.domain.postmortem.events import BudgetSpent

Why = Literal["severity", "error_budget", "data_loss", "on_request"]
Stage = Literal["draft", "publish"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyFact:
    """What every event of a duty says."""

    incident: str
    number: str
    service: str
    by: str
    reason: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemRequired(DutyFact):
    """A postmortem is due.

    Args:
        why: What asks for it; each is said once.
        draft_due: Until when it is drafted.
        publish_due: Until when it is published.
        policy: The version of the policy that says so.
        budget: What the incident spent, where that is why.
    """

    why: Why
    draft_due: date
    publish_due: date
    policy: str
    budget: BudgetSpent | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyStage(DutyFact):
    """What is said about one of its two days."""

    stage: Stage
    due: date


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemReminded(DutyStage):
    """The day is near."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemOverdue(DutyStage):
    """The day is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DutyStageMet(DutyFact):
    """It was drafted, or published."""

    stage: Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemExcused(DutyFact):
    """None is needed after all; the reason says why."""


Event = PostmortemRequired | PostmortemReminded | PostmortemOverdue | DutyStageMet | PostmortemExcused
