"""What happens to an escalation."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from services.incidents.domain.escalation_policy.steps import Side
from services.incidents.domain.incident.terms import Severity
from services.incidents.domain.who_is_paged import Rung

Cause = Literal["declared", "severity", "time", "undelivered", "silence", "snooze-over", "further-alert"]
Rating = Literal["actionable", "noise"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Called:
    """A person who is called, and because of which duty.

    Args:
        page: The id of this call.
        person: Who.
        side: For which side.
        policy: Of which policy, *step* counted from 1.
        schedule: Of which schedule; empty: named by the policy.
        shift: In which shift; empty: none.
    """

    page: str
    person: str
    side: Side
    policy: str
    step: int
    schedule: str = ""
    shift: str = ""


@dataclass(frozen=True, slots=True)
class Passed:
    """A step, or somebody in it, that was passed over, and why."""

    policy: str
    step: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationBegun:
    """An incident looks for somebody who takes it on.

    Args:
        incident: Its id; *number*, *service*, *severity* and *title* are the incident's.
        phase: The service's.
        team: Who owns the service.
        quiet: Its people are told once, and not called.
        why: Why these are called, in this order.
        plan: The steps.
        rounds: How often all of them are taken.
        acknowledgement_timeout: How long an acknowledgement holds without a sign of life; None: for ever.
        at: When.
        rule: What fired, such as `slo/checkout-availability`; empty: people declared it.
        beside: The steps of the side that is called at once too, as far as the first that calls somebody.
    """

    incident: str
    number: str
    service: str
    severity: Severity
    title: str
    phase: str
    team: str
    quiet: bool
    why: str
    plan: tuple[Rung, ...]
    rounds: int
    acknowledgement_timeout: timedelta | None
    at: datetime
    rule: str = ""
    beside: tuple[Rung, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationReplanned:
    """The incident is more or less severe: it goes on as if it had begun like this."""

    incident: str
    begun: EscalationBegun
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTaken:
    """It came to a step, and called *people*, or waits.

    Args:
        incident: Whose escalation.
        service: The incident's.
        round: Which pass through the plan, from 1.
        step: Which step of the plan, from 1.
        cause: Why now.
        people: Who is called.
        passed: What was passed over on the way.
        notifications: What is sent to them.
        next_round: Where it goes on, with *next_step*; 0: nowhere.
        next_step: Likewise.
        due: When it goes on; None: never.
        at: When.
    """

    incident: str
    service: str
    round: int
    step: int
    cause: Cause
    people: tuple[Called, ...]
    passed: tuple[Passed, ...]
    notifications: tuple[str, ...]
    next_round: int
    next_step: int
    due: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SideCalled:
    """A severe incident called *people* of a further side, whatever its ladder does, and whoever has taken it on.

    Args:
        incident: Whose escalation.
        service: The incident's.
        people: Who is called.
        passed: What was passed over on the way to them.
        notifications: What is sent to them.
        at: When.
    """

    incident: str
    service: str
    people: tuple[Called, ...]
    passed: tuple[Passed, ...]
    notifications: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PageSent:
    """A person is called: once per person and step, through however many channels.

    *rule* is what fired, such as `slo/checkout-availability`; empty: people declared the incident.
    """

    page: str
    incident: str
    number: str
    service: str
    severity: Severity
    person: str
    side: Side
    policy: str
    step: int
    schedule: str
    shift: str
    at: datetime
    rule: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationUnassigned:
    """Nobody could be called: whoever is in *told* hears of it instead."""

    incident: str
    number: str
    service: str
    severity: Severity
    team: str
    why: str
    told: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationExhausted:
    """All steps were taken as often as the policy says, and nobody took the incident on."""

    incident: str
    number: str
    service: str
    severity: Severity
    team: str
    called: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationHeld:
    """Somebody takes the incident on; when nothing is heard of it *until* then, it is called out again."""

    incident: str
    by: str
    until: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationPaused:
    """It is left alone until then, and begins anew."""

    incident: str
    by: str
    until: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationEnded:
    """There is nothing to call for any more."""

    incident: str
    by: str
    why: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PageUndelivered:
    """Something that was sent did not reach its person, and maybe never will."""

    incident: str
    notification: str
    person: str
    detail: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponderTold:
    """Who took the incident on hears that *alerts* belong to it by now."""

    incident: str
    person: str
    alerts: int
    notifications: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EscalationClockCorrected:
    """The clock was set back, so that what was due would have waited too long: it is due then."""

    incident: str
    due: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRated:
    """Who was called says whether there was something to do; *rule* is what fired, such as `slo/checkout`."""

    page: str
    incident: str
    service: str
    team: str
    rule: str
    person: str
    rating: Rating
    reason: str
    at: datetime


Event = (
    EscalationBegun
    | EscalationReplanned
    | StepTaken
    | SideCalled
    | PageSent
    | EscalationUnassigned
    | EscalationExhausted
    | EscalationHeld
    | EscalationPaused
    | EscalationEnded
    | PageUndelivered
    | ResponderTold
    | EscalationClockCorrected
    | PageRated
)
