"""How each refusal of an engagement looks over HTTP."""

from collections.abc import Mapping, Sequence
from typing import Any

from libs.web.app import Errors
from libs.web.problems import ErrorKind
from services.lifecycle.domain.engagement import errors


def _at(pointer: str, error: Exception) -> Mapping[str, Any]:
    return {"errors": [{"detail": str(error), "pointer": pointer}]}


def _faults(faults: Sequence[tuple[str, str]]) -> Mapping[str, Any]:
    return {"errors": [{"detail": detail, "pointer": pointer} for pointer, detail in faults]}


ENGAGEMENT_ERRORS: Errors = {
    errors.EngagementStateError: ErrorKind(
        409, "illegal-verb", "The verb does not lead on from here", extra=lambda e: {"allowed": e.allowed}
    ),
    errors.NotASpeakerError: ErrorKind(
        403, "not-a-speaker", "Somebody else speaks for the team", extra=lambda e: {"speakers": e.speakers}
    ),
    errors.BothSidesError: ErrorKind(403, "second-person-required", "One person cannot speak for both sides"),
    errors.EditionSupersededError: ErrorKind(
        409,
        "edition-superseded",
        "A newer edition was proposed",
        extra=lambda e: {"newest": e.newest, **_at("/version", e)},
    ),
    errors.CharterError: ErrorKind(
        422, "invalid-edition", "The edition contradicts itself", extra=lambda e: _faults(e.faults)
    ),
    errors.TeamKindError: ErrorKind(
        422, "wrong-kind-of-team", "Another kind of team is needed", extra=lambda e: _at(f"/{e.field}", e)
    ),
    errors.NotOwnedError: ErrorKind(
        422, "not-owned", "The service belongs to another team", extra=lambda e: _at("/services", e)
    ),
    errors.ServiceEngagedError: ErrorKind(
        409, "service-engaged", "The service is engaged already", extra=lambda e: {"engagement": e.engagement}
    ),
    errors.DeltaReviewMissingError: ErrorKind(
        422, "delta-review-missing", "What has changed must be reviewed", extra=lambda e: {"service": e.service}
    ),
    errors.ChecklistOpenError: ErrorKind(
        409,
        "checklist-open",
        "The hand-back list is not settled",
        extra=lambda e: _faults([(f"/handback/{name}", text) for name, text in e.open_items]),
    ),
    errors.TooEarlyError: ErrorKind(409, "too-early", "It takes longer", extra=lambda e: {"not_before": e.not_before}),
    errors.IncompleteError: ErrorKind(
        422, "incomplete", "Something has to be said first", extra=lambda e: _faults(e.faults)
    ),
}
