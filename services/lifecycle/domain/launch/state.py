"""A launch, and how far it has come."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.launch.errors import IllegalLaunchStepError
from services.lifecycle.domain.launch.events import (
    CheckpointRecorded,
    LaunchCancelled,
    LaunchDone,
    LaunchPlanned,
    LaunchReady,
    Plan,
)

State = Literal["planned", "ready", "launched", "cancelled"]
ALLOWED: Mapping[State, tuple[str, ...]] = {
    "planned": ("change", "record", "ready", "cancel"),
    "ready": ("change", "record", "launch", "cancel"),
    "launched": (),
    "cancelled": (),
}


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


def require_step(state: Coming, verb: str) -> None:
    """Refuse what cannot be done from here.

    Raises:
        IllegalLaunchStepError: Names what can.
    """
    if verb not in ALLOWED[state.state]:
        raise IllegalLaunchStepError(state.state, verb, ALLOWED[state.state])
