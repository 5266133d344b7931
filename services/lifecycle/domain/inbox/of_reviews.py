"""What waits because of a readiness review: what its next steps say, for those who may do them."""

from collections.abc import Iterator
from datetime import datetime

from services.lifecycle.domain.inbox.of_services import Owned
from services.lifecycle.domain.inbox.waiting import Kind, Role, Teams, Waiting, Who, members
from services.lifecycle.domain.readiness_review.next_steps import NextStep, next_steps
from services.lifecycle.domain.readiness_review.policy import ReviewPolicy
from services.lifecycle.domain.readiness_review.state import Approved, Record, Underway

_TEAM = "team "


def review(
    found: Underway | Approved, owned: Owned, teams: Teams, policy: ReviewPolicy, at: datetime
) -> Iterator[Waiting]:
    """What a review waits for; *at* is now."""
    record = found.record
    request = record.request
    path = f"/v1/readiness-reviews/{request.review}"
    for step in next_steps(found, owned.tier, policy, at):
        kind = _kind(step)
        finding = step.verb.removeprefix("/findings/").partition(":")[0] if kind == "review_finding" else ""
        collection = step.verb in {"/answers", "/findings"}
        yield Waiting(
            kind=kind,
            subject=f"{path}/findings/{finding}" if finding else path,
            title=f"{request.service}: readiness review {request.number}",
            team=owned.owner_team,
            services=(request.service,),
            since=_since(found, finding),
            due=step.due,
            overdue=step.due is not None and step.due < at.date(),
            what=step.what,
            why=step.why,
            how=_how(step, path, collection=collection),
            who=_who(step, record, owned, teams),
        )


def _kind(step: NextStep) -> Kind:
    match step.verb:
        case "":
            return "review_ending"
        case "/answers" | ":collect":
            return "review_answers"
        case verb if verb.startswith("/conditions/"):
            return "review_condition"
        case verb if verb.startswith("/findings/"):
            return "review_finding"
        case _:
            return "readiness_review"


def _how(step: NextStep, path: str, *, collection: bool) -> str:
    if not step.verb:
        return "POST /v1/readiness-reviews"
    return f"{'PUT' if collection and step.verb == '/answers' else 'POST'} {path}{step.verb}"


def _since(found: Underway | Approved, finding: str) -> datetime:
    record = found.record
    if finding:
        held = record.findings[finding]
        return held.history[-1].at if held.history else held.opened.at
    if isinstance(found, Approved):
        return found.expired.at if found.expired else found.approval.at
    return record.steps[-1].at if record.steps else record.request.at


def _who(step: NextStep, record: Record, owned: Owned, teams: Teams) -> Who:
    if any(each.startswith(_TEAM) for each in step.who):
        return members(teams, owned.owner_team)
    role: Role = "reviewer" if set(step.who) <= set(record.people) else "owner"
    return Who(step.who, role)
