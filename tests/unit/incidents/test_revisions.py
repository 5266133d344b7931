"""Rotations and schedules change from a moment on: what is planned can be moved and amended, the past cannot."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.events.testing import given
from services.incidents.contract import ROTATION, SCHEDULE
from services.incidents.domain.on_call.errors import PastError
from services.incidents.domain.on_call.roster import Layer, RotationRevision, ScheduleRevision
from services.incidents.domain.on_call.turns import Rota
from services.incidents.domain.rotation.commands import Change
from services.incidents.domain.rotation.events import RotationChanged
from services.incidents.domain.schedule import commands as of_schedule
from services.incidents.domain.schedule.events import ScheduleDefined

NOW = datetime(2026, 11, 23, 10, tzinfo=UTC)
DAY = timedelta(days=1)
OLD = Rota("UTC", "weekly", 1, datetime(2026, 11, 2, 9), ("ana", "bo"))  # noqa: DTZ001  a wall time
NEW = replace(OLD, participants=("cleo", "dora"))
IN_FORCE, PLANNED = NOW - 9 * DAY, NOW + 20 * DAY


def said(rota: Rota, since: datetime, **more: Any) -> RotationChanged:
    told: Any = {
        "rotation": "team",
        "display_name": "Team",
        "rota": rota,
        "sides": "any",
        "by": "ana",
        "at": NOW - DAY,
    }
    return RotationChanged(**told | {"effective_from": since} | more)


def change(rota: Rota, since: datetime, **more: Any) -> Change:
    told: Any = {
        "display_name": "Team",
        "rota": rota,
        "sides": "any",
        "people": {},
        "by": "bo",
        "at": NOW,
    } | more
    return Change(**told, effective_from=since)


PLAN = said(OLD, IN_FORCE), said(NEW, PLANNED)


@pytest.mark.parametrize("days", [1, 19, 21, 300])
def test_what_is_planned_is_moved_by_saying_the_same_of_another_moment(days: int) -> None:
    moved = NOW + days * DAY
    fact = said(NEW, moved, instead_of=PLANNED, by="bo", at=NOW)
    state = given(ROTATION, *PLAN).when(change(NEW, moved)).then(fact)
    assert state
    assert state.revisions == (RotationRevision(OLD, IN_FORCE), RotationRevision(NEW, moved))


def test_what_has_not_begun_may_begin_later() -> None:
    fact = said(NEW, PLANNED + DAY, instead_of=PLANNED, by="bo", at=NOW)
    state = given(ROTATION, PLAN[1]).when(change(NEW, PLANNED + DAY)).then(fact)
    assert state
    assert state.revisions == (RotationRevision(NEW, PLANNED + DAY),)


def test_another_name_begins_no_new_time() -> None:
    renamed = said(OLD, IN_FORCE, display_name="Us", by="bo", at=NOW)
    state = given(ROTATION, PLAN[0]).when(change(OLD, NOW, display_name="Us")).then(renamed)
    assert state
    assert (state.display_name, state.revisions) == ("Us", (RotationRevision(OLD, IN_FORCE),))
    given(ROTATION, PLAN[0]).when(change(OLD, NOW + DAY)).then()
    given(ROTATION, *PLAN).when(change(NEW, PLANNED)).then()


def test_what_is_planned_is_amended_where_it_stands_and_not_moved_into_the_past() -> None:
    amended = replace(NEW, length=2)
    state = given(ROTATION, *PLAN).when(change(amended, PLANNED)).then(said(amended, PLANNED, by="bo", at=NOW))
    assert state
    assert state.revisions == (RotationRevision(OLD, IN_FORCE), RotationRevision(amended, PLANNED))
    given(ROTATION, *PLAN).when(change(NEW, NOW - DAY)).refuses(PastError)


def test_the_same_holds_of_schedules() -> None:
    layers = (Layer("primary", "team"),)
    held = ScheduleRevision("UTC", (), layers, (), "any", (), IN_FORCE)
    plan = replace(held, services=("checkout-api",), effective_from=PLANNED)

    def fact(revision: ScheduleRevision, **more: Any) -> ScheduleDefined:
        told: Any = {"schedule": "checkout", "display_name": "Checkout", "by": "bo", "at": NOW} | more
        return ScheduleDefined(**told, revision=revision)

    def asked(revision: ScheduleRevision, **more: Any) -> of_schedule.Change:
        rotations = {"team": (RotationRevision(OLD, IN_FORCE),)}
        told: Any = {"display_name": "Checkout", "rotations": rotations, "by": "bo", "at": NOW} | more
        return of_schedule.Change(**told, revision=revision)

    later = replace(plan, effective_from=PLANNED + DAY)
    state = given(SCHEDULE, fact(held), fact(plan)).when(asked(later)).then(fact(later, instead_of=PLANNED))
    assert state
    assert state.revisions == (held, later)
    renamed = asked(replace(held, effective_from=NOW), display_name="Us")
    given(SCHEDULE, fact(held)).when(renamed).then(fact(held, display_name="Us"))
    given(SCHEDULE, fact(held)).when(asked(replace(held, effective_from=NOW))).then()
