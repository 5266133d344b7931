"""What happens to a deployment."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Result = Literal["succeeded", "failed"]
Source = Literal["recorded", "change-event"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Deployed:
    """A version of a service arrived in an environment, or failed to.

    Args:
        deployment: Its id, given by whoever deployed.
        service: Of what.
        environment: Where.
        version: Of the service, or empty.
        result: `failed`: it never served.
        commit: The newest commit in it, or empty.
        committed_at: When that commit was made; None when not known.
        unplanned: Whether it was made because of a failure in production.
        rollout: The roll-out that it is a step of, or empty.
        url: Where to see it, or empty.
        by: Who recorded it.
        at: When it was done.
        recorded: When it was recorded.
        major_change: What it changes that no review has looked at, or empty.
        source: Whether it was recorded here, or is a change event of the incidents service, whose id it has.
        summary: What its sender says of it, or empty.
    """

    deployment: str
    service: str
    environment: str
    version: str
    result: Result
    commit: str
    committed_at: datetime | None
    unplanned: bool
    rollout: str
    url: str
    by: str
    at: datetime
    recorded: datetime
    major_change: str = ""
    source: Source = "recorded"
    summary: str = ""


class DeploymentRecorded(_Deployed):
    """It was in production, where users are."""

    __slots__ = ()


class DeploymentStaged(_Deployed):
    """It was anywhere else."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRolledBack:
    """The version before is back; *automatic* when no person decided it."""

    deployment: str
    service: str
    automatic: bool
    to_version: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentFailed:
    """It made the service worse, so that somebody must act at once; *incident* is where, or empty."""

    deployment: str
    service: str
    incident: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRecovered:
    """The service is as it was before the deployment made it worse."""

    deployment: str
    service: str
    how: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DeploymentRefused:
    """A change event is no deployment: its *service* is none that could have been deployed to."""

    deployment: str
    service: str
    summary: str
    reason: str
    by: str
    at: datetime


Event = (
    DeploymentRecorded
    | DeploymentStaged
    | DeploymentRolledBack
    | DeploymentFailed
    | DeploymentRecovered
    | DeploymentRefused
)
