"""The service fires and clears as a real Prometheus does by the rules that it writes, minute by minute.

So it is where a series has no gaps and covers the long window; before that, the service waits and Prometheus does not.
"""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate
from typing import Any

import pytest

from services.slo.contract import BUDGET
from services.slo.domain.budget.commands import Assess, Reading
from services.slo.domain.budget.events import BudgetAssessed
from services.slo.domain.burn_rate import History, Tier, judge, tiers_of
from services.slo.domain.error_budget import Counts
from services.slo.domain.openslo import check
from services.slo.domain.openslo.definition import Definition
from services.slo.domain.openslo.resolution import catalogue, resolve
from services.slo.exchange import generate, to_yaml
from services.slo.exchange.windows import duration
from tests.fixtures.promtool import Firing, firing, openslo

pytestmark = pytest.mark.prometheus

START = datetime(2026, 11, 21, tzinfo=UTC)
TARGETS = [{"kind": "AlertNotificationTarget", "metadata": {"name": "on-call"}, "spec": {"target": "on-call"}}]


def condition(name: str, lookback: str, threshold: float, severity: str, **more: str) -> dict[str, Any]:
    """An inline AlertCondition."""
    rate = {"kind": "burnrate", "op": "gt", "threshold": threshold, "lookbackWindow": lookback} | more
    return {"kind": "AlertCondition", "metadata": {"name": name}, "spec": {"severity": severity, "condition": rate}}


def policy(name: str, condition: dict[str, Any], **more: bool) -> dict[str, Any]:
    """An inline AlertPolicy."""
    spec = {"alertWhenBreaching": True, "conditions": [condition], "notificationTargets": TARGETS} | more
    return {"kind": "AlertPolicy", "metadata": {"name": name}, "spec": spec}


CUSTOM = [
    policy("fast", condition("burning", "1h", 7.3, "critical", alertAfter="4m")),
    policy("slow", condition("leaking", "2h", 2.9, "ticket", op="gte")),
    policy("quick", condition("burning", "36m", 11.7, "page")),
]


def series(seed: int, minutes: int) -> tuple[list[int], list[int]]:
    """Good and total events of each minute: changing traffic, outages of every length, and leaks."""
    chance = random.Random(seed)  # noqa: S311  no secret
    good: list[int] = []
    total: list[int] = []
    share, left, base = 0.0, 0, 100
    for _ in range(minutes):
        if left == 0:
            left = chance.choice([1, 3, 8, 20, 60])
            share = chance.choice([0, 0, 0, 0.0007, 0.004, 0.02, 0.1, 0.4, 1])
            base = chance.choice([90, 700, 5000])
        left -= 1
        events = chance.randrange(1, base)
        total.append(events)
        good.append(events - sum(chance.random() < share for _ in range(events)))
    return good, total


def defined(document: dict[str, Any]) -> Definition:
    """What *document* means."""
    verdict = check(document)
    assert verdict.document is not None, verdict.errors
    resolved = resolve([verdict.document], catalogue([], services=["shop"]))
    return resolved.definitions[0]


def alerts(definition: Definition, good: Sequence[int], total: Sequence[int]) -> dict[Firing, list[int]]:
    """At which minutes each tier's alert fires, decided by the budget's rules; once its windows are covered."""
    sums = [list(accumulate(each, initial=0)) for each in (good, total)]
    tiers, warnings = tiers_of(definition)
    assert warnings == ()
    period_min, target, budget = 43_200, definition.target, BUDGET.initial
    found: dict[Firing, list[int]] = {}

    def counts(window: range) -> Counts:
        first, stop = max(window.start, 0), max(window.stop, 0)
        return Counts(sums[0][stop] - sums[0][first], sums[1][stop] - sums[1][first], stop - first)

    def read(tier: Tier, end: int) -> Reading:
        def pair(at: int) -> tuple[Counts, Counts]:
            short, long = tier.windows(at)
            return counts(short), counts(long)

        history = History(counts(range(end)), end, period_min)
        verdict = judge(
            tier, target, *pair(end), history, lambda: [pair(end - back) for back in range(1, tier.after_min + 1)]
        )
        return Reading(tier, verdict, 0.0, 0.0, f"{tier.name}/{end}")

    for end in range(1, len(total) + 1):
        readings = tuple([read(tier, end) for tier in tiers])
        for event in BUDGET.decide(Assess(_figures(definition, end), readings), budget):
            budget = BUDGET.evolve(budget, event)
        for tier in tiers:
            if tier.name in budget.firing and end >= tier.long_min + tier.after_min:
                found.setdefault(_key(tier), []).append(end)
    return found


