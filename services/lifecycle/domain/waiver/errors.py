"""What is refused of waivers, and why.

LifecycleError
└── WaiverError
    ├── NotWaivableError        the check cannot be waived
    ├── ControlMissingError     the compensating control is not implemented yet
    ├── WaiverTooLongError      it would end too late, or has ended already
    ├── SelfApprovalError       the approver must be another person
    ├── RenewedOftenError       it was renewed as often as it may be
    └── WaiverStateError        that is not possible in its state
"""

from datetime import datetime

from services.lifecycle.domain.errors import LifecycleError


class WaiverError(LifecycleError):
    """A waiver may not be asked for, or not decided, like this."""


class NotWaivableError(WaiverError):
    """The check cannot be waived."""

    def __init__(self, check: str) -> None:
        super().__init__(f"{check} cannot be waived: without it nobody could answer for the risk; meet it")
        self.check = check


class ControlMissingError(WaiverError):
    """The compensating control is a plan, not a fact."""

    def __init__(self, at: datetime) -> None:
        super().__init__(f"the compensating control is to be implemented on {at.isoformat()}; implement it first")


class WaiverTooLongError(WaiverError):
    """It would end too late, or before it begins."""

    def __init__(self, latest: datetime) -> None:
        super().__init__(f"a waiver ends after now and at the latest on {latest.isoformat()}")
        self.latest = latest


class SelfApprovalError(WaiverError):
    """The approver must be a person other than the one who asked."""

    def __init__(self, requested_by: str) -> None:
        super().__init__(f"{requested_by!r} asked for this waiver; another person, not a machine, approves it")
        self.requested_by = requested_by


class RenewedOftenError(WaiverError):
    """It was renewed as often as it may be."""

    def __init__(self, most: int) -> None:
        super().__init__(f"a waiver is renewed {most} time(s) at most; meet the check, or change the policy")


class WaiverStateError(WaiverError):
    """That is not possible in its state."""

    def __init__(self, waiver: str, state: str) -> None:
        super().__init__(f"waiver {waiver} is {state}; ask for a new one")
        self.state = state
