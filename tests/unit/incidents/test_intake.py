import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from libs.events import codec
from libs.events.embedded_log import EmbeddedLog
from libs.events.envelope import Context, Metadata, Recorded
from libs.events.errors import ReservedError
from libs.events.ids import derived_id, new_id
from libs.events.memory import MemoryStore
from libs.events.resources import Resources
from libs.events.store import AppendRequest, Reservation
from libs.events.testing import FrozenClock
from libs.events.views import open_views
from services.incidents.config import IncidentsSettings
from services.incidents.contract import ALERT, CONTRACT, INCIDENT
from services.incidents.domain.alert import decider as alert
from services.incidents.domain.incident import decider as incident
from services.incidents.domain.incident.commands import Acknowledge, Reopen, Resolve
from services.incidents.effects import find_incident, incident_effects
from services.incidents.grouping import Grouping
from services.incidents.intake import Numbers
from services.incidents.paging.alarm import Alarm
from services.incidents.projections.alerts import ALERTS
from services.incidents.projections.silences import SILENCES
from services.incidents.reactions import SLO_ALERTS, BurnRateAlertFired, BurnRateAlertResolved, slo_alerts

CLOCK = FrozenClock()
FIRED = BurnRateAlertFired(
    alert="burn-1",
    slo="checkout-availability",
    service="checkout-api",
    severity="page",
    short_window="5m",
    long_window="1h",
    burn_rate_long=19.96,
    at=CLOCK.now(),
)
ENDED = BurnRateAlertResolved(alert="burn-1", at=CLOCK.now() + timedelta(hours=1))


