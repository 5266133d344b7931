"""What is told in a digest."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

from services.lifecycle.domain.inbox.waiting import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Something that waits; *link* is the path of what it is about, *how* the request that goes on with it.

    `who` is empty where the team has not said who belongs to it.
    """

    kind: Kind
    title: str
    link: str
    service: str
    due: date | None
    overdue: bool
    what: str
    how: str
    who: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestCompiled:
    """What waits in a team at the beginning of a week.

    Args:
        digest: Its id: the team and the week; there is one of each.
        team: Whose.
        week: The ISO week, such as `2026-W48`.
        time_zone: In which the team's week begins.
        total: How much waits.
        overdue: How much of it is overdue.
        counts: How much of each kind.
        lines: What is due first; `left_out` more wait.
        left_out: How much is not in *lines*.
        subject: A heading for messages.
        text: All of it as Markdown; links are paths of the gateway.
        policy_version: Of the policy that says when and how much.
        at: When.
    """

    digest: str
    team: str
    week: str
    time_zone: str
    total: int
    overdue: int
    counts: Mapping[Kind, int]
    lines: tuple[Line, ...]
    left_out: int
    subject: str
    text: str
    policy_version: str
    at: datetime


Event = DigestCompiled
