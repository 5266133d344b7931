"""The slo service on each database."""

from collections.abc import AsyncGenerator

import pytest

from tests.fixtures.services import Database
from tests.fixtures.slo import Slo, running_slo


@pytest.fixture
async def slo(database: Database) -> AsyncGenerator[Slo]:
    """The slo service, running, where checkout-api is known."""
    async with running_slo(database) as service:
        yield service
