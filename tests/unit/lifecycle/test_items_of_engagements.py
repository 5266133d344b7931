"""Items that lifecycle opens by itself: each once, however fast they come and go."""

from collections.abc import AsyncGenerator
from typing import Any

import pytest

from libs.events.embedded_log import EmbeddedLog
from libs.events.envelope import Context, Metadata
from libs.events.ids import new_id
from libs.events.memory import MemoryStore
from libs.events.resources import Resources
from libs.events.testing import FrozenClock
from libs.events.views import open_views
from services.lifecycle.contract import CONTRACT, ENGAGEMENT_ITEM
from services.lifecycle.domain.engagement_item.commands import Go
from services.lifecycle.domain.engagement_item.events import Content
from services.lifecycle.projections.engagement_items import ENGAGEMENT_ITEMS
from services.lifecycle.reactions.items import item_says, key_of_item, open_item, say

CLOCK = FrozenClock()
CONTENT = Content(title="the budget is spent", topic="exhausted", services=("checkout-api",))


class Engaged:
    """An engagement, as far as its items ask."""

    engagement = str(new_id())


@pytest.fixture
async def resources() -> AsyncGenerator[Resources]:
    async with open_views("memory:") as views:
        await views.start([ENGAGEMENT_ITEMS])  # which never hears of anything
        yield Resources("lifecycle", CONTRACT, MemoryStore(CLOCK), views, EmbeddedLog(None, CLOCK), CLOCK)


async def test_what_comes_back_before_the_read_model_knows_of_its_end_is_another_item(resources: Resources) -> None:
    state: Any = Engaged()
    context = Context.of_request(CLOCK.now(), Metadata("lifecycle"))

    async def opened() -> str:
        await open_item(resources, state, "adjustment", "exhausted/checkout-api", CONTENT, context)
        return await key_of_item(resources, state, "adjustment", "exhausted/checkout-api")

    first = await opened()
    assert await opened() == first
    said = item_says(first, state.engagement, context)
    await say(resources, Go(**said, kind="adjustment", verb="end", reason="it recovered"), context)
    second = await opened()

    items = [(await resources.handler.load(ENGAGEMENT_ITEM, key)).state for key in (first, second)]
    assert [item is not None and bool(item.allowed) for item in items] == [False, True]
