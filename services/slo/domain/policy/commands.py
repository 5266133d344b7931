"""What can be asked of a service's error-budget policy.

Commands that may change where the service stands carry its *budgets* as they are at that moment: every SLO of the
service, the undefined ones too.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from services.slo.domain.policy.document import Document, Kind, Party
from services.slo.domain.policy.standing import SloBudget
from services.slo.domain.signing import Actor, Side

Outcome = Literal["upheld", "lifted"]
Reminder = Literal["follow-up", "revisit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Write:
    """Put an edition of the policy to both sides; the one in force stays in force until they have signed."""

    service: str
    document: Document
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """Agree for one side to the edition *version*: the one that was read, not the newest there happens to be."""

    service: str
    version: int
    side: Party
    reason: str
    budgets: tuple[SloBudget, ...]
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Observe:
    """Look at the budgets: after each assessment, when the service's SLOs change, and when something expires."""

    service: str
    budgets: tuple[SloBudget, ...]
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Exempt:
    """Grant an exemption.

    Args:
        service: Whose policy.
        exemption: The id it will have.
        kind: One that the policy knows.
        slos: The SLOs it covers; all of the service when empty.
        reason: Why this is such a case.
        evidence: Where that can be seen: an incident, a ticket, a link.
        requested_by: Who asked for it.
        budgets: As they are.
        by: Who approves: a signer of the policy or its executive, and not who asked.
        expires: When it ends.
        at: When.
    """

    service: str
    exemption: str
    kind: Kind
    slos: tuple[str, ...]
    reason: str
    evidence: str
    requested_by: str
    budgets: tuple[SloBudget, ...]
    by: Actor
    expires: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoke:
    """End an exemption early."""

    service: str
    exemption: str
    reason: str
    budgets: tuple[SloBudget, ...]
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakGlass:
    """Let one deployment through a freeze.

    Args:
        service: Whose freeze.
        glass: The id it will have.
        deployment: The one to let through; empty: the first that says it used this.
        reason: Why it cannot wait.
        follow_up: What will be done about it afterwards.
        follow_up_due: By when.
        budgets: As they are.
        by: Who answers for it.
        expires: When it ends, used or not.
        at: When.
    """

    service: str
    glass: str
    deployment: str
    reason: str
    follow_up: str
    follow_up_due: date
    budgets: tuple[SloBudget, ...]
    by: Actor
    expires: datetime
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UseGlass:
    """Say that *deployment* went through a broken glass; send it only for one that would have been stopped."""

    service: str
    deployment: str
    by: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Disagree:
    """Take a disagreement to the executive.

    Args:
        service: Whose policy.
        disagreement: The id it will have.
        about: How the budget was calculated, or what the policy says follows [EBP].
        side: For whom.
        reason: What is wrong.
        by: A signer of that side.
        at: When.
    """

    service: str
    disagreement: str
    about: Literal["calculation", "action"]
    side: Side
    reason: str
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Settle:
    """Decide a disagreement; only the executive can.

    Args:
        service: Whose policy.
        disagreement: Which.
        outcome: `upheld`: the policy stands; `lifted`: releases go on, whatever the budget, until *until*.
        until: The end of that; None if upheld.
        reason: Why.
        budgets: As they are.
        by: The executive.
        at: When.
    """

    service: str
    disagreement: str
    outcome: Outcome
    until: datetime | None
    reason: str
    budgets: tuple[SloBudget, ...]
    by: Actor
    at: datetime


@dataclass(frozen=True, slots=True)
class IncidentSpending:
    """What one incident spent.

    Args:
        incident: Its id.
        slo: Of which SLO.
        share: Of that SLO's budget over the policy's incident window, four weeks.
        number: What people call it, such as `INC-42`.
    """

    incident: str
    slo: str
    share: float
    number: str = ""


@dataclass(frozen=True, slots=True)
class ClassSpending:
    """What one class of outage spent.

    Args:
        outage_class: Its name, such as a root cause.
        quarter: Such as `2026-Q4`.
        slo: Of which SLO.
        share: Of that SLO's budget for the quarter.
    """

    outage_class: str
    quarter: str
    slo: str
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """Look at what incidents and classes of outage spent."""

    service: str
    incidents: tuple[IncidentSpending, ...] = ()
    classes: tuple[ClassSpending, ...] = ()
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Remind:
    """Remind people of what is due.

    Args:
        service: Whose policy.
        kind: Of what.
        key: The glass, or the version of the policy.
        at: When.
    """

    service: str
    kind: Reminder
    key: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Fulfil:
    """Show that something owed was done.

    Args:
        service: Whose policy.
        obligation: Its id, as it was announced.
        evidence: The postmortem with its P0 action, the P0 item in the quarterly plan, or what followed a broken glass.
        reason: Why that is enough; may be empty.
        by: Who says so.
        at: When.
    """

    service: str
    obligation: str
    evidence: str
    reason: str
    by: str
    at: datetime


Command = (
    Write | Sign | Observe | Exempt | Revoke | BreakGlass | UseGlass | Disagree | Settle | Attribute | Remind | Fulfil
)
