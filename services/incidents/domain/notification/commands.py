"""What can be asked of a notification."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.incidents.domain.notification.events import Message


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Send it; with *not_before* then, if it is *owed* still, with what else is asked for under its id until then."""

    notification: str
    message: Message
    not_before: datetime | None = None
    owed: str = ""
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """Hand it to its channel, which answers within *patience*; only who gets this through does.

    *stuck*: an attempt that was begun has been on its way for longer than that, whatever the clock says.
    """

    patience: timedelta
    stuck: bool = False
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the channel said to an attempt; *final* refusals are not tried again, others not before *pause* is over."""

    attempt: int
    said: Literal["delivered", "failed", "final"]
    status: int | None = None
    detail: str = ""
    pause: timedelta = timedelta(0)
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdraw:
    """Do not send it any more."""

    why: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UseLink:
    """Acknowledge by it, once."""

    at: datetime


Command = Request | Attempt | Answer | Withdraw | UseLink