class Slo:
    """What the slo service tells a store of incidents."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._reaction = slo_alerts(resources)
        settings = IncidentsSettings(internal_key="k" * 48)
        self._grouping = Grouping(resources, settings, Alarm(resources, settings))

    async def says(self, event: BurnRateAlertFired | BurnRateAlertResolved, again: Recorded | None = None) -> Recorded:
        now = CLOCK.now()
        recorded = again or Recorded(1, "budget/x", 1, "", new_id(), now, now, b"{}", codec.encode(Metadata("slo")))
        context = Context.of_reaction(recorded, self._reaction.name, now)
        await self._reaction.act[type(event)](event, recorded, context)
        [grouping] = self._grouping.reactions
        if heard := grouping.heard(await self._resources.store.read(0, 1000)):
            await self._grouping.hear(heard)
        return recorded

    async def alerts(self) -> list[Any]:
        return await self._states(ALERT)

    async def incidents(self) -> list[Any]:
        return await self._states(INCIDENT)

    async def _states(self, decider: Any) -> list[Any]:
        recorded = await self._resources.store.read(0, 1000)
        keys = dict.fromkeys(each.key for each in recorded if each.category == decider.category)
        return [(await self._resources.handler.load(decider, key)).state for key in keys]


@pytest.fixture
async def resources() -> AsyncGenerator[Resources]:
    async with open_views("memory:") as views:
        await views.start([ALERTS, SILENCES])
        yield Resources("incidents", CONTRACT, MemoryStore(CLOCK), views, EmbeddedLog(None, CLOCK), CLOCK)


@pytest.fixture
def slo(resources: Resources) -> Slo:
    return Slo(resources)


def asked(reason: str = "because") -> dict[str, Any]:
    return {"by": "ana", "reason": reason, "at": CLOCK.now()}


async def handle(resources: Resources, key: str, command: Any) -> None:
    context = Context.of_request(CLOCK.now(), Metadata("ana"))
    await resources.handler.handle(INCIDENT, key, command, context, effects=incident_effects)


async def test_a_page_opens_an_alert_and_its_incident(slo: Slo) -> None:
    source = await slo.says(FIRED)

    [opened], [declared] = await slo.alerts(), await slo.incidents()
    record = declared.record
    assert (opened.name, opened.opened.urgency, opened.opened.integration) == ("triggered", "high", "slo")
    assert (opened.opened.dedup_key, opened.opened.incident) == ("burn-1", record.incident)
    assert (declared.name, record.number, record.severity, record.service) == (
        "triage",
        "INC-1",
        "sev2",
        "checkout-api",
    )
    assert record.title == "checkout-availability: the error budget burns 20.0 times too fast (over 1h and 5m)"
    assert record.firing == (opened.opened.alert,)
    assert opened.opened.alert == str(derived_id(source.occurred_at, source.event_id, SLO_ALERTS, 0))


async def test_a_page_that_is_delivered_twice_opens_one_incident(slo: Slo, resources: Resources) -> None:
    source = await slo.says(FIRED)
    stored = await resources.store.head()

    await slo.says(FIRED, again=source)

    assert await resources.store.head() == stored


async def test_a_page_that_is_delivered_again_after_all_is_over_opens_nothing(slo: Slo, resources: Resources) -> None:
    source = await slo.says(FIRED)
    await slo.says(ENDED)
    await slo.says(replace(FIRED, alert="burn-2"))
    stored = await resources.store.head()

    await slo.says(FIRED, again=source)

    assert await resources.store.head() == stored


async def test_the_same_identity_firing_again_is_counted(slo: Slo, resources: Resources) -> None:
    await slo.says(FIRED)
    source = await slo.says(FIRED)
    await slo.says(FIRED, again=source)

    [opened] = await slo.alerts()
    assert opened.count == 2
    assert len(await slo.incidents()) == 1


async def test_another_page_of_the_same_slo_joins_its_open_incident(slo: Slo) -> None:
    await slo.says(FIRED)
    await slo.says(replace(FIRED, alert="burn-2", long_window="6h"))

    [declared] = await slo.incidents()
    assert len(declared.record.firing) == 2


async def test_a_page_of_another_slo_opens_another_incident(slo: Slo) -> None:
    await slo.says(FIRED)
    await slo.says(replace(FIRED, alert="burn-2", slo="checkout-latency"))

    assert [declared.record.number for declared in await slo.incidents()] == ["INC-1", "INC-2"]


async def test_a_ticket_goes_to_the_queue_without_an_incident(slo: Slo) -> None:
    await slo.says(FIRED)
    await slo.says(replace(FIRED, alert="burn-2", slo="checkout-latency", severity="ticket"))

    _, ticket = await slo.alerts()
    assert (ticket.opened.urgency, ticket.opened.incident) == ("low", "")
    assert len(await slo.incidents()) == 1


async def test_a_ticket_of_an_slo_whose_incident_is_open_is_a_part_of_it(slo: Slo, resources: Resources) -> None:
    await slo.says(FIRED)
    ticket = await slo.says(replace(FIRED, alert="burn-2", severity="ticket"))
    stored = await resources.store.head()
    await slo.says(FIRED, again=ticket)
    assert await resources.store.head() == stored

    [_, joined] = await slo.alerts()
    [declared] = await slo.incidents()
    assert (joined.opened.urgency, joined.opened.incident) == ("high", declared.record.incident)
    assert joined.opened.alert in declared.record.firing

    await handle(resources, declared.record.incident, Resolve(**asked(), force=True))
    await slo.says(replace(FIRED, alert="burn-3", severity="ticket"))
    assert [(each.opened.urgency, each.opened.incident) for each in await slo.alerts()][2:] == [("low", "")]
    assert len(await slo.incidents()) == 1


async def test_the_end_of_a_page_resolves_what_nobody_took_on(slo: Slo) -> None:
    await slo.says(FIRED)
    await slo.says(ENDED)

    [ended], [over] = await slo.alerts(), await slo.incidents()
    assert isinstance(ended, alert.Resolved)
    assert isinstance(over, incident.Resolved)


async def test_the_end_of_a_page_sends_what_somebody_took_on_to_monitoring(slo: Slo, resources: Resources) -> None:
    await slo.says(FIRED)
    await handle(resources, (await slo.incidents())[0].record.incident, Acknowledge(**asked()))

    await slo.says(ENDED)

    [active] = await slo.incidents()
    assert (active.name, active.stage) == ("active", "monitoring")


async def test_the_end_of_what_is_not_known_is_dropped(slo: Slo, resources: Resources) -> None:
    await slo.says(ENDED)

    assert await resources.store.head() == 0


async def test_an_alert_after_the_end_opens_a_new_alert_and_a_new_incident(slo: Slo) -> None:
    await slo.says(FIRED)
    await slo.says(ENDED)
    await slo.says(FIRED)

    assert [each.name for each in await slo.alerts()] == ["resolved", "triggered"]
    assert [each.name for each in await slo.incidents()] == ["resolved", "triage"]


async def test_an_incident_that_was_resolved_by_force_swallows_no_new_alert(slo: Slo, resources: Resources) -> None:
    await slo.says(FIRED)
    await handle(resources, (await slo.incidents())[0].record.incident, Resolve(**asked(), force=True))

    await slo.says(replace(FIRED, alert="burn-2"))

    assert [each.name for each in await slo.incidents()] == ["resolved", "triage"]


async def test_what_was_resolved_is_not_reopened_beside_a_newer_incident_of_its_slo(
    slo: Slo, resources: Resources
) -> None:
    await slo.says(FIRED)
    await slo.says(ENDED)
    await slo.says(FIRED)

    with pytest.raises(ReservedError):
        await handle(resources, (await slo.incidents())[0].record.incident, Reopen(**asked()))


async def test_an_incident_that_is_resolved_meanwhile_is_not_joined(slo: Slo, resources: Resources) -> None:
    await slo.says(FIRED)
    store = resources.store
    holder, [declared] = store.holder, await slo.incidents()

    async def late(scope: str, key: str) -> str | None:
        found = await holder(scope, key)
        if scope == "incident-group":
            store.holder = holder  # type: ignore[method-assign]
            await handle(resources, declared.record.incident, Resolve(**asked(), force=True))
        return found

    store.holder = late  # type: ignore[method-assign]
    await slo.says(replace(FIRED, alert="burn-2"))

    assert [each.name for each in await slo.incidents()] == ["resolved", "triage"]


async def test_two_processes_that_hear_two_pages_of_one_slo_open_one_incident(resources: Resources) -> None:
    other = Resources("incidents", CONTRACT, resources.store, resources.views, resources.bus, CLOCK)
    one, two = Slo(resources), Slo(other)

    await asyncio.gather(*(each.says(replace(FIRED, alert=f"burn-{n}")) for n in range(5) for each in (one, two)))

    [declared] = await one.incidents()
    assert len(declared.record.firing) == 5


async def test_a_number_is_found_by_itself_in_any_case_of_letters(slo: Slo, resources: Resources) -> None:
    await slo.says(FIRED)
    [declared] = await slo.incidents()

    assert await find_incident(resources.store, "inc-1") == declared.record.incident
    assert await find_incident(resources.store, "INC-2") == "INC-2"
    assert await find_incident(resources.store, declared.record.incident) == declared.record.incident


@pytest.mark.parametrize("taken", [0, 1, 2, 3, 7, 8, 100])
async def test_a_new_process_proposes_the_number_behind_the_last(taken: int) -> None:
    store = MemoryStore(CLOCK)
    names = tuple(Reservation("incident-number", f"INC-{n + 1}", f"incident/{n}") for n in range(taken))
    await store.append(AppendRequest(reserve=names))

    numbers = Numbers(store)

    assert [await numbers.propose(), await numbers.propose()] == [f"INC-{taken + 1}", f"INC-{taken + 2}"]


async def test_processes_that_propose_the_same_number_end_up_with_one_each() -> None:
    store = MemoryStore(CLOCK)

    async def take(number: str) -> str:
        await asyncio.sleep(0)
        await store.append(AppendRequest(reserve=(Reservation("incident-number", number, f"incident/{new_id()}"),)))
        return number

    given = await asyncio.gather(*(numbers.give(take) for numbers in [Numbers(store) for _ in range(3)] * 10))

    assert len(set(given)) == 30
