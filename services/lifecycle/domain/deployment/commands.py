"""What can be said of a deployment."""

from dataclasses import dataclass
from datetime import datetime

from services.lifecycle.domain.deployment.events import DeploymentRecorded, DeploymentRefused, DeploymentStaged


@dataclass(frozen=True, slots=True)
class Record:
    """Say that something was deployed; sent again, nothing happens."""

    what: DeploymentRecorded | DeploymentStaged


@dataclass(frozen=True, slots=True)
class Refuse:
    """Say that what was told of is no deployment, and why."""

    what: DeploymentRefused


@dataclass(frozen=True, slots=True, kw_only=True)
class RollBack:
    """Say that it was taken back."""

    deployment: str
    automatic: bool
    to_version: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fail:
    """Say that it made the service worse."""

    deployment: str
    incident: str
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Recover:
    """Say that the service is well again."""

    deployment: str
    how: str
    by: str
    at: datetime


Command = Record | Refuse | RollBack | Fail | Recover
