from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given as any_of
from hypothesis import strategies as st

from libs.events.errors import SetupError
from libs.events.testing import given
from services.incidents.config import IncidentsSettings, load_learning
from services.incidents.contract import DUTY
from services.incidents.domain.errors import AbsentError, IllegalTransitionError, ReasonMissingError
from services.incidents.domain.learning import Calendar
from services.incidents.domain.postmortem.events import BudgetSpent
from services.incidents.domain.postmortem_duty.commands import Excuse, Look, Meet, Require
from services.incidents.domain.postmortem_duty.events import (
    DutyStageMet,
    PostmortemExcused,
    PostmortemOverdue,
    PostmortemReminded,
    PostmortemRequired,
    Stage,
)
from services.incidents.timetable import owing

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)  # a Saturday
SHIPPED = Path("services/incidents/policies/learning-2026-11.yaml")
POLICY = load_learning(IncidentsSettings(internal_key="x" * 32).learning_policy)
WHO: dict[str, Any] = {"incident": "i1", "number": "INC-1", "service": "checkout-api", "by": "ana", "at": AT}
REQUIRE = Require(**WHO, why="severity", policy=POLICY)
REQUIRED = PostmortemRequired(
    **WHO, why="severity", draft_due=date(2026, 11, 27), publish_due=date(2026, 12, 11), policy="2026-11"
)
EXCUSED = PostmortemExcused(**WHO, reason="a drill")


def met(stage: Stage) -> DutyStageMet:
    return DutyStageMet(**WHO, stage=stage)


def look(day: date) -> Look:
    return Look(by="ana", policy=POLICY, at=datetime(day.year, day.month, day.day, tzinfo=UTC))


def said(event: type[Any], stage: Stage, due: date, on: date) -> Any:
    return event(**(WHO | {"at": look(on).at}), stage=stage, due=due)


def test_its_days_are_counted_in_business_days() -> None:
    given(DUTY).when(REQUIRE).then(REQUIRED)


def test_what_asks_for_it_again_is_said_once_and_moves_no_day() -> None:
    later = replace(REQUIRE, at=AT + timedelta(days=10))
    budget = replace(REQUIRE, why="error_budget", budget=BudgetSpent(slo="a", share=0.3))

    given(DUTY, REQUIRED).when(later).then()
    state = DUTY.fold(None, (REQUIRED, *DUTY.decide(budget, DUTY.fold(None, (REQUIRED,)))))
    assert state is not None
    assert [each.why for each in state.required] == ["severity", "error_budget"]
    assert state.next_due == REQUIRED.draft_due


def test_what_is_there_already_is_not_owed() -> None:
    given(DUTY).when(replace(REQUIRE, drafted=True, published=True)).then(REQUIRED, met("draft"), met("publish"))


def test_each_of_its_days_is_near_once_and_over_once() -> None:
    near, last, over = date(2026, 11, 26), date(2026, 11, 27), date(2026, 11, 28)
    reminded = said(PostmortemReminded, "draft", last, near)
    overdue = said(PostmortemOverdue, "draft", last, over)

    given(DUTY, REQUIRED).when(look(date(2026, 11, 25))).then()
    given(DUTY, REQUIRED).when(look(near)).then(reminded)
    given(DUTY, REQUIRED, reminded).when(look(last)).then()
    given(DUTY, REQUIRED, reminded).when(look(over)).then(overdue)
    given(DUTY, REQUIRED, reminded, overdue).when(look(over)).then()


def test_drafted_only_its_publication_is_owed() -> None:
    near = date(2026, 12, 10)
    reminded = said(PostmortemReminded, "publish", date(2026, 12, 11), near)

    given(DUTY, REQUIRED, met("draft")).when(look(near)).then(reminded)
    given(DUTY, REQUIRED, met("draft"), met("publish")).when(look(near)).then()


def test_after_a_long_silence_all_that_is_over_is_said_at_once() -> None:
    day = date(2027, 1, 1)
    given(DUTY, REQUIRED).when(look(day)).then(
        said(PostmortemOverdue, "draft", date(2026, 11, 27), day),
        said(PostmortemOverdue, "publish", date(2026, 12, 11), day),
    )


def test_excusing_it_needs_a_reason_and_ends_it() -> None:
    excuse = Excuse(by="ana", reason="a drill", at=AT)

    given(DUTY, REQUIRED).when(excuse).then(EXCUSED)
    given(DUTY, REQUIRED).when(replace(excuse, reason=" ")).refuses(ReasonMissingError)
    given(DUTY, REQUIRED, EXCUSED).when(excuse).then()
    given(DUTY, REQUIRED, EXCUSED).when(look(date(2027, 1, 1))).then()
    given(DUTY, REQUIRED, met("publish")).when(excuse).refuses(IllegalTransitionError)
    given(DUTY).when(excuse).refuses(AbsentError)


def test_what_was_excused_may_be_asked_for_again() -> None:
    given(DUTY, REQUIRED, EXCUSED).when(REQUIRE).then(REQUIRED)


def test_where_none_is_due_nothing_is_met() -> None:
    given(DUTY).when(Meet(stage="draft", by="ana", at=AT)).then()


def test_it_is_looked_at_when_something_is_to_be_said() -> None:
    state = DUTY.fold(None, (REQUIRED,))

    [timer] = owing(POLICY)(state, (REQUIRED,)).schedule
    assert timer.due_at == datetime(2026, 11, 26, tzinfo=UTC)
    done = DUTY.fold(state, (met("publish"),))
    assert owing(POLICY)(done, (met("publish"),)).cancel == (timer.key,)


@any_of(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(-40, 40))
def test_business_days_are_never_weekends_or_holidays_and_there_and_back_is_no_further(day: date, count: int) -> None:
    calendar = Calendar((6, 7), (date(2026, 12, 25),), "[D]")

    found = calendar.after(day, count)

    assert not count or (found.isoweekday() < 6 and found not in calendar.holidays)
    assert (found > day) == (count > 0)
    assert abs(calendar.after(found, -count) - day) <= timedelta(days=3 if day.isoweekday() < 6 else 4)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("value: 0.2", "value: -0.2", "/budget_share/value"),
        ("weekend: [6, 7]", "weekend: [1, 2, 3, 4, 5, 6, 7]", "/calendar/weekend"),
        ("  P3: {", "  P2b: {", "/action_days"),
        ("with_reason", "sometimes", "/review/publish_unreviewed"),
        ("value: 5", "value: 50", "/publish_business_days/value"),
        ('{value: 7, source: "[D]"}', '{value: 7, source: " "}', "/action_days/P0/source"),
        ("severities:", "severity:", "/severity"),
    ],
)
def test_a_wrong_policy_stops_the_start_with_its_place(tmp_path: Path, old: str, new: str, place: str) -> None:
    path = tmp_path / "learning.yaml"
    path.write_text(SHIPPED.read_text().replace(old, new), encoding="utf-8")

    with pytest.raises(SetupError, match="CONCORDAT_LEARNING_POLICY") as refusal:
        load_learning(path)

    assert place in str(refusal.value)
