"""A checkpoint's rules: planned > running > passed | failed | aborted; cancelled before it runs.

What has been carried out already, as machines report it, is planned and concluded in one command. Whether it passed is
worked out from plan and result (`judging.py`); nobody says so.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from services.lifecycle.domain.checkpoint.commands import (
    Abort,
    Cancel,
    Change,
    Command,
    Conclude,
    Performed,
    Schedule,
    Start,
)
from services.lifecycle.domain.checkpoint.errors import (
    CheckpointError,
    IllegalCheckpointError,
    PerformedError,
    PlanFaultsError,
    PlanKindError,
)
from services.lifecycle.domain.checkpoint.events import (
    CheckpointAborted,
    CheckpointCancelled,
    CheckpointChanged,
    CheckpointConcluded,
    CheckpointPlanned,
    CheckpointStarted,
    Event,
    WeakPoint,
)
from services.lifecycle.domain.checkpoint.judging import Verdict, judge
from services.lifecycle.domain.checkpoint.plans import Content, Kind, faults_of, planned
from services.lifecycle.domain.checkpoint.policy import CheckpointPolicy
from services.lifecycle.domain.checkpoint.results import kept
from services.lifecycle.domain.errors import RecordedOtherwiseError, UnknownError

State = Literal["planned", "running", "passed", "failed", "aborted", "cancelled"]
ALLOWED: Final[Mapping[State, tuple[str, ...]]] = {
    "planned": ("change", "start", "cancel"),
    "running": ("change", "conclude", "abort"),
    "passed": (),
    "failed": (),
    "aborted": (),
    "cancelled": (),
}
_FAILURE_IS_A_FINDING: Final[frozenset[Kind]] = frozenset(
    {"chaos_experiment", "fault_tolerance_test", "restore_test", "rollback_drill"}
)  # of these a failure is a weak point of the service, even when nobody has named it
_CLOCKS_DIFFER_BY = timedelta(minutes=5)  # the clock of a build machine may run ahead of ours

Ending = CheckpointConcluded | CheckpointAborted | CheckpointCancelled


@dataclass(frozen=True, slots=True)
class Known:
    """A checkpoint, and how far it has come.

    Args:
        planned: What it is to show, as it was changed last.
        started: Since when it runs; None: it did not, or what had been carried out was reported afterwards.
        ended: How it came to its end.
        first: As it was planned first; None: it was never changed.
    """

    planned: CheckpointPlanned
    started: CheckpointStarted | None = None
    ended: Ending | None = None
    first: CheckpointPlanned | None = None

    @property
    def state(self) -> State:
        """Where it stands."""
        match self.ended:
            case CheckpointConcluded(conclusion=conclusion):
                return conclusion
            case CheckpointAborted():
                return "aborted"
            case CheckpointCancelled():
                return "cancelled"
            case None:
                return "running" if self.started else "planned"

    @property
    def content(self) -> Content:
        """What is to be shown, by its kind."""
        return self.planned.plan.content


Checkpoint = Known | None  # None: no such checkpoint


def decide(command: Command, state: Checkpoint) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        LifecycleError: It is refused (`errors.py` here and one above).
    """
    match state, command:
        case None, Schedule():
            return _scheduled(command)
        case None, _:
            raise UnknownError("checkpoint", command.checkpoint)
        case Known(), Schedule():
            return _scheduled_again(command, state)
        case Known(), Change():
            return _changed(command, state)
        case Known(), _:
            return _gone_on(command, state)


def evolve(state: Checkpoint, event: Event) -> Checkpoint:
    """The checkpoint after one more fact."""
    match state, event:
        case _, CheckpointPlanned():
            return Known(event)
        case None, _:
            return None
        case _, CheckpointChanged():
            planned = replace(state.planned, title=event.title, plan=event.plan)
            return replace(state, planned=planned, first=state.first or state.planned)
        case _, CheckpointStarted():
            return replace(state, started=event)
        case _, CheckpointConcluded() | CheckpointAborted() | CheckpointCancelled():
            return replace(state, ended=event)


def _scheduled(command: Schedule) -> tuple[Event, ...]:
    if faults := list(faults_of(command.content)):
        raise PlanFaultsError(faults)
    first = _planned(command)
    if command.performed is None:
        return (first,)
    try:
        return first, *_concluded(command.performed, Known(first), command.policy, command)
    except CheckpointError as error:
        raise error.below("/conclusion") from None


