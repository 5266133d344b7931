"""How the refusals of incidents look over HTTP."""

from typing import Any

from libs.events.errors import ReservedError
from libs.web.app import Errors
from libs.web.problems import ErrorKind
from services.incidents.domain.errors import (
    AbsentError,
    AlertsFiringError,
    FieldError,
    FieldsEmptyError,
    IllegalTransitionError,
    ImpactError,
    IntegrationTakenError,
    MatcherError,
    MilestoneNotReachedError,
    MilestoneOrderError,
    OwnerLeftError,
    PostmortemIncompleteError,
    ReasonMissingError,
    RoleError,
    SilenceError,
    TemplateOutdatedError,
    UnknownReferenceError,
    UnknownVersionError,
)
from services.incidents.domain.escalation import errors as of_paging
from services.incidents.domain.on_call import errors as of_on_call
from services.incidents.domain.postmortem.errors import (
    NoReviewerError,
    ReviewMissingError,
    SideMissingError,
    TimelineOrderError,
)
from services.incidents.senders.mapped import MappingError


def _at(error: Exception, *fields: str) -> dict[str, Any]:
    return {"errors": [{"detail": str(error), "pointer": f"/{field}"} for field in fields]}


def _places(error: MappingError) -> dict[str, Any]:
    return {"errors": [{"detail": detail, "pointer": pointer} for pointer, detail in error.places]}


ERRORS: Errors = {
    of_paging.EndedError: ErrorKind(409, "ended", "It was ended"),
    of_paging.FaultyPolicyError: ErrorKind(
        422,
        "faulty-policy",
        "The policy could not work",
        extra=lambda error: {"errors": [{"detail": detail, "pointer": place} for place, detail in error.places]},
    ),
    of_paging.DefaultTakenError: ErrorKind(
        409, "default-taken", "The team has a default already", extra=lambda error: _at(error, error.field)
    ),
    of_paging.LinkError: ErrorKind(410, "link-gone", "The link does not acknowledge any more"),
    of_paging.NotCalledError: ErrorKind(403, "not-called", "Only who was called rates a page"),
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
    RoleError: ErrorKind(
        409,
        "role-held",
        "The role is somebody else's, or nobody's",
        extra=lambda error: {"role": error.role, "holder": error.holder},
    ),
    FieldError: ErrorKind(
        422,
        "invalid-field",
        "A field cannot be, or have, that",
        extra=lambda error: _at(error, f"fields/{error.field}"),
    ),
    FieldsEmptyError: ErrorKind(
        409,
        "fields-empty",
        "Fields are still empty",
        extra=lambda error: _at(error, *(f"fields/{name}" for name in error.fields)),
    ),
    ImpactError: ErrorKind(
        422,
        "invalid-impact",
        "A service cannot have been affected like that",
        extra=lambda error: _at(error, f"affected_services/{error.index}"),
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
    IntegrationTakenError: ErrorKind(
        409, "name-taken", "The name is taken", extra=lambda error: _at(error, error.field)
    ),
    MatcherError: ErrorKind(
        422, "invalid-matcher", "A condition cannot be read", extra=lambda error: _at(error, error.field)
    ),
    SilenceError: ErrorKind(
        422, "invalid-silence", "The silence cannot be made", extra=lambda error: _at(error, error.field)
    ),
    MappingError: ErrorKind(422, "invalid-mapping", "The mapping does not fit", extra=_places),
    ReasonMissingError: ErrorKind(
        422, "reason-missing", "A reason is needed", extra=lambda error: _at(error, "reason")
    ),
    MilestoneNotReachedError: ErrorKind(
        409, "milestone-not-reached", "There is no such time yet", extra=lambda error: _at(error, error.milestone)
    ),
    MilestoneOrderError: ErrorKind(
        422, "milestone-order", "The times cannot be in this order", extra=lambda error: _at(error, error.milestone)
    ),
    **{
        kind: ErrorKind(status, code, title, extra=lambda error: _at(error, error.field))
        for kind, status, code, title in (
            (of_on_call.NameTakenError, 409, "name-taken", "The name is taken"),
            (of_on_call.StillNeededError, 409, "still-needed", "Others need it"),
            (of_on_call.UnknownZoneError, 422, "unknown-zone", "There is no such time zone"),
            (of_on_call.NoParticipantsError, 422, "no-participants", "Somebody must take part"),
            (of_on_call.SidesMissingError, 422, "sides-missing", "Both sides are needed"),
            (of_on_call.NeverOpenError, 422, "never-open", "The restriction never opens"),
            (of_on_call.TimeRangeError, 422, "time-range", "The times mean nothing here"),
            (of_on_call.PastError, 422, "in-the-past", "The past is not rewritten"),
            (of_on_call.OverlapError, 409, "overlap", "The time is decided already"),
            (of_on_call.NotOnCallError, 409, "not-on-call", "Who is named is not on call then"),
            (of_on_call.NotTheirsError, 409, "not-theirs", "It is somebody else's to decide"),
            (of_on_call.BadDefinitionError, 422, "bad-definition", "The parts do not fit together"),
        )
    },
    PostmortemIncompleteError: ErrorKind(
        409, "postmortem-incomplete", "It does not say enough yet", extra=lambda error: _at(error, *error.missing)
    ),
    ReviewMissingError: ErrorKind(
        409, "review-missing", "A side has not approved it", extra=lambda error: {"missing_approvals": error.sides}
    ),
    NoReviewerError: ErrorKind(
        409,
        "no-reviewer",
        "Somebody else must approve it",
        extra=lambda error: {"errors": [{"detail": str(error), "pointer": error.pointer}]} if error.pointer else {},
    ),
    SideMissingError: ErrorKind(422, "side-missing", "Say for which side", extra=lambda error: _at(error, "side")),
    TimelineOrderError: ErrorKind(
        422,
        "timeline-order",
        "The timeline is not in order",
        extra=lambda error: {"errors": [{"detail": str(error), "pointer": error.pointer}]},
    ),
    OwnerLeftError: ErrorKind(422, "owner-left", "Who is named has left", extra=lambda error: _at(error, error.place)),
    UnknownVersionError: ErrorKind(404, "unknown-version", "There is no such version"),
    TemplateOutdatedError: ErrorKind(
        409, "template-outdated", "There is a newer version", extra=lambda error: {"newest": error.newest}
    ),
}
