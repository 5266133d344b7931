"""A roll-out's rules: planned > reviewed > running > done or rolled back; cancelled before it runs."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.lifecycle.domain.errors import RecordedOtherwiseError, UnknownError
from services.lifecycle.domain.rollout.commands import (
    Advance,
    Cancel,
    Command,
    Finish,
    Plan,
    Review,
    RollBack,
    Start,
)
from services.lifecycle.domain.rollout.errors import IllegalRolloutError, SecondReviewerError, StepsError
from services.lifecycle.domain.rollout.events import (
    Event,
    RolloutAdvanced,
    RolloutCancelled,
    RolloutDone,
    RolloutPlanned,
    RolloutReviewed,
    RolloutRolledBack,
    RolloutStarted,
    RolloutStep,
)

State = Literal["planned", "reviewed", "running", "done", "rolled_back", "cancelled"]
ALLOWED: Mapping[State, tuple[str, ...]] = {
    "planned": ("review", "cancel"),
    "reviewed": ("start", "cancel"),
    "running": ("advance", "finish", "roll-back"),
    "done": ("roll-back",),  # what was done can still turn out wrong
    "rolled_back": (),
    "cancelled": (),
}
_ALL = 100


@dataclass(frozen=True, slots=True)
class Going:
    """A roll-out, and how far it has come; *step* counts from 0 once it runs."""

    plan: RolloutPlanned
    state: State = "planned"
    step: int | None = None
    reviewed: RolloutReviewed | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    rolled_back: RolloutRolledBack | None = None
    reason: str = ""


Rollout = Going | None  # None: no such roll-out


def decide(command: Command, state: Rollout) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        LifecycleError: It is refused (`errors.py` here and one above).
    """
    match state, command:
        case None, Plan(what):
            _check(what.steps)
            return (what,)
        case None, _:
            raise UnknownError("roll-out", command.rollout)
        case Going(plan), Plan(what):
            if replace(what, by=plan.by, at=plan.at) != plan:
                raise RecordedOtherwiseError("roll-out", what.rollout)
            return ()
        case Going(), _:
            return _moved(command, state)


def evolve(state: Rollout, event: Event) -> Rollout:  # noqa: PLR0911  a table, one line an event
    """The roll-out after one more fact."""
    match state, event:
        case _, RolloutPlanned():
            return Going(event)
        case None, _:
            return None
        case _, RolloutReviewed():
            return replace(state, state="reviewed", reviewed=event)
        case _, RolloutStarted():
            return replace(state, state="running", step=0, started_at=event.at)
        case _, RolloutAdvanced():
            return replace(state, step=event.step)
        case _, RolloutDone():
            return replace(state, state="done", ended_at=event.at)
        case _, RolloutRolledBack():
            return replace(state, state="rolled_back", ended_at=event.at, rolled_back=event, reason=event.reason)
        case _, RolloutCancelled():
            return replace(state, state="cancelled", ended_at=event.at, reason=event.reason)


def _moved(  # noqa: PLR0911  a table, one line a pair
    command: Review | Start | Advance | Finish | RollBack | Cancel, going: Going
) -> tuple[Event, ...]:
    rollout, service = going.plan.rollout, going.plan.service
    match going.state, command:
        case "planned", Review():
            if not command.is_person or command.by == going.plan.by:
                raise SecondReviewerError(going.plan.by)
            return (
                RolloutReviewed(rollout=rollout, service=service, notes=command.notes, by=command.by, at=command.at),
            )
        case "reviewed", Start():
            return (RolloutStarted(rollout=rollout, service=service, by=command.by, at=command.at),)
        case "running", Advance():
            return _advanced(command, going)
        case "running", Finish():
            last = len(going.plan.steps) - 1
            if going.step != last:
                detail = f"step {going.step} of {last} serves; advance first"
                raise IllegalRolloutError(rollout, going.state, ALLOWED[going.state], detail)
            return (RolloutDone(rollout=rollout, service=service, by=command.by, at=command.at),)
        case (("running" | "done"), RollBack()):
            return (
                RolloutRolledBack(
                    rollout=rollout,
                    service=service,
                    step=going.step or 0,
                    automatic=command.automatic,
                    reason=command.reason,
                    by=command.by,
                    at=command.at,
                ),
            )
        case (("planned" | "reviewed"), Cancel()):
            return (
                RolloutCancelled(rollout=rollout, service=service, reason=command.reason, by=command.by, at=command.at),
            )
        case ("running", Start()) | ("done", Finish()) | ("rolled_back", RollBack()) | ("cancelled", Cancel()):
            return ()
        case _:
            raise IllegalRolloutError(rollout, going.state, ALLOWED[going.state])


def _advanced(command: Advance, going: Going) -> tuple[Event, ...]:
    steps, step = going.plan.steps, going.step or 0
    if command.step == step:
        return ()
    if command.step != step + 1 or command.step >= len(steps):
        detail = f"step {step} of {len(steps) - 1} serves, the next one is {step + 1}"
        raise IllegalRolloutError(going.plan.rollout, going.state, ALLOWED[going.state], detail)
    return (
        RolloutAdvanced(
            rollout=going.plan.rollout,
            service=going.plan.service,
            step=command.step,
            percent=steps[command.step].percent,
            by=command.by,
            at=command.at,
        ),
    )


def _check(steps: tuple[RolloutStep, ...]) -> None:
    before = 0.0
    for index, step in enumerate(steps):
        if not before < step.percent <= _ALL:
            detail = f"step {index} serves {step.percent:g} %; make it more than {before:g} and at most 100"
            raise StepsError(index, detail)
        before = step.percent
    if before != _ALL:
        detail = f"the last step serves {before:g} %; add one of 100"
        raise StepsError(len(steps) - 1, detail)
