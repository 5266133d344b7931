"""How teams and services came to be, and how each service passed from phase to phase."""

from datetime import datetime, timedelta
from functools import partial
from typing import Final

from libs.events.handler import Effects
from libs.events.store import Reservation
from services.cli.demo.organisation import DAYS, SERVICE, SERVICES, TEAM, TEAMS, ServiceOf, TeamOf
from services.cli.demo.world import World
from services.lifecycle.contract import DEPENDENCIES, EVALUATION, EVIDENCE
from services.lifecycle.contract import SERVICE as OF_SERVICE
from services.lifecycle.contract import TEAM as OF_TEAM
from services.lifecycle.domain.dependencies.commands import Confirm, Declare
from services.lifecycle.domain.dependencies.events import Criticality
from services.lifecycle.domain.evaluation.commands import Keep
from services.lifecycle.domain.evidence.commands import Record
from services.lifecycle.domain.evidence.events import EvidenceRecorded, Figure
from services.lifecycle.domain.facts import Assessment, Dependency, Facts, Slo
from services.lifecycle.domain.gates import Verdict, evaluate
from services.lifecycle.domain.people import Actor
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.service import commands
from services.lifecycle.domain.service.catalogue import Catalogue, CodePath, Link
from services.lifecycle.domain.service.decider import Awaiting, Profile
from services.lifecycle.domain.team.commands import Register, Review
from services.lifecycle.domain.team.decider import Registered, Team
from services.lifecycle.domain.team.structure import Charter, Duty, Site, Structure, Sync
from services.lifecycle.timetable import TeamDates, team_dates

_LAPSED: Final = ("reviews", "invoice-printer")
_TRANSITION: Final = "transition"  # the reservation that leads from a transition to its service
_FIGURES: Final[dict[str, dict[str, Figure]]] = {
    "load_test": {"peak_ratio": 1.7},
    "operational_load": {"share": 0.34},
    "risks_accepted": {"largest_unaccepted_share": 0.18, "accepted_share": 0.6},
    "no_references": {"references": 0},
}
_WHY: Final = {
    Phase.ARCHITECTURE_AND_DESIGN: "back to the drawing board",
    Phase.ACTIVE_DEVELOPMENT: "the design is agreed",
    Phase.LIMITED_AVAILABILITY: "a first cohort of users",
    Phase.GENERAL_AVAILABILITY: "four weeks within the objective",
    Phase.DEPRECATION: "its replacement is there",
    Phase.ABANDONED: "the last large user has moved",
    Phase.UNSUPPORTED: "nobody uses it any more",
}
_BACK: Final = "the budget of a quarter was spent within three weeks: fewer users until it sheds load"


def begin(world: World) -> None:
    """The teams, once a year looked at, and the services as they were registered or taken over."""
    for team in TEAMS:
        register = Register(
            team.name, team.kind, team.display_name, world.at(0, 8), _structure(world, team), by=team.lead
        )
        first = partial(_timed, world, team)
        world.lifecycle.tell(OF_TEAM, team.name, register, at=register.at, by=team.lead, effects=first)
        for day in (330, 690):
            at = world.at(day, 15)
            notes = "sites, load and stacks still fit"
            review = Review(team=team.name, outcome="keep", notes=notes, by=team.lead, at=at)
            world.lifecycle.tell(OF_TEAM, team.name, review, at=at, by=team.lead, effects=partial(_due, world))
    for service in SERVICES:
        _registered(world, service)


def live(world: World) -> None:
    """Every move of every service, with the evidence that let it through."""
    for service in SERVICES:
        _depends(world, service)
        for day, phase in service.way[1:]:
            _move(world, service, phase, world.at(day, 11))


def renew(world: World) -> None:
    """What each phase asks a service to keep is attested again before it goes stale; two teams have let it slip."""
    for service in SERVICES:
        until = DAYS - 110 if service.name in _LAPSED else DAYS
        ends = [day for day, _ in service.way[1:]] + [until]
        for (begins, phase), end in zip(service.way, ends, strict=True):
            for kind, check in world.gates.kept_in(phase).items():
                if check.max_age_days is not None:
                    every = max(int(check.max_age_days.at(service.tier)) - 6, 1)
                    for day in range(begins + 3 + len(kind) % 3, min(end, until), every):
                        _evidence(world, service, kind, world.at(day, 9 + len(service.name) % 8))


