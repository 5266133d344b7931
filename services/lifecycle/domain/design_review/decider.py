"""A design review's rules: draft > in_review > approved | changes_requested > in_review; withdrawn before approval.

Whoever approves is a person from outside the team that owns the service, and has written none of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from services.lifecycle.domain.design_review.commands import (
    Approve,
    Command,
    Open,
    RequestChanges,
    Revise,
    Submit,
    Withdraw,
)
from services.lifecycle.domain.design_review.errors import (
    DesignFaultyError,
    IllegalDesignStepError,
    OutsiderNeededError,
)
from services.lifecycle.domain.design_review.events import (
    Design,
    DesignApproved,
    DesignChangesRequested,
    DesignReviewOpened,
    DesignReviewWithdrawn,
    DesignRevised,
    DesignSubmitted,
    Event,
)
from services.lifecycle.domain.errors import RecordedOtherwiseError, UnknownError
from services.lifecycle.domain.policy import Fault

State = Literal["draft", "in_review", "changes_requested", "approved", "withdrawn"]
ALLOWED: Mapping[State, tuple[str, ...]] = {
    "draft": ("revise", "submit", "withdraw"),
    "in_review": ("approve", "request-changes", "withdraw"),
    "changes_requested": ("revise", "submit", "withdraw"),
    "approved": (),
    "withdrawn": (),
}
_VERBS: Mapping[type, str] = {
    Revise: "revise",
    Submit: "submit",
    Approve: "approve",
    RequestChanges: "request-changes",
    Withdraw: "withdraw",
}


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A design, and how far it has come.

    Args:
        opened: How it began.
        design: As it reads now.
        state: Where it stands.
        since: Since when.
        writers: Who wrote it.
        decided: What somebody from outside said last.
        withdrawn: Why it was given up, if it was.
        rounds: How often it was submitted.
    """

    opened: DesignReviewOpened
    design: Design
    state: State
    since: datetime
    writers: tuple[str, ...]
    decided: DesignApproved | DesignChangesRequested | None = None
    withdrawn: DesignReviewWithdrawn | None = None
    rounds: int = 0


DesignReview = Reviewed | None  # None: no such review


def decide(command: Command, state: DesignReview) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        LifecycleError: It is refused (`errors.py` here and one above).
    """
    match state, command:
        case None, Open():
            _refuse(_contradictions(command.design))
            return (_opened(command),)
        case Reviewed(opened), Open():
            if replace(_opened(command), by=opened.by, at=opened.at) != opened:
                raise RecordedOtherwiseError("design review", command.review)
            return ()
        case None, _:
            raise UnknownError("design review", command.review)
        case Reviewed(), _:
            return _moved(command, state)


def evolve(state: DesignReview, event: Event) -> DesignReview:  # noqa: PLR0911  a table, one line an event
    """The review after one more fact."""
    match state, event:
        case _, DesignReviewOpened():
            return Reviewed(event, event.design, "draft", event.at, (event.by,))
        case None, _:
            return None
        case _, DesignRevised():
            writers = tuple(dict.fromkeys((*state.writers, event.by)))
            return replace(state, design=event.design, writers=writers)
        case _, DesignSubmitted():
            writers = tuple(dict.fromkeys((*state.writers, event.by)))
            return replace(state, state="in_review", since=event.at, writers=writers, rounds=state.rounds + 1)
        case _, DesignApproved():
            return replace(state, state="approved", since=event.at, decided=event)
        case _, DesignChangesRequested():
            return replace(state, state="changes_requested", since=event.at, decided=event)
        case _, DesignReviewWithdrawn():
            return replace(state, state="withdrawn", since=event.at, withdrawn=event)


def gaps(design: Design) -> Iterator[Fault]:
    """What keeps *design* from being read, each with its place."""
    needed = {
        "goals": "say what it is for",
        "constraints": "say what it has to live with",
        "alternatives": "say what else was considered, and why not",
        "decisions": "say what was decided, and which goal that serves",
    }
    yield from (
        Fault(f"/{name}", f"is empty; {remedy}") for name, remedy in needed.items() if not getattr(design, name)
    )
    for index, decision in enumerate(design.decisions):
        if not decision.serves:
            yield Fault(f"/decisions/{index}/serves", "serves no goal; name one, or drop the decision")
    served = {goal for decision in design.decisions for goal in decision.serves}
    for index, goal in enumerate(design.goals):
        if design.decisions and goal.id not in served:
            yield Fault(f"/goals/{index}", f"no decision serves {goal.id}; decide something for it, or drop the goal")


def _moved(command: Revise | Submit | Approve | RequestChanges | Withdraw, state: Reviewed) -> tuple[Event, ...]:
    if _done(command, state):
        return ()
    verb = _VERBS[type(command)]
    if verb not in ALLOWED[state.state]:
        raise IllegalDesignStepError(state.state, verb, ALLOWED[state.state])
    review, service = state.opened.review, state.opened.service
    match command:
        case Revise(design=design):
            _refuse(_contradictions(design))
            return (DesignRevised(review, service, design, command.by.name, command.reason, command.at),)
        case Submit():
            _refuse(gaps(state.design))
            return (DesignSubmitted(review, service, command.by.name, command.at),)
        case Approve():
            _require_outsider(command, state)
            return (DesignApproved(review, service, command.by.name, command.reason, command.at),)
        case RequestChanges():
            _require_outsider(command, state)
            return (DesignChangesRequested(review, service, command.changes, command.by.name, command.at),)
        case Withdraw():
            return (DesignReviewWithdrawn(review, service, command.by.name, command.reason, command.at),)


def _done(command: Revise | Submit | Approve | RequestChanges | Withdraw, state: Reviewed) -> bool:
    match state.state, command:
        case "withdrawn", Withdraw():
            return True
        case (("draft" | "changes_requested"), Revise(design=design)):
            return design == state.design
        case "in_review", Submit():
            return True
        case "approved", Approve():
            return state.decided is not None and state.decided.by == command.by.name
        case "changes_requested", RequestChanges():
            decided = state.decided
            return isinstance(decided, DesignChangesRequested) and decided.changes == command.changes
        case _:
            return False


def _require_outsider(command: Approve | RequestChanges, state: Reviewed) -> None:
    by, team = command.by, state.opened.owner_team
    why = ""
    if not by.is_person:
        why = "a machine approves nothing"
    elif by.name in state.writers:
        why = "nobody approves what they wrote themselves"
    elif by.name in command.insiders:
        why = f"they are of {team}, which owns the service"
    if why:
        raise OutsiderNeededError(by.name, why, team, state.writers)


def _contradictions(design: Design) -> Iterator[Fault]:
    known = [goal.id for goal in design.goals]
    for index, goal in enumerate(known):
        if goal in known[:index]:
            yield Fault(f"/goals/{index}/id", f"{goal} stands here twice; give one another id")
    for index, decision in enumerate(design.decisions):
        for place, goal in enumerate(decision.serves):
            if goal not in known:
                there = ", ".join(known) or "none yet"
                yield Fault(f"/decisions/{index}/serves/{place}", f"{goal} is no goal here; goals are {there}")


def _opened(command: Open) -> DesignReviewOpened:
    return DesignReviewOpened(
        command.review, command.service, command.owner_team, command.design, command.by.name, command.at
    )


def _refuse(faults: Iterator[Fault]) -> None:
    if found := list(faults):
        raise DesignFaultyError(found)
