"""Alerts that cannot be put into an incident wait for whoever mends the cause, and somebody hears of it."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from libs.events.bus import Bus
from libs.events.deadletter import letters
from libs.events.errors import StoreUnavailableError
from libs.events.testing import FrozenClock
from libs.events.worker import Worker
from services.incidents.config import IncidentsSettings
from services.incidents.contract import INCIDENT
from services.incidents.domain.incident.commands import Declare
from services.incidents.grouping import Grouping
from services.incidents.paging.alarm import STUCK, Alarm
from tests.api.incidents.test_alerts import fires, listed
from tests.api.incidents.test_integrations import PAYLOAD, add, enqueue
from tests.fixtures.paging import notifications, owned, people, receiving, written
from tests.fixtures.services import DEADLINE_S, KEY, Database, Elsewhere, Running, eventually, memory_is_enough, running

BAD = PAYLOAD | {"summary": "disk of db-7 is full", "component": "db-7"}


@pytest.fixture
def refused(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Titles of incidents that cannot be declared, for as long as they stand here."""
    titles: list[str] = []

    def decide(command: Any, state: Any) -> Any:
        if isinstance(command, Declare) and command.title in titles:
            raise KeyError(command.title)
        return INCIDENT.decide(command, state)

    monkeypatch.setattr("services.incidents.joining.INCIDENT", replace(INCIDENT, decide=decide))
    return titles


async def waiting(incidents: Running) -> list[tuple[str, str, bool]]:
    return [(each.consumer, each.type.split(".")[-2], each.parked) for each in await letters(incidents.resources.views)]


@memory_is_enough
async def test_what_no_incident_takes_is_a_dead_letter_that_calls_the_fallback_and_pages_after_a_replay(
    database: Database, bus: Bus, clock: FrozenClock, lifecycle: Elsewhere, refused: list[str]
) -> None:
    refused.append(BAD["summary"])
    stuck = STUCK._value.get()
    settings = {"outbound_private": True, "paging_fallback": "ops"}
    async with receiving() as receiver, running("incidents", database, bus=bus, clock=clock, **settings) as incidents:
        await people(incidents, lifecycle, "ana", base=receiver.url)
        await people(incidents, lifecycle, "cy", team="ops", base=receiver.url)
        await owned(incidents, lifecycle)
        await written(incidents, name="ops", team="ops", steps=[{"targets": [{"kind": "person", "name": "cy"}]}])
        key = await add(incidents, group_by=["component"])
        for number in range(3):
            await enqueue(incidents, key, dedup_key=f"bad/{number}", payload=BAD)
            await enqueue(incidents, key, dedup_key=f"good/{number}", payload=PAYLOAD | {"component": f"db-{number}"})
        await enqueue(incidents, key, "resolve", dedup_key="bad/1")
        await enqueue(incidents, key, "resolve", dedup_key="good/1")

        await listed(incidents, "/v1/incidents", 3)
        await listed(incidents, "/v1/incidents?state=resolved", 1)

        async def put_aside() -> bool:
            return len(await waiting(incidents)) == 4

        assert await eventually(put_aside)
        assert await waiting(incidents) == [
            ("incidents.grouping", "triggered", False),
            ("incidents.grouping", "triggered", False),
            ("incidents.grouping", "triggered", False),
            ("incidents.grouping", "resolved", True),
        ]

        async def told() -> bool:
            sent = [each for each in await notifications(incidents, 2) if not each["incident"]]
            found = sorted((each["person"], each["kind"], each["state"]) for each in sent)
            return found == [("ana", "unassigned", "delivered"), ("cy", "unassigned", "delivered")]

        assert await eventually(told)
        [said] = [
            each.body
            for each in receiver.by("cy")
            if b"NOBODY IS CALLED: checkout-api: disk of db-7 is full" in each.body
        ]
        assert b"acknowledge_url" not in said
        assert STUCK._value.get() - stuck == 3

        own = IncidentsSettings(internal_key=KEY)
        grouping = Grouping(incidents.resources, own, Alarm(incidents.resources, own))
        worker = Worker(incidents.resources, followers=(grouping,))
        assert [bool(each.error) async for each in worker.replay()] == [True] * 3
        refused.clear()
        assert [each.error async for each in worker.replay()] == [""] * 4
        assert await waiting(incidents) == []
        [late] = [each for each in await listed(incidents, "/v1/incidents", 4) if each["title"] == BAD["summary"]]
        late = await incidents.call("GET", f"/v1/incidents/{late['id']}")
        assert (len(late["alerts"]), len(late["alerts_firing"])) == (3, 2)


@memory_is_enough
async def test_a_burn_rate_page_waits_for_nothing_else_that_is_heard_and_one_that_cannot_be_read_is_said_loudly(
    incidents: Running, lifecycle: Elsewhere, slo: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck, waits = STUCK._value.get(), asyncio.Event()

    async def applied(*_: object) -> None:
        waits.set()
        raise StoreUnavailableError("a read model stands still")

    monkeypatch.setattr("services.incidents.on_call.due.applied", applied)
    await lifecycle.says("service.engaged", "service/checkout-api", service="checkout-api", sre_team="sre")
    await asyncio.wait_for(waits.wait(), DEADLINE_S)
    await slo.says("alert.fired", "budget/search", alert="b1", slo="search", service="search-api")  # how fast it burns?
    await fires(slo)

    [incident] = await listed(incidents, "/v1/incidents", 1)
    assert incident["service"] == "checkout-api"

    async def put_aside() -> bool:
        return STUCK._value.get() == stuck + 1

    assert await eventually(put_aside)
    assert await waiting(incidents) == [("incidents.slo-alerts", "fired", False)]
