"""What comes in and goes out where a readiness review is decided: approvals, their conditions, and ends."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, HttpUrl

from libs.web.schemas import Body, Filled, Name, Text
from services.lifecycle.domain.readiness_review.events import (
    ReviewDeclined,
    ReviewSuperseded,
    ReviewWithdrawn,
)
from services.lifecycle.domain.readiness_review.state import (
    Approved,
    Ended,
    Underway,
)


class Why(Body):
    """Why something is done."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "agreed in the kick-off of 3 March"}]})

    reason: Text = ""


class ConditionBody(Body):
    """What an approval depends on."""

    text: Filled
    owner: Name
    due: date
    item: Annotated[str, Field(description="The item that it brings in order.")] = ""
    finding: Annotated[str, Field(description="The finding that it brings in order.")] = ""


class ApproveReview(Why):
    """The service is ready, under conditions or none."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "reason": "ready",
                    "conditions": [
                        {
                            "text": "play the disaster-recovery drill",
                            "owner": "ana",
                            "due": "2026-12-18",
                            "item": "recovery-practised",
                        }
                    ],
                }
            ]
        }
    )

    conditions: list[ConditionBody] = Field(default_factory=list[ConditionBody], max_length=50)
    looked_at: Annotated[Text, Field(description="What was examined; needed where nothing was found.")] = ""


class DeclineReview(Why):
    """The service is not ready."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"guidance": "split the shared database first", "reason": "no way back"}]}
    )

    guidance: Annotated[Text, Field(description="What would make it ready.")]


class MeetConditionBody(Why):
    """A condition is met, and where that can be seen."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"url": "https://wiki.example/drills/7"}]})

    url: HttpUrl


@dataclass(frozen=True, slots=True)
class ConditionView:
    """A condition of an approval."""

    id: str
    text: str
    owner: str
    due: date
    item: str | None
    finding: str | None
    state: Literal["open", "met", "overdue"]
    url: str | None
    confirmed_by: str | None


@dataclass(frozen=True, slots=True)
class ApprovalView:
    """Why a service counts as ready, and for how long."""

    by: str
    at: datetime
    reason: str
    looked_at: str
    expires_at: datetime
    conditions: tuple[ConditionView, ...]


@dataclass(frozen=True, slots=True)
class ReviewEndView:
    """Why a review lets nobody through any more."""

    by: str
    at: datetime
    reason: str
    guidance: str | None = None
    superseded_by: str | None = None


def approval_view(state: Approved) -> ApprovalView:
    """An approval with its conditions as it is answered."""
    approval = state.approval
    conditions: list[ConditionView] = []
    for each in approval.conditions:
        met = state.met.get(each.condition)
        conditions.append(
            ConditionView(
                id=each.condition,
                text=each.text,
                owner=each.owner,
                due=each.due,
                item=each.item or None,
                finding=each.finding or None,
                state="met" if met else "overdue" if each.condition in state.overdue else "open",
                url=met.url if met else None,
                confirmed_by=met.by if met else None,
            )
        )
    return ApprovalView(
        approval.by, approval.at, approval.reason, approval.looked_at, approval.expires_at, tuple(conditions)
    )


def end_view(state: Underway | Approved | Ended) -> ReviewEndView | None:
    """Why a review lets nobody through any more; None while it may."""
    match state:
        case Approved(expired=expired) if expired:
            return ReviewEndView(expired.by, expired.at, expired.reason)
        case Ended(ending=ReviewDeclined() as ending):
            return ReviewEndView(ending.by, ending.at, ending.reason, guidance=ending.guidance)
        case Ended(ending=ReviewWithdrawn() as ending):
            return ReviewEndView(ending.by, ending.at, ending.reason)
        case Ended(ending=ReviewSuperseded() as ending):
            return ReviewEndView("", ending.at, "a later review was approved", superseded_by=ending.superseded_by)
        case _:
            return None
