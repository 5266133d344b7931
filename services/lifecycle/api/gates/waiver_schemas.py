"""What comes in and goes out about waivers."""

from datetime import datetime
from typing import Annotated

from pydantic import ConfigDict, Field, HttpUrl
from pydantic.dataclasses import dataclass

from libs.web.schemas import Body, Line, Moment, Name, Text
from services.lifecycle.api.schemas import EvidenceKind
from services.lifecycle.domain.waiver.decider import Approved, Over, Requested, WaiverStatus
from services.lifecycle.domain.waiver.events import WaiverRevoked

Reason = Annotated[Text, Field(min_length=1)]


class ControlBody(Body):
    """What keeps the risk small meanwhile; it is there already."""

    what: Reason
    url: HttpUrl = Field(description="Where to see it.")
    implemented_at: Moment = Field(description="Since when; not a plan.")


class RequestWaiver(Body):
    """A check that cannot be met now, and why it should be let through for a while."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "service": "checkout-api",
                    "check": "load_test",
                    "risk_owner": "cleo",
                    "reason": "the load generator is being replaced",
                    "compensating_control": {
                        "what": "a cap on requests at the edge",
                        "url": "https://wiki.example/caps",
                        "implemented_at": "2026-11-20T10:00:00Z",
                    },
                    "expires_at": "2026-12-20T10:00:00Z",
                }
            ]
        }
    )

    service: Name
    check: EvidenceKind = Field(description="A check of the gate policy.")
    risk_owner: Line = Field(description="Who answers for the risk.")
    reason: Reason
    compensating_control: ControlBody
    expires_at: Moment = Field(description="Its end, after which the check counts again by itself.")


class DecideWaiver(Body):
    """Why it is approved, or revoked."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "agreed in the service review"}]})

    reason: Reason


class RenewWaiver(DecideWaiver):
    """Until when it holds from now on, and why."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"reason": "the vendor is late", "expires_at": "2027-03-20T10:00:00Z"}]}
    )

    expires_at: Moment


@dataclass(frozen=True, slots=True)
class ControlView:
    """What keeps the risk small meanwhile."""

    what: str
    url: str
    implemented_at: datetime


@dataclass(frozen=True, slots=True)
class WaiverDecision:
    """Who approved, renewed or ended it, when and why; `expires_at` is its end from then on."""

    by: str | None
    at: datetime
    reason: str
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class WaiverView:
    """A waiver; `next` says who must do what, and why."""

    id: str
    service: str
    check: str
    state: WaiverStatus
    risk_owner: str
    reason: str
    compensating_control: ControlView
    expires_at: datetime
    requested_by: str
    requested_at: datetime
    approval: WaiverDecision | None
    renewals: tuple[WaiverDecision, ...]
    end: WaiverDecision | None
    next: str


def waiver_view(waiver: Requested | Approved | Over) -> WaiverView:
    """A waiver as it is answered."""
    last = waiver.last if isinstance(waiver, Over) else waiver
    request, approved = last.request, last if isinstance(last, Approved) else None
    end = waiver.end if isinstance(waiver, Over) else None
    first, renewals = (approved.approval, approved.renewals) if approved else (None, ())
    return WaiverView(
        id=request.waiver,
        service=request.service,
        check=request.check,
        state=_state(waiver),
        risk_owner=request.risk_owner,
        reason=request.reason,
        compensating_control=ControlView(request.control.what, request.control.url, request.control.implemented_at),
        expires_at=approved.expires_at if approved else request.expires_at,
        requested_by=request.by,
        requested_at=request.at,
        approval=WaiverDecision(first.by, first.at, first.reason, first.expires_at) if first else None,
        renewals=tuple(WaiverDecision(each.by, each.at, each.reason, each.expires_at) for each in renewals),
        end=None
        if end is None
        else WaiverDecision(end.by, end.at, end.reason)
        if isinstance(end, WaiverRevoked)
        else WaiverDecision(None, end.at, "its time is up"),
        next=_next(waiver),
    )


def _state(waiver: Requested | Approved | Over) -> WaiverStatus:
    match waiver:
        case Requested():
            return "requested"
        case Approved():
            return "approved"
        case Over():
            return waiver.status


def _next(waiver: Requested | Approved | Over) -> str:
    match waiver:
        case Requested(request):
            return f"another person than {request.by} approves or revokes it; until then {request.check} counts"
        case Approved(request):
            return f"{request.risk_owner} sees to it that {request.check} is met by {waiver.expires_at.date()}"
        case Over(last):
            return f"{last.request.check} counts again; meet it, or ask for a new waiver"
