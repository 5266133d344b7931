"""What was learned from an incident does not depend on which stream was heard first."""

from datetime import UTC, datetime
from itertools import permutations
from typing import Any

import pytest

from libs.events.codec import encode
from libs.events.envelope import Recorded
from libs.events.ids import new_id
from libs.events.projection import Row
from services.slo.projections.lessons import LESSONS

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)
ABOUT = {"incident": "i1", "service": "checkout-api"}
PUBLISHED = ("postmortem.published", {"postmortem": "p1"})
P1, P0, OTHER_P0 = (
    ("action.opened", {"action": name, "priority": priority})
    for name, priority in (("a", "P1"), ("b", "P0"), ("c", "P0"))
)


def learned(*told: tuple[str, dict[str, Any]]) -> Row | None:
    """The row of the incident."""
    row: Row | None = None
    for kind, data in told:
        name = f"io.concordat.incidents.{kind}.v1"
        recorded = Recorded(1, "a/b", 1, name, new_id(), AT, AT, encode(ABOUT | data), b"{}")
        event = LESSONS.events.decode(recorded)
        fold = LESSONS.folds[type(event)]
        (key,) = fold.keys(event, recorded)
        row = fold.apply(row, event, recorded, key)
    return row


@pytest.mark.parametrize("order", list(permutations((PUBLISHED, P1, P0, OTHER_P0))))
def test_any_order_gives_the_same(order: tuple[tuple[str, dict[str, Any]], ...]) -> None:
    assert learned(*order) == {"incident": "i1", "postmortem": "p1", "p0_action": "b"}


def test_an_action_that_can_wait_is_none_of_priority_p0() -> None:
    assert learned(P1) is None
    assert learned(PUBLISHED, P1) == {"incident": "i1", "postmortem": "p1", "p0_action": None}


def test_an_action_that_no_incident_asked_for_is_nobodys() -> None:
    name = "io.concordat.incidents.action.opened.v1"
    data = encode({"action": "a", "incident": "", "service": "checkout-api", "priority": "P0"})
    recorded = Recorded(1, "a/b", 1, name, new_id(), AT, AT, data, b"{}")
    event = LESSONS.events.decode(recorded)
    assert LESSONS.folds[type(event)].keys(event, recorded) == ()
