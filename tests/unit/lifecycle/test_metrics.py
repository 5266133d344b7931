from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from services.lifecycle.config import LifecycleSettings, load_policies
from services.lifecycle.domain.metrics import (
    METRICS,
    Delivered,
    Times,
    Value,
    attainment,
    delivery,
    incidents,
    mondays,
    operational,
    pages,
    per_day,
    trend,
)
from services.lifecycle.domain.policy import InvalidPolicyError
from tests.fixtures.lifecycle import NOW

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
SINCE = NOW - 10 * DAY
FINE = Delivered(NOW - DAY, unplanned=False, failed_at=None, recovered_at=None)
FAILED = replace(FINE, failed_at=NOW - DAY, recovered_at=NOW - DAY + 3 * HOUR)
UNHEALED = replace(FAILED, recovered_at=None)


def _by_name(values: list[Value]) -> dict[str, tuple[float | None, int]]:
    return {value.metric: (value.value, value.n) for value in values}


@pytest.mark.parametrize(
    ("since", "until", "weeks"),
    [
        ("2026-11-02", "2026-11-16", ["2026-11-02", "2026-11-09"]),
        ("2026-11-03", "2026-11-15", []),
        ("2026-11-03", "2026-11-16", ["2026-11-09"]),
    ],
)
def test_weeks_are_whole_and_begin_on_monday(since: str, until: str, weeks: list[str]) -> None:
    start, end = (datetime.fromisoformat(f"{day}T00:00:00+00:00") for day in (since, until))
    assert [monday.date().isoformat() for monday in mondays(start, end)] == weeks


@pytest.mark.parametrize(
    ("values", "slope"),
    [([1, 2, 3, 4], 1), ([4, None, 2, 1, None, -1], -1), ([2, 2, 2, 2], 0), ([1, None, 3, 4], None), ([], None)],
)
def test_a_trend_is_the_line_through_the_weeks_that_are_known(values: list[float | None], slope: float | None) -> None:
    assert trend(values, 4) == (None if slope is None else pytest.approx(slope))


def test_doras_five_of_ten_days() -> None:
    deployments = [FINE, FINE, replace(FINE, unplanned=True), FAILED, UNHEALED]

    values = delivery(deployments, [HOUR, 5 * HOUR, 2 * HOUR], SINCE, NOW)

    assert _by_name(values) == {
        "deployment_frequency": (0.5, 5),
        "lead_time": (2.0, 3),
        "change_failure_rate": (0.4, 5),
        "rework_rate": (0.2, 5),
        "failed_deployment_recovery": (3.0, 1),
    }
    assert values[-1].missing == "1 failed and not known to have recovered"


def test_without_deployments_the_frequency_is_nothing_and_the_rates_are_unknown() -> None:
    assert _by_name(delivery([], [], SINCE, NOW)) == {
        "deployment_frequency": (0.0, 0),
        "lead_time": (None, 0),
        "change_failure_rate": (None, 0),
        "rework_rate": (None, 0),
        "failed_deployment_recovery": (None, 0),
    }


def test_each_day_is_there_also_those_without_a_deployment() -> None:
    days = per_day([FINE], SINCE, NOW)

    assert (len(days), sum(count for _, count in days)) == (11, 1)  # it begins and ends in the middle of a day
    assert len(per_day([], NOW.replace(hour=0) - DAY, NOW.replace(hour=0))) == 1


def test_the_times_of_incidents_are_means_of_those_that_came_so_far() -> None:
    first = Times(NOW, NOW + HOUR, NOW + 2 * HOUR, NOW + 3 * HOUR, NOW + 5 * HOUR)
    second = Times(NOW, NOW + 3 * HOUR, None, None, None)

    values = incidents([first, second])

    assert _by_name(values) == {
        "time_to_detect": (2.0, 2),
        "time_to_acknowledge": (1.0, 1),
        "time_to_mitigate": (3.0, 1),
        "time_to_resolve": (5.0, 1),
    }
    assert values[1].missing == "1 of 2 incidents are not that far"


def test_a_day_without_an_sli_counts_neither_way() -> None:
    found = attainment([(0.99, 0.995), (0.99, 0.98), (0.99, None)])

    assert (found.value, found.n, found.missing) == (0.5, 2, "1 days without an SLI")


def test_what_nothing_is_known_of_is_none_and_says_so() -> None:
    for value in (attainment([]), pages("sre", []), operational("dev", None, 0), *incidents([])):
        assert value.value is None
        assert value.missing


def test_pages_are_the_mean_of_the_shifts_of_one_side() -> None:
    assert pages("sre", [1, 4]) == Value("pages_per_shift", "sre", 2.5, 2, "")


def test_every_metric_has_a_definition_and_no_other_has_one() -> None:
    policy = load_policies(LifecycleSettings()).delivery
    lacking = {name: found for name, found in policy.metrics.items() if name != "lead_time"}

    assert policy.metrics.keys() == set(METRICS)
    with pytest.raises(InvalidPolicyError, match=r"metrics\.lead_time: missing"):
        replace(policy, metrics=lacking).validate()


@for_all(st.lists(st.sampled_from([FINE, FAILED, UNHEALED, replace(FINE, unplanned=True)]), max_size=30))
def test_rates_are_shares_and_days_add_up(deployments: list[Delivered]) -> None:
    values = _by_name(delivery(deployments, [], SINCE, NOW))

    for name in ("change_failure_rate", "rework_rate"):
        rate = values[name][0]
        assert rate is None or 0 <= rate <= 1
    assert sum(count for _, count in per_day(deployments, SINCE, NOW)) == len(deployments)
