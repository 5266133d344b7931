"""How services were drawn, what both sides saw in them, and what was launched later."""

from datetime import timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from services.cli.demo.findings import discover
from services.cli.demo.organisation import DAYS, DEVELOPMENT, LIMITED, SERVICES, SRE_OF, TEAM, ServiceOf
from services.cli.demo.world import World
from services.lifecycle.config import load_catalogs
from services.lifecycle.contract import ARCHITECTURE_REVIEW, DESIGN_REVIEW
from services.lifecycle.domain.architecture.commands import Discover
from services.lifecycle.domain.architecture_review import commands as looking
from services.lifecycle.domain.architecture_review.discoveries import discoveries
from services.lifecycle.domain.architecture_review.events import (
    AntipatternFound,
    Component,
    Minutes,
    Participant,
    PatternUsed,
    PreRead,
)
from services.lifecycle.domain.design_review import commands as drawing
from services.lifecycle.domain.design_review.events import Alternative, Decision, Design, DesignGoal
from services.lifecycle.domain.people import Actor


class _Drawn(NamedTuple):
    goal: str
    constraint: str
    instead: str
    why_not: str
    decision: str
    changes: str = ""  # what a reader from outside asked for first


_DRAWN: Final = {
    "refunds": _Drawn(
        "Money is back within a day",
        "the ledger is written once, and never corrected",
        "Refund from the gateway, and tell the ledger afterwards",
        "when the second step fails, nobody knows what is owed",
        "Write the ledger first; the gateway is asked until it has paid",
    ),
    "checkout-api": _Drawn(
        "A basket is paid in three steps",
        "the payment gateway answers in two seconds at worst",
        "One request that does everything",
        "a user who waits eight seconds goes away",
        "Each step is kept, and can be sent again",
        "Say what happens to a basket when the gateway never answers.",
    ),
    "recommendations": _Drawn(
        "Every product page shows four others",
        "the page does not wait for it",
        "Compute them when they are asked for",
        "it takes a second and a half",
        "Compute them at night, and leave the place empty when there are none",
    ),
    "abuse-console": _Drawn(
        "A person judges what machines are not sure of",
        "what is judged holds within a minute",
        "Edit verdicts in the database",
        "nobody would know who judged, and why",
        "Each judgement is an event with its reason",
    ),
    "stream-pipeline": _Drawn(
        "Reports show the last five minutes",
        "late events change reports of yesterday",
        "Run the batch every ten minutes",
        "each run reads everything again",
        "Windows stay open for a day, and tell what changed",
        "One queue has no bound; say what it does on the busiest evening.",
    ),
    "report-builder": _Drawn(
        "Anybody makes a report without writing a query",
        "no report may slow the pipeline down",
        "Let people query the pipeline",
        "one wrong query stops all reports",
        "Reports read copies that are five minutes old",
    ),
    "mobile-gateway": _Drawn(
        "An app opens with one request",
        "apps of last year go on working",
        "Let apps ask twelve services",
        "on a train each request is a second",
        "One answer made of parts; a part that is late is left out",
    ),
    "password-vault": _Drawn(
        "No service keeps a password any more",
        "it answers in 20 ms, or nobody logs in",
        "Keep them in login's database",
        "who reads that database reads everything",
        "A service of its own, with keys in hardware",
        "Say how keys are changed while people log in.",
    ),
    "captcha": _Drawn(
        "Robots do not register",
        "people who cannot see can",
        "Ask a provider",
        "it follows users through the web",
        "A puzzle of our own",
    ),
    "app-config": _Drawn(
        "A feature is turned off in every app within a minute",
        "apps are offline half of the time",
        "Ship a version",
        "half of the users update in a month",
        "Apps fetch a signed document, and keep the last",
    ),
}
_LATER: Final = {  # the day on which a running service was looked at, and what was found in it
    "batch-pipeline": (312, AntipatternFound("unbounded-queue", "between reader and merger", "conditional", "")),
    "login": (367, AntipatternFound("untested-fallback", "the read replica", "conditional", "")),
    "cart": (431, None),
    "product-search": (497, AntipatternFound("thundering-herd", "after a restart of the index", "conditional", "")),
    "payment-gateway": (603, AntipatternFound("single-point-of-failure", "the card network's line", "conditional", "")),
    "abuse-signals": (388, None),
}
_KEEPS_DATA: Final = frozenset({"postgresql", "redis", "opensearch", "hadoop"})
_ALONE: Final = "stream-pipeline"  # whose scheduler stood alone when it was looked at first


def designs(world: World) -> None:
    """A design for each service that was drawn here, an architecture review before its first users and of the large."""
    for service in SERVICES:
        if service.name in _DRAWN:
            _design(world, service, _DRAWN[service.name])
        if service.way[0][0] and service.day_of(LIMITED) < DAYS:
            _look_at(world, service, service.day_of(LIMITED) - 24, None)
        if service.name in _LATER:
            _look_at(world, service, *_LATER[service.name])


