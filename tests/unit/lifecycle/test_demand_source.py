"""A source of demand: set once, asked for the days that are over, its failures told once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given as for_all
from hypothesis import strategies as st

from libs.events.testing import given
from services.lifecycle.clients.prometheus import Asker
from services.lifecycle.clients.secrets import SecretMissingError, asker_of
from services.lifecycle.contract import CAPACITY
from services.lifecycle.domain.capacity.commands import NoteDemandSource, RemoveDemandSource, SetDemandSource
from services.lifecycle.domain.capacity.errors import CapacityFaultError, MetricChangedError, NoDemandSourceError
from services.lifecycle.domain.capacity.events import (
    Credentials,
    DemandEstimated,
    DemandSource,
    DemandSourceFailed,
    DemandSourceRecovered,
    DemandSourceRemoved,
    DemandSourceSet,
)
from services.lifecycle.domain.capacity.sourcing import days_to_ask
from services.lifecycle.domain.capacity.state import Basis
from services.lifecycle.domain.people import Actor

DAY = timedelta(days=1)
AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
TODAY = AT.date()
ANA, BO = Actor("ana", is_person=True), Actor("bo", is_person=True)
SOURCE = DemandSource(
    address="https://prometheus.example.com/", query="sum(load)", metric="rps", step_s=3600, since=TODAY - 30 * DAY
)
SET = SetDemandSource(service="s", source=SOURCE, by=ANA, at=AT)
WAS_SET = DemandSourceSet("s", SOURCE, "ana", AT)
BEARER = Credentials("bearer", "", "prometheus-token")


def test_a_source_is_set_once_and_removed() -> None:
    given(CAPACITY).when(SET).then(WAS_SET)
    given(CAPACITY, WAS_SET).when(replace(SET, by=BO)).then()
    remove = RemoveDemandSource(service="s", reason="moved", by=BO, at=AT)
    given(CAPACITY, WAS_SET).when(remove).then(DemandSourceRemoved("s", "moved", "bo", AT))
    given(CAPACITY).when(remove).refuses(NoDemandSourceError)


@pytest.mark.parametrize(
    ("source", "pointer"),
    [
        (replace(SOURCE, since=TODAY), "/since"),
        (replace(SOURCE, since=date(1999, 1, 1)), "/since"),
        (replace(SOURCE, credentials=Credentials("bearer")), "/auth/secret"),
        (replace(SOURCE, credentials=Credentials("none", "", "token")), "/auth/secret"),
    ],
)
def test_a_source_that_cannot_be_asked_is_refused_with_its_place(source: DemandSource, pointer: str) -> None:
    assert given(CAPACITY).when(replace(SET, source=source)).refuses(CapacityFaultError).pointer == pointer


def test_a_source_counts_in_what_demand_is_counted_in() -> None:
    counted = DemandEstimated("s", "orders", 5.0, TODAY, 0.0, "a guess", "ana", AT)

    given(CAPACITY, counted).when(SET).refuses(MetricChangedError)


def test_that_a_source_fails_is_told_once_and_that_it_answers_again_too() -> None:
    note = NoteDemandSource("s", SOURCE, "it answered 401", AT)
    failed = DemandSourceFailed("s", "it answered 401", AT)

    given(CAPACITY, WAS_SET).when(replace(note, failure="")).then()
    given(CAPACITY, WAS_SET).when(note).then(failed)
    given(CAPACITY, WAS_SET, failed).when(note).then()
    given(CAPACITY, WAS_SET, failed).when(replace(note, failure="")).then(DemandSourceRecovered("s", AT))
    given(CAPACITY, WAS_SET, failed).when(replace(note, failure="timeout")).then(DemandSourceFailed("s", "timeout", AT))
    other = replace(SOURCE, query="sum(other)")
    given(CAPACITY, WAS_SET).when(replace(note, source=other)).then()  # it was set otherwise meanwhile


@pytest.mark.parametrize(
    ("known", "days"),
    [
        (Basis(), None),
        (Basis(source=SOURCE), (TODAY - 30 * DAY, TODAY - DAY)),
        (Basis(source=SOURCE, measured_until=TODAY - DAY), None),
        (Basis(source=SOURCE, measured_until=TODAY - 5 * DAY), (TODAY - 7 * DAY, TODAY - DAY)),
        (Basis(source=replace(SOURCE, since=TODAY - 900 * DAY)), (TODAY - 900 * DAY, TODAY - 500 * DAY)),
        (Basis(source=replace(SOURCE, step_s=60)), (TODAY - 30 * DAY, TODAY - 24 * DAY)),  # 11,000 points at most
    ],
)
def test_what_is_asked_for_are_the_days_that_are_over_and_not_known(
    known: Basis, days: tuple[date, date] | None
) -> None:
    assert days_to_ask(known, TODAY) == days


@for_all(st.integers(60, 86_400), st.integers(1, 1_000))
def test_no_question_is_about_more_points_than_a_server_gives(step_s: int, back: int) -> None:
    asked = days_to_ask(Basis(source=replace(SOURCE, step_s=step_s, since=TODAY - back * DAY)), TODAY)

    assert asked is not None
    assert ((asked[1] - asked[0]).days + 1) * 86_400 / step_s <= 11_000


def test_a_secret_is_a_file_that_is_named(tmp_path: Path) -> None:
    (tmp_path / "prometheus-token").write_text("abc\n", encoding="utf-8")
    (tmp_path / "two-lines").write_text("a\nb", encoding="utf-8")

    assert asker_of(Credentials(), tmp_path) is None
    assert asker_of(BEARER, tmp_path) == Asker("", "abc")
    assert asker_of(Credentials("basic", "ana", "prometheus-token"), tmp_path) == Asker("ana", "abc")
    for name in ("none", "../prometheus-token", "two-lines", "", "a\0b", "\u00e4" * 253):
        with pytest.raises(SecretMissingError):
            asker_of(replace(BEARER, secret=name), tmp_path)
