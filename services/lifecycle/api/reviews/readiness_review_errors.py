"""How each refusal of reviews and their templates looks over HTTP."""

from collections.abc import Mapping
from typing import Any

from libs.web.app import Errors
from libs.web.problems import ErrorKind
from services.lifecycle.domain.readiness_review import errors
from services.lifecycle.domain.review_template.errors import InvalidChecklistError, TemplateOutdatedError


def _at(error: errors.ReviewError) -> Mapping[str, Any]:
    return {"errors": [{"detail": str(error), "pointer": error.pointer}]} if error.pointer else {}


def _missing(error: errors.NotReadyError) -> Mapping[str, Any]:
    found = error.readiness
    return {
        "missing": found.missing,
        "blocking_findings": found.blocking_findings,
        "errors": [
            *(
                {"detail": f"{each.text} ({each.why_not})", "pointer": f"/answers/{each.item}"}
                for each in found.missing
            ),
            *({"detail": "is not settled", "pointer": f"/findings/{each}"} for each in found.blocking_findings),
        ],
    }


REVIEW_ERRORS: Errors = {
    InvalidChecklistError: ErrorKind(
        422,
        "invalid-template",
        "The template contradicts itself",
        extra=lambda e: {"errors": [{"detail": fault.detail, "pointer": fault.pointer} for fault in e.faults]},
    ),
    TemplateOutdatedError: ErrorKind(
        409, "template-outdated", "The template has a newer version", extra=lambda e: {"newest": e.newest}
    ),
    errors.ReviewUnderwayError: ErrorKind(
        409, "review-underway", "The service is being reviewed", extra=lambda e: {"review": e.review}
    ),
    errors.CannotBeReviewedError: ErrorKind(409, "cannot-be-reviewed", "Nothing is reviewed in this phase", extra=_at),
    errors.ReviewersError: ErrorKind(422, "invalid-reviewers", "These people cannot review it", extra=_at),
    errors.FrameworksError: ErrorKind(422, "invalid-frameworks", "Model and frameworks do not fit", extra=_at),
    errors.NothingAskedError: ErrorKind(422, "nothing-asked", "The checklist would ask nothing", extra=_at),
    errors.NoDeltaError: ErrorKind(422, "no-delta", "Nothing can be taken over", extra=_at),
    errors.IllegalStepError: ErrorKind(
        409,
        "illegal-step",
        "That cannot be done in this state",
        extra=lambda e: {"state": e.state, "allowed": e.allowed},
    ),
    errors.NotAllowedError: ErrorKind(
        403, "somebody-else", "Somebody else must do this", extra=lambda e: {"who_can": e.may}
    ),
    errors.NotReadyError: ErrorKind(422, "not-ready", "Something blocks", extra=_missing),
    errors.ConditionsError: ErrorKind(422, "invalid-conditions", "The conditions do not cover it", extra=_at),
    errors.UnknownPartError: ErrorKind(404, "not-found", "There is no such part"),
    errors.AnswerError: ErrorKind(422, "invalid-answer", "The answer shows nothing", extra=_at),
    errors.TextMissingError: ErrorKind(422, "text-missing", "Something must be said", extra=_at),
    errors.InvalidDueError: ErrorKind(422, "invalid-due", "That time cannot be", extra=_at),
    errors.WaivedTooOftenError: ErrorKind(409, "waived-too-often", "It cannot be put off any longer"),
}
