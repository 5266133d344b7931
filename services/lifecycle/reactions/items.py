"""The items of engagements that lifecycle opens by itself, each once.

The id of an item follows from the engagement, from what the item is about, and from how many of the same are over, so
that neither a repetition nor a race opens two.
"""

from typing import Any
from uuid import UUID

from libs.events.envelope import Context
from libs.events.ids import reaction_id
from libs.events.resources import Resources
from services.lifecycle import timetable
from services.lifecycle.contract import ENGAGEMENT, ENGAGEMENT_ITEM, SERVICE
from services.lifecycle.domain.engagement.state import Engagement
from services.lifecycle.domain.engagement_item.commands import Command, Open
from services.lifecycle.domain.engagement_item.events import Content
from services.lifecycle.domain.engagement_item.lives import Kind


async def engagement_of(resources: Resources, service: str) -> Engagement | None:
    """The active engagement of *service*."""
    state = (await resources.handler.load(SERVICE, service)).state
    if state is None or state.profile.engaged is None:
        return None
    return (await resources.handler.load(ENGAGEMENT, state.profile.engaged.engagement)).state


async def open_item(
    resources: Resources, state: Engagement, kind: Kind, cause: str, content: Content, context: Context
) -> None:
    """Open an item about *cause*, unless one goes on."""
    key = await key_of_item(resources, state, kind, cause)
    said = item_says(key, state.engagement, context)
    await say(resources, Open(**said, kind=kind, content=content, cause=cause), context)


async def key_of_item(resources: Resources, state: Engagement, kind: Kind, cause: str) -> str:
    """The id of the item of this cause that goes on, or of the next one; the items themselves are asked."""
    over = 0
    while True:
        key = str(reaction_id(UUID(state.engagement), f"{kind}/{cause}", over))
        item = (await resources.handler.load(ENGAGEMENT_ITEM, key)).state
        if item is None or item.allowed:
            return key
        over += 1


def item_says(item: str, engagement: str, context: Context) -> dict[str, Any]:
    """What every command to an item says, said by lifecycle itself."""
    return {"item": item, "engagement": engagement, "by": context.metadata.actor, "at": context.at}


async def say(resources: Resources, command: Command, context: Context) -> None:
    """Carry out *command* with event ids of its own: one cause may lead to several commands."""
    own = context.part(f"{type(command).__name__}/{command.item}")
    await resources.handler.handle(ENGAGEMENT_ITEM, command.item, command, own, effects=timetable.reminding)
