"""Lifecycle with its app and worker on each database, and the services that it hears."""

from collections.abc import AsyncGenerator

import pytest

from libs.events.testing import FrozenClock
from tests.fixtures.services import Database, Elsewhere, Running, running


@pytest.fixture
def clock() -> FrozenClock:
    return FrozenClock()


@pytest.fixture
async def lifecycle(database: Database, clock: FrozenClock) -> AsyncGenerator[Running]:
    async with running("lifecycle", database, clock=clock) as service:
        yield service


@pytest.fixture
def slo(lifecycle: Running, clock: FrozenClock) -> Elsewhere:
    return Elsewhere("slo", lifecycle.resources.bus, clock)


@pytest.fixture
def incidents(lifecycle: Running, clock: FrozenClock) -> Elsewhere:
    return Elsewhere("incidents", lifecycle.resources.bus, clock)
