"""How each refusal of the risk register looks over HTTP."""

from collections.abc import Mapping
from typing import Any

from libs.web.app import Errors
from libs.web.problems import ErrorKind
from services.lifecycle.domain.risk_register import errors


def _minutes(error: errors.TooBigError | errors.BudgetAllocatedError) -> Mapping[str, Any]:
    most = {"cap": error.cap} if isinstance(error, errors.TooBigError) else {"unallocated": error.unallocated}
    return {"bad_minutes": error.bad_minutes, **most}


RISK_ERRORS: Errors = {
    errors.NotAssessedError: ErrorKind(409, "not-assessed", "Nobody has said how bad it is"),
    errors.NothingObservedError: ErrorKind(409, "nothing-observed", "No incident says how bad it is"),
    errors.NoPromiseError: ErrorKind(409, "no-slo", "There is no error budget to accept it within"),
    errors.TooBigError: ErrorKind(409, "too-big", "The risk is too big to be accepted", extra=_minutes),
    errors.BudgetAllocatedError: ErrorKind(409, "budget-allocated", "Other risks have the budget", extra=_minutes),
    errors.IllegalRiskStepError: ErrorKind(
        409,
        "illegal-step",
        "That cannot be done in this state",
        extra=lambda e: {"state": e.state, "allowed": e.allowed},
    ),
    errors.AcceptorError: ErrorKind(403, "somebody-else", "Somebody else must accept it"),
    errors.RiskDateError: ErrorKind(
        422,
        "invalid-due",
        "That time cannot be",
        extra=lambda e: {"errors": [{"detail": str(e), "pointer": e.pointer}]},
    ),
}
