"""A deployment's rules: recorded once, and at most one bad end."""

from dataclasses import dataclass, replace
from datetime import datetime

from services.lifecycle.domain.deployment.commands import Command, Fail, Record, Recover, Refuse, RollBack
from services.lifecycle.domain.deployment.errors import BeforeDeploymentError, DeploymentOverError, NotFailedError
from services.lifecycle.domain.deployment.events import (
    DeploymentFailed,
    DeploymentRecorded,
    DeploymentRecovered,
    DeploymentRefused,
    DeploymentRolledBack,
    DeploymentStaged,
    Event,
)
from services.lifecycle.domain.errors import RecordedOtherwiseError, UnknownError


@dataclass(frozen=True, slots=True)
class Recorded:
    """Something that was deployed, and what became of it."""

    what: DeploymentRecorded | DeploymentStaged
    failed: DeploymentFailed | None = None
    recovered: DeploymentRecovered | None = None
    rolled_back: DeploymentRolledBack | None = None


Deployment = Recorded | None  # None: no such deployment


def decide(command: Command, state: Deployment) -> tuple[Event, ...]:
    """The facts *command* produces; none if it was already carried out.

    Raises:
        LifecycleError: It is refused (`errors.py` here and one above).
    """
    match state, command:
        case None, Record(what) | Refuse(what):
            return (what,)
        case Recorded(), Refuse():
            return ()
        case None, RollBack() | Fail() | Recover():
            raise UnknownError("deployment", command.deployment)
        case Recorded(), Record(what):
            sent_again = replace(what, by=state.what.by, recorded=state.what.recorded)
            if type(what) is not type(state.what) or sent_again != state.what:
                raise RecordedOtherwiseError("deployment", what.deployment)
            return ()
        case Recorded(), RollBack():
            return _rolled_back(command, state)
        case Recorded(), Fail():
            return _failed(command, state)
        case Recorded(), Recover():
            return _recovered(command, state)


def evolve(state: Deployment, event: Event) -> Deployment:
    """The deployment after one more fact."""
    match state, event:
        case _, DeploymentRecorded() | DeploymentStaged():
            return Recorded(event)
        case None, _:
            return None
        case _, DeploymentRefused():
            return state
        case _, DeploymentRolledBack():
            return replace(state, rolled_back=event)
        case _, DeploymentFailed():
            return replace(state, failed=event)
        case _, DeploymentRecovered():
            return replace(state, recovered=event)


def _rolled_back(command: RollBack, state: Recorded) -> tuple[Event, ...]:
    if state.rolled_back:
        return ()
    _not_before(command.at, state.what.at)
    if state.what.result == "failed":
        raise DeploymentOverError(state.what.deployment, "failed, so there is nothing to take back")
    return (
        DeploymentRolledBack(
            deployment=state.what.deployment,
            service=state.what.service,
            automatic=command.automatic,
            to_version=command.to_version,
            reason=command.reason,
            by=command.by,
            at=command.at,
        ),
    )


def _failed(command: Fail, state: Recorded) -> tuple[Event, ...]:
    if state.failed:
        return ()
    _not_before(command.at, state.what.at)
    if state.rolled_back:
        raise DeploymentOverError(state.what.deployment, "was rolled back, which counts as failed")
    return (
        DeploymentFailed(
            deployment=state.what.deployment,
            service=state.what.service,
            incident=command.incident,
            reason=command.reason,
            by=command.by,
            at=command.at,
        ),
    )


def _recovered(command: Recover, state: Recorded) -> tuple[Event, ...]:
    if state.recovered or state.rolled_back:
        return ()
    if state.failed is None and state.what.result == "succeeded":
        raise NotFailedError(state.what.deployment)
    _not_before(command.at, state.failed.at if state.failed else state.what.at)
    return (
        DeploymentRecovered(
            deployment=state.what.deployment,
            service=state.what.service,
            how=command.how,
            by=command.by,
            at=command.at,
        ),
    )


def _not_before(at: datetime, earliest: datetime) -> None:
    if at < earliest:
        raise BeforeDeploymentError(at, earliest)
