"""A launch's rules: planned > ready > launched; cancelled before that.

Nothing is ready, and nothing is launched, while a blocking checkpoint is open. It is looked at both times: what was
shown a month ago may be too old, and what is measured may have changed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from services.lifecycle.domain.architecture.policy import AskedCheckpoint
from services.lifecycle.domain.errors import InTheFutureError, RecordedOtherwiseError, UnknownError
from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.launch.commands import (
    Cancel,
    ChangeLaunch,
    Command,
    Launch,
    MakeReady,
    PlanLaunch,
    RecordCheckpoint,
)
from services.lifecycle.domain.launch.errors import (
    CheckpointError,
    IllegalLaunchStepError,
    LaunchBlockedError,
    LaunchDateError,
    NotLiveError,
    OpenCheckpoint,
    SecondPersonNeededError,
    UnknownCheckpointError,
)
from services.lifecycle.domain.launch.events import (
    Checkpoint,
    CheckpointRecorded,
    Event,
    LaunchCancelled,
    LaunchChanged,
    LaunchDone,
    LaunchPlanned,
    LaunchReady,
    Plan,
)
from services.lifecycle.domain.policy import MOST_CRITICAL_TIER

State = Literal["planned", "ready", "launched", "cancelled"]
ALLOWED: Mapping[State, tuple[str, ...]] = {
    "planned": ("change", "record", "ready", "cancel"),
    "ready": ("change", "record", "launch", "cancel"),
    "launched": (),
    "cancelled": (),
}
_LETS_THROUGH = frozenset({"pass", "waived", "not_applicable"})


@dataclass(frozen=True, slots=True)
class Coming:
    """A launch, and how far it has come.

    Args:
        planned: How it began.
        plan: As it is planned now.
        state: Where it stands.
        since: Since when.
        shown: By checkpoint, the last evidence.
        checks: What was measured last, when it was said to be ready or launched.
        ready: Who said that it is ready.
        ended: How it ended.
    """

    planned: LaunchPlanned
    plan: Plan
    state: State
    since: datetime
    shown: Mapping[str, CheckpointRecorded] = field(default_factory=dict[str, CheckpointRecorded])
    checks: tuple[CheckResult, ...] = ()
    ready: LaunchReady | None = None
    ended: LaunchDone | LaunchCancelled | None = None


LaunchState = Coming | None  # None: no such launch


def decide(command: Command, state: LaunchState) -> tuple[Event, ...]:  # noqa: C901, PLR0911  a table, one line a pair
    """The facts *command* produces; none if it was already carried out.

    Raises:
        LifecycleError: It is refused (`errors.py` here and one above).
    """
    match state, command:
        case None, PlanLaunch():
            return (_planned(command),)
        case Coming(planned), PlanLaunch():
            if (planned.service, planned.plan) != (command.service, command.plan):
                raise RecordedOtherwiseError("launch", command.launch)
            return ()
        case None, _:
            raise UnknownError("launch", command.launch)
        case Coming(), ChangeLaunch():
            return _changed(command, state)
        case Coming(), RecordCheckpoint():
            return _recorded(command, state)
        case Coming(), MakeReady():
            return _made_ready(command, state)
        case Coming(), Launch():
            return _launched(command, state)
        case Coming(), Cancel():
            if state.state == "cancelled":
                return ()
            _require_step(state, "cancel")
            service = state.planned.service
            return (LaunchCancelled(command.launch, service, command.by.name, command.reason, command.at),)


def evolve(state: LaunchState, event: Event) -> LaunchState:  # noqa: PLR0911  a table, one line an event
    """The launch after one more fact."""
    match state, event:
        case _, LaunchPlanned():
            return Coming(event, event.plan, "planned", event.at)
        case None, _:
            return None
        case _, LaunchChanged():
            return replace(state, plan=event.plan)
        case _, CheckpointRecorded():
            return replace(state, shown={**state.shown, event.checkpoint: event})
        case _, LaunchReady():
            return replace(state, state="ready", since=event.at, checks=event.checks, ready=event)
        case _, LaunchDone():
            return replace(state, state="launched", since=event.at, checks=event.checks, ended=event)
        case _, LaunchCancelled():
            return replace(state, state="cancelled", since=event.at, ended=event)


def open_checkpoints(state: Coming, checks: Iterable[CheckResult], at: datetime) -> Iterator[OpenCheckpoint]:
    """The checkpoints of a launch that nothing shows at *at*, given what was measured."""
    measured = {check.id: check for check in checks}
    for each in state.planned.checkpoints:
        why = _why_measured_open(measured.get(each.check)) if each.check else _why_open(each, state, at)
        if why:
            yield OpenCheckpoint(each.id, each.text, each.blocking, why)


def _planned(command: PlanLaunch) -> LaunchPlanned:
    policy, tier = command.policy, command.tier or MOST_CRITICAL_TIER
    if command.phase not in policy.live.phases:
        raise NotLiveError(command.service, command.phase, policy.live.phases, policy.live.source)
    _require_day(command.plan, command.at)
    return LaunchPlanned(
        launch=command.launch,
        service=command.service,
        owner_team=command.owner_team,
        tier=command.tier,
        plan=command.plan,
        checkpoints=tuple(_asked(each, tier) for each in policy.checkpoints),
        second_person=tier in policy.second_person.tiers,
        policy_version=policy.version,
        by=command.by.name,
        at=command.at,
    )


def _changed(command: ChangeLaunch, state: Coming) -> tuple[Event, ...]:
    if command.plan == state.plan:
        return ()
    _require_step(state, "change")
    if command.plan.planned_for != state.plan.planned_for:
        _require_day(command.plan, command.at)
    service = state.planned.service
    return (LaunchChanged(command.launch, service, command.plan, command.by.name, command.reason, command.at),)


def _recorded(command: RecordCheckpoint, state: Coming) -> tuple[Event, ...]:
    asked = {each.id: each for each in state.planned.checkpoints}
    if command.checkpoint not in asked:
        raise UnknownCheckpointError(command.checkpoint, asked)
    recorded = CheckpointRecorded(
        launch=command.launch,
        service=state.planned.service,
        checkpoint=command.checkpoint,
        outcome=command.outcome,
        url=command.url,
        note=command.note,
        done_at=command.done_at,
        by=command.by.name,
        at=command.at,
    )
    before = state.shown.get(command.checkpoint)
    if before and replace(before, at=command.at) == recorded:
        return ()
    _require_step(state, "record")
    if check := asked[command.checkpoint].check:
        detail = f"{command.checkpoint} is measured, by the check {check}; nobody can attest it"
        raise CheckpointError(detail, "/outcome")
    if command.done_at > command.at:
        raise InTheFutureError(command.done_at)
    if command.outcome == "passed" and not command.url:
        raise CheckpointError("say where it can be seen", "/url")
    if command.outcome != "passed" and not command.note.strip():
        detail = "say why it failed" if command.outcome == "failed" else "say why it does not apply"
        raise CheckpointError(detail, "/note")
    return (recorded,)


def _made_ready(command: MakeReady, state: Coming) -> tuple[Event, ...]:
    if state.state == "ready":
        return ()
    _require_step(state, "ready")
    planned = state.planned
    if not command.by.is_person:
        raise SecondPersonNeededError(command.by.name, "a machine answers for nothing", planned.by)
    if planned.second_person and command.by.name == planned.by:
        raise SecondPersonNeededError(command.by.name, "who planned it does not pass it alone", planned.by)
    _require_nothing_open(state, command.checks, command.at)
    return (LaunchReady(command.launch, planned.service, command.checks, command.by.name, command.reason, command.at),)


def _launched(command: Launch, state: Coming) -> tuple[Event, ...]:
    if state.state == "launched":
        return ()
    _require_step(state, "launch")
    _require_nothing_open(state, command.checks, command.at)
    service = state.planned.service
    return (LaunchDone(command.launch, service, command.checks, command.by.name, command.reason, command.at),)


def _why_open(checkpoint: Checkpoint, state: Coming, at: datetime) -> str:
    shown = state.shown.get(checkpoint.id)
    if shown is None:
        return "nothing shows it yet"
    if shown.outcome == "failed":
        return f"it failed: {shown.note}"
    days = checkpoint.max_age_days
    if shown.outcome == "passed" and days is not None and at - shown.done_at > timedelta(days=days):
        return f"it was shown on {shown.done_at.date().isoformat()}, more than {days} days ago"
    return ""


def _why_measured_open(check: CheckResult | None) -> str:
    if check is None:
        return "nobody has measured it yet"
    if check.result in _LETS_THROUGH:
        return ""
    return f"{check.detail or check.result}; {check.how_to_fix}".removesuffix("; ")


def _asked(asked: AskedCheckpoint, tier: int) -> Checkpoint:
    return Checkpoint(
        id=asked.id,
        text=asked.text,
        blocking=tier in asked.blocking_tiers,
        source=asked.source,
        max_age_days=asked.max_age_days.days if asked.max_age_days else None,
        check=asked.check,
    )


def _require_nothing_open(state: Coming, checks: Iterable[CheckResult], at: datetime) -> None:
    if blocking := [each for each in open_checkpoints(state, checks, at) if each.blocking]:
        raise LaunchBlockedError(blocking)


def _require_day(plan: Plan, at: datetime) -> None:
    if plan.planned_for < at.date():
        raise LaunchDateError(plan.planned_for)


def _require_step(state: Coming, verb: str) -> None:
    if verb not in ALLOWED[state.state]:
        raise IllegalLaunchStepError(state.state, verb, ALLOWED[state.state])
