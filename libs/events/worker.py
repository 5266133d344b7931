"""What a service does while nobody asks: relay, project, react, fire timers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from libs.events.envelope import Context
from libs.events.projection import Projection
from libs.events.reactor import Reaction
from libs.events.resources import Resources
from libs.events.store import Timer

Fire = Callable[[Timer, Context], Awaitable[None]]
Sink = Callable[[asyncio.Event], Awaitable[None]]


class Worker:
    """The worker role of one service.

    Args:
        resources: The service's adapters.
        projections: Its read models, kept up to date and rebuilt here.
        reactions: What it does when other services tell it something.
        timers: Per kind of timer, what happens when it is due.
        sinks: More to run until `stop` is set, such as a consumer of measurements.
        relay: Whether it publishes its events.
    """

    def __init__(
        self,
        resources: Resources,
        *,
        projections: Sequence[Projection] = (),
        reactions: Sequence[Reaction] = (),
        timers: Mapping[str, Fire] | None = None,
        sinks: Sequence[Sink] = (),
        relay: bool = True,
    ) -> None:
        self.resources = resources
        self.projections = projections
        self.reactions = reactions
        self.timers = timers or {}
        self.sinks = sinks
        self.relay = relay
        self.ready = False

    async def run(self, stop: asyncio.Event) -> None:
        """Work until *stop* is set; then finish what is in hand, commit, and leave."""
        await self.resources.views.start(self.projections)
        self.ready = True
        await stop.wait()
