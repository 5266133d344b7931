from typing import Any

import pytest

from libs.events.bus import Bus
from libs.events.testing import FrozenClock
from tests.fixtures.paging import timeline
from tests.fixtures.services import Database, Elsewhere, Running, eventually, memory_is_enough, running

BURNS: dict[str, Any] = {
    "slo": "checkout-availability",
    "service": "checkout-api",
    "short_window": "5m",
    "long_window": "1h",
    "factor": 14.4,
    "burn_rate_short": 25.0,
    "burn_rate_long": 20.0,
    "input_version": 7,
}


async def fires(slo: Elsewhere, alert: str = "burn-1", severity: str = "page", of: str = BURNS["slo"]) -> Any:
    said = BURNS | {"alert": alert, "severity": severity, "slo": of, "at": slo.clock.now()}
    return await slo.says("alert.fired", "budget/checkout-availability", **said)


async def ends(slo: Elsewhere, alert: str = "burn-1") -> None:
    data = {"alert": alert, "slo": BURNS["slo"], "service": BURNS["service"], "severity": "page", "input_version": 8}
    await slo.says("alert.resolved", "budget/checkout-availability", **data, at=slo.clock.now())


async def listed(incidents: Running, path: str, number: int = 1) -> list[dict[str, Any]]:
    """The items of a list, as soon as there are so many."""

    async def found() -> list[dict[str, Any]]:
        items = (await incidents.call("GET", path))["items"]
        return items if len(items) == number else []

    return await eventually(found)


async def test_a_burn_rate_page_is_an_alert_and_an_incident(incidents: Running, slo: Elsewhere) -> None:
    await fires(slo)

    [incident] = await listed(incidents, "/v1/incidents?service=checkout-api")
    [alert] = await listed(incidents, f"/v1/alerts?incident={incident['id']}")

    assert (incident["number"], incident["state"], incident["severity"]) == ("INC-1", "triage", "sev2")
    assert incident["update_every"] == "PT60M"
    assert (alert["state"], alert["urgency"], alert["dedup_key"]) == ("triggered", "high", "burn-1")
    assert (alert["incident"], incident["alerts"], incident["alerts_firing"]) == (
        incident["id"],
        [alert["id"]],
        [alert["id"]],
    )
    assert alert | {"details": {}} == await incidents.call("GET", f"/v1/alerts/{alert['id']}")
    assert incident == await incidents.call("GET", "/v1/incidents/INC-1")


async def test_a_page_that_is_delivered_twice_opens_one_incident(
    incidents: Running, slo: Elsewhere, database: Database, bus: Bus, clock: FrozenClock
) -> None:
    source = await fires(slo)
    await slo.repeats(source)
    await fires(slo, "burn-2", "ticket")  # behind it in the same partition: when this is here, all of it is

    assert len(await listed(incidents, "/v1/alerts", 2)) == 2
    assert len(await listed(incidents, "/v1/incidents", 1)) == 1


@memory_is_enough
async def test_a_ticket_waits_in_the_queue(incidents: Running, slo: Elsewhere) -> None:
    await fires(slo, severity="ticket")

    [alert] = await listed(incidents, "/v1/alerts?urgency=low")
    await fires(slo, "burn-2", of="checkout-latency")  # heard after it
    [incident] = await listed(incidents, "/v1/incidents")
    assert alert["incident"] == ""
    assert alert["id"] not in incident["alerts"]


async def test_a_page_takes_the_tickets_of_its_slo_into_its_incident(incidents: Running, slo: Elsewhere) -> None:
    await fires(slo, "slow", "ticket")
    await fires(slo, "gone", "ticket")
    await ends(slo, "gone")
    await fires(slo, "fast", "page")

    paging = await listed(incidents, "/v1/alerts?urgency=high", 2)
    page, raised = sorted(paging, key=lambda alert: alert["dedup_key"])
    assert (page["dedup_key"], raised["dedup_key"]) == ("fast", "slow")
    assert raised | {"details": {}} == await incidents.call("GET", f"/v1/alerts/{raised['id']}")

    incident = await incidents.call("GET", "/v1/incidents/INC-1")
    assert (raised["incident"], incident["alerts_firing"]) == (incident["id"], [page["id"], raised["id"]])
    entry = (await timeline(incidents))[-1]
    assert (entry["kind"], entry["author"]) == ("alert-joined", "slo")
    assert f"of low urgency until alert {page['id']} of the same group fired" in entry["text"]
    told = await incidents.resources.store.load(f"alert/{raised['id']}")
    assert told[-1].type == "io.concordat.incidents.alert.urgency-raised.v1"

    await ends(slo, "fast")
    await ends(slo, "slow")
    await listed(incidents, "/v1/incidents?state=resolved")