def _design(world: World, service: ServiceOf, drawn: _Drawn) -> None:
    team, begins = TEAM[service.team], service.way[0][0] + 5
    approved = service.day_of(DEVELOPMENT) - 6
    review = world.id(f"design of {service.name}", world.at(begins))
    writer, reader = team.people[1], TEAM[SRE_OF[service.team]].people[len(service.name) % 6]
    design = Design(
        title=f"How {service.name} works",
        url=f"https://wiki.example.com/designs/{service.name}",
        goals=(DesignGoal("g1", drawn.goal),),
        constraints=(drawn.constraint,),
        alternatives=(Alternative(drawn.instead, drawn.why_not),),
        decisions=(Decision(drawn.decision, f"{drawn.instead.lower()}: {drawn.why_not}", ("g1",)),),
    )

    def said(day: float, by: str) -> dict[str, Any]:
        return {"review": review, "by": Actor(by, is_person=True), "at": world.at(day, 13)}

    _draw(world, drawing.Open(**said(begins, writer), service=service.name, owner_team=team.name, design=design))
    if service.name == "app-config":
        return  # it is being written
    _draw(world, drawing.Submit(**said(begins + 9, writer)))
    insiders = frozenset(team.people)
    if drawn.changes:
        _draw(world, drawing.RequestChanges(**said(begins + 13, reader), insiders=insiders, changes=drawn.changes))
        again = begins + 18 if approved < DAYS - 6 else DAYS - 2
        more = Decision(f"Answered: {drawn.changes.lower()}", "a reader from outside asked", ("g1",))
        anew = Design(
            title=design.title,
            url=design.url,
            goals=design.goals,
            constraints=design.constraints,
            alternatives=design.alternatives,
            decisions=(*design.decisions, more),
        )
        _draw(world, drawing.Revise(**said(again, writer), design=anew, reason="what was asked for is answered"))
        _draw(world, drawing.Submit(**said(again + 1, writer)))
    if approved < DAYS - 6:
        _draw(world, drawing.Approve(**said(approved, reader), insiders=insiders, reason="it says how it fails"))


def _draw(world: World, command: drawing.Command) -> None:
    tell = partial(world.lifecycle.tell, DESIGN_REVIEW, command.review, command, at=command.at, by=command.by.name)
    world.agenda.at(command.at, tell)


def _look_at(world: World, service: ServiceOf, day: int, seen: AntipatternFound | None) -> None:
    """Prepared five days before, held by both sides, signed by both on the next day."""
    team, sre = TEAM[service.team], TEAM[SRE_OF[service.team]]
    held_at = world.at(day, 14)
    review = world.id(f"architecture of {service.name} {day}", world.at(day - 5))
    there = (
        *(Participant(person, "dev") for person in team.people[:3]),
        *(Participant(person, "sre") for person in sre.people[:2]),
    )
    minutes = Minutes(
        held_at=held_at,
        participants=there,
        components=_components(service),
        patterns=(PatternUsed("timeout", "every call"), PatternUsed("progressive-delivery", "every release")),
        antipatterns=(seen,) if seen else (),
        decisions=("Requests carry their importance from the first service on", "No new hard dependency without both"),
    )

    def said(when: Any, by: str) -> dict[str, Any]:  # noqa: ANN401  a time
        return {"review": review, "by": Actor(by, is_person=True), "at": when}

    tell = partial(_look, world)
    prepare = looking.Prepare(
        **said(world.at(day - 5), team.lead),
        service=service.name,
        owner_team=team.name,
        title=f"{service.name} before its first users" if seen is None else f"{service.name} as it runs today",
        pre_read=PreRead(f"https://wiki.example.com/architecture/{service.name}", world.at(day - 5)),
    )
    hold = looking.Hold(
        **said(held_at + timedelta(hours=2), sre.lead),
        minutes=minutes,
        insiders=frozenset(team.people),
        policy=world.policies.architecture,
    )
    for command in (
        prepare,
        hold,
        looking.Sign(**said(world.at(day + 1), team.lead), side="dev"),
        looking.Sign(**said(world.at(day + 1, 11), sre.lead), side="sre"),
    ):
        world.agenda.at(command.at, partial(tell, command))
    numbers = iter(range(99))
    found = discoveries(
        review,
        minutes,
        world.policies.architecture,
        load_catalogs(),
        lambda: world.id(f"finding {review} {next(numbers)}", hold.at),
    )
    discovered = Discover(service=service.name, review=review, discoveries=tuple(found), by=sre.lead, at=hold.at)
    discover(world, discovered, slow=service.name == "payment-gateway")


def _components(service: ServiceOf) -> tuple[Component, ...]:
    """A front in three zones, what it keeps data in, and what runs at night."""
    shown = [Component(name="front", criticality="critical", redundancy=2, failure_domains=_ZONES, note="")]
    shown += [
        Component(
            name=each, criticality="critical", redundancy=1, failure_domains=_ZONES[:2], note="primary and standby"
        )
        for each in service.stack
        if each in _KEEPS_DATA
    ]
    redundancy = 0 if service.name == _ALONE else 1
    critical = "critical" if service.name == _ALONE else "supporting"
    shown.append(
        Component(
            name="scheduler",
            criticality=critical,
            redundancy=redundancy,
            failure_domains=_ZONES[:1],
            note="nightly jobs",
        )
    )
    return tuple(shown)


def _look(world: World, command: looking.Command) -> None:
    world.lifecycle.tell(ARCHITECTURE_REVIEW, command.review, command, at=command.at, by=command.by.name)


_ZONES: Final = ("zone-a", "zone-b", "zone-c")
