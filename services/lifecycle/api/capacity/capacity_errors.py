"""How each refusal about capacity looks over HTTP."""

from libs.web.app import Errors
from libs.web.problems import ErrorKind
from services.lifecycle.domain.capacity import errors

CAPACITY_ERRORS: Errors = {
    errors.CapacityFaultError: ErrorKind(
        422,
        "invalid-capacity",
        "That cannot be planned with",
        extra=lambda e: {"errors": [{"detail": str(e), "pointer": e.pointer}]},
    ),
    errors.MetricChangedError: ErrorKind(
        409,
        "metric-changed",
        "Demand is counted in something else",
        extra=lambda e: {"metric": e.before, "errors": [{"detail": str(e), "pointer": e.pointer}]},
    ),
    errors.InorganicUnknownError: ErrorKind(404, "not-found", "There is no such thing"),
    errors.MetricUnknownError: ErrorKind(
        404,
        "not-found",
        "There is no such thing",
        extra=lambda e: {"errors": [{"detail": str(e), "pointer": e.pointer}]},
    ),
    errors.NoDemandSourceError: ErrorKind(404, "not-found", "There is no such thing"),
    errors.OrderUnknownError: ErrorKind(404, "not-found", "There is no such thing"),
    errors.NoStrategyError: ErrorKind(409, "no-strategy", "Nothing was proposed"),
    errors.SecondSideError: ErrorKind(403, "second-side-required", "The other side must agree"),
}
