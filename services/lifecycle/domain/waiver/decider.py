"""A waiver's rules: every pair of state and command has one line below."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from services.lifecycle.domain.errors import NotAnApproverError, RecordedOtherwiseError, UnknownError
from services.lifecycle.domain.people import Actor, Approvers
from services.lifecycle.domain.waiver.commands import Approve, Command, Expire, Renew, Request, Revoke
from services.lifecycle.domain.waiver.errors import (
    ControlMissingError,
    RenewedOftenError,
    SelfApprovalError,
    WaiverStateError,
    WaiverTooLongError,
)
from services.lifecycle.domain.waiver.events import (
    Event,
    WaiverApproved,
    WaiverExpired,
    WaiverRenewed,
    WaiverRequested,
    WaiverRevoked,
)

WaiverStatus = Literal["requested", "approved", "revoked", "expired"]


@dataclass(frozen=True, slots=True)
class Requested:
    """It waits for another person."""

    request: WaiverRequested


@dataclass(frozen=True, slots=True)
class Approved:
    """It lets the check through, until its end."""

    request: WaiverRequested
    approval: WaiverApproved
    renewals: tuple[WaiverRenewed, ...] = ()

    @property
    def expires_at(self) -> datetime:
        """Its end."""
        return self.renewals[-1].expires_at if self.renewals else self.approval.expires_at


@dataclass(frozen=True, slots=True)
class Over:
    """It was revoked, or its time is up."""

    last: Requested | Approved
    end: WaiverRevoked | WaiverExpired

    @property
    def status(self) -> WaiverStatus:
        """In one word."""
        return "revoked" if isinstance(self.end, WaiverRevoked) else "expired"


Waiver = Requested | Approved | Over | None  # None: never asked for


def decide(command: Command, state: Waiver) -> tuple[Event, ...]:  # noqa: C901, PLR0911, PLR0912  a table
    """The facts *command* produces; none if it was already carried out.

    Raises:
        WaiverError: It is refused (`errors.py`).
    """
    match state, command:
        case None, Request():
            return (_requested(command),)
        case None, _:
            raise UnknownError("waiver", command.waiver)
        case _, Request():
            raise RecordedOtherwiseError("waiver", command.waiver)
        case Requested(request), Approve():
            return (_approved(command, request),)
        case Approved(approval=approval), Approve() if approval.by == command.by.name:
            return ()
        case Approved(), Approve():
            raise WaiverStateError(command.waiver, "approved")
        case Requested(), Renew():
            raise WaiverStateError(command.waiver, "requested")
        case Approved(), Renew():
            return (_renewed(command, state),)
        case Requested(request) | Approved(request), Revoke():
            end = WaiverRevoked(
                command.waiver, request.service, request.check, command.reason, command.by.name, command.at
            )
            return (end,)
        case Requested(request), Expire():
            return _expired(request, request.expires_at, command)
        case Approved(request), Expire():
            return _expired(request, state.expires_at, command)
        case Over(), Approve() | Renew():
            raise WaiverStateError(command.waiver, state.status)
        case Over(), Revoke() | Expire():
            return ()


def evolve(state: Waiver, event: Event) -> Waiver:
    """The waiver after one more fact."""
    match state, event:
        case _, WaiverRequested():
            return Requested(event)
        case Requested(request), WaiverApproved():
            return Approved(request, event)
        case Approved(), WaiverRenewed():
            return replace(state, renewals=(*state.renewals, event))
        case Requested() | Approved(), WaiverRevoked() | WaiverExpired():
            return Over(state, event)
        case _, _:
            return state


def _requested(command: Request) -> WaiverRequested:
    if command.control.implemented_at > command.at:
        raise ControlMissingError(command.control.implemented_at)
    _within(command.expires_at, command.at, command.longest)
    return WaiverRequested(
        waiver=command.waiver,
        service=command.service,
        check=command.check,
        risk_owner=command.risk_owner,
        reason=command.reason,
        control=command.control,
        expires_at=command.expires_at,
        by=command.by.name,
        at=command.at,
    )


def _approved(command: Approve, request: WaiverRequested) -> WaiverApproved:
    _let_by(command.by, request, command.approvers)
    _within(request.expires_at, command.at, command.longest)
    return WaiverApproved(
        command.waiver,
        request.service,
        request.check,
        request.expires_at,
        command.reason,
        command.by.name,
        command.at,
    )


def _renewed(command: Renew, state: Approved) -> WaiverRenewed:
    request = state.request
    if command.at >= state.expires_at:
        raise WaiverStateError(command.waiver, "expired")
    if len(state.renewals) >= command.most:
        raise RenewedOftenError(command.most)
    _let_by(command.by, request, command.approvers)
    _within(command.expires_at, command.at, command.longest)
    return WaiverRenewed(
        command.waiver,
        request.service,
        request.check,
        command.expires_at,
        command.reason,
        command.by.name,
        command.at,
    )


def _expired(request: WaiverRequested, expires_at: datetime, command: Expire) -> tuple[Event, ...]:
    if command.at < expires_at:
        return ()
    return (WaiverExpired(command.waiver, request.service, request.check, command.at),)


def _let_by(actor: Actor, request: WaiverRequested, approvers: Approvers) -> None:
    if not actor.is_person or actor.name == request.by:
        raise SelfApprovalError(request.by)
    if not approvers.include(actor):
        raise NotAnApproverError(actor.name, approvers.people, approvers.roles)


def _within(expires_at: datetime, at: datetime, longest: timedelta) -> None:
    latest = at + longest
    if not at < expires_at <= latest:
        raise WaiverTooLongError(latest)
