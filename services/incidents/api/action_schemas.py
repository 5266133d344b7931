"""What is sent to and answered by action items."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from libs.web.schemas import Body, Filled, Line, Name, Text, example
from services.incidents.api.schemas import Label, Reference, Why
from services.incidents.domain.action.decider import Action, Completed, Dropped, is_overdue
from services.incidents.domain.action.events import Kind, Priority, SourceKind
from services.incidents.domain.errors import AbsentError

ActionState = Literal["open", "in_progress", "completed", "dropped"]
Day = Annotated[date, Field(ge=date(1970, 1, 1), le=date(9998, 12, 31))]  # a day before and after exists
Address = Annotated[str, StringConstraints(max_length=2_000, pattern=r"^(https?://[^\s<>\"'`\\]+)?$")]
People = Annotated[list[Label], Field(max_length=20)]


class SourceBody(Body):
    """What an action follows from, where that is no postmortem."""

    kind: Literal["incident", "review", "finding", "insight"]
    id: Reference


class Task(Why):
    """What somebody shall do by a day, and what it follows from; without `due` the policy's day for its priority."""

    model_config = example(
        postmortem="019aa5f0-1c00-7b20-8a3b-5d6e7f801234",
        title="Limit the queue",
        owner="ana",
        type="prevent",
        priority="P1",
        due="2026-12-24",
        tracking_url="https://tracker.example.com/CHK-7",
    )

    postmortem: Reference | None = None
    source: SourceBody | None = None
    service: Name | None = None
    title: Line
    owner: Label
    collaborators: People = Field(default_factory=list[str])
    type: Kind
    priority: Priority
    due: Day | None = None
    tracking_url: Address = ""

    @model_validator(mode="after")
    def _follows_from_one(self) -> Self:
        if (self.postmortem is None) == (self.source is None):
            kind, message = "source", "say what it follows from: either `postmortem`, or `source` with kind and id"
            raise PydanticCustomError(kind, message)
        if self.source and self.source.kind != "incident" and self.service is None:
            kind, message = "service", "say which `service` it is about; a {kind} is not known here"
            raise PydanticCustomError(kind, message, {"kind": self.source.kind})
        return self


class Alteration(Body):
    """A merge patch of an action item; who owns it and when it is due have verbs of their own."""

    model_config = example(collaborators=["bo"], tracking_url="https://tracker.example.com/CHK-7")

    title: Line | None = None
    collaborators: People | None = None
    type: Kind | None = None
    priority: Priority | None = None
    tracking_url: Address | None = None
    reason: Text = ""


class Reassignment(Body):
    """Who owns it from now on, and why."""

    model_config = example(owner="bo", reason="ana is away until spring")

    owner: Label
    reason: Filled


class Postponement(Body):
    """When it is due from now on, and why."""

    model_config = example(due="2027-01-31", reason="the vendor delivers in January")

    due: Day
    reason: Filled


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionAnswer:
    """An action item; `overdue` is as of the day it is read."""

    id: str
    postmortem: str
    incident: str
    source_kind: SourceKind
    source: str
    service: str
    title: str
    owner: str
    collaborators: list[str]
    type: Kind
    priority: Priority
    state: ActionState
    due: date
    moved: int
    overdue: bool
    tracking_url: str
    opened_at: datetime
    ended_at: datetime | None


def action_answer(action: Action, today: date) -> ActionAnswer:
    """The action item as it is answered on *today*.

    Raises:
        AbsentError: There is none.
    """
    if action is None:
        raise AbsentError("action")
    item, opened = action.item, action.item.opened
    return ActionAnswer(
        id=opened.action,
        postmortem=opened.postmortem,
        incident=opened.incident,
        source_kind=opened.source_kind,
        source=opened.source or opened.postmortem,
        service=opened.service,
        title=item.title,
        owner=item.owner,
        collaborators=list(item.collaborators),
        type=item.type,
        priority=item.priority,
        state=action.name,
        due=item.due,
        moved=item.moved,
        overdue=is_overdue(action.name, item.due, today),
        tracking_url=item.tracking_url,
        opened_at=opened.at,
        ended_at=action.ended_at if isinstance(action, Completed | Dropped) else None,
    )
