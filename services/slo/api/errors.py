"""How the refusals of slo look over HTTP."""

from typing import Any

from libs.web.app import Errors
from libs.web.problems import ErrorKind
from services.slo.domain.agreement import errors as agreement
from services.slo.domain.errors import (
    InvalidAdjustmentError,
    InvalidNotificationTargetError,
    InvalidSourceError,
    InvalidWindowError,
    NoSuchAdjustmentError,
    NoSuchNotificationTargetError,
    NoSuchObjectError,
    NoSuchSloError,
    NoSuchSourceError,
    OneSideError,
    SloExistsError,
    SourceRetiredError,
    UnnamedSignerError,
)
from services.slo.domain.policy import errors as policy
from services.slo.domain.policy.document import InvalidPolicyError
from services.slo.domain.signing import MachineSignsError, NotASignerError, SignedOtherwiseError


def _wrong(error: InvalidSourceError | InvalidNotificationTargetError) -> dict[str, Any]:
    return {"errors": [{"detail": detail, "pointer": pointer} for pointer, detail in error.wrong]}


def _at(error: Exception, pointer: str) -> dict[str, Any]:
    return {"errors": [{"detail": str(error), "pointer": pointer}]}


ERRORS: Errors = {
    NoSuchSloError: ErrorKind(404, "not-found", "There is no such SLO"),
    NoSuchAdjustmentError: ErrorKind(404, "not-found", "There is no such adjustment"),
    InvalidAdjustmentError: ErrorKind(
        422,
        "invalid-adjustment",
        "The adjustment cannot be laid out",
        extra=lambda error: {"errors": [{"detail": error.detail, "pointer": f"/{error.part}"}]},
    ),
    agreement.NoProposalError: ErrorKind(404, "not-found", "There is no such proposal"),
    agreement.ProposalClosedError: ErrorKind(
        409, "proposal-closed", "The proposal has ended", extra=lambda error: {"end": error.end, "open": error.current}
    ),
    agreement.ProposalExpiredError: ErrorKind(409, "proposal-expired", "The proposal has lapsed"),
    agreement.ProposalTakenError: ErrorKind(409, "id-taken", "The id stands for something else"),
    agreement.NoSignersError: ErrorKind(409, "no-signers", "Nobody may sign", extra=lambda error: {"side": error.side}),
    agreement.ExpiryPassedError: ErrorKind(
        422, "invalid-expiry", "It must end later", extra=lambda error: _at(error, "/expires")
    ),
    agreement.NotTheProposerError: ErrorKind(
        403, "not-the-proposer", "Somebody else must do this", extra=lambda error: {"proposer": error.proposer}
    ),
    OneSideError: ErrorKind(422, "one-side", "Both sides must agree", extra=lambda error: _at(error, "/agreed_by")),
    UnnamedSignerError: ErrorKind(
        422,
        "not-a-signer",
        "Somebody else must agree",
        extra=lambda error: _at(error, f"/agreed_by/{error.side}") | {"who_can": error.may},
    ),
    NoSuchObjectError: ErrorKind(404, "not-found", "There is no such object"),
    SloExistsError: ErrorKind(
        409, "slo-exists", "The name has another definition", extra=lambda error: {"revision": error.revision}
    ),
    InvalidWindowError: ErrorKind(422, "invalid-window", "The window cannot be laid out"),
    NoSuchSourceError: ErrorKind(404, "not-found", "There is no such source"),
    SourceRetiredError: ErrorKind(409, "source-retired", "The source was retired"),
    InvalidSourceError: ErrorKind(422, "invalid-source", "The source cannot be asked like that", extra=_wrong),
    NoSuchNotificationTargetError: ErrorKind(404, "not-found", "There is no such notification target"),
    InvalidNotificationTargetError: ErrorKind(
        422, "invalid-notification-target", "Nothing can be sent there", extra=_wrong
    ),
    InvalidPolicyError: ErrorKind(
        422,
        "invalid-policy",
        "The policy makes no sense",
        extra=lambda error: _at(error, "/" + error.path.replace(".", "/")),
    ),
    policy.NoSuchPolicyError: ErrorKind(404, "not-found", "There is no error-budget policy"),
    policy.EditionOutdatedError: ErrorKind(
        409,
        "version-outdated",
        "Another version is put to the sides",
        extra=lambda error: _at(error, "/version") | {"version": error.current},
    ),
    policy.UnknownKindError: ErrorKind(
        422,
        "unknown-exemption",
        "The policy has no such exemption",
        extra=lambda error: _at(error, "/kind") | {"kinds": error.known},
    ),
    policy.SecondPersonError: ErrorKind(
        403,
        "second-person-required",
        "Another person must approve",
        extra=lambda error: {"requested_by": error.requested_by},
    ),
    policy.InvalidExpiryError: ErrorKind(
        422,
        "invalid-expiry",
        "It must end, and not too late",
        extra=lambda error: _at(error, f"/{error.field}") | {"latest": error.latest},
    ),
    policy.DatePassedError: ErrorKind(
        422, "date-passed", "The day is over", extra=lambda error: _at(error, f"/{error.field}")
    ),
    policy.MissingTextError: ErrorKind(
        422, "text-missing", "Something must be said for the record", extra=lambda error: _at(error, f"/{error.field}")
    ),
    policy.UnknownItemError: ErrorKind(
        404, "not-found", "The policy has nothing of this id", extra=lambda error: _at(error, f"/{error.noun}")
    ),
    policy.SettledOtherwiseError: ErrorKind(
        409, "settled-otherwise", "It was decided otherwise", extra=lambda error: {"outcome": error.outcome}
    ),
    policy.RecordedOtherwiseError: ErrorKind(409, "id-taken", "The id stands for something else"),
    policy.NotFrozenError: ErrorKind(
        409, "not-frozen", "Releases are not frozen", extra=lambda error: {"state": error.standing}
    ),
    policy.NoGlassError: ErrorKind(409, "no-glass", "No broken glass lets the deployment through"),
    MachineSignsError: ErrorKind(
        403, "person-required", "Only people decide this", extra=lambda error: {"who_can": error.may}
    ),
    NotASignerError: ErrorKind(
        403, "not-a-signer", "Somebody else must do this", extra=lambda error: {"who_can": error.may}
    ),
    SignedOtherwiseError: ErrorKind(
        409, "signed-otherwise", "One person stands for one side", extra=lambda error: {"who_can": error.may}
    ),
}
