"""How each refusal of a checkpoint looks over HTTP."""

from collections.abc import Mapping
from typing import Any

from libs.web.app import Errors
from libs.web.problems import ErrorKind
from services.lifecycle.domain.checkpoint import errors


def _places(error: errors.CheckpointError) -> Mapping[str, Any]:
    return {"errors": [{"detail": detail, "pointer": pointer} for pointer, detail in error.places]}


CHECKPOINT_ERRORS: Errors = {
    errors.PlanFaultsError: ErrorKind(422, "faulty-plan", "The plan contradicts itself", extra=_places),
    errors.PlanKindError: ErrorKind(422, "plan-of-another-kind", "The plan is of another kind", extra=_places),
    errors.ResultKindError: ErrorKind(422, "result-of-another-kind", "The result is of another kind", extra=_places),
    errors.FiguresMissingError: ErrorKind(422, "figures-missing", "Something was not measured", extra=_places),
    errors.PerformedError: ErrorKind(422, "not-performed-then", "It was not performed then", extra=_places),
    errors.ObjectivesError: ErrorKind(422, "recovery-objectives", "The objectives do not hold", extra=_places),
    errors.BaselineError: ErrorKind(422, "no-baseline", "There is nothing to compare with", extra=_places),
    errors.NoUnitCapacityError: ErrorKind(422, "no-unit-capacity", "It says of no unit", extra=_places),
    errors.IllegalCheckpointError: ErrorKind(
        409,
        "illegal-step",
        "That cannot be done in this state",
        extra=lambda e: {"state": e.state, "allowed": e.allowed},
    ),
}
