"""Incidents and alerts as they happen, through the gateway's stream."""

from typing import Any

import httpx
from fastapi import FastAPI

from libs.events.worker import Worker
from services.gateway.projections.incidents import incident_named
from tests.fixtures.elsewhere import Elsewhere
from tests.fixtures.event_stream import Open
from tests.fixtures.services import eventually

INCIDENT: dict[str, Any] = {"incident": "i-1", "number": "INC-1", "service": "checkout-api", "severity": "sev2"}


async def test_who_watches_an_incident_hears_of_it_and_of_no_other(
    open_stream: Open, elsewhere: Elsewhere, client: httpx.AsyncClient, worker: Worker
) -> None:
    del worker  # it runs
    path = "/v1/incidents/inc-1/timeline/stream"
    assert (await client.get(path)).status_code == 404
    await elsewhere.tell("incident/i-1", "incidents.incident.declared", **INCIDENT, title="Slow")

    async def known() -> Any:
        return (await client.get("/v1/overview")).json()["open_incidents"]

    assert await eventually(known)
    async with open_stream(path=path) as stream:
        other = INCIDENT | {"incident": "i-2", "number": "INC-2"}
        await elsewhere.tell("incident/i-2", "incidents.incident.noted", **other, text="not this one")
        await elsewhere.register("search-api")
        for service in ("search-api", "checkout-api"):
            said = {"deployment": f"run-{service}", "service": service, "version": "2.0"}
            await elsewhere.tell(f"deployment/run-{service}", "lifecycle.deployment.recorded", **said)
            await elsewhere.tell(f"deployment/{service}", "lifecycle.deployment.staged", **said)
            told = {"slo": f"{service}-slo", "service": service, "state": "at_risk"}
            await elsewhere.tell(f"budget/{service}-slo", "slo.budget.assessed", **told)
        await elsewhere.tell("incident/i-1", "incidents.incident.noted", **INCIDENT, text="roll back")
        heard = [await stream.event() for _ in range(3)]
    said = {event["type"]: event["data"] for event in heard}
    assert said["io.concordat.incidents.incident.noted.v1"]["text"] == "roll back"
    assert said["io.concordat.lifecycle.deployment.recorded.v1"]["deployment"] == "run-checkout-api"
    assert said["io.concordat.slo.budget.assessed.v1"]["slo"] == "checkout-api-slo"


async def test_who_watches_an_incident_hears_of_the_services_that_it_affects(
    open_stream: Open, elsewhere: Elsewhere, app: FastAPI, worker: Worker
) -> None:
    del worker  # it runs
    await elsewhere.tell("incident/i-1", "incidents.incident.declared", **INCIDENT, title="Slow")

    async def around(*services: str) -> Any:
        async def known() -> Any:
            return await app.state.resources.views.read(incident_named, "INC-1") == ("i-1", frozenset(services))

        return await eventually(known)

    async def deployed() -> None:
        for service in ("other-api", "search-api"):
            said = {"deployment": "run-1", "service": service, "version": "2.0"}
            await elsewhere.tell(f"deployment/{service}", "lifecycle.deployment.recorded", **said)

    async def affects(*services: str) -> None:
        affected = [{"service": service, "users_share": 0.5} for service in services]
        await elsewhere.tell("incident/i-1", "incidents.incident.impact-changed", **INCIDENT, affected=affected)

    assert await around("checkout-api")
    path = "/v1/incidents/INC-1/timeline/stream"
    async with open_stream(path=path) as stream:
        await affects("search-api")
        assert (await stream.event() or {})["data"]["affected"]
        await deployed()
        assert (await stream.event() or {})["data"]["service"] == "search-api"
    assert await around("checkout-api", "search-api")
    async with open_stream(path=path) as stream:
        await deployed()
        assert (await stream.event() or {})["data"]["service"] == "search-api"


async def test_who_watches_alerts_hears_of_those_of_the_services_they_name(
    open_stream: Open, elsewhere: Elsewhere
) -> None:
    async with open_stream("service=checkout-api", path="/v1/alerts/stream") as stream:
        for alert, service in (("a-1", "search-api"), ("a-2", "checkout-api")):
            await elsewhere.tell(f"alert/{alert}", "incidents.alert.triggered", alert=alert, service=service)
        await elsewhere.tell("incident/i-1", "incidents.incident.noted", **INCIDENT, text="no alert")
        await elsewhere.tell("alert/a-2", "incidents.alert.resolved", alert="a-2", service="checkout-api")
        heard = [(await stream.event()) for _ in range(2)]
    assert [(event["type"].split(".")[4], event["data"]["alert"]) for event in heard] == [
        ("triggered", "a-2"),
        ("resolved", "a-2"),
    ]
