"""What went wrong: incidents, and what was learned from them."""

from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, NamedTuple

from libs.events.handler import Effects
from libs.events.store import Reservation
from services.cli.demo.organisation import DAYS, GENERAL, LIMITED, SERVICE, SERVICES, TEAM, ServiceOf
from services.cli.demo.world import Owed, Understood, World
from services.incidents.contract import ACTION, INCIDENT, POSTMORTEM
from services.incidents.domain.action import commands as actions
from services.incidents.domain.action.events import Priority
from services.incidents.domain.incident import commands as incidents
from services.incidents.domain.incident.terms import Severity
from services.incidents.domain.postmortem import commands as postmortems
from services.incidents.domain.postmortem.events import Cause, Reviewer, Side
from services.incidents.effects import incident_effects
from services.lifecycle.domain.engagement.measures import ActionSeen, IncidentSeen
from services.lifecycle.domain.risk_register.arithmetic import Took

_MINUTES_A_DAY: Final = 24 * 60
_MINUTE: Final = timedelta(minutes=1)
_QUIET_DAYS: Final = 32  # before a service becomes generally available it met its objective for four weeks
_ONE_EACH: Final = "incident-postmortem"  # the reservation by which an incident has one postmortem
_SRE: Final = next(team for team in TEAM.values() if team.kind == "sre")


class Outage(NamedTuple):
    """Something went wrong.

    Args:
        service: Where.
        day: On which day of the history.
        minute: In which minute of it.
        minutes: For how long users felt it.
        bad_share: Which share of requests failed meanwhile.
        severity: How bad that was.
        kind: What of, which is also its class.
    """

    service: ServiceOf
    day: int
    minute: int
    minutes: int
    bad_share: float
    severity: Severity
    kind: str


_TITLES: Final = {
    "configuration": "{} answers 502 after a configuration change",
    "overload": "{} sheds requests at the evening peak",
    "dependency": "{} waits for a dependency that is slow",
    "deployment": "{} fails for some users after a deployment",
    "data": "{} delivers data that is hours old",
    "certificate": "{} refuses connections: a certificate has expired",
}
_LESSONS: Final = {
    "configuration": "Roll configuration out like code: canary first",
    "overload": "Shed load by the importance of requests",
    "dependency": "Bound the retries, and answer from the cache meanwhile",
    "deployment": "Take a deployment back by itself when the canary fails",
    "data": "Alert on the age of data, not on the failure of jobs",
    "certificate": "Renew certificates by themselves, and alert 14 days ahead",
}
_MINUTES: Final = {"sev1": 48, "sev2": 26, "sev3": 11}
_BAD_SHARES: Final = {"sev1": 0.6, "sev2": 0.3, "sev3": 0.12}


def outages(world: World) -> list[Outage]:
    """Everything that went wrong, in the order of time."""
    found = [
        Outage(SERVICE["product-search"], 468, 1130, 170, 0.9, "sev1", "overload"),
        Outage(SERVICE["product-search"], 485, 1140, 220, 0.9, "sev1", "overload"),
        Outage(SERVICE["checkout-api"], DAYS - 9, 615, 38, 0.3, "sev2", "configuration"),
    ]
    for service in SERVICES:
        chance = world.chance(f"outages of {service.name}")
        found += [
            _outage(service, day, chance)
            for day in range(DAYS - 2)
            if service.in_use(day) and chance.random() < _a_day(service, day)
        ]
    return sorted(found, key=lambda outage: (outage.day, outage.minute, outage.service.name))


def tell(world: World, went_wrong: list[Outage]) -> None:
    """Every outage as an incident; from the severe ones people learned."""
    for number, outage in enumerate(went_wrong, 1):
        _incident(world, outage, number)


def _a_day(service: ServiceOf, day: int) -> float:
    """How likely something goes wrong; a service with its first users has more of it, and the old pipeline ages."""
    yearly = 1.5 if service.tier == 1 else 2.5
    if service.name == "batch-pipeline":
        yearly = 4 + 8 * min(day / 432, 1)
    if service.phase_on(day) is LIMITED:
        yearly += 3
    promoted = any(phase is GENERAL and 0 <= since - day <= _QUIET_DAYS for since, phase in service.way[1:])
    return 0 if promoted else yearly / 365


def _outage(service: ServiceOf, day: int, chance: Random) -> Outage:
    severity: Severity = chance.choices(("sev1", "sev2", "sev3"), (1, 4, 9))[0]
    kind = "data" if "pipeline" in service.name else chance.choice(tuple(_TITLES))
    minutes = round(_MINUTES[severity] * (0.6 + 0.8 * chance.random()))
    return Outage(service, day, chance.randrange(_MINUTES_A_DAY - 60), minutes, _BAD_SHARES[severity], severity, kind)


