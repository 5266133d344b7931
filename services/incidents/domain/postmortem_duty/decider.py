"""The duty to write a postmortem: owed until it is published, or excused; each of its two days is said once."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, Literal, TypeVar

from services.incidents.domain.asked import Asked
from services.incidents.domain.errors import AbsentError, IllegalTransitionError, ReasonMissingError
from services.incidents.domain.learning import LearningPolicy
from services.incidents.domain.postmortem_duty.commands import Command, Excuse, Look, Meet, Require
from services.incidents.domain.postmortem_duty.events import (
    DutyFact,
    DutyStageMet,
    Event,
    PostmortemExcused,
    PostmortemOverdue,
    PostmortemReminded,
    PostmortemRequired,
    Stage,
)

F = TypeVar("F", bound=DutyFact)
DutyState = Literal["owed", "drafted", "met", "excused"]


@dataclass(frozen=True, slots=True)
class Duty:
    """What is owed.

    Args:
        required: What asked for it, in order; the first fixed the days.
        met: The stages that are done.
        reminded: The stages whose day was said to be near.
        overdue: The stages whose day was said to be over.
        excused: Why none is needed after all.
    """

    name: ClassVar[str] = "postmortem-duty"

    required: tuple[PostmortemRequired, ...]
    met: tuple[Stage, ...] = ()
    reminded: tuple[Stage, ...] = ()
    overdue: tuple[Stage, ...] = ()
    excused: PostmortemExcused | None = None

    @property
    def first(self) -> PostmortemRequired:
        """What fixed the days."""
        return self.required[0]

    @property
    def stage(self) -> Stage | None:
        """What is to be done next; None: nothing."""
        if self.excused or "publish" in self.met:
            return None
        return "publish" if "draft" in self.met else "draft"

    @property
    def state(self) -> DutyState:
        """In a word."""
        if self.excused:
            return "excused"
        return "met" if self.stage is None else "owed" if self.stage == "draft" else "drafted"

    @property
    def next_due(self) -> date:
        """The next of its two days; of what is over, the last that counted."""
        return self.due("publish" if "draft" in self.met else "draft")

    def due(self, stage: Stage) -> date:
        """Until when *stage* is done."""
        return self.first.draft_due if stage == "draft" else self.first.publish_due


State = Duty | None  # None: none was asked for


def decide(command: Command, state: State) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        AbsentError: No postmortem is due.
        IllegalTransitionError: It is not owed any more.
        ReasonMissingError: To excuse it needs a reason.
    """
    match state, command:
        case None, Require():
            return tuple(_required(command))
        case None, Excuse():
            raise AbsentError("postmortem duty")
        case None, Meet() | Look():
            return ()
        case Duty(), Require():
            known = any(_same(each, command) for each in state.required) and state.excused is None
            return () if known else (_asked(command),)
        case Duty(), Meet(stage=stage):
            done = stage in state.met or state.excused is not None
            return () if done else (_fact(DutyStageMet, state, command, stage=stage),)
        case Duty(), Excuse():
            return _excused(state, command)
        case Duty(), Look(policy=policy):
            return tuple(_looked(state, command, policy))


def evolve(state: State, event: Event) -> State:  # noqa: PLR0911  one line per kind of event
    """The state after one more fact."""
    match state, event:
        case None, PostmortemRequired():
            return Duty((event,))
        case None, _:
            return None
        case Duty(), PostmortemRequired() if state.excused:
            return replace(state, required=(event,), excused=None, reminded=(), overdue=())
        case Duty(), PostmortemRequired():
            return replace(state, required=(*state.required, event))
        case Duty(), PostmortemReminded(stage=stage):
            return replace(state, reminded=(*state.reminded, stage))
        case Duty(), PostmortemOverdue(stage=stage):
            return replace(state, overdue=(*state.overdue, stage))
        case Duty(), DutyStageMet(stage=stage):
            return replace(state, met=(*state.met, stage))
        case Duty(), PostmortemExcused():
            return replace(state, excused=event)


def reminder_day(state: Duty, stage: Stage, policy: LearningPolicy) -> date:
    """From when on it is said that the day of *stage* is near."""
    return policy.calendar.after(state.due(stage), -int(policy.remind_business_days.value))


def _same(asked: PostmortemRequired, command: Require) -> bool:
    """Whether it was asked for already; each budget that was spent is said."""
    slos = [budget.slo if budget else "" for budget in (asked.budget, command.budget)]
    return asked.why == command.why and slos[0] == slos[1]


def _required(command: Require) -> Iterator[Event]:
    asked = _asked(command)
    yield asked
    duty = Duty((asked,))
    stages: tuple[tuple[Stage, bool], ...] = (("draft", command.drafted), ("publish", command.published))
    for stage, done in stages:
        if done:
            yield _fact(DutyStageMet, duty, command, stage=stage)


def _asked(command: Require) -> PostmortemRequired:
    policy, calendar, today = command.policy, command.policy.calendar, command.at.date()
    return PostmortemRequired(
        incident=command.incident,
        number=command.number,
        service=command.service,
        why=command.why,
        draft_due=calendar.after(today, int(policy.draft_business_days.value)),
        publish_due=calendar.after(today, int(policy.publish_business_days.value)),
        policy=policy.version,
        budget=command.budget,
        by=command.by,
        reason=command.reason,
        at=command.at,
    )


def _excused(state: Duty, command: Excuse) -> tuple[Event, ...]:
    if state.excused:
        return ()
    if state.stage is None:
        raise IllegalTransitionError("duty", state.state, command.verb, ())
    if not command.reason.strip():
        raise ReasonMissingError(command.verb)
    return (_fact(PostmortemExcused, state, command),)


def _looked(state: Duty, command: Look, policy: LearningPolicy) -> Iterator[Event]:
    """Both days, however late it is looked: what is over is not said to be near."""
    if state.stage is None:
        return
    today = command.at.date()
    stages: tuple[Stage, ...] = ("draft", "publish")
    for stage in stages:
        due = state.due(stage)
        if stage in state.met or stage in state.overdue:
            continue
        if due < today:
            yield _fact(PostmortemOverdue, state, command, stage=stage, due=due)
        elif stage not in state.reminded and reminder_day(state, stage, policy) <= today:
            yield _fact(PostmortemReminded, state, command, stage=stage, due=due)


def _fact(event: type[F], state: Duty, command: Asked, **more: Any) -> F:  # noqa: ANN401  the event's own fields
    first = state.first
    return event(
        incident=first.incident,
        number=first.number,
        service=first.service,
        by=command.by,
        reason=command.reason,
        at=command.at,
        **more,
    )
