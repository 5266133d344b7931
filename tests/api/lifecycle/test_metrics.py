import csv
import io
from datetime import timedelta
from typing import Any

import pytest

from libs.events.testing import FrozenClock
from tests.fixtures.lifecycle_api import IN_MEMORY, assess, define, register
from tests.fixtures.services import Elsewhere, Running, eventually

METRICS = "/v1/metrics/services/checkout-api"
RUN: dict[str, Any] = {"service": "checkout-api", "commit": "c1", "committed_at": "2026-11-20T06:00:00Z"}


def _values(answer: dict[str, Any]) -> dict[tuple[str, str], tuple[float | None, int]]:
    return {(one["metric"], one["side"]): (one["value"], one["n"]) for one in answer["metrics"]}


async def _deploy(lifecycle: Running, name: str, at: str, **fields: Any) -> str:
    answer = await lifecycle.client.post("/v1/deployments", json={**RUN, "id": name, "at": at, **fields})
    assert answer.status_code == 201, answer.text
    return answer.headers["Consistency-Token"]


async def test_the_metrics_of_a_service_name_their_definition_their_number_and_what_is_missing(
    lifecycle: Running, slo: Elsewhere, incidents: Elsewhere, clock: FrozenClock
) -> None:
    await register(lifecycle)
    await _deploy(lifecycle, "run-0", "2026-10-10T06:00:00Z", commit="c0", committed_at="2026-10-10T00:00:00Z")
    await _deploy(lifecycle, "run-1", "2026-11-20T08:00:00Z")
    await _deploy(lifecycle, "run-2", "2026-11-20T12:00:00Z")  # the same commit again
    back = await lifecycle.client.post(
        "/v1/deployments/run-2:rollback", json={"at": "2026-11-20T13:00:00Z", "reason": "errors"}
    )
    token = {"Consistency-Token": back.headers["Consistency-Token"]}
    await define(slo)
    await assess(slo, clock.now() - timedelta(days=1))
    told = {"incident": "i1", "number": "INC-1", "service": "checkout-api", "severity": "sev1"}
    at = clock.now() - timedelta(hours=5)
    await incidents.says("incident.declared", "incident/i1", **told, at=at, impact_started=at - timedelta(hours=1))
    await incidents.says("incident.resolved", "incident/i1", **told, at=at + timedelta(hours=2))

    async def heard() -> dict[str, Any] | None:
        answer = await lifecycle.call("GET", METRICS, **token)
        values = _values(answer)
        known = values["time_to_resolve", "both"][1], values["slo_attainment", "both"][1]
        return answer if known == (1, 1) else None

    answer = await eventually(heard)

    values = _values(answer)
    assert values["deployment_frequency", "both"] == (pytest.approx(2 / 28), 2)
    assert values["lead_time", "both"] == (2.0, 1)
    assert values["change_failure_rate", "both"] == (0.5, 2)
    assert values["failed_deployment_recovery", "both"] == (0.0, 1)
    assert values["slo_attainment", "both"] == (1.0, 1)
    assert (values["time_to_detect", "both"], values["time_to_resolve", "both"]) == ((1.0, 1), (3.0, 1))
    assert values["pages_per_shift", "sre"] == (None, 0)
    assert len(answer["days"]) == 29
    lead_time = answer["metrics"][1]
    assert (lead_time["before"], lead_time["unit"], lead_time["version"]) == (6.0, "h", 1)
    assert all(one["definition"] and one["source"] for one in answer["metrics"])
    assert "ana" not in str(answer)


async def test_a_team_sees_both_sides_next_to_each_other(lifecycle: Running) -> None:
    await register(lifecycle)
    work = {"team": "checkout", "kind": "toil", "hours": 8.0, "since": "2026-11-10", "until": "2026-11-10"}
    last = await lifecycle.client.post("/v1/operational-work", json=work)
    token = {"Consistency-Token": last.headers["Consistency-Token"]}

    answer = await lifecycle.call("GET", "/v1/metrics/teams/checkout", **token)

    values = _values(answer)
    assert answer["services"] == ["checkout-api"]
    assert (values["operational_share", "dev"], values["operational_share", "sre"]) == ((1.0, 1), (None, 0))


