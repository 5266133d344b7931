"""How each refusal about design, architecture and launches looks over HTTP."""

from collections.abc import Mapping, Sequence
from typing import Any

from libs.web.app import Errors
from libs.web.problems import ErrorKind
from services.lifecycle.domain.architecture.errors import KnownFindingError
from services.lifecycle.domain.architecture_review import errors as looking
from services.lifecycle.domain.catalogs import NoSuchEntryError, UnknownEntryError
from services.lifecycle.domain.design_review import errors as design
from services.lifecycle.domain.launch import errors as launch
from services.lifecycle.domain.own_catalog.decider import OwnCatalogFaultyError, OwnCatalogOutdatedError
from services.lifecycle.domain.policy import Fault


def _faults(faults: Sequence[Fault]) -> Mapping[str, Any]:
    return {"errors": [{"detail": fault.detail, "pointer": fault.pointer} for fault in faults]}


def _at(error: launch.LaunchError) -> Mapping[str, Any]:
    return _faults([Fault(error.pointer, str(error))])


def _step(error: Any) -> Mapping[str, Any]:  # noqa: ANN401  any of the three
    return {"state": error.state, "allowed": error.allowed}


def _entry(error: UnknownEntryError) -> Mapping[str, Any]:
    return {"nearest": error.nearest, **(_faults([Fault(error.pointer, str(error))]) if error.pointer else {})}


def _open(error: launch.LaunchBlockedError) -> Mapping[str, Any]:
    places = [Fault(f"/checkpoints/{each.checkpoint}", f"{each.text} ({each.why})") for each in error.open]
    return {"open": error.open, **_faults(places)}


ARCHITECTURE_ERRORS: Errors = {
    NoSuchEntryError: ErrorKind(404, "not-found", "There is no such thing", extra=_entry),
    UnknownEntryError: ErrorKind(422, "unknown-entry", "The catalogue has no such entry", extra=_entry),
    OwnCatalogFaultyError: ErrorKind(
        422, "invalid-catalog", "The catalogue cannot be used", extra=lambda e: _faults(e.faults)
    ),
    OwnCatalogOutdatedError: ErrorKind(
        409, "catalog-outdated", "Somebody was faster", extra=lambda e: _faults([Fault("/version", str(e))])
    ),
    KnownFindingError: ErrorKind(409, "known-finding", "It is known already", extra=lambda e: {"finding": e.finding}),
    design.DesignFaultyError: ErrorKind(
        422, "invalid-design", "The design cannot be read like this", extra=lambda e: _faults(e.faults)
    ),
    design.IllegalDesignStepError: ErrorKind(409, "illegal-step", "That cannot be done in this state", extra=_step),
    design.OutsiderNeededError: ErrorKind(
        403, "somebody-else", "Somebody else must do this", extra=lambda e: {"who_can": e.who_can}
    ),
    looking.MinutesFaultyError: ErrorKind(
        422, "invalid-minutes", "Somebody or something is missing", extra=lambda e: _faults(e.faults)
    ),
    looking.IllegalArchitectureStepError: ErrorKind(
        409, "illegal-step", "That cannot be done in this state", extra=_step
    ),
    looking.SignatureError: ErrorKind(
        403, "somebody-else", "Somebody else must do this", extra=lambda e: {"who_can": e.who_can}
    ),
    launch.NotLiveError: ErrorKind(409, "not-live", "The service has no users who could get it", extra=_at),
    launch.IllegalLaunchStepError: ErrorKind(409, "illegal-step", "That cannot be done in this state", extra=_step),
    launch.UnknownCheckpointError: ErrorKind(404, "not-found", "There is no such part"),
    launch.CheckpointError: ErrorKind(422, "invalid-evidence", "The evidence shows nothing", extra=_at),
    launch.LaunchDateError: ErrorKind(422, "invalid-due", "That time cannot be", extra=_at),
    launch.LaunchBlockedError: ErrorKind(422, "not-ready", "Something blocks", extra=_open),
    launch.SecondPersonNeededError: ErrorKind(
        403, "second-person-required", "Another person must say so", extra=lambda e: {"who_can": e.who_can}
    ),
}
