"""Alerts follow their incident when it is merged."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from libs.events.embedded_log import EmbeddedLog
from libs.events.envelope import Context, Metadata, Recorded
from libs.events.handler import Step
from libs.events.memory import MemoryStore
from libs.events.resources import Resources
from libs.events.testing import FrozenClock
from libs.events.views import open_views
from services.incidents.contract import ALERT, CONTRACT, INCIDENT
from services.incidents.domain.alert.commands import Resolve, Trigger
from services.incidents.domain.incident.commands import Absorb, Declare, JoinAlert, MergeInto
from services.incidents.domain.incident.events import IncidentMerged
from services.incidents.effects import incident_effects
from services.incidents.intake import alert_effects
from services.incidents.reactions import moving

CLOCK = FrozenClock()
AT = CLOCK.now()
ASKED: dict[str, Any] = {"by": "ana", "at": AT}
MANY = tuple(f"a{number}" for number in range(205))


@pytest.fixture
async def resources() -> AsyncGenerator[Resources]:
    async with open_views("memory:") as views:
        yield Resources("incidents", CONTRACT, MemoryStore(CLOCK), views, EmbeddedLog(None, CLOCK), CLOCK)


async def send(resources: Resources, decider: Any, key: str, command: Any, *also: Step[Any, Any, Any]) -> None:
    effects: Any = alert_effects if decider is ALERT else incident_effects
    context = Context.of_request(CLOCK.now(), Metadata("ana"))
    await resources.handler.handle(decider, key, command, context, effects=effects, also=also)


async def hears_of_the_merge(resources: Resources) -> None:
    reaction = moving(resources)
    merges: list[tuple[Any, Recorded]] = reaction.heard(await resources.store.read(0, 10_000))
    for event, recorded in merges:
        if isinstance(event, IncidentMerged):
            context = Context.of_reaction(recorded, reaction.name, CLOCK.now())
            await reaction.act[IncidentMerged](event, recorded, context)


async def merged(resources: Resources) -> None:
    for alert in MANY:
        opened = Trigger(alert, "pd", alert, "checkout-api", "high", "s", CLOCK.now())
        await send(resources, ALERT, alert, opened)
    for key, alert in (("i1", ""), ("i2", MANY[0])):
        declare = Declare(
            **ASKED, incident=key, number=key, service="checkout-api", title="x", severity="sev2", alert=alert
        )
        await send(resources, INCIDENT, key, declare)
    await send(resources, INCIDENT, "i2", JoinAlert(**ASKED, alert=MANY[1], others=MANY[2:]))
    absorb = Absorb(**ASKED, other="i2", other_number="i2", impact_started=AT, detected=AT, alerts=MANY, firing=MANY)
    merge = MergeInto(**ASKED, into="i1", into_number="i1")
    await send(resources, INCIDENT, "i2", merge, Step(INCIDENT, "i1", absorb, incident_effects))


async def test_every_alert_of_a_storm_belongs_to_the_other_then_and_what_ended_meanwhile_fires_there_no_more(
    resources: Resources,
) -> None:
    await merged(resources)
    await send(resources, ALERT, MANY[150], Resolve(**ASKED))  # said to the incident that is no more
    await hears_of_the_merge(resources)

    alerts: list[Any] = [(await resources.handler.load(ALERT, alert)).state for alert in MANY]
    assert {each.opened.incident for each in alerts} == {"i1"}
    whole: Any = (await resources.handler.load(INCIDENT, "i1")).state
    assert (len(whole.record.alerts), set(MANY) - set(whole.record.firing)) == (205, {MANY[150]})

    stored = await resources.store.head()
    await hears_of_the_merge(resources)
    assert await resources.store.head() == stored
