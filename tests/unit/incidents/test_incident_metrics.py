from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.incidents.domain.incident_metrics import (
    Counted,
    Interruption,
    band,
    figures_by,
    figures_of,
    interruptions_of,
    repeat_causes,
)

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
FRESH = Counted(
    number="INC-1",
    service="checkout-api",
    team="payments",
    severity="sev2",
    priority="P1",
    phase="general_availability",
    cause="",
    impact_started=AT,
    detected=AT + timedelta(minutes=2),
    acknowledged=None,
    implied=False,
    mitigated=None,
    resolved=None,
    over=False,
)


def after(**minutes: int) -> dict[str, datetime]:
    return {name: AT + timedelta(minutes=count) for name, count in minutes.items()}


DONE = replace(FRESH, **after(acknowledged=5, mitigated=20, resolved=30), over=True)


def test_what_lasts_is_still_open_and_never_zero() -> None:
    figures = figures_of("", [FRESH])

    assert (figures.still_open, figures.mttd.median_s) == (1, 120)
    for duration in (figures.mtta, figures.mttm, figures.mttr):
        assert (duration.n, duration.median_s, duration.mean_s, duration.p90_s) == (0, None, None, None)
        assert (duration.missing, duration.still_open) == (0, 1)


def test_what_was_never_reached_is_missing() -> None:
    never = replace(FRESH, **after(mitigated=20, resolved=30), over=True)
    figures = figures_of("", [DONE, never, FRESH])

    assert (figures.mtta.n, figures.mtta.missing, figures.mtta.still_open) == (1, 1, 1)
    assert (figures.mttr.n, figures.mttr.missing, figures.mttr.still_open) == (2, 0, 1)


def test_each_counts_from_where_it_is_defined() -> None:
    figures = figures_of("", [DONE])

    assert [each.mean_s for each in (figures.mttd, figures.mtta, figures.mttm, figures.mttr)] == [120, 180, 1200, 1800]


def test_implied_acknowledgements_count_apart() -> None:
    figures = figures_of("", [DONE, replace(DONE, implied=True)])

    assert (figures.mtta.n, figures.mtta_implied.n, figures.mttm.n) == (1, 1, 2)


def test_the_ninetieth_percentile_is_one_that_happened() -> None:
    slow = [replace(DONE, **after(resolved=minutes)) for minutes in range(21, 31)]
    mttr = figures_of("", slow).mttr

    assert (mttr.median_s, mttr.p90_s, mttr.mean_s) == (25.5 * 60, 29 * 60, 25.5 * 60)


def test_groups_have_what_nobody_said_as_one() -> None:
    caused = replace(DONE, cause="retry-storm", service="search-api")
    assert [(each.key, each.incidents) for each in figures_by("cause", [DONE, caused])] == [("", 1), ("retry-storm", 1)]
    assert [each.key for each in figures_by("service", [caused, DONE])] == ["checkout-api", "search-api"]


def test_between_failures_is_from_start_to_start() -> None:
    starts = [replace(DONE, impact_started=AT + timedelta(hours=hours)) for hours in (0, 10, 4)]
    mtbf = figures_of("", starts).mtbf
    assert (mtbf.n, mtbf.mean_s) == (2, 5 * 3600)
    assert figures_of("", [DONE]).mtbf.mean_s is None


def test_a_cause_that_came_again_is_named_with_its_incidents() -> None:
    storm = replace(DONE, cause="retry-storm", number="INC-3")
    again = replace(storm, number="INC-2", impact_started=AT - timedelta(days=1), service="search-api")
    [found] = repeat_causes([storm, again, DONE, replace(DONE, cause="config")])
    assert (found.cause, found.incidents, found.numbers) == ("retry-storm", 2, ["INC-2", "INC-3"])
    assert found.services == ["checkout-api", "search-api"]


@pytest.mark.parametrize(
    ("local", "expected"),
    [
        ("2026-11-20T08:00", "business"),  # a Friday
        ("2026-11-20T17:59", "business"),
        ("2026-11-20T18:00", "off_hours"),
        ("2026-11-21T12:00", "off_hours"),  # a Saturday
        ("2026-11-20T21:59", "off_hours"),
        ("2026-11-20T22:00", "sleep"),
        ("2026-11-20T07:59", "sleep"),
    ],
)
def test_the_hours_of_a_day(local: str, expected: str) -> None:
    assert band(datetime.fromisoformat(local)) == expected


def test_who_is_called_at_the_same_moment_sleeps_in_one_place_and_works_in_another() -> None:
    monday = datetime(2026, 11, 23, 3, tzinfo=UTC)
    places = [ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Singapore")]
    told = interruptions_of(
        "", [*(Interruption("x", monday.astimezone(zone)) for zone in places), Interruption("y", None)]
    )
    assert (told.pages, told.sleep, told.business, told.off_hours, told.unknown_zone) == (3, 1, 1, 0, 1)


@given(st.lists(st.tuples(st.integers(0, 600) | st.none(), st.booleans()), max_size=30))
def test_every_incident_is_reached_missing_or_still_open(outcomes: list[tuple[int | None, bool]]) -> None:
    incidents = [
        replace(FRESH, over=over, resolved=None if minutes is None else AT + timedelta(minutes=minutes))
        for minutes, over in outcomes
    ]
    mttr = figures_of("", incidents).mttr

    assert mttr.n + mttr.missing + mttr.still_open == len(incidents)