async def test_metrics_are_exported_as_csv(lifecycle: Running) -> None:
    await register(lifecycle)
    token = await _deploy(lifecycle, "run-1", "2026-11-20T08:00:00Z")

    answer = await lifecycle.client.get(f"{METRICS}?format=csv", headers={"Consistency-Token": token})

    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert [row["value"] for row in rows if row["metric"] == "lead_time"] == ["2.0"]
    assert {row["subject"] for row in rows} == {"service/checkout-api"}


async def test_metrics_are_shown_week_by_week_with_their_trend(lifecycle: Running) -> None:
    await register(lifecycle)
    days = ("2026-10-27", "2026-11-03", "2026-11-04", "2026-11-10", "2026-11-11", "2026-11-12", "2026-11-20")
    for number, day in enumerate(days):
        token = await _deploy(lifecycle, f"run-{number}", f"{day}T08:00:00Z", committed_at=None, commit="")
    path, sent = f"{METRICS}/weeks?since=2026-10-26T00:00:00Z", {"Consistency_Token": token}

    answer = await lifecycle.call("GET", path, **sent)
    team = await lifecycle.call("GET", "/v1/metrics/teams/checkout/weeks", **sent)
    table = await lifecycle.client.get(f"{path}&format=csv", headers={"Consistency-Token": token})

    series = {(each["metric"], each["side"]): each for each in answer["series"]}
    often = series["deployment_frequency", "both"]
    assert [(week["week"], week["n"]) for week in often["weeks"]] == [
        ("2026-10-26", 1),
        ("2026-11-02", 2),
        ("2026-11-09", 3),  # the week that goes on is not shown
    ]
    assert (often["per_week"], often["unit"], answer["trend_weeks"]) == (None, "per day", 4)
    assert series["pages_per_shift", "sre"]["weeks"][0]["value"] is None
    assert len(team["series"][0]["weeks"]) == 12
    assert team["series"][0]["per_week"] > 0
    rows = [row for row in csv.DictReader(io.StringIO(table.text)) if row["metric"] == "deployment_frequency"]
    assert [row["n"] for row in rows] == ["1", "2", "3"]
    assert (await lifecycle.call("GET", f"{METRICS}/weeks?since=2025-01-01T00:00:00Z", expect=422))["code"] == (
        "period-too-long"
    )


async def test_metrics_are_read_as_they_were_known(
    lifecycle: Running, incidents: Elsewhere, clock: FrozenClock
) -> None:
    await register(lifecycle)
    await _deploy(lifecycle, "run-1", "2026-11-20T08:00:00Z")
    work = {"id": "w1", "team": "checkout", "kind": "toil", "hours": 8.0, "since": "2026-11-10", "until": "2026-11-10"}
    await lifecycle.call("POST", "/v1/operational-work", work, expect=201)
    told = {"incident": "i1", "number": "INC-1", "service": "checkout-api", "severity": "sev1"}
    began = clock.now() - timedelta(hours=5)
    await incidents.says("incident.declared", "incident/i1", **told, at=began)
    await incidents.says("incident.resolved", "incident/i1", **told, at=began + timedelta(hours=2))
    then = clock.now()
    clock.advance(timedelta(days=1))
    await lifecycle.call("POST", "/v1/teams", {"name": "payments", "kind": "dev"}, expect=201)
    await lifecycle.call("POST", "/v1/deployments/run-1:fail", {"reason": "errors"})
    await lifecycle.call("DELETE", "/v1/operational-work/w1")
    corrected = {"incident": "i1", "milestone": "resolved", "time": began + timedelta(hours=4)}
    await incidents.says("incident.milestone-corrected", "incident/i1", **corrected)
    given = await lifecycle.client.patch(
        "/v1/services/checkout-api", json={"owner_team": "payments"}, headers={"If-Match": '"1"'}
    )
    token = {"Consistency_Token": given.headers["Consistency-Token"]}

    async def read(**query: str) -> dict[tuple[str, str], tuple[float | None, int]]:
        answer = await lifecycle.client.get(
            METRICS, params=query, headers={"Consistency-Token": token["Consistency_Token"]}
        )
        return _values(answer.json())

    async def corrected_by_now() -> Any:
        now = await read()
        return now if now["time_to_resolve", "both"] == (4.0, 1) else None

    now = await eventually(corrected_by_now)
    past = await read(as_of=then.isoformat())
    team = await lifecycle.client.get("/v1/metrics/teams/checkout", params={"as_of": then.isoformat()})
    weeks = await lifecycle.client.get(f"{METRICS}/weeks", params={"as_of": then.isoformat()})

    names = [("change_failure_rate", "both"), ("operational_share", "dev"), ("time_to_resolve", "both")]
    assert [now[name] for name in names] == [(1.0, 1), (None, 0), (4.0, 1)]
    assert [past[name] for name in names] == [(0.0, 1), (1.0, 1), (2.0, 1)]
    assert (team.json()["services"], team.json()["until"]) == (["checkout-api"], "2026-11-21T10:00:00Z")
    assert (await lifecycle.call("GET", "/v1/metrics/teams/checkout", **token))["services"] == []
    assert weeks.json()["until"] == "2026-11-21T10:00:00Z"
    before = await lifecycle.client.get(METRICS, params={"as_of": (then - timedelta(days=1)).isoformat()})
    assert before.status_code == 404


