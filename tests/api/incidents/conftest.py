"""Incidents on every database, with two services that lifecycle has told of."""

from collections.abc import AsyncGenerator

import pytest

from libs.events.bus import Bus
from libs.events.testing import FrozenClock
from services.incidents.projections.known_services import require_service
from tests.fixtures.services import DEADLINE_S, Database, Elsewhere, Running, running


@pytest.fixture
def slo(bus: Bus, clock: FrozenClock) -> Elsewhere:
    """The slo service."""
    return Elsewhere("slo", bus, clock)


@pytest.fixture
def lifecycle(bus: Bus, clock: FrozenClock) -> Elsewhere:
    """The lifecycle service."""
    return Elsewhere("lifecycle", bus, clock)


@pytest.fixture
async def incidents(database: Database, bus: Bus, clock: FrozenClock, lifecycle: Elsewhere) -> AsyncGenerator[Running]:
    """The incidents service."""
    services = "checkout-api", "search-api"
    for service in services:
        await lifecycle.says("service.registered", f"service/{service}", service=service, phase="limited_availability")
    async with running("incidents", database, bus=bus, clock=clock) as incidents:
        for service in services:
            await require_service(incidents.resources.views, service, DEADLINE_S)
        yield incidents
