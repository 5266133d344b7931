"""What a deployment refuses, and why."""

from datetime import datetime

from services.lifecycle.domain.errors import LifecycleError


class DeploymentOverError(LifecycleError):
    """It was taken back, or never served: nothing more happens to it."""

    def __init__(self, deployment: str, what: str) -> None:
        super().__init__(f"deployment {deployment} {what}; record the next one")
        self.deployment = deployment


class NotFailedError(LifecycleError):
    """Only what has failed can recover."""

    def __init__(self, deployment: str) -> None:
        super().__init__(f"deployment {deployment} has not failed; say so first (:fail)")
        self.deployment = deployment


class BeforeDeploymentError(LifecycleError):
    """Something would have happened before the deployment did."""

    def __init__(self, at: datetime, earliest: datetime) -> None:
        super().__init__(f"{at.isoformat()} is before {earliest.isoformat()}; say when it was")
        self.at, self.earliest = at, earliest
