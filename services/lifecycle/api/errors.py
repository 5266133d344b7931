"""How each refusal of lifecycle looks over HTTP."""

from collections.abc import Mapping
from typing import Any

from libs.web.app import Errors
from libs.web.problems import ErrorKind
from services.lifecycle.api.architecture.architecture_errors import ARCHITECTURE_ERRORS
from services.lifecycle.api.capacity.capacity_errors import CAPACITY_ERRORS
from services.lifecycle.api.checkpoints.checkpoint_errors import CHECKPOINT_ERRORS
from services.lifecycle.api.engagements.engagement_errors import ENGAGEMENT_ERRORS
from services.lifecycle.api.reviews.readiness_review_errors import REVIEW_ERRORS
from services.lifecycle.api.risks.risk_errors import RISK_ERRORS
from services.lifecycle.api.views import allowed_transitions
from services.lifecycle.domain import errors
from services.lifecycle.domain.dependencies.errors import DependencyCycleError
from services.lifecycle.domain.deployment import errors as deployment
from services.lifecycle.domain.evaluation.events import CheckResult
from services.lifecycle.domain.gate_policy.decider import VersionTakenError
from services.lifecycle.domain.rollout import errors as rollout
from services.lifecycle.domain.team import errors as team
from services.lifecycle.domain.waiver import errors as waiver


def _at(pointer: str, error: Exception) -> Mapping[str, Any]:
    return {"errors": [{"detail": str(error), "pointer": pointer}]}


def _allowed(error: errors.IllegalTransitionError) -> Mapping[str, Any]:
    return {**_at("/to", error), "allowed_transitions": allowed_transitions(error.phase)}


def _unmet(check: CheckResult) -> str:
    """What is wrong, and who does what about it."""
    who = f"team {' and '.join(check.who)}: " if check.who else ""
    return f"{check.id}: {check.detail}; {who}{check.how_to_fix}"


def _failed(error: errors.GateNotPassedError) -> Mapping[str, Any]:
    failed = error.verdict.failed
    return {
        "service": error.verdict.service,
        "phase": error.verdict.phase,
        "policy_version": error.verdict.policy_version,
        "checks": failed,
        "errors": [{"detail": _unmet(check), "pointer": "/to"} for check in failed],
    }


_WAIVERS: Errors = {
    waiver.NotWaivableError: ErrorKind(
        422, "not-waivable", "The check cannot be waived", extra=lambda e: _at("/check", e)
    ),
    waiver.ControlMissingError: ErrorKind(
        422,
        "control-not-implemented",
        "The compensating control is not there yet",
        extra=lambda e: _at("/compensating_control/implemented_at", e),
    ),
    waiver.WaiverTooLongError: ErrorKind(
        422, "waiver-too-long", "The waiver ends at the wrong time", extra=lambda e: _at("/expires_at", e)
    ),
    waiver.SelfApprovalError: ErrorKind(
        403, "second-person-required", "Another person must approve", extra=lambda e: {"requested_by": e.requested_by}
    ),
    errors.NotAnApproverError: ErrorKind(
        403, "not-an-approver", "The policy names other approvers", extra=lambda e: {"approvers": e.people}
    ),
    waiver.RenewedOftenError: ErrorKind(409, "renewed-too-often", "The waiver cannot be renewed again"),
    waiver.WaiverStateError: ErrorKind(
        409, "waiver-state", "That is not possible in the waiver's state", extra=lambda e: {"state": e.state}
    ),
}

