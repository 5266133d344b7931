"""How the services did: their traffic, their objectives, and what was left of the budgets day by day."""

import math
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

from services.cli.demo.organisation import DAYS, DEVELOPMENT, LIMITED, SERVICES, TEAM, UNSUPPORTED, ServiceOf
from services.cli.demo.outages import Outage
from services.cli.demo.world import World
from services.lifecycle.domain.engagement.measures import SloDay
from services.slo.contract import BUDGET, SLO
from services.slo.domain.budget.commands import Assess
from services.slo.domain.budget.events import BudgetAssessed
from services.slo.domain.error_budget import Target, figures
from services.slo.domain.openslo import Decoded, catalogue, decode, resolve
from services.slo.domain.openslo.promise import promise_of
from services.slo.domain.slo.commands import Define, Document, Promise

WINDOW_DAYS: Final = 28
MINUTES_A_DAY: Final = 24 * 60


def measured() -> list[ServiceOf]:
    """The services that have an objective."""
    return [service for service in SERVICES if service.target]


def requests_a_minute(world: World, service: ServiceOf, day: int, minute: int) -> float:
    """Traffic: a daily rhythm, quieter at weekends, and it grows by half in two years; the old pipeline's doubles."""
    daylight = 0.6 - 0.4 * math.cos(2 * math.pi * minute / MINUTES_A_DAY)
    growth = 1 / (2 if service.name == "batch-pipeline" else 1.5)
    return service.peak * daylight * (0.7 if world.is_weekend(day) else 1.0) * growth ** (1 - day / DAYS)


def promise(world: World) -> None:
    """Every objective as it is promised; told last, because from then on the slo service says how it stands."""
    for service in measured():
        at = world.at(promised_on(service))
        lead = TEAM[service.team].lead
        command = Define(_promise(service), at)
        world.slo.tell(SLO, slo_of(service), command, at=world.today, by=lead)


def assess(world: World, went_wrong: list[Outage]) -> None:
    """Every evening, what is left of each budget, given what *went_wrong*."""
    bad: dict[tuple[str, int], list[Outage]] = defaultdict(list)
    for outage in went_wrong:
        bad[outage.service.name, outage.day].append(outage)
    for service in measured():
        chance, name = world.chance(f"errors of {service.name}"), slo_of(service)
        target = Target.of(service.target)
        days: list[tuple[int, int]] = []
        for day in range(promised_on(service), min(DAYS, service.day_of(UNSUPPORTED))):
            total = round(requests_a_minute(world, service, day, MINUTES_A_DAY // 4) * MINUTES_A_DAY)
            lost = total * service.bad_ratio * (0.7 + 0.6 * chance.random())
            lost += sum(
                requests_a_minute(world, service, day, outage.minute) * outage.minutes * outage.bad_share
                for outage in bad[service.name, day]
            )
            days = [*days, (round(lost), total)][-WINDOW_DAYS:]
            at = world.at(day, 23.9)
            figure = _assessed(service, name, target, days, at)
            world.slo.tell(BUDGET, name, Assess(figure, ()), at=at, by="slo")
            event = world.slo.last_id(BUDGET, name)
            world.slo_days[service.name].append(
                SloDay(
                    *(event, name, service.name, at.date(), service.target),
                    *(figure.sli, figure.error_budget_remaining, figure.state),
                )
            )


def _assessed(
    service: ServiceOf, slo: str, target: Target, days: list[tuple[int, int]], at: datetime
) -> BudgetAssessed:
    total = sum(each for _, each in days)
    good = total - sum(each for each, _ in days)
    found = figures(target, good, total)
    return BudgetAssessed(
        slo=slo,
        service=service.name,
        revision=1,
        state=found.state,
        target=service.target,
        sli=found.sli,
        good=good,
        total=total,
        coverage=len(days) / WINDOW_DAYS,
        window=f"{WINDOW_DAYS}d",
        window_start=at - timedelta(days=WINDOW_DAYS),
        window_end=at,
        error_budget_consumed=found.consumed,
        error_budget_remaining=found.remaining,
        input_version=0,  # so that what the service itself counts is newer
        at=at,
    )


def _promise(service: ServiceOf) -> Promise:
    document = objective(service)
    decoded = decode(document)
    if not isinstance(decoded, Decoded):
        raise TypeError(document)
    definition = resolve([decoded], catalogue((), {service.name})).definitions[0]
    return promise_of(definition, decoded, document)


def objective(service: ServiceOf) -> Document:
    """The OpenSLO document of *service*."""
    source = {"metricSource": {"type": "concordat", "spec": {"query": "push"}}}
    return {
        "apiVersion": "openslo/v1",
        "kind": "SLO",
        "metadata": {"name": slo_of(service), "displayName": f"{service.name} answers"},
        "spec": {
            "description": "Requests answered with a status below 500",
            "service": service.name,
            "indicator": {
                "metadata": {"name": f"{service.name}-answers"},
                "spec": {"ratioMetric": {"counter": True, "good": source, "total": source}},
            },
            "timeWindow": [{"duration": f"{WINDOW_DAYS}d", "isRolling": True}],
            "budgetingMethod": "Occurrences",
            "objectives": [{"displayName": "Answered", "target": service.target}],
        },
    }


def slo_of(service: ServiceOf) -> str:
    """The name of its objective."""
    return f"{service.name}-availability"


def promised_on(service: ServiceOf) -> int:
    """The day on which its objective was written: before it had users."""
    return min(service.day_of(LIMITED) - 40, service.day_of(DEVELOPMENT) + 20) if service.way[0][0] else 0
