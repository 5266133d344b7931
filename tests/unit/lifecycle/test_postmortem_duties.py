from datetime import UTC, date, datetime
from itertools import permutations
from typing import Any

import pytest

from libs.events.projection import Row
from services.lifecycle.projections.postmortem_duties import (
    POSTMORTEM_DUTIES,
    PostmortemDrafted,
    PostmortemExcused,
    PostmortemPublished,
    PostmortemRequired,
)

AT = datetime(2026, 11, 20, tzinfo=UTC)
REQUIRED = PostmortemRequired("i1", "INC-1", "checkout-api", date(2026, 11, 27), date(2026, 12, 4), AT)
SOONER = PostmortemRequired("i1", "INC-1", "checkout-api", date(2026, 11, 25), date(2026, 12, 9), AT)
DRAFTED, PUBLISHED, EXCUSED = PostmortemDrafted("p1", "i1"), PostmortemPublished("i1"), PostmortemExcused("i1")


def row_after(*events: Any) -> Row:
    row: Row | None = None
    for event in events:
        row = POSTMORTEM_DUTIES.folds[type(event)].apply(row, event, None, ("i1",))  # pyright: ignore[reportArgumentType]
    assert row is not None
    return row


@pytest.mark.parametrize("heard", list(permutations((REQUIRED, DRAFTED, PUBLISHED))))
def test_a_duty_and_its_postmortem_may_be_heard_in_any_order(heard: tuple[Any, ...]) -> None:
    assert row_after(*heard) == row_after(REQUIRED, DRAFTED, PUBLISHED)


def test_of_several_reasons_the_earliest_days_hold() -> None:
    row = row_after(REQUIRED, SOONER)
    assert (row["draft_due"], row["publish_due"]) == (date(2026, 11, 25), date(2026, 12, 4))


def test_who_is_excused_owes_nothing_until_it_is_asked_for_anew() -> None:
    assert not row_after(REQUIRED, EXCUSED)["required"]
    assert row_after(SOONER, EXCUSED, REQUIRED)["draft_due"] == date(2026, 11, 27)