def by_prometheus(document: dict[str, Any], good: Sequence[int], total: Sequence[int]) -> dict[Firing, list[int]]:
    """At which minutes Prometheus has each alert firing, once its windows are covered."""
    files, warnings = generate([document])
    assert warnings == []
    fires = firing(to_yaml((each.body, each.comment) for each in files), good, total)
    covered = {_key(tier): tier.long_min + tier.after_min for tier in tiers_of(defined(document))[0]}
    kept = {alert: [minute for minute in minutes if minute >= covered[alert]] for alert, minutes in fires.items()}
    return {alert: minutes for alert, minutes in kept.items() if minutes}


def _key(tier: Tier) -> Firing:
    return Firing(tier.severity, duration(tier.long_min), "served")


def _figures(definition: Definition, end: int) -> BudgetAssessed:
    at = START + timedelta(minutes=end)
    return BudgetAssessed(
        slo=definition.name,
        service=definition.service,
        revision=1,
        state="undefined",
        target=float(definition.target),
        sli=None,
        good=0,
        total=0,
        coverage=0.0,
        window="30d",
        window_start=at - timedelta(days=30),
        window_end=at,
        error_budget_consumed=None,
        error_budget_remaining=None,
        input_version=end,
        at=at,
    )


@pytest.mark.parametrize(("seed", "target"), [(1, 0.999), (2, 0.99), (10, 0.96)])
def test_the_default_tiers_fire_and_clear_in_the_minutes_in_which_prometheus_does(seed: int, target: float) -> None:
    good, total = series(seed, 540)
    document = openslo(target)

    decided = alerts(defined(document), good, total)

    assert decided == by_prometheus(document, good, total)
    assert any(_resets(minutes) for minutes in decided.values())


@pytest.mark.parametrize("seed", [4, 5])
def test_the_conditions_of_a_policy_do_too_with_their_operators_and_delays(seed: int) -> None:
    good, total = series(seed, 480)
    document = openslo(0.991)
    document["spec"]["alertPolicies"] = CUSTOM

    decided = alerts(defined(document), good, total)

    assert decided == by_prometheus(document, good, total)
    assert len(decided) == 3
    assert any(_resets(minutes) for minutes in decided.values())


def test_a_day_with_one_outage_rings_every_default_tier_that_it_can() -> None:
    good, total = [1000] * 1440, [1000] * 1440
    good[1439 - 180 : 1439 - 30] = [900] * 150
    document = openslo(0.999)

    decided = alerts(defined(document), good, total)

    assert decided == by_prometheus(document, good, total)
    assert {alert.long for alert in decided} == {"1h", "6h", "1d"}


def test_the_rule_for_want_of_data_fires_when_the_long_window_passes_without_any() -> None:
    document = openslo(0.99)
    document["spec"]["alertPolicies"] = [
        policy("dead", condition("quiet", "1h", 7.3, "page"), alertWhenNoData=True, alertWhenBreaching=False)
    ]
    series: list[int | None] = [100] * 20 + [None] * 90 + [100] * 10
    files, _ = generate([document])
    fires = firing(to_yaml((each.body, each.comment) for each in files), series, series)
    (minutes,) = fires.values()
    # The short window sees the last minute for five more, then the long one is without a ratio for an hour.
    assert (minutes[0], minutes[-1]) == (20 + 4 + 61, 110)


def _resets(minutes: Sequence[int]) -> bool:
    """Whether an alert fired more than once."""
    return minutes != list(range(minutes[0], minutes[-1] + 1))