@memory_is_enough
async def test_resolving_while_an_alert_fires_needs_force_and_a_reason(incidents: Running, slo: Elsewhere) -> None:
    await fires(slo)
    [incident] = await listed(incidents, "/v1/incidents")
    path = f"/v1/incidents/{incident['id']}:resolve"

    problem = await incidents.call("POST", path, {"reason": "done"}, expect=409)
    assert (problem["code"], problem["alerts"]) == ("alerts-firing", incident["alerts"])
    problem = await incidents.call("POST", path, {"force": True}, expect=422)
    assert (problem["code"], problem["errors"][0]["pointer"]) == ("reason-missing", "/reason")
    resolved = await incidents.call("POST", path, {"force": True, "reason": "a false measurement"})
    assert resolved["state"] == "resolved"


async def test_the_end_of_the_alert_resolves_what_nobody_took_on(incidents: Running, slo: Elsewhere) -> None:
    await fires(slo)
    await listed(incidents, "/v1/incidents?state=triage")
    await ends(slo)

    [incident] = await listed(incidents, "/v1/incidents?state=resolved")
    assert (incident["alerts_firing"], incident["acknowledged_by"]) == ([], "")


async def test_the_end_of_the_alert_sends_what_was_taken_on_to_monitoring(incidents: Running, slo: Elsewhere) -> None:
    await fires(slo)
    await listed(incidents, "/v1/incidents")
    await incidents.call("POST", "/v1/incidents/INC-1:acknowledge")
    await ends(slo)

    async def monitored() -> bool:
        return (await incidents.call("GET", "/v1/incidents/INC-1"))["stage"] == "monitoring"

    assert await eventually(monitored)


async def test_what_is_over_is_not_reopened_beside_a_newer_incident(incidents: Running, slo: Elsewhere) -> None:
    await fires(slo)
    await ends(slo)
    await listed(incidents, "/v1/incidents?state=resolved")
    await fires(slo, "burn-2")
    [newer] = await listed(incidents, "/v1/incidents?state=triage")

    problem = await incidents.call("POST", "/v1/incidents/INC-1:reopen", expect=409)

    assert (newer["number"], problem["code"], problem["incident"]) == ("INC-2", "newer-incident-open", newer["id"])


@memory_is_enough
async def test_acknowledging_the_alert_takes_the_incident_on(incidents: Running, slo: Elsewhere) -> None:
    await fires(slo)
    [incident] = await listed(incidents, "/v1/incidents")
    [alert] = incident["alerts"]

    acknowledged = await incidents.call("POST", f"/v1/alerts/{alert}:acknowledge", {"reason": "mine"})

    assert (acknowledged["state"], acknowledged["acknowledged_by"]) == ("acknowledged", "ana")
    assert (await incidents.call("GET", "/v1/incidents/INC-1"))["acknowledged_by"] == "ana"


@memory_is_enough
async def test_resolving_the_alert_by_hand_follows_the_same_rule(incidents: Running, slo: Elsewhere) -> None:
    await fires(slo)
    [incident] = await listed(incidents, "/v1/incidents")
    [alert] = incident["alerts"]

    resolved = await incidents.call("POST", f"/v1/alerts/{alert}:resolve", {"reason": "a bad rule"})

    assert (resolved["state"], resolved["resolved_by"]) == ("resolved", "ana")
    assert (await incidents.call("GET", "/v1/incidents/INC-1"))["state"] == "resolved"
    problem = await incidents.call("POST", f"/v1/alerts/{alert}:acknowledge", expect=409)
    assert (problem["code"], problem["allowed"]) == ("illegal-transition", [])


@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
async def test_what_is_known_survives_the_end_of_the_process(
    database: Database, bus: Bus, clock: FrozenClock, slo: Elsewhere
) -> None:
    source = await fires(slo)
    async with running("incidents", database, bus=bus, clock=clock) as incidents:
        [before] = await listed(incidents, "/v1/incidents")

    async with running("incidents", database, bus=bus, clock=clock) as incidents:
        await slo.repeats(source)
        await fires(slo, "burn-2")
        await listed(incidents, f"/v1/alerts?incident={before['id']}", 2)
        after = await incidents.call("GET", "/v1/incidents/INC-1")

    assert before["alerts"] == after["alerts"][:1]
    assert len(after["alerts"]) == 2


@memory_is_enough
async def test_an_unknown_alert_is_not_found(incidents: Running) -> None:
    assert (await incidents.call("GET", "/v1/alerts/nothing", expect=404))["code"] == "not-found"
    assert (await incidents.call("POST", "/v1/alerts/nothing:resolve", expect=404))["code"] == "not-found"
