"""Capacity through its routes: demand comes in, is forecast, and a plan says by when more must be ordered."""

from datetime import date, timedelta
from typing import Any

from tests.fixtures.reviews import teams
from tests.fixtures.services import Running, eventually

CAPACITY = "/v1/services/checkout-api/capacity"
TODAY = date(2026, 11, 21)
SUPPLY = {
    "unit": "pod",
    "unit_capacity": 100,
    "tested_on": "2026-11-01",
    "url": "https://ci.example/31",
    "domains": [{"name": "zone-a", "units": 12}],
    "cost": {"amount": 85, "currency": "EUR"},
}
PLAN = {"horizon_days": 365, "lead_time_days": 42, "spare": 2, "utilisation": 0.7}
ESTIMATE = {"metric": "rps", "peak": 700, "start": "2026-11-21", "basis": "the old cart"}


async def put(service: Running, part: str, body: dict[str, Any], expect: int = 200) -> dict[str, Any]:
    return await service.call("PUT", f"{CAPACITY}/{part}", body, expect=expect)


def history(days: int, until: date = TODAY, start: float = 1000.0, growth: float = 5.0) -> list[dict[str, Any]]:
    """Demand that grows by so much a day, up to the day before *until*."""
    first = until - timedelta(days=days)
    return [
        {"at": (first + timedelta(days=n)).isoformat(), "value": start + growth * n + (40 if n % 7 < 5 else 0)}
        for n in range(days)
    ]


async def test_imported_demand_is_forecast_and_says_by_when_more_must_be_ordered(lifecycle: Running) -> None:
    await teams(lifecycle)
    await put(lifecycle, "supply", {**SUPPLY, "domains": [{"name": "zone-a", "units": 36}]})
    await put(lifecycle, "plan", PLAN)
    body = {"metric": "rps", "points": history(120)}
    await lifecycle.call("POST", f"{CAPACITY}/demand", body)

    async def made() -> dict[str, Any] | None:
        answer = await lifecycle.call("GET", CAPACITY)
        return answer if answer["forecast"]["state"] == "made" else None

    answer = await eventually(made, 100)  # another process imports a large library first

    assert answer["forecast"]["backtest"]["mape"] < 0.02
    assert answer["outlook"]["ground"] == "forecast"
