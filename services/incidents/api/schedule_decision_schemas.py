"""What is sent and answered about what people decide beside a schedule."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from pydantic import Field

from libs.web.schemas import Body, Moment, Name, Text, example
from services.incidents.domain.on_call.roster import Kind, Override
from services.incidents.domain.on_call.spans import Span
from services.incidents.domain.schedule.state import Known, Swap, SwapState


class DecideOverride(Body):
    """For a time it is otherwise."""

    model_config = example(
        person="bo", replaces="ana", start="2026-11-24T09:00:00Z", end="2026-11-24T17:00:00Z", reason="at the dentist"
    )

    person: Annotated[Name | None, Field(description="Who is on call; nobody is (off duty), if left out.")] = None
    replaces: Annotated[
        Name | None, Field(description="In whose place; the person alone is on call, above all layers, if left out.")
    ] = None
    start: Annotated[Moment | None, Field(description="From now on, if left out.")] = None
    end: Moment
    reason: Text = ""

    @property
    def kind(self) -> Kind:
        """What is decided."""
        if self.person is None:
            return "off_duty"
        return "replacement" if self.replaces else "cover"


class TakeShift(Body):
    """Who takes over from whom, from now on; whoever asks, from whoever is on call alone, until their shift ends."""

    model_config = example(reason="the pager of ana is broken")

    person: Name | None = None
    replaces: Name | None = None
    end: Moment | None = None
    reason: Text = ""


class OfferSwapBody(Body):
    """A time of one's own that somebody else may have."""

    model_config = example(start="2026-12-01T09:00:00Z", end="2026-12-02T09:00:00Z", reason="a wedding")

    person: Annotated[Name | None, Field(description="Whoever asks, if left out.")] = None
    start: Moment
    end: Moment
    reason: Text = ""


class TakeSwapBody(Body):
    """Who takes it, and which time of their own they give for it, if any."""

    model_config = example(start="2026-12-08T09:00:00Z", end="2026-12-09T09:00:00Z")

    person: Annotated[Name | None, Field(description="Whoever asks, if left out.")] = None
    start: Moment | None = None
    end: Moment | None = None
    reason: Text = ""


@dataclass(frozen=True, slots=True)
class OverrideAnswer:
    """What was decided for a time; one that was cancelled ends when that was."""

    id: str
    kind: Kind
    person: str
    replaces: str
    start: datetime
    end: datetime
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Overrides:
    """All decisions, the latest first."""

    items: tuple[OverrideAnswer, ...]


@dataclass(frozen=True, slots=True)
class SwapAnswer:
    """A swap; `next` says who must do what."""

    id: str
    state: SwapState
    person: str
    start: datetime
    end: datetime
    taken_by: str
    exchange: Span | None
    decided_by: str
    reason: str
    allowed: tuple[str, ...]
    next: str


@dataclass(frozen=True, slots=True)
class Swaps:
    """All swaps, the latest first."""

    items: tuple[SwapAnswer, ...]


def override_answer(it: Override) -> OverrideAnswer:
    """A decision as it is answered."""
    return OverrideAnswer(it.override, it.kind, it.person, it.replaces, it.start, it.end, it.reason, it.by, it.at)


def overrides_answer(known: Known) -> Overrides:
    """The decisions as they are answered."""
    return Overrides(tuple(map(override_answer, reversed(known.overrides))))


def swap_answer(it: Swap, managers: tuple[str, ...]) -> SwapAnswer:
    """A swap as it is answered."""
    who = f"one of {', '.join(managers)}" if managers else f"somebody who is neither {it.person} nor {it.taken_by}"
    following = {"offered": f"anybody but {it.person} takes it", "taken": f"{who} approves it"}
    return SwapAnswer(
        it.swap,
        it.state,
        it.person,
        it.span.start,
        it.span.end,
        it.taken_by,
        it.exchange,
        it.decided_by,
        it.reason,
        it.allowed,
        following.get(it.state, ""),
    )


def swaps_answer(known: Known, now: datetime) -> Swaps:
    """The swaps as they are answered."""
    managers = known.at(now).managers
    return Swaps(tuple(swap_answer(it, managers) for it in reversed(known.swaps)))
