"""An item of the inbox, and for whom it waits: only for people who may do what it asks for."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal, get_args

from services.lifecycle.domain.people import Approvers
from services.lifecycle.domain.team.structure import UNSAID, Structure

Kind = Literal[
    "phase_at_risk",
    "transition_approval",
    "waiver_approval",
    "waiver_ending",
    "risk_assessment",
    "risk_decision",
    "risk_mitigation",
    "risk_acceptance_ending",
    "rollout_review",
    "capacity_order",
    "postmortem",
    "postmortem_review",
    "postmortem_changes",
    "postmortem_action",
    "handover",
    "incident_role",
    "engagement_request",
    "engagement_start",
    "engagement_empty",
    "charter_part",
    "acknowledgement",
    "gathering",
    "statement",
    "breach",
    "handback",
    "milestone",
    "insight",
    "training",
    "win",
    "adjustment",
    "readiness_review",
    "review_answers",
    "review_finding",
    "review_condition",
    "review_ending",
    "design_review",
    "design_changes",
    "architecture_signature",
    "architecture_finding",
    "launch",
    "duty",
    "sync",
    "structure_review",
]
KINDS: tuple[Kind, ...] = get_args(Kind)
Role = Literal["owner", "holder", "lead", "member", "reviewer", "approver", "asked", "anybody"]
Teams = Mapping[str, Structure]

_YOURS: Mapping[Role, str] = {
    "owner": "it is yours",
    "holder": "you hold it",
    "lead": "you lead {team}",
    "member": "you belong to {team}",
    "reviewer": "you review {service}",
    "approver": "you are one of those who may approve for {service}",
    "asked": "you are asked by name",
    "anybody": "{team} names nobody, so anybody may",
}


@dataclass(frozen=True, slots=True)
class Who:
    """For whom something waits.

    Args:
        people: By label; those who may not, although their role says so, are left out.
        role: What makes it theirs; `anybody` where no team has said who belongs to it.
        but: Who may not: nobody passes their own request.
    """

    people: tuple[str, ...]
    role: Role
    but: tuple[str, ...] = ()

    def includes(self, person: str) -> bool:
        """Whether it waits for *person*."""
        return person in self.people or (self.role == "anybody" and person not in self.but)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """Something that waits for somebody.

    Args:
        kind: What kind of thing.
        subject: The path of what it is about.
        title: What people read in lists.
        team: Whose affair it is; empty where no team owns it.
        services: Which services it is about.
        since: Since when it waits.
        due: By when.
        overdue: Whether that is over.
        what: What to do.
        why: What for.
        how: The request that does it.
        who: For whom it waits.
    """

    kind: Kind
    subject: str
    title: str
    team: str
    services: tuple[str, ...]
    since: datetime
    due: date | None
    overdue: bool
    what: str
    why: str
    how: str
    who: Who

    @property
    def service(self) -> str:
        """The service that it is about; empty when it is about none, or several."""
        return self.services[0] if len(self.services) == 1 else ""

    @property
    def place(self) -> str:
        """Where it stands in lists: by its day, what has none behind; then what waits longest."""
        since = self.since.astimezone(UTC).isoformat()
        return f"{self.due or date.max}/{since}/{self.subject}/{self.kind}/{self.team}/{self.how}"

    @property
    def why_yours(self) -> str:
        """What makes it somebody's."""
        service = self.service or f"services of {self.team}"
        return _YOURS[self.who.role].format(team=f"team {self.team}" if self.team else "the team", service=service)


def one(person: str, role: Role = "owner") -> Who:
    """It waits for one person."""
    return Who((person,), role)


def leads(teams: Teams, team: str, *but: str) -> Who:
    """Who speaks for a team: its leads, its members where it has none, anybody where it names nobody."""
    structure = teams.get(team, UNSAID)
    people, role = (structure.leads, "lead") if structure.leads else (structure.members, "member")
    return _but(people, role, but)


def members(teams: Teams, team: str, *but: str) -> Who:
    """Everybody in a team; anybody where it names nobody."""
    structure = teams.get(team, UNSAID)
    return _but((*structure.members, *structure.leads), "member", but)


def approvers(named: Approvers, teams: Teams, owner_team: str, sre_team: str, *but: str) -> Who:
    """Those whom a policy names; where it names nobody, the people of the teams that answer for the service."""
    people: Iterable[str] = sorted(named.people)
    if not named.people:
        structures = [teams.get(team, UNSAID) for team in (owner_team, sre_team)]
        people = (person for each in structures for person in (*each.members, *each.leads))
    return _but(people, "approver", but)


def _but(people: Iterable[str], role: Role, but: tuple[str, ...]) -> Who:
    named = tuple(dict.fromkeys(people))
    if not named:
        return Who((), "anybody", but)
    return Who(tuple(person for person in named if person not in but), role, but)


def ordered(items: Iterable[Waiting]) -> list[Waiting]:
    """Each once, in the order of lists."""
    return sorted({item.place: item for item in items}.values(), key=lambda item: item.place)
