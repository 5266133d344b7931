"""What happens to a notification. No event holds an address: the channel does, outside of the log."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.incidents.domain.channel.events import ChannelKind, Urgency

Kind = Literal[
    "page", "notice", "asked", "more-alerts", "unassigned", "exhausted", "digest", "shifts", "reminder", "update"
]
Outcome = Literal["delivered", "retry", "failed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What is said, and to whom.

    Args:
        kind: What it is about.
        channel: Through what; *person* or *team* is whose it is.
        person: Whom it is for; empty: the team.
        team: Likewise.
        urgency: Whether it should wake anybody.
        subject: A line.
        text: All of it.
        incident: What it is about; empty for digests.
        number: As people call it.
        service: Likewise.
        page: The call that it is part of; empty: none.
        event: The id of the event that it tells of; empty where it is none of one alone.
    """

    kind: Kind
    channel: ChannelKind
    person: str = ""
    team: str = ""
    urgency: Urgency
    subject: str
    text: str
    incident: str = ""
    number: str = ""
    service: str = ""
    page: str = ""
    event: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """What is said beside others in one message, and what must be *owed* still when that is sent; empty: nothing."""

    message: Message
    owed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationRequested:
    """It is to be sent: at once, or when *not_before* is reached, with what is said to the same person until then.

    *owed* must be so still by then, such as `action/<id>/<day>/<owner>`; empty: nothing.
    """

    notification: str
    message: Message
    not_before: datetime | None = None
    at: datetime
    owed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationExtended:
    """It says *more*, and nothing of it was sent yet; *message* is all of it."""

    notification: str
    message: Message
    at: datetime
    more: Part | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptBegun:
    """Somebody hands it to its channel now; what came of it is unknown until *until*, and then tried again."""

    notification: str
    attempt: int
    until: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptEnded:
    """What the channel answered.

    Args:
        notification: Its id.
        attempt: Which, from 1.
        outcome: Whether it arrived, is tried again, or never will arrive.
        status: HTTP's or SMTP's; None: no answer.
        detail: What went wrong, and what helps; empty when delivered.
        next_at: When it is tried again; None: never.
        message: Whom it was for.
        at: When.
    """

    notification: str
    attempt: int
    outcome: Outcome
    status: int | None
    detail: str
    next_at: datetime | None
    message: Message
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationWithdrawn:
    """It is not sent any more: it would come too late."""

    notification: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkUsed:
    """Its one-click acknowledgement was used, and works no more."""

    notification: str
    person: str
    at: datetime


Event = NotificationRequested | NotificationExtended | AttemptBegun | AttemptEnded | NotificationWithdrawn | LinkUsed