async def test_what_ci_counts_is_shown_as_it_counts_it(lifecycle: Running, clock: FrozenClock) -> None:
    await register(lifecycle)
    await lifecycle.call("POST", "/v1/services", {"name": "till", "owner_team": "checkout"}, expect=201)
    sent = {"id": "r1", "service": "checkout-api", "changes": 6, "test_coverage": 0.7, "at": "2026-11-12T09:00:00Z"}
    for report in (
        sent,
        sent | {"id": "r2", "changes": 2, "test_coverage": 0.8, "escaped_defects": 1, "at": "2026-11-19T09:00:00Z"},
        {"id": "r3", "service": "till", "escaped_defects": 0},
        {"id": "r3", "service": "till", "escaped_defects": 0},  # sent again, and still undated
    ):
        last = await lifecycle.client.post("/v1/ci-reports", json=report)
        assert last.status_code == 201, last.text
    token = {"Consistency_Token": last.headers["Consistency-Token"]}
    clock.advance(timedelta(seconds=1))

    values = _values(await lifecycle.call("GET", "/v1/metrics/teams/checkout", **token))
    listed = await lifecycle.call("GET", "/v1/ci-reports?service=checkout-api", **token)

    assert [values[name, "both"] for name in ("changes_per_week", "test_coverage", "escaped_defects")] == [
        (pytest.approx(2.0, abs=0.01), 2),
        (0.8, 1),
        (1.0, 2),
    ]
    assert [each["id"] for each in listed["items"]] == ["r2", "r1"]
    assert await lifecycle.call("GET", "/v1/ci-reports/r2") == listed["items"][0]


@IN_MEMORY
@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"changes": None}, 422, "nothing-counted"),
        ({"changes": 7}, 409, "recorded-otherwise"),
        ({"service": "nobody"}, 422, "unknown-reference"),
        ({"test_coverage": 1.2}, 422, "invalid"),
        ({"id": "r2", "at": "2027-01-01T00:00:00Z"}, 422, "in-the-future"),
    ],
)
async def test_what_ci_cannot_have_counted_is_refused(
    lifecycle: Running, change: dict[str, Any], status: int, code: str
) -> None:
    await register(lifecycle)
    sent = {"id": "r1", "service": "checkout-api", "changes": 6}
    await lifecycle.call("POST", "/v1/ci-reports", sent, expect=201)

    problem = await lifecycle.call("POST", "/v1/ci-reports", sent | change, expect=status)

    assert problem["code"] == code


@IN_MEMORY
@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("since=2026-11-21T00:00:00Z&until=2026-11-20T00:00:00Z", "dates-out-of-order"),
        ("since=2020-01-01T00:00:00Z", "period-too-long"),
    ],
)
async def test_a_period_that_cannot_be_is_refused(lifecycle: Running, query: str, code: str) -> None:
    await register(lifecycle)

    assert (await lifecycle.call("GET", f"{METRICS}?{query}", expect=422))["code"] == code


@IN_MEMORY
async def test_metrics_are_of_what_is_there(lifecycle: Running) -> None:
    await lifecycle.call("GET", METRICS, expect=404)
    await lifecycle.call("GET", "/v1/metrics/teams/nobody", expect=404)