ERRORS: Errors = {
    **ENGAGEMENT_ERRORS,
    **REVIEW_ERRORS,
    **_WAIVERS,
    **RISK_ERRORS,
    **ARCHITECTURE_ERRORS,
    **CHECKPOINT_ERRORS,
    **CAPACITY_ERRORS,
    VersionTakenError: ErrorKind(409, "version-taken", "The version is taken", extra=lambda e: _at("/version", e)),
    errors.NameTakenError: ErrorKind(409, "name-taken", "The name is taken", extra=lambda e: _at("/name", e)),
    errors.UnknownError: ErrorKind(404, "not-found", "There is no such thing"),
    errors.UnknownReferenceError: ErrorKind(
        422, "unknown-reference", "The body names what does not exist", extra=lambda e: _at(f"/{e.field}", e)
    ),
    DependencyCycleError: ErrorKind(
        409,
        "dependency-cycle",
        "Hard dependencies would go in a circle",
        extra=lambda e: {"path": e.path, **_at("/criticality", e)},
    ),
    deployment.DeploymentOverError: ErrorKind(409, "deployment-over", "Nothing more happens to the deployment"),
    deployment.NotFailedError: ErrorKind(409, "not-failed", "The deployment has not failed"),
    deployment.BeforeDeploymentError: ErrorKind(
        422, "dates-out-of-order", "The dates are in the wrong order", extra=lambda e: _at("/at", e)
    ),
    rollout.StepsError: ErrorKind(
        422, "rollout-steps", "The steps lead nowhere", extra=lambda e: _at(f"/steps/{e.index}/percent", e)
    ),
    rollout.IllegalRolloutError: ErrorKind(
        409,
        "illegal-rollout",
        "The roll-out does not stand where that is possible",
        extra=lambda e: {"state": e.state, "allowed": e.allowed},
    ),
    rollout.SecondReviewerError: ErrorKind(
        403, "second-person-required", "Another person must review", extra=lambda e: {"planned_by": e.planned_by}
    ),
    errors.ReferenceEndedError: ErrorKind(
        409, "reference-ended", "The body names what has ended", extra=lambda e: _at(f"/{e.field}", e)
    ),
    team.StructureError: ErrorKind(
        422,
        "team-structure",
        "A team cannot be set up like this",
        extra=lambda e: {"errors": [fault._asdict() for fault in e.faults]},
    ),
    team.TeamEndedError: ErrorKind(409, "team-ended", "The team has ended", extra=lambda e: {"into": e.into or None}),
    team.TeamNeededError: ErrorKind(
        409, "team-needed", "Something needs the team", extra=lambda e: {"needed_by": e.needed_by}
    ),
    team.ForeignServiceError: ErrorKind(
        422, "foreign-service", "The team does not own the service", extra=lambda e: _at(f"/{e.field}", e)
    ),
    team.MergeError: ErrorKind(409, "teams-differ", "The two teams cannot become one", extra=lambda e: _at("/into", e)),
    errors.NotUnsupportedError: ErrorKind(
        409, "not-unsupported", "Only an unsupported service can be revived", extra=lambda e: _at("/revives", e)
    ),
    errors.StillSupportedError: ErrorKind(
        409, "still-supported", "The service is not at its end", extra=lambda e: {"phase": e.phase}
    ),
    errors.GrandfatheringError: ErrorKind(
        422, "grace-too-long", "The grace is not given", extra=lambda e: _at("/grandfathered_until", e)
    ),
    errors.InTheFutureError: ErrorKind(
        422, "in-the-future", "Evidence is of what was done", extra=lambda e: _at("/at", e)
    ),
    errors.ServiceUnsupportedError: ErrorKind(409, "service-unsupported", "The service has come to its end"),
    errors.IllegalTransitionError: ErrorKind(
        409, "illegal-transition", "No transition leads there from here", extra=_allowed
    ),
    errors.GateNotPassedError: ErrorKind(422, "gate-not-passed", "The gate is not passed", extra=_failed),
    errors.EvaluationOutdatedError: ErrorKind(
        409,
        "evaluation-outdated",
        "The gate evaluation cannot be used",
        extra=lambda e: {"errors": [{"detail": reason, "pointer": "/evaluation"} for reason in e.reasons]},
    ),
    errors.TransitionPendingError: ErrorKind(
        409, "transition-pending", "Another transition is pending", extra=lambda e: {"transition": e.transition}
    ),
    errors.TransitionDecidedError: ErrorKind(
        409, "transition-decided", "The transition was decided before", extra=lambda e: {"decision": e.decision}
    ),
    errors.NotARequesterError: ErrorKind(
        403, "not-a-requester", "The policy names others who may ask", extra=lambda e: {"requesters": e.people}
    ),
    errors.SecondPersonError: ErrorKind(
        403, "second-person-required", "Another person must approve", extra=lambda e: {"requested_by": e.requested_by}
    ),
    errors.RecordedOtherwiseError: ErrorKind(409, "recorded-otherwise", "The id stands for something else"),
}
