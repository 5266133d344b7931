"""What is kept of other services."""

from datetime import UTC, datetime, timedelta

from libs.events.envelope import Recorded
from libs.events.ids import new_id
from libs.events.projection import Key, Row
from services.incidents.projections.surroundings import ASSESSMENTS_KEPT, SURROUNDINGS, Assessed

AT = datetime(2026, 11, 21, 10, tzinfo=UTC)


def test_of_an_error_budget_so_much_is_kept_and_the_newest_of_it() -> None:
    rows: dict[Key, Row | None] = {}
    fold, told = SURROUNDINGS.folds[Assessed], ASSESSMENTS_KEPT + 100
    for version in range(1, told + 1):
        at = AT + timedelta(minutes=version)
        event = Assessed(slo="checkout", service="checkout-api", state="met", at=at)
        recorded = Recorded(version, "budget/checkout", version, "", new_id(), at, at, b"", b"")
        for key in fold.keys(event, recorded):
            rows[key] = fold.apply(rows.get(key), event, recorded, key)

    kept = sorted(row["at"] for (kind, _), row in rows.items() if kind == "budget" and row)

    assert kept == [AT + timedelta(minutes=version) for version in range(101, told + 1)]
    assert len(rows) == ASSESSMENTS_KEPT + 1
