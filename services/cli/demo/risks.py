"""The risk registers: what could go wrong, what of that is lived with, and what did go wrong."""

from datetime import timedelta
from functools import partial
from typing import Any, Final, NamedTuple

from libs.events.handler import NO_EFFECTS, Effects
from libs.events.store import Reservation
from services.cli.demo.organisation import DAYS, SERVICE, SERVICES, TEAM, ServiceOf
from services.cli.demo.reliability import promised_on, slo_of
from services.cli.demo.world import Understood, World
from services.lifecycle import timetable
from services.lifecycle.contract import RISK_REGISTER
from services.lifecycle.domain.people import Actor
from services.lifecycle.domain.risk_register import commands
from services.lifecycle.domain.risk_register.arithmetic import Estimate
from services.lifecycle.domain.risk_register.events import Promise

_SCOPE: Final = "risk"  # of the reservations that lead from a risk to its service
_ACCEPTED_FOR: Final = 350  # days, at most; a little less than the longest time
_FIRST_LOOK: Final = 20  # days after the objective was written


class _Risk(NamedTuple):
    cause: str
    title: str
    text: str
    estimate: Estimate | None


_CONFIGURATION: Final = _Risk(
    "configuration",
    "A wrong configuration reaches every instance at once",
    "Configuration is rolled out to all instances within a minute, and has no canary.",
    Estimate(ttd_minutes=4, ttr_minutes=26, users_fraction=0.3, mtbf_days=240),
)
_OVERLOAD: Final = _Risk(
    "overload",
    "The evening peak is larger than what the instances bear",
    "Requests queue until they time out; clients then ask again.",
    Estimate(ttd_minutes=5, ttr_minutes=40, users_fraction=0.35, mtbf_days=200),
)
_DEPENDENCY: Final = _Risk(
    "dependency",
    "A dependency is slow, and all workers wait for it",
    "Calls have timeouts, but together they are longer than the patience of users.",
    Estimate(ttd_minutes=6, ttr_minutes=35, users_fraction=0.4, mtbf_days=220),
)
_CERTIFICATE: Final = _Risk(
    "certificate",
    "A certificate expires",
    "Two of the certificates are still renewed by hand, once a year.",
    Estimate(ttd_minutes=8, ttr_minutes=45, users_fraction=1, mtbf_days=1100),
)
_DATA: Final = _Risk(
    "data",
    "Data is hours old, and nobody is told",
    "Jobs that do not start raise no alert; readers notice first.",
    Estimate(ttd_minutes=90, ttr_minutes=150, users_fraction=0.3, mtbf_days=120),
)
_REGION: Final = _Risk(
    "",
    "The region is lost",
    "Everything runs in three zones of one region; the other region has backups, and no instances.",
    Estimate(ttd_minutes=5, ttr_minutes=300, users_fraction=1, mtbf_days=2200),
)
_PROVIDER: Final = _Risk(
    "",
    "The card network's only line is down",
    "All card payments go through one provider; it was down four times in two years.",
    Estimate(ttd_minutes=3, ttr_minutes=95, users_fraction=0.8, mtbf_days=180),
)
_UNFAIR: Final = _Risk(
    "unfair-shedding",
    "Search drops requests without looking at their importance",
    "At the evening peak a checkout's search is dropped as often as a robot's.",
    Estimate(ttd_minutes=6, ttr_minutes=170, users_fraction=0.5, mtbf_days=20),
)
_CAMPAIGN: Final = _Risk(
    "",
    "The season's campaign sends everybody to one page",
    "A mail to all customers at once is planned.",
    None,
)


def risks(world: World) -> None:
    """Every service with an objective has a register; it is looked at when the objective is written, then yearly."""
    for service in SERVICES:
        if service.target:
            _register(world, service)
    _too_large(world)
    _borne_by_others(world)
    _of_search(world)
    for each in world.understood:
        world.agenda.at(each.at + timedelta(minutes=1), partial(_recognise, world, each))


