"""What waits because of a service: moves, waivers, risks, roll-outs, and actions that postmortems led to."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.lifecycle.domain.inbox.waiting import Teams, Waiting, approvers, leads, members, one
from services.lifecycle.domain.people import Approvers
from services.lifecycle.domain.phase_risk.events import Lack
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.risk_register.events import RiskState
from services.lifecycle.domain.service.events import TransitionRequested
from services.lifecycle.domain.waiver.decider import Approved
from services.lifecycle.domain.waiver.events import WaiverRequested


@dataclass(frozen=True, slots=True)
class Owned:
    """A service, and the teams that answer for it."""

    service: str
    owner_team: str
    sre_team: str
    tier: int


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenRisk:
    """A risk that somebody bears; *too_big* when one risk may not cost as much."""

    risk: str
    title: str
    state: RiskState
    since: datetime
    proposed_by: str
    owner: str
    due: date | None
    until: datetime | None
    too_big: bool


@dataclass(frozen=True, slots=True)
class AtRisk:
    """What a service lacks of that which its phase asks it to keep, or what suggests a step back."""

    item: str
    phase: Phase
    lacks: tuple[Lack, ...]
    since: datetime


@dataclass(frozen=True, slots=True)
class Shortage:
    """A service has too few units from a day on, unless more are ordered in time."""

    shortfall_on: date
    order_by: date
    since: datetime


@dataclass(frozen=True, slots=True)
class PostmortemDue:
    """A postmortem that an incident asks for; *postmortem* is empty until somebody has drafted it."""

    number: str
    postmortem: str
    draft_due: date
    publish_due: date
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAction:
    """An action of a postmortem that is neither done nor dropped."""

    action: str
    title: str
    owner: str
    priority: str
    due: date
    since: datetime


def phase_at_risk(found: AtRisk, owned: Owned, teams: Teams) -> Iterator[Waiting]:
    """What a service lacks in its phase waits for the teams that must mend it, or step back."""
    for team in dict.fromkeys(team for lack in found.lacks for team in lack.who) or (owned.owner_team,):
        lacks = [lack for lack in found.lacks if not lack.who or team in lack.who]
        first, more = lacks[0], len(lacks) - 1
        yield Waiting(
            kind="phase_at_risk",
            subject=f"/v1/phase-at-risk/{found.item}",
            title=f"{owned.service}: {', '.join(lack.check for lack in lacks)}",
            team=team,
            services=(owned.service,),
            since=found.since,
            due=None,
            overdue=False,
            what=first.how_to_fix + (f", and {more} more" if more else "") + "; then have it looked at again",
            why=f"{found.phase} asks for it: {first.detail}",
            how=f"POST /v1/services/{owned.service}/standing:evaluate",
            who=leads(teams, team),
        )


def transition(request: TransitionRequested, owned: Owned, named: Approvers, teams: Teams) -> Waiting:
    """A move waits for another person than the one who asked."""
    path = f"/v1/transitions/{request.transition}"
    return Waiting(
        kind="transition_approval",
        subject=path,
        title=f"{request.service}: {request.from_phase} to {request.to_phase}",
        team=owned.owner_team,
        services=(request.service,),
        since=request.at,
        due=None,
        overdue=False,
        what=f"approve or decline that {request.service} moves to {request.to_phase}",
        why=f"{request.by} asked: {request.reason}",
        how=f"POST {path}:approve",
        who=approvers(named, teams, owned.owner_team, owned.sre_team, request.by),
    )


def waiver_request(request: WaiverRequested, owned: Owned, named: Approvers, teams: Teams) -> Waiting:
    """A waiver counts only when another person has approved it."""
    path = f"/v1/waivers/{request.waiver}"
    return Waiting(
        kind="waiver_approval",
        subject=path,
        title=f"{request.service}: waive {request.check}",
        team=owned.owner_team,
        services=(request.service,),
        since=request.at,
        due=None,
        overdue=False,
        what=f"approve the waiver of {request.check} until {request.expires_at.date()}, or revoke it",
        why=f"{request.by} asked: {request.reason}; meanwhile: {request.control.what}",
        how=f"POST {path}:approve",
        who=approvers(named, teams, owned.owner_team, owned.sre_team, request.by),
    )


def waiver_end(waiver: Approved, owned: Owned, named: Approvers, renewals: float) -> Waiting:
    """A waiver ends soon: whoever answers for the risk has the check met, or the waiver renewed."""
    request, end = waiver.request, waiver.expires_at
    path, owner = f"/v1/waivers/{request.waiver}", request.risk_owner
    left = len(waiver.renewals) < renewals
    may_renew = left and owner != request.by and (not named.people or owner in named.people)
    others = sorted(named.people - {request.by})
    renew = f", or have {' or '.join(others) or 'another person'} renew the waiver" if left else ""
    return Waiting(
        kind="waiver_ending",
        subject=path,
        title=f"{request.service}: the waiver of {request.check} ends",
        team=owned.owner_team,
        services=(request.service,),
        since=waiver.renewals[-1].at if waiver.renewals else waiver.approval.at,
        due=end.date(),
        overdue=False,
        what=f"meet {request.check}{renew}",
        why=f"on {end.date()} the check counts again",
        how=f"POST {path}:renew" if may_renew else f"GET /v1/services/{request.service}/standing",
        who=one(owner),
    )


def risk(found: OpenRisk, owned: Owned, teams: Teams, at: datetime, soon: timedelta) -> Iterator[Waiting]:
    """What a risk waits for: to be assessed, decided about, made smaller, or decided about anew."""
    path, team, due = f"/v1/risks/{found.risk}", owned.owner_team, found.due
    match found.state:
        case "proposed":
            kind, verb, who = "risk_assessment", "assess", members(teams, team)
            what, why = "say how bad it is", "nobody has"
        case "assessed" if found.too_big:
            kind, verb, who = "risk_decision", "mitigate", leads(teams, team)
            what, why = "give it to somebody who makes it smaller", "it costs more than one risk may"
        case "assessed":
            kind, verb, who = "risk_decision", "accept", leads(teams, team, found.proposed_by)
            what, why = "accept it for a time, or have it made smaller", "it is assessed, and nothing is decided"
        case "mitigating":
            kind, verb, who = "risk_mitigation", "assess", one(found.owner)
            what, why = "make it smaller, then assess it anew", "it is in your hands"
        case "accepted" if found.until is not None and found.until - at <= soon:
            kind, verb, due = "risk_acceptance_ending", "accept", found.until.date()
            who = one(found.owner)
            what, why = "accept it anew, or have it made smaller", f"its acceptance ends on {due}"
        case _:
            return
    yield Waiting(
        kind=kind,
        subject=path,
        title=f"{owned.service}: {found.title}",
        team=team,
        services=(owned.service,),
        since=found.since,
        due=due,
        overdue=due is not None and due < at.date(),
        what=what,
        why=why,
        how=f"POST {path}:{verb}",
        who=who,
    )


def rollout(name: str, version: str, planned_by: str, since: datetime, owned: Owned, teams: Teams) -> Waiting:
    """A roll-out starts when another person has looked at its plan: SRE, where an SRE team works for the service."""
    team, path = owned.sre_team or owned.owner_team, f"/v1/rollouts/{name}"
    return Waiting(
        kind="rollout_review",
        subject=path,
        title=f"{owned.service}: roll-out of {version}",
        team=team,
        services=(owned.service,),
        since=since,
        due=None,
        overdue=False,
        what="review the plan of the roll-out",
        why="it starts when another person has looked at it",
        how=f"POST {path}:review",
        who=members(teams, team, planned_by),
    )


def order(found: Shortage, owned: Owned, teams: Teams, at: datetime) -> Waiting:
    """More capacity has to be ordered, or less be asked."""
    path = f"/v1/services/{owned.service}/capacity"
    return Waiting(
        kind="capacity_order",
        subject=path,
        title=f"{owned.service}: too little capacity from {found.shortfall_on} on",
        team=owned.owner_team,
        services=(owned.service,),
        since=found.since,
        due=found.order_by,
        overdue=found.order_by < at.date(),
        what="order more, and say what is there; or change the plan",
        why=f"what is ordered later is not there on {found.shortfall_on}",
        how=f"PUT {path}/supply",
        who=leads(teams, owned.owner_team),
    )


def action(found: OpenAction, owned: Owned, at: datetime) -> Waiting:
    """Something that a postmortem led to."""
    path = f"/v1/actions/{found.action}"
    overdue = found.due < at.date()
    return Waiting(
        kind="postmortem_action",
        subject=path,
        title=f"{owned.service}: {found.title}",
        team=owned.owner_team,
        services=(owned.service,),
        since=found.since,
        due=found.due,
        overdue=overdue,
        what=f"do it, and say so ({found.priority})",
        why="what is learned from an incident is done, or it comes back",
        how=f"POST {path}:complete",
        who=one(found.owner),
    )


def postmortem(found: PostmortemDue, owned: Owned, teams: Teams, at: datetime) -> Waiting:
    """What happened is written down, and then reviewed and published."""
    drafted = bool(found.postmortem)
    due = found.publish_due if drafted else found.draft_due
    path = f"/v1/postmortems/{found.postmortem}" if drafted else f"/v1/incidents/{found.number}"
    return Waiting(
        kind="postmortem",
        subject=path,
        title=f"{owned.service}: postmortem of {found.number}",
        team=owned.owner_team,
        services=(owned.service,),
        since=found.at,
        due=due,
        overdue=due < at.date(),
        what="have it reviewed by both sides, and publish it" if drafted else "draft it",
        why="what is written down early is remembered right, and others learn from it",
        how=f"POST {path}:submit" if drafted else "POST /v1/postmortems",
        who=leads(teams, owned.owner_team),
    )
