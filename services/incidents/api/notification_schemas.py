"""What comes in and goes out of notifications, calls and channels."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any

from pydantic import Field

from libs.web.schemas import Body, example
from services.incidents.api.people_schemas import Address, Email
from services.incidents.api.schemas import Reference, Why
from services.incidents.domain.channel.events import ChannelKind, Urgency
from services.incidents.domain.errors import AbsentError
from services.incidents.domain.escalation.events import Rating
from services.incidents.domain.escalation.state import Climbing, Escalation, Held, Paused
from services.incidents.domain.notification.decider import State
from services.incidents.domain.notification.events import Kind


class RateBody(Why):
    """Whether there was something to do for who was called."""

    model_config = example(page="019aa5c1-8000-7a11-9c55-2f8e4b7d6c11", rating="noise", reason="it cleared by itself")

    page: Reference
    rating: Rating


class TeamAddress(Body):
    """Where a team is reached: an http(s) address, or one for e-mails."""

    model_config = example(address="https://chat.example/hooks/checkout")

    address: Annotated[Address | Email, Field(union_mode="left_to_right")]


class SecretRotation(Why):
    """Another secret; the one before signs beside it for *overlap*, in which receivers change."""

    model_config = example(overlap="P1D", reason="it was in a log")

    overlap: Annotated[timedelta, Field(ge=timedelta(0), le=timedelta(days=7))] = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptAnswer:
    """One attempt, and what the channel said; `unknown`: nothing yet, or its process died."""

    at: datetime
    outcome: str
    status: int | None
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NotificationAnswer:
    """What was sent to whom, or is to be: of which `event`; `status` and `detail` are of the last attempt."""

    id: str
    kind: Kind
    channel: ChannelKind
    person: str
    team: str
    urgency: Urgency
    subject: str
    incident: str
    number: str
    service: str
    page: str
    event: str
    state: State
    status: int | None
    detail: str
    attempts: list[AttemptAnswer]
    requested_at: datetime
    next_attempt_at: datetime | None
    ended_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CalledAnswer:
    """Somebody who was called, and what they said of it."""

    page: str
    person: str
    side: str
    policy: str
    step: int
    schedule: str
    shift: str
    rating: Rating | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationAnswer:
    """How the calling for an incident stands: `due` is when it goes on."""

    incident: str
    number: str
    service: str
    state: str
    why: str
    quiet: bool
    unassigned: bool
    held_by: str
    due: datetime | None
    rounds: int
    steps: int
    next_round: int | None
    next_step: int | None
    called: list[CalledAnswer]


@dataclass(frozen=True, slots=True, kw_only=True)
class RatedAnswer:
    """What was said of a call."""

    page: str
    rating: Rating


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleNoise:
    """The calls of one rule; those that are neither actionable nor noise were not rated."""

    service: str
    rule: str
    pages: int
    actionable: int
    noise: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NoiseReport:
    """The calls of each rule, what was noise first."""

    since: datetime
    until: datetime
    items: list[RuleNoise]
    next_page_token: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelAnswer:
    """A channel; `off` says why nothing is sent through it, and is empty where something is."""

    kind: ChannelKind
    off: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretAnswer:
    """What a webhook verifies messages with; `former_secret_until`: until then the secret before signs them too."""

    webhook_secret: str
    former_secret_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChannelsAnswer(SecretAnswer):
    """The channels of a person or a team, and what their webhook verifies messages with."""

    items: list[ChannelAnswer]
    next_page_token: str = ""


def escalation_answer(escalation: Escalation) -> EscalationAnswer:
    """The escalation as it is answered.

    Raises:
        AbsentError: Nobody was called for the incident, nor will be.
    """
    if escalation is None:
        raise AbsentError("escalation", "/v1/incidents")
    record, begun = escalation.record, escalation.record.begun
    ratings = dict(record.ratings)
    place = escalation.place if isinstance(escalation, Climbing) else None
    return EscalationAnswer(
        incident=begun.incident,
        number=begun.number,
        service=begun.service,
        state=escalation.name,
        why=begun.why,
        quiet=begun.quiet,
        unassigned=record.unassigned,
        held_by=escalation.by if isinstance(escalation, Held) else "",
        due=escalation.due if isinstance(escalation, Climbing | Held | Paused) else None,
        rounds=begun.rounds,
        steps=len(begun.plan),
        next_round=place[0] if place and place[0] else None,
        next_step=place[1] if place and place[1] else None,
        called=[
            CalledAnswer(
                page=each.page,
                person=each.person,
                side=each.side,
                policy=each.policy,
                step=each.step,
                schedule=each.schedule,
                shift=each.shift,
                rating=ratings.get(each.page),
            )
            for each in record.called
        ],
    )


def notification_answer(row: Any) -> NotificationAnswer:  # noqa: ANN401  a row
    """A row of the log of notifications."""
    same = (
        "id",
        "kind",
        "channel",
        "person",
        "team",
        "urgency",
        "subject",
        "incident",
        "number",
        "service",
        "page",
        "event",
    )
    return NotificationAnswer(
        **{name: row[name] for name in (*same, "state", "status", "detail", "requested_at", "ended_at")},
        attempts=[AttemptAnswer(**each | {"at": datetime.fromisoformat(each["at"])}) for each in row["attempts"]],
        next_attempt_at=row["next_at"] if row["state"] == "pending" else None,
    )