def _timed(world: World, team: TeamOf, state: Team, _: object) -> Effects:
    """Its digests begin today, and it has the timers that a service at work would give it otherwise."""
    return _dates(world).set_first(state, world.today, team.name) if isinstance(state, Registered) else Effects()


def _due(world: World, state: Team, _: object) -> Effects:
    return _dates(world).next_of(state) if isinstance(state, Registered) else Effects()


def _dates(world: World) -> TeamDates:
    return team_dates(world.policies.inbox, world.policies.teams)


def _structure(world: World, team: TeamOf) -> Structure:
    names = tuple(name for name, _, _ in team.sites)
    duties = (Duty("interrupts", names[0], team.people[1], world.at(737).date()),) if team.kind == "sre" else ()
    syncs = (Sync("sites", names, timedelta(days=7), world.at(725).date()),) if len(names) > 1 else ()
    return Structure(
        members=team.people,
        leads=(team.lead,),
        product=team.product,
        headcount=None,
        charter=Charter(team.mission),
        sites=tuple(Site(*site) for site in team.sites),
        duties=duties,
        syncs=syncs,
    )


def _registered(world: World, service: ServiceOf) -> None:
    at, by = world.at(service.way[0][0], 10), TEAM[service.team].lead
    repository = f"https://git.example.com/{service.team}/{service.name}"
    command = commands.Register(
        service=service.name,
        display_name=service.name.replace("-", " ").capitalize(),
        owner_team=service.team,
        tier=service.tier,
        phase=service.way[0][1],
        revives="",
        grace=timedelta(days=world.gates.grandfathering_days.value),
        grandfathered_until=None,
        by=by,
        at=at,
        catalogue=Catalogue(
            product=service.product,
            technologies=service.stack,
            links=(
                Link("Dashboard", f"https://grafana.example.com/d/{service.name}", "dashboard"),
                Link("Runbook", f"https://wiki.example.com/runbooks/{service.name}", "runbook"),
            ),
            code=(CodePath(repository, "", service.team),),
        ),
    )
    world.lifecycle.tell(OF_SERVICE, service.name, command, at=at, by=by)


def _depends(world: World, service: ServiceOf) -> None:
    by = TEAM[service.team].lead
    at = began = world.at(service.way[0][0] + 2, 14)
    relies: tuple[tuple[Criticality, tuple[str, ...]], ...] = (("hard", service.hard), ("soft", service.soft))
    for criticality, names in relies:
        for name in names:
            at = max(began, world.at(SERVICE[name].way[0][0] + 1))
            declare = Declare(
                service=service.name,
                on=name,
                criticality=criticality,
                slo=f"{name}-availability" if SERVICE[name].target else "",
                failure_behaviour="it fails too" if criticality == "hard" else "it answers from what it knew last",
                way_back=(),
                by=by,
                at=at,
            )
            world.lifecycle.tell(DEPENDENCIES, service.name, declare, at=at, by=by)
    if service.hard or service.soft:
        world.lifecycle.tell(DEPENDENCIES, service.name, Confirm(service=service.name, by=by, at=at), at=at, by=by)