def _scheduled_again(command: Schedule, state: Known) -> tuple[Event, ...]:
    """Nothing, if it says the same again."""
    was = state.first or state.planned
    same = replace(_planned(command), by=was.by, at=was.at) == was
    if not same or (command.performed is not None and not _same_end(command.performed, state)):
        raise RecordedOtherwiseError("checkpoint", command.checkpoint)
    return ()


def _changed(command: Change, state: Known) -> tuple[Event, ...]:
    was, content = state.planned, command.content
    if (command.title, planned(content)) == (was.title, was.plan):
        return ()
    if "change" not in ALLOWED[state.state]:
        raise IllegalCheckpointError(state.state, "change", ALLOWED[state.state])
    if content.kind != was.kind:
        raise PlanKindError(was.kind, content.kind)
    if faults := list(faults_of(content)):
        raise PlanFaultsError(faults)
    said = _said(command, state)
    return (CheckpointChanged(**said, title=command.title, plan=planned(content), reason=command.reason),)


def _gone_on(command: Start | Conclude | Abort | Cancel, state: Known) -> tuple[Event, ...]:
    said = _said(command, state)
    match state.state, command:
        case "planned", Start():
            return (CheckpointStarted(**said),)
        case "planned", Cancel():
            return (CheckpointCancelled(**said, reason=command.reason),)
        case "running", Conclude():
            return _concluded(command.performed, state, command.policy, command)
        case "running", Abort():
            weak = command.weak_points
            return (CheckpointAborted(**said, reason=command.reason, performed_at=command.at, weak_points=weak),)
        case ("running", Start()) | ("aborted", Abort()) | ("cancelled", Cancel()):
            return ()
        case (("passed" | "failed"), Conclude()) if _same_end(command.performed, state):
            return ()
        case _:
            verb = type(command).__name__.lower()
            raise IllegalCheckpointError(state.state, verb, ALLOWED[state.state])


def _concluded(
    performed: Performed, state: Known, policy: CheckpointPolicy, command: Schedule | Conclude
) -> tuple[Event, ...]:
    _require_time(performed.at, state.started, command.at)
    verdict = judge(state.content, performed.result, policy.required_signals.names)
    return (
        CheckpointConcluded(
            **_said(command, state),
            conclusion="passed" if verdict.passed else "failed",
            result=kept(performed.result),
            criteria=verdict.criteria,
            figures=dict(verdict.figures),
            performed_by=performed.by,
            performed_at=performed.at,
            evidence=performed.evidence,
            weak_points=_weak_points(performed, verdict, state),
            policy_version=policy.version,
        ),
    )


def _weak_points(performed: Performed, verdict: Verdict, state: Known) -> tuple[WeakPoint, ...]:
    """What is named, or else what was not as it had to be."""
    if performed.weak_points or verdict.passed or state.planned.kind not in _FAILURE_IS_A_FINDING:
        return performed.weak_points
    text = "; ".join(criterion.says for criterion in verdict.missed)
    return (WeakPoint(f"failed: {state.planned.title}", text, "conditional"),)


def _require_time(performed_at: datetime, started: CheckpointStarted | None, now: datetime) -> None:
    if performed_at > now + _CLOCKS_DIFFER_BY:
        raise PerformedError(performed_at, "is in the future")
    if started is not None and performed_at < started.at - _CLOCKS_DIFFER_BY:
        raise PerformedError(performed_at, f"is before it was started, at {started.at.isoformat()}")


def _same_end(performed: Performed, state: Known) -> bool:
    ended = state.ended
    if not isinstance(ended, CheckpointConcluded):
        return False
    sent = (kept(performed.result), performed.at, performed.by, performed.evidence)
    return sent == (ended.result, ended.performed_at, ended.performed_by, ended.evidence)


def _planned(command: Schedule) -> CheckpointPlanned:
    return CheckpointPlanned(
        checkpoint=command.checkpoint,
        service=command.service,
        kind=command.content.kind,
        by=command.by.name,
        at=command.at,
        title=command.title,
        plan=planned(command.content),
    )


def _said(command: Command, state: Known) -> dict[str, Any]:
    was = state.planned
    return {
        "checkpoint": was.checkpoint,
        "service": was.service,
        "kind": was.kind,
        "by": command.by.name,
        "at": command.at,
    }
