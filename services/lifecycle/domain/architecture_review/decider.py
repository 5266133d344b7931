"""An architecture review's rules: prepared > held > signed, when both sides have; withdrawn before that.

People can read up on it before, both sides are there, and each signs what was decided: two people at least, so that
whoever asked for it never passes it alone.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, get_args

from services.lifecycle.domain.architecture_review.commands import Command, Hold, Prepare, Sign, Withdraw
from services.lifecycle.domain.architecture_review.errors import (
    IllegalArchitectureStepError,
    MinutesFaultyError,
    SignatureError,
)
from services.lifecycle.domain.architecture_review.events import (
    ArchitectureReviewConcluded,
    ArchitectureReviewHeld,
    ArchitectureReviewPrepared,
    ArchitectureReviewSigned,
    ArchitectureReviewWithdrawn,
    Event,
    Minutes,
    Side,
)
from services.lifecycle.domain.errors import RecordedOtherwiseError, UnknownError
from services.lifecycle.domain.policy import Fault

State = Literal["prepared", "held", "signed", "withdrawn"]
ALLOWED: Mapping[State, tuple[str, ...]] = {
    "prepared": ("hold", "withdraw"),
    "held": ("sign", "hold", "withdraw"),
    "signed": (),
    "withdrawn": (),
}
SIDES: tuple[Side, ...] = get_args(Side)


@dataclass(frozen=True, slots=True)
class Looked:
    """An architecture review, and how far it has come; *signed* is who signed for which side."""

    prepared: ArchitectureReviewPrepared
    state: State
    since: datetime
    minutes: Minutes | None = None
    signed: Mapping[Side, ArchitectureReviewSigned] | None = None
    withdrawn: ArchitectureReviewWithdrawn | None = None

    def present(self, side: Side) -> tuple[str, ...]:
        """Who was there for *side*."""
        there = self.minutes.participants if self.minutes else ()
        return tuple(each.person for each in there if each.side == side)

    @property
    def missing(self) -> tuple[Side, ...]:
        """The sides that have not signed."""
        return tuple(side for side in SIDES if side not in (self.signed or {}))


ArchitectureReview = Looked | None  # None: no such review


def decide(command: Command, state: ArchitectureReview) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        LifecycleError: It is refused (`errors.py` here and one above).
    """
    match state, command:
        case None, Prepare():
            if command.pre_read.sent_at > command.at:
                raise MinutesFaultyError([Fault("/pre_read/sent_at", "is in the future; say when people got it")])
            return (_prepared(command),)
        case Looked(prepared), Prepare():
            if replace(_prepared(command), by=prepared.by, at=prepared.at) != prepared:
                raise RecordedOtherwiseError("architecture review", command.review)
            return ()
        case None, _:
            raise UnknownError("architecture review", command.review)
        case Looked(), Hold():
            return _held(command, state)
        case Looked(), Sign():
            return _signed(command, state)
        case Looked(), Withdraw():
            if state.state == "withdrawn":
                return ()
            _require_step(state, "withdraw")
            service = state.prepared.service
            return (ArchitectureReviewWithdrawn(command.review, service, command.by.name, command.reason, command.at),)


def evolve(state: ArchitectureReview, event: Event) -> ArchitectureReview:
    """The review after one more fact."""
    match state, event:
        case _, ArchitectureReviewPrepared():
            return Looked(event, "prepared", event.at)
        case None, _:
            return None
        case _, ArchitectureReviewHeld():
            return replace(state, state="held", since=event.at, minutes=event.minutes, signed={})
        case _, ArchitectureReviewSigned():
            return replace(state, signed={**(state.signed or {}), event.side: event})
        case _, ArchitectureReviewConcluded():
            return replace(state, state="signed", since=event.at)
        case _, ArchitectureReviewWithdrawn():
            return replace(state, state="withdrawn", since=event.at, withdrawn=event)


def _held(command: Hold, state: Looked) -> tuple[Event, ...]:
    if state.minutes == command.minutes:
        return ()
    _require_step(state, "hold")
    if faults := [*_too_early(command, state), *_absent(command), *_incomplete(command.minutes)]:
        raise MinutesFaultyError(faults)
    return (
        ArchitectureReviewHeld(command.review, state.prepared.service, command.minutes, command.by.name, command.at),
    )


def _signed(command: Sign, state: Looked) -> tuple[Event, ...]:
    side, by = command.side, command.by
    if side in (state.signed or {}) and state.state in {"held", "signed"}:
        return ()
    _require_step(state, "sign")
    may = state.present(side)
    if not by.is_person:
        raise SignatureError(by.name, side, "a machine signs nothing", may)
    if by.name not in may:
        raise SignatureError(by.name, side, "they were not there for it", may)
    service, minutes = state.prepared.service, state.minutes
    signed = ArchitectureReviewSigned(command.review, service, side, by.name, command.at)
    if state.missing != (side,) or minutes is None:
        return (signed,)
    return signed, ArchitectureReviewConcluded(command.review, service, minutes.decisions, command.at)


def _too_early(command: Hold, state: Looked) -> Iterator[Fault]:
    held_at, sent_at = command.minutes.held_at, state.prepared.pre_read.sent_at
    if held_at > command.at:
        yield Fault("/held_at", "is in the future; write it down when people have met")
    least = command.policy.pre_read
    if held_at - sent_at < timedelta(days=least.days):
        detail = f"people could read it since {sent_at.isoformat()}; {least.days} days are needed ({least.source})"
        yield Fault("/held_at", detail)


def _absent(command: Hold) -> Iterator[Fault]:
    there = command.minutes.participants
    for side in SIDES:
        if side not in {each.side for each in there}:
            yield Fault("/participants", f"nobody was there for the {side} side; both sides look at it together")
    seen: set[str] = set()
    for index, each in enumerate(there):
        place = f"/participants/{index}"
        if each.person in seen:
            yield Fault(f"{place}/person", f"{each.person} stands here twice; one person is there for one side")
        seen.add(each.person)
        if each.side == "sre" and each.person in command.insiders:
            yield Fault(f"{place}/side", f"{each.person} is of the team that owns the service; that is the dev side")
    developers = {each.person for each in there if each.side == "dev"}
    if developers and command.insiders and not developers & command.insiders:
        who = ", ".join(sorted(command.insiders))
        yield Fault("/participants", f"nobody of the team that owns the service was there; it takes one of {who}")


def _incomplete(minutes: Minutes) -> Iterator[Fault]:
    for name in ("components", "decisions"):
        if not getattr(minutes, name):
            yield Fault(f"/{name}", "is empty; write down what was looked at, and what was decided")
    names = Counter(component.name for component in minutes.components)
    for index, component in enumerate(minutes.components):
        if names[component.name] > 1:
            yield Fault(f"/components/{index}/name", f"{component.name} stands here {names[component.name]} times")


def _require_step(state: Looked, verb: str) -> None:
    if verb not in ALLOWED[state.state]:
        raise IllegalArchitectureStepError(state.state, verb, ALLOWED[state.state])


def _prepared(command: Prepare) -> ArchitectureReviewPrepared:
    return ArchitectureReviewPrepared(
        command.review,
        command.service,
        command.owner_team,
        command.title,
        command.pre_read,
        command.by.name,
        command.at,
    )
