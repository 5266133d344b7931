"""Who must do what next in a review, and why."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from graphlib import TopologicalSorter

from services.lifecycle.domain.readiness_review.events import ReviewDeclined
from services.lifecycle.domain.readiness_review.policy import ReviewPolicy
from services.lifecycle.domain.readiness_review.readiness import Missing, Readiness, readiness
from services.lifecycle.domain.readiness_review.state import Approved, Ended, Finding, Record, Underway

_NAMED_AT_MOST = 5


@dataclass(frozen=True, slots=True)
class NextStep:
    """What somebody must do.

    Args:
        who: Labels of people, any of whom can; `team <name>` where it is a team's affair.
        what: In words.
        why: In words.
        verb: The path under the review that does it; empty where there is nothing to send.
        due: Until when.
    """

    who: tuple[str, ...]
    what: str
    why: str
    verb: str = ""
    due: date | None = None


def next_steps(
    review: Underway | Approved | Ended, tier: int, policy: ReviewPolicy, at: datetime
) -> tuple[NextStep, ...]:
    """What must happen next in *review* of a service of *tier*, the most pressing first."""
    match review:
        case Underway():
            return tuple(_under_way(review, tier))
        case Approved():
            return tuple(_approved(review, policy, at))
        case Ended():
            return tuple(_ended(review))


def finding_step(record: Record, finding: Finding) -> NextStep | None:
    """What must happen next about *finding*; None when it is settled."""
    team = record.request.owner_team or record.request.service
    may = tuple(person for person in record.people if person not in {finding.owner, finding.fixed_by})
    return step_of(finding, team, may, "/findings")


def step_of(finding: Finding, team: str, may_verify: tuple[str, ...], path: str) -> NextStep | None:
    """What must happen next about *finding*, which stands under *path*; None when it is settled."""
    about = _about(finding, (f"team {team}",), may_verify)
    if about is None:
        return None
    who, what, verb = about
    why = f"{finding.severity} finding: {finding.opened.title}"
    return NextStep(who, what, why, f"{path}/{finding.opened.finding}:{verb}", finding.due)


def _under_way(review: Underway, tier: int) -> Iterator[NextStep]:
    record = review.record
    found = readiness(record, record.request.target_phase, tier)
    match review.stage:
        case "requested":
            why = "a review begins with the two teams agreeing what is looked at, and by when"
            yield NextStep(record.people, "agree the scope with the team", why, ":engage")
        case "engagement":
            why = "findings come from looking at the service, not from its answers"
            yield NextStep(record.people, "begin the analysis", why, ":analyze")
        case "analysis":
            yield NextStep(
                record.people,
                "look at the service and record what you find",
                "what is not found now pages later",
                "/findings",
            )
            why = "what was found is brought in order before anything is decided"
            yield NextStep(record.people, "close the analysis", why, ":improve")
        case "improvements":
            yield from _decision(record, found)
    yield from _answering(record, found)
    yield from _findings(record)


def _decision(record: Record, found: Readiness) -> Iterator[NextStep]:
    if not found.ready:
        return
    open_ = [*(each.item for each in found.conditional), *found.conditional_findings]
    with_ = f", with a condition for each of {_some(open_)}" if open_ else ""
    why = f"nothing blocks {found.phase} any more"
    yield NextStep((record.decides_blockers,), f"approve{with_}, or decline with guidance", why, ":approve")


def _answering(record: Record, found: Readiness) -> Iterator[NextStep]:
    known = [each for each in found.missing if record.items[each.item].check]
    said = [each for each in found.missing if not record.items[each.item].check]
    team = (f"team {record.request.owner_team or record.request.service}",)
    if said:
        what = f"answer {len(said)} blocking items: {_some(_in_order(record, said))}"
        yield NextStep(team, what, f"they block {found.phase}", "/answers")
    if known:
        details = "; ".join(f"{each.item}: {each.why_not}" for each in known[:_NAMED_AT_MOST])
        yield NextStep(team, f"bring {len(known)} checks in order", details, ":collect")
    if found.conditional:
        what = f"answer {len(found.conditional)} conditional items: {_some(each.item for each in found.conditional)}"
        yield NextStep(team, what, "each that is left becomes a condition of the approval", "/answers")


def _in_order(record: Record, missing: list[Missing]) -> list[str]:
    """The items of *missing* so that none stands before what it builds on."""
    wanted = {each.item for each in missing}
    order = TopologicalSorter({item.id: item.after for item in record.items.values()}).static_order()
    return [item for item in order if item in wanted]


def _findings(record: Record) -> Iterator[NextStep]:
    for finding in record.findings.values():
        step = finding_step(record, finding)
        if step is not None:
            yield step


def _about(
    finding: Finding, team: tuple[str, ...], may_verify: tuple[str, ...]
) -> tuple[tuple[str, ...], str, str] | None:
    match finding.state:
        case "open":
            return team, "give the finding an owner and a day", "triage"
        case "triaged":
            return (finding.owner,), "begin to fix it", "start"
        case "in_progress":
            return (finding.owner,), "fix it, and say where the fix can be seen", "fix"
        case "fixed":
            return may_verify, "verify the fix", "verify"
        case "verified":
            return team, "close it", "close"
        case "closed" | "waived" | "rejected":
            return None


def _approved(review: Approved, policy: ReviewPolicy, at: datetime) -> Iterator[NextStep]:
    record, approval = review.record, review.approval
    team = (f"team {record.request.owner_team or record.request.service}",)
    if review.expired:
        why = f"the approval is over: {review.expired.reason}"
        yield NextStep(team, f"ask for a new review with delta_of {record.request.review}", why)
        yield from _findings(record)
        return
    for condition in review.unmet:
        late = " (overdue: the approval lets nobody through)" if condition.condition in review.overdue else ""
        what = f"meet the condition{late}, then have a reviewer confirm it: {condition.text}"
        verb = f"/conditions/{condition.condition}:meet"
        yield NextStep((condition.owner,), what, "the approval depends on it", verb, condition.due)
    yield from _findings(record)
    match review.follow_up:
        case None:
            why = "who will run the service must know it before the first page"
            yield NextStep(record.people, "begin the training", why, ":train")
        case "training":
            yield NextStep(
                record.people, "begin to take the service over", "training leads to responsibility", ":onboard"
            )
        case "onboarding":
            why = "reliability is looked after for as long as the service lives"
            yield NextStep(record.people, "go over to continuous improvement", why, ":continue")
        case "continuous":
            pass
    if at >= approval.expires_at - policy.expires_soon.span:
        why = f"the approval ends on {approval.expires_at.date().isoformat()} ({policy.approval.source})"
        what = f"ask for a new review with delta_of {record.request.review}"
        yield NextStep(team, what, why, due=approval.expires_at.date())


def _ended(review: Ended) -> Iterator[NextStep]:
    ending, request = review.ending, review.record.request
    if isinstance(ending, ReviewDeclined):
        who = (f"team {request.owner_team or request.service}",)
        yield NextStep(who, f"follow the guidance, then ask for another review: {ending.guidance}", "it was declined")


def _some(names: Iterable[str]) -> str:
    named = list(names)
    more = f" and {len(named) - _NAMED_AT_MOST} more" if len(named) > _NAMED_AT_MOST else ""
    return ", ".join(named[:_NAMED_AT_MOST]) + more
