"""How the refusals of incidents look over HTTP."""

from typing import Any

from libs.events.errors import ReservedError
from libs.web.app import Errors
from libs.web.problems import ErrorKind
from services.incidents.domain.errors import (
    AbsentError,
    AlertsFiringError,
    IllegalTransitionError,
    MilestoneNotReachedError,
    MilestoneOrderError,
    PostmortemIncompleteError,
    ReasonMissingError,
    UnknownReferenceError,
)


def _at(error: Exception, *fields: str) -> dict[str, Any]:
    return {"errors": [{"detail": str(error), "pointer": f"/{field}"} for field in fields]}


ERRORS: Errors = {
    AbsentError: ErrorKind(404, "not-found", "There is no such thing"),
    UnknownReferenceError: ErrorKind(
        422, "unknown-reference", "The body names something unknown", extra=lambda error: _at(error, error.field)
    ),
    IllegalTransitionError: ErrorKind(
        409,
        "illegal-transition",
        "The state does not allow it",
        extra=lambda error: {"state": error.state, "allowed": error.allowed},
    ),
    AlertsFiringError: ErrorKind(
        409, "alerts-firing", "Alerts still fire", extra=lambda error: {"alerts": error.alerts}
    ),
    ReservedError: ErrorKind(
        409,
        "newer-incident-open",
        "A newer incident is open",
        "further alerts of its group go to a newer incident, which is named here; go on there, or resolve it first",
        extra=lambda error: {"incident": error.holder.partition("/")[2]},
    ),
    ReasonMissingError: ErrorKind(
        422, "reason-missing", "A reason is needed", extra=lambda error: _at(error, "reason")
    ),
    MilestoneNotReachedError: ErrorKind(
        409, "milestone-not-reached", "There is no such time yet", extra=lambda error: _at(error, error.milestone)
    ),
    MilestoneOrderError: ErrorKind(
        422, "milestone-order", "The times cannot be in this order", extra=lambda error: _at(error, error.milestone)
    ),
    PostmortemIncompleteError: ErrorKind(
        409, "postmortem-incomplete", "It does not say enough yet", extra=lambda error: _at(error, *error.missing)
    ),
}
