"""A launch's rules: planned > ready > launched; cancelled before that.

Nothing is ready, and nothing is launched, while a blocking checkpoint is open. It is looked at both times: what was
shown a month ago may be too old, and what is measured may have changed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from services.lifecycle.domain.architecture.policy import AskedCheckpoint
from services.lifecycle.domain.errors import RecordedOtherwiseError, UnknownError
from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.launch.commands import (
    Cancel,
    ChangeLaunch,
    Command,
    Launch,
    MakeReady,
    NameRecord,
    PlanLaunch,
    RecordCheckpoint,
)
from services.lifecycle.domain.launch.errors import (
    LaunchBlockedError,
    LaunchDateError,
    NotLiveError,
    OpenCheckpoint,
    SecondPersonNeededError,
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
from services.lifecycle.domain.launch.recording import proved, recorded
from services.lifecycle.domain.launch.state import Coming, LaunchState, require_step
from services.lifecycle.domain.policy import MOST_CRITICAL_TIER

_LETS_THROUGH = frozenset({"pass", "waived", "not_applicable"})


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
            return recorded(command, state)
        case Coming(), NameRecord():
            return proved(command, state)
        case Coming(), MakeReady():
            return _made_ready(command, state)
        case Coming(), Launch():
            return _launched(command, state)
        case Coming(), Cancel():
            if state.state == "cancelled":
                return ()
            require_step(state, "cancel")
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
    require_step(state, "change")
    if command.plan.planned_for != state.plan.planned_for:
        _require_day(command.plan, command.at)
    service = state.planned.service
    return (LaunchChanged(command.launch, service, command.plan, command.by.name, command.reason, command.at),)


def _made_ready(command: MakeReady, state: Coming) -> tuple[Event, ...]:
    if state.state == "ready":
        return ()
    require_step(state, "ready")
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
    require_step(state, "launch")
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
        records=asked.records,
    )


def _require_nothing_open(state: Coming, checks: Iterable[CheckResult], at: datetime) -> None:
    if blocking := [each for each in open_checkpoints(state, checks, at) if each.blocking]:
        raise LaunchBlockedError(blocking)


def _require_day(plan: Plan, at: datetime) -> None:
    if plan.planned_for < at.date():
        raise LaunchDateError(plan.planned_for)
