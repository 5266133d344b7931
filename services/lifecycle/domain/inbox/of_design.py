"""What waits because of designs, architecture and launches: to be read, changed, signed, mended, launched."""

from collections.abc import Iterable, Iterator
from datetime import date, datetime

from services.lifecycle.domain.architecture_review.decider import Looked
from services.lifecycle.domain.design_review.decider import Reviewed
from services.lifecycle.domain.design_review.events import DesignChangesRequested
from services.lifecycle.domain.inbox.of_services import Owned
from services.lifecycle.domain.inbox.waiting import Kind, Teams, Waiting, Who, approvers, leads, members, one
from services.lifecycle.domain.launch.state import Coming
from services.lifecycle.domain.people import ANYBODY
from services.lifecycle.domain.readiness_review.state import Finding


def design(review: Reviewed, owned: Owned, teams: Teams, sre_teams: Iterable[str] = ()) -> Iterator[Waiting]:
    """A design waits for SREs to read it, those of its service or else of all; or for its writers to change it."""
    path, title = f"/v1/design-reviews/{review.opened.review}", f"{owned.service}: {review.design.title}"
    for team in (owned.sre_team,) if owned.sre_team else sre_teams:
        if review.state == "in_review":
            what, why = "read the design, then approve it or say what to change", "it takes somebody from outside"
            who = (members if owned.sre_team else leads)(teams, team, *review.writers)
            yield _waiting("design_review", path, title, owned, team, review.since, what, why, f"{path}:approve", who)
    if review.state == "changes_requested" and isinstance(review.decided, DesignChangesRequested):
        what, why = "change the design, then submit it again", review.decided.changes
        who = Who(review.writers, "owner")
        yield _waiting(
            "design_changes", path, title, owned, owned.owner_team, review.since, what, why, f"{path}:submit", who
        )


def architecture_review(review: Looked, owned: Owned) -> Iterator[Waiting]:
    """What both sides decided waits for their signatures."""
    path, title = f"/v1/architecture-reviews/{review.prepared.review}", f"{owned.service}: {review.prepared.title}"
    for side in review.missing if review.state == "held" else ():
        team = owned.owner_team if side == "dev" else owned.sre_team
        what, why = f"sign for the {side} side", "what was decided holds when both sides have signed"
        who = Who(review.present(side), "reviewer")
        yield _waiting("architecture_signature", path, title, owned, team, review.since, what, why, f"{path}:sign", who)


def architecture_finding(finding: Finding, owned: Owned, teams: Teams, at: datetime) -> Iterator[Waiting]:
    """A finding waits for whoever owns it, or for the team until somebody does."""
    opened, team = finding.opened, owned.owner_team
    path = f"/v1/services/{owned.service}/architecture-findings/{opened.finding}"
    match finding.state:
        case "open":
            verb, what, who = "triage", "give the finding an owner and a day", members(teams, team)
        case "triaged":
            verb, what, who = "start", "begin to fix it", one(finding.owner)
        case "in_progress":
            verb, what, who = "fix", "fix it, and say where the fix can be seen", one(finding.owner)
        case "fixed":
            verb, what = "verify", "verify the fix"
            who = approvers(ANYBODY, teams, team, owned.sre_team, finding.owner, finding.fixed_by)
        case "verified":
            verb, what, who = "close", "close it", members(teams, team)
        case "closed" | "waived" | "rejected":
            return
    since, why = finding.history[-1].at, f"{finding.severity} finding: {opened.title}"
    title = f"{owned.service}: {opened.title}"
    how = f"{path}:{verb}"
    yield _waiting("architecture_finding", path, title, owned, team, since, what, why, how, who, finding.due, at)


def launch(coming: Coming, owned: Owned, teams: Teams, at: datetime) -> Iterator[Waiting]:
    """A launch waits for its day, and for what it has to show."""
    path, team = f"/v1/launches/{coming.planned.launch}", owned.owner_team
    title, day = f"{owned.service}: {coming.plan.title}", coming.plan.planned_for
    if coming.state == "planned":
        what, why = "show what is open, then have it said to be ready", "nothing is launched while something blocks"
        who = members(teams, team)
        yield _waiting("launch", path, title, owned, team, coming.since, what, why, f"{path}:ready", who, day, at)
    if coming.state == "ready":
        what, why, who = "launch it, or plan it for another day", "it was said to be ready", members(teams, team)
        yield _waiting("launch", path, title, owned, team, coming.since, what, why, f"{path}:launch", who, day, at)


def _waiting(  # noqa: PLR0913, PLR0917  the parts of an item
    kind: Kind,
    subject: str,
    title: str,
    owned: Owned,
    team: str,
    since: datetime,
    what: str,
    why: str,
    how: str,
    who: Who,
    due: date | None = None,
    at: datetime | None = None,
) -> Waiting:
    return Waiting(
        kind=kind,
        subject=subject,
        title=title,
        team=team,
        services=(owned.service,),
        since=since,
        due=due,
        overdue=due is not None and at is not None and due < at.date(),
        what=what,
        why=why,
        how=f"POST {how}",
        who=who,
    )