def _register(world: World, service: ServiceOf) -> None:
    first = max(promised_on(service) + _FIRST_LOOK, 8 + len(service.name))
    usual = (_CONFIGURATION, _OVERLOAD, _DEPENDENCY, _CERTIFICATE)
    known = (_DATA, _DEPENDENCY) if "pipeline" in service.name else usual
    for place, risk in enumerate(known[: 5 - service.tier]):
        day = first + 2 * place
        proposed = _propose(world, service, risk, day)
        span = _ACCEPTED_FOR - 11 * ((len(service.name) + place) % 6)
        for again in range(day + 6, DAYS, span):
            accept = commands.Accept(
                **_said(world, service, proposed, again, TEAM[service.team].lead),
                until=world.at(again + span + 10),
                promise=Promise(slo_of(service), service.target, 1),
                policy=world.policies.risks,
                reason="it fits into the budget, and making it smaller would cost a quarter",
            )
            _tell(world, accept, timetable.accepting)


def _too_large(world: World) -> None:
    """It cannot be accepted, so it is made smaller."""
    service = SERVICE["payment-gateway"]
    mitigate = commands.Mitigate(
        **_said(world, service, _propose(world, service, _PROVIDER, 590), 604, TEAM[service.team].lead),
        plan="A second provider takes over within a minute; first for a tenth of all payments",
        owner="hugo",
        due=world.at(DAYS + 26).date(),
        reason="it costs more than a quarter of the budget",
    )
    _tell(world, mitigate)


def _borne_by_others(world: World) -> None:
    """One plan for all services of a region is the business of those who look after all of them."""
    for name in ("login", "checkout-api"):
        service = SERVICE[name]
        said = _said(world, service, _propose(world, service, _REGION, 400), 412, TEAM["site-reliability"].lead)
        _tell(world, commands.Transfer(**said, to="site-reliability", reason="one plan for all services of the region"))


def _of_search(world: World) -> None:
    """What was mended is gone; what somebody named lately waits to be assessed."""
    service = SERVICE["product-search"]
    gone = commands.Eliminate(
        **_said(world, service, _propose(world, service, _UNFAIR, 489), 582, "carl"),
        url="https://git.example.com/storefront/product-search/changes/811",
        reason="requests have an importance",
    )
    _tell(world, gone)
    _propose(world, service, _CAMPAIGN, DAYS - 3)


def _propose(world: World, service: ServiceOf, risk: _Risk, day: int) -> str:
    """Somebody of the team names it; gives its id."""
    name = world.id(f"risk {service.name} {risk.title}", world.at(day))
    propose = commands.Propose(
        **_said(world, service, name, day, TEAM[service.team].people[day % 3 + 1]),
        title=risk.title,
        text=risk.text,
        cause=risk.cause,
        estimate=risk.estimate,
        basis="incidents of the last years, here and of similar services" if risk.estimate else "",
    )
    _tell(world, propose, Effects(reserve=(Reservation(_SCOPE, name, RISK_REGISTER.stream(service.name)),)))
    return name


def _recognise(world: World, it: Understood) -> None:
    at = it.at + timedelta(minutes=1)
    recognise = commands.Recognise(it.service, it.incident, it.cause, it.took, it.by, at)
    world.lifecycle.tell(RISK_REGISTER, it.service, recognise, at=at, by=it.by)


def _said(world: World, service: ServiceOf, risk: str, day: int, by: str) -> dict[str, Any]:
    return {"service": service.name, "risk": risk, "by": Actor(by, is_person=True), "at": world.at(day, 10)}


def _tell(world: World, command: Any, effects: Any = NO_EFFECTS) -> None:  # noqa: ANN401  as in `Chronicle.tell`
    tell = partial(world.lifecycle.tell, RISK_REGISTER, command.service, command, at=command.at, by=command.by.name)
    world.agenda.at(command.at, partial(tell, effects=effects))