def _move(world: World, service: ServiceOf, to: Phase, at: datetime) -> None:
    """The gate was closed at first; what it asked for was done within a week, and the service moved on."""
    first = _verdict(world, service, to, at - timedelta(days=7))
    attested: dict[str, EvidenceRecorded] = {}
    if first.failed:
        _keep(world, service, first, "asked")
        open_checks = [check for check in first.checks if check.result in {"fail", "unknown"}]
        for place, check in enumerate(open_checks):
            done = at - timedelta(days=6 - 5 * place / len(open_checks))
            attested[check.id] = _evidence(world, service, check.id, done)
    verdict = _verdict(world, service, to, at, attested)
    evaluation = _keep(world, service, verdict, "passed") if verdict.checks else ""
    team = TEAM[service.team]
    back = to.number < _profile(world, service).phase.number
    transition = world.id(f"{service.name} to {to}", at)
    command = commands.Transition(
        service=service.name,
        transition=transition,
        to=to,
        reason=_BACK if back else _WHY[to],
        needs_approval=frozenset(world.gates.approval.kinds),
        verdict=verdict,
        evaluation=evaluation,
        by=Actor(team.lead, is_person=True),
        at=at,
    )
    place = Effects(reserve=(Reservation(_TRANSITION, transition, OF_SERVICE.stream(service.name)),))
    world.lifecycle.tell(
        OF_SERVICE,
        service.name,
        command,
        at=at,
        by=team.lead,
        effects=lambda s, _: place if isinstance(s, Awaiting) else Effects(),
    )
    if isinstance(world.lifecycle.state(OF_SERVICE, service.name), Awaiting):
        other, later = team.people[1], at + timedelta(hours=3)
        approve = commands.Approve(
            service=service.name,
            transition=transition,
            reason="agreed",
            verdict=verdict,
            evaluation=evaluation,
            by=Actor(other, is_person=True),
            at=later,
        )
        world.lifecycle.tell(OF_SERVICE, service.name, approve, at=later, by=other)


def _keep(world: World, service: ServiceOf, verdict: Verdict, when: str) -> str:
    by, at = TEAM[service.team].lead, verdict.at
    evaluation = world.id(f"{service.name} {when} {verdict.phase}", at)
    world.lifecycle.tell(EVALUATION, evaluation, Keep(evaluation, verdict, by), at=at, by=by)
    return evaluation


def _evidence(world: World, service: ServiceOf, kind: str, at: datetime) -> EvidenceRecorded:
    """Done by somebody outside the team, where that matters."""
    by = TEAM["site-reliability"].people[len(kind) % 12]
    evidence = world.id(f"{service.name} {kind}", at)
    url = f"https://wiki.example.com/{service.name}/{kind}"
    record = Record(evidence, service.name, kind, at, url, by, at, figures=_FIGURES.get(kind, {}))
    (recorded,) = world.lifecycle.tell(EVIDENCE, evidence, record, at=at, by=by)
    return recorded


def _verdict(
    world: World, service: ServiceOf, to: Phase, at: datetime, attested: dict[str, EvidenceRecorded] | None = None
) -> Verdict:
    profile = _profile(world, service)
    now = timedelta()
    facts = Facts(
        service=service.name,
        phase=profile.phase,
        phase_since=profile.stay.since,
        owner_team=profile.owner_team,
        tier=profile.tier,
        grandfathered=profile.grandfathered,
        slos=_slos(world, service, at),
        dependencies=[Dependency(name, described=True) for name in (*service.hard, *service.soft)] or None,
        owners=frozenset(TEAM[service.team].people),
        attestations=attested or {},
        heard={"slo": now, "incidents": now},
    )
    return evaluate(world.gates, facts, to, at)


def _slos(world: World, service: ServiceOf, at: datetime) -> list[Slo]:
    """Its objective as it was assessed last."""
    days = [each for each in world.slo_days[service.name] if each.day < at.date()]
    if not days:
        return []
    last = days[-1]
    end = datetime.combine(last.day, datetime.max.time(), at.tzinfo)
    window = timedelta(days=28)
    coverage = min(len(days) / 28, 1.0)
    assessed = Assessment(
        id=last.event,
        revision=1,
        state=last.state,
        target=last.target,
        sli=last.sli,
        coverage=coverage,
        window_start=end - window,
        window_end=end,
        remaining=last.remaining,
    )
    return [Slo(last.slo, 1, assessed)]


def _profile(world: World, service: ServiceOf) -> Profile:
    state = world.lifecycle.state(OF_SERVICE, service.name)
    if state is None:
        raise LookupError(service.name)
    return state.profile
