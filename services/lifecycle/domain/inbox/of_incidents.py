"""What waits because of incidents: reviews of postmortems, hand-overs of shifts, roles that are offered to somebody."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.lifecycle.domain.inbox.of_services import Owned
from services.lifecycle.domain.inbox.waiting import Teams, Waiting, Who, members

Side = Literal["sre", "product"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reviewer:
    """Who is asked by name to read a postmortem, for which side."""

    person: str
    side: Side


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemRead:
    """A postmortem that is in review, or was sent back.

    Args:
        reviewers: Who is asked by name; where a side names nobody, its team is asked.
        sides: Those that have not approved it; none once it was sent back.
        approved_by: Who approved it for the other side.
        back: Why it was sent back; empty while it is in review.
    """

    postmortem: str
    number: str
    title: str
    authors: tuple[str, ...]
    reviewers: tuple[Reviewer, ...]
    sides: tuple[Side, ...]
    approved_by: tuple[str, ...]
    back: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver:
    """What who went off duty left to those who come, and nobody has acknowledged."""

    shift: str
    schedule: str
    person: str
    incoming: tuple[str, ...]
    note: str
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleOffer:
    """A role of an incident that somebody shall take from *by*."""

    number: str
    role: str
    person: str
    by: str
    reason: str
    since: datetime


Asked = PostmortemRead | HandOver | RoleOffer


def asked(found: Asked, owned: Owned, teams: Teams) -> Iterator[Waiting]:
    """What the incidents service keeps waiting, for whose word."""
    match found:
        case PostmortemRead(back=""):
            for side in found.sides:
                yield from _review(found, side, owned, teams)
        case PostmortemRead():
            yield _changes(found, owned)
        case HandOver():
            yield _hand_over(found)
        case RoleOffer():
            yield _role(found, owned)


def _review(found: PostmortemRead, side: Side, owned: Owned, teams: Teams) -> Iterator[Waiting]:
    """A side is asked by name, else its team is; without one nobody of that side is known."""
    team = owned.sre_team if side == "sre" else owned.owner_team
    but = (*found.authors, *found.approved_by)
    named = tuple(each.person for each in found.reviewers if each.side == side)
    if not named and not team:
        return
    path = f"/v1/postmortems/{found.postmortem}"
    yield Waiting(
        kind="postmortem_review",
        subject=path,
        title=f"{owned.service}: postmortem of {found.number}: {found.title}",
        team=team,
        services=(owned.service,),
        since=found.since,
        due=None,
        overdue=False,
        what=f'read it, then approve it for the side "{side}", or say what to change (POST {path}:request-changes)',
        why="it is published when both sides agree to what it says",
        how=f"POST {path}:approve",
        who=Who(tuple(each for each in named if each not in but), "asked") if named else members(teams, team, *but),
    )


def _changes(found: PostmortemRead, owned: Owned) -> Waiting:
    path = f"/v1/postmortems/{found.postmortem}"
    return Waiting(
        kind="postmortem_changes",
        subject=path,
        title=f"{owned.service}: postmortem of {found.number}: {found.title}",
        team=owned.owner_team,
        services=(owned.service,),
        since=found.since,
        due=None,
        overdue=False,
        what=f"change what it says (PATCH {path}), then submit it again",
        why=found.back,
        how=f"POST {path}:submit",
        who=Who(found.authors, "owner"),
    )


def _hand_over(found: HandOver) -> Waiting:
    path = f"/v1/schedules/{found.schedule}/handoffs"
    return Waiting(
        kind="handover",
        subject=path,
        title=f"{found.schedule}: {found.person} hands over",
        team="",
        services=(),
        since=found.since,
        due=None,
        overdue=False,
        what=f"read what {found.person} leaves to you, and say that you have",
        why=found.note,
        how=f"POST {path}/{found.shift}:acknowledge",
        who=Who(found.incoming, "asked"),
    )


def _role(found: RoleOffer, owned: Owned) -> Waiting:
    path, role = f"/v1/incidents/{found.number}", found.role.replace("_", " ")
    return Waiting(
        kind="incident_role",
        subject=path,
        title=f"{owned.service}: {found.number}: {role}",
        team=owned.owner_team,
        services=(owned.service,),
        since=found.since,
        due=None,
        overdue=False,
        what=f"acknowledge that you are {role} from now on, or decline (POST {path}/roles/{found.role}:decline)",
        why=f"{found.by} hands the role over to you{': ' if found.reason else ''}{found.reason}",
        how=f"POST {path}/roles/{found.role}:acknowledge",
        who=Who((found.person,), "asked"),
    )