def _incident(world: World, outage: Outage, number: int) -> None:
    service, log = outage.service, world.incidents
    team = TEAM[service.team]
    began = world.at(outage.day, outage.minute / 60)
    chance = world.chance(f"incident {number}")
    noticed = began + timedelta(minutes=2 + chance.randrange(7))
    incident = world.id(f"incident {number}", noticed)
    by = team.people[number % len(team.people)]

    def go(command: incidents.Command, at: datetime) -> None:
        log.tell(INCIDENT, incident, command, at=at, by=by, effects=incident_effects)

    def asked(at: datetime, reason: str = "") -> dict[str, Any]:
        return {"by": by, "reason": reason, "at": at}

    declare = incidents.Declare(
        **asked(noticed),
        incident=incident,
        number=f"INC-{number}",
        service=service.name,
        title=_TITLES[outage.kind].format(service.name),
        severity=outage.severity,
        impact_started=began,
        detected=noticed,
    )
    go(declare, noticed)
    first_word = log.last_id(INCIDENT, incident)
    taken_on = noticed + timedelta(minutes=1 + chance.randrange(5))
    go(incidents.Acknowledge(**asked(taken_on, "on it")), taken_on)
    over = max(began + timedelta(minutes=outage.minutes), taken_on + timedelta(minutes=1))
    go(incidents.Mitigate(**asked(over, "users feel it no more")), over)
    resolved = over + timedelta(minutes=10 + chance.randrange(80))
    go(incidents.Resolve(**asked(resolved, "the cause is gone")), resolved)
    severe = outage.severity != "sev3"
    if severe:
        understood = resolved + timedelta(days=1)
        go(incidents.Classify(**asked(understood), outage_class=outage.kind), understood)
        took = Took((noticed - began) / _MINUTE, (over - noticed) / _MINUTE)
        world.understood.append(Understood(understood, service.name, incident, outage.kind, took, by))
        _postmortem(world, outage, number, incident, resolved + timedelta(days=1))
    closed = resolved + timedelta(days=2 if severe else 1)
    if closed < world.today:
        go(incidents.Close(**asked(closed, "")), closed)
    world.incidents_seen.append(
        IncidentSeen(
            *(first_word, f"INC-{number}", service.name, outage.severity, noticed, resolved),
            cause=outage.kind if severe else "",
        )
    )


def _postmortem(world: World, outage: Outage, number: int, incident: str, at: datetime) -> None:
    log, team = world.incidents, TEAM[outage.service.team]
    by, postmortem = team.lead, world.id(f"postmortem {number}", at)
    state = log.state(INCIDENT, incident)
    if state is None:
        raise LookupError(incident)
    draft = postmortems.Draft(
        postmortem=postmortem,
        incident=state.record,
        incident_version=log.version(INCIDENT, incident),
        by=by,
        at=at,
    )
    only = Effects(reserve=(Reservation(_ONE_EACH, incident, POSTMORTEM.stream(postmortem)),))
    log.tell(POSTMORTEM, postmortem, draft, at=at, by=by, effects=only)
    written: dict[str, Any] = {
        "causes": (Cause(kind="root", antipattern=outage.kind),),
        "root_causes": f"{outage.kind}: nothing stopped it before users felt it",
        "went_wrong": f"it took {outage.minutes} minutes until users felt it no more",
    }
    log.tell(POSTMORTEM, postmortem, postmortems.Amend(sections=written, by=by, at=at), at=at, by=by)
    priorities: tuple[Priority, ...] = ("P0", "P2") if outage.severity == "sev1" else ("P1", "P2")
    for place, priority in enumerate(priorities):
        _action(world, outage, (postmortem, incident), number, place, priority, at)
    published = at + timedelta(days=4)
    if published < world.today:
        _reviewed(world, postmortem, (_SRE.lead, team.people[1]), by, at + timedelta(days=2))
        say = postmortems.Publish(by=by, at=published)
        log.tell(POSTMORTEM, postmortem, say, at=published, by=by)


def _reviewed(world: World, postmortem: str, readers: tuple[str, str], by: str, at: datetime) -> None:
    """Both sides read it, and approve it the day after."""
    log = world.incidents
    sides: tuple[Side, Side] = ("sre", "product")
    reviewers = tuple(Reviewer(person=person, side=side) for person, side in zip(readers, sides, strict=True))
    log.tell(POSTMORTEM, postmortem, postmortems.Submit(reviewers=reviewers, by=by, at=at), at=at, by=by)
    later = at + timedelta(days=1)
    for each in reviewers:
        approve = postmortems.Approve(side=each.side, by=each.person, at=later)
        log.tell(POSTMORTEM, postmortem, approve, at=later, by=each.person)


def _action(  # noqa: PLR0913  what it is about
    world: World, outage: Outage, of: tuple[str, str], number: int, place: int, priority: Priority, at: datetime
) -> None:
    log, team = world.incidents, TEAM[outage.service.team]
    owner, action = team.people[(number + place) % len(team.people)], world.id(f"action {number}-{place}", at)
    due = (at + timedelta(days=14 if priority == "P0" else 45)).date()
    title = _LESSONS[outage.kind] if not place else f"Rehearse what to do when {outage.kind} fails"
    opened = actions.Open(
        action=action,
        postmortem=of[0],
        incident=of[1],
        service=outage.service.name,
        title=title,
        owner=owner,
        type="prevent" if not place else "process",
        priority=priority,
        due=due,
        by=team.lead,
        at=at,
    )
    log.tell(ACTION, action, opened, at=at, by=team.lead)
    event = log.last_id(ACTION, action)
    log.tell(POSTMORTEM, of[0], postmortems.AddAction(action=action, by=team.lead, at=at), at=at, by=team.lead)
    done = at + timedelta(days=(6 if priority == "P0" else 12) + number % 30)
    ended = done if done < world.today and (place == 0 or number % 9) else None
    if ended:
        complete = actions.Complete(by=owner, reason="in production", at=ended)
        log.tell(ACTION, action, complete, at=ended, by=owner)
    seen = ActionSeen(event, action, outage.service.name, title, owner, priority, due)
    world.owed.append(Owed(seen, at, ended))
