"""What comes in and goes out of a hand-back."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from libs.web.schemas import Body, Filled, Line, Name, Text, example
from services.lifecycle.domain.engagement.events import (
    Figure,
)
from services.lifecycle.domain.engagement.next_steps import Next, next_steps
from services.lifecycle.domain.engagement.state import Engagement


class StartHandback(Body):
    """Which team receives the services."""

    model_config = example(receiver="checkout", reason="the developers run it well by themselves")

    receiver: Name = Field(description="The development team itself, or another team.")
    reason: Filled


class SettleItem(Body):
    """That a line of the list is done, or why it does not apply."""

    model_config = example(applies=True, evidence="https://wiki.example/handback/runbooks", reason="")

    applies: bool = True
    evidence: Line | None = Field(default=None, description="Where it can be seen; needed when it applies.")
    reason: Text = Field(default="", description="Needed when it does not apply.")


class HandBackBody(Body):
    """The services go; this would bring the SRE team back."""

    model_config = example(re_entry=["two breached quarters", "a rewrite"], reason="everything is settled")

    re_entry: Annotated[list[Line], Field(min_length=1, max_length=20)]
    reason: Filled


@dataclass(frozen=True, slots=True)
class HandbackItemView:
    """A line of the hand-back list."""

    id: str
    text: str
    source: str
    not_before: datetime | None
    state: Literal["open", "done", "not_applicable"]
    evidence: str | None
    reason: str | None
    by: str | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class HandbackView:
    """A hand-back: to whom, the list, and how the time after compares with the time before."""

    receiver: str | None
    started_at: datetime | None
    items: tuple[HandbackItemView, ...]
    re_entry: tuple[str, ...]
    handed_back_at: datetime | None
    watched_until: datetime | None
    final: bool
    figures: tuple[Figure, ...]
    next: tuple[Next, ...]


def handback_view(state: Engagement, figures: tuple[Figure, ...], at: datetime) -> HandbackView:
    """A hand-back as it is answered."""
    handover, watch = state.handover, state.watch
    items: list[HandbackItemView] = []
    for item in handover.items if handover else ():
        said = handover.settled.get(item.id) if handover else None
        items.append(
            HandbackItemView(
                id=item.id,
                text=item.text,
                source=item.source,
                not_before=item.not_before,
                state="open" if said is None else "done" if said.applies else "not_applicable",
                evidence=said.evidence or None if said else None,
                reason=said.reason or None if said else None,
                by=said.by if said else None,
                at=said.at if said else None,
            )
        )
    return HandbackView(
        receiver=handover.receiver if handover else None,
        started_at=handover.started_at if handover else None,
        items=tuple(items),
        re_entry=state.re_entry,
        handed_back_at=watch.since if watch else None,
        watched_until=watch.until if watch else None,
        final=watch is not None and watch.figures is not None,
        figures=figures,
        next=next_steps(state, at),
    )
