from datetime import UTC, date, datetime

from services.lifecycle.projections.happenings import Happened, _actions

AT = datetime(2026, 11, 21, tzinfo=UTC)
ACTION = "io.concordat.incidents.action"


def told(kind: str, owner: str = "", due: date | None = None) -> tuple[str, str, str, Happened]:
    event = Happened(at=AT, service="checkout-api", action="a1", title="Limit the queue", owner=owner, due=due)
    return (f"e-{kind}", "checkout-api", f"{ACTION}.{kind}.v1", event)


def test_an_action_is_owed_by_whom_and_when_it_was_last_said() -> None:
    opened, moved = told("opened", "ana", date(2026, 11, 20)), told("changed", "bo", date(2027, 1, 31))

    [seen] = _actions([opened, moved])

    assert (seen.owner, seen.due, seen.event) == ("bo", date(2027, 1, 31), "e-opened")
    assert list(_actions([opened, moved, told("completed")])) == []
    assert list(_actions([moved])) == []
