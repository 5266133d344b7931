"""Which feed each consumer of a worker has: read models share one of the own store and one of the bus."""

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol

from libs.events.feeds import BATCH, AppliesEvents, BusFeed, StoreFeed
from libs.events.ledger import Place
from libs.events.projector import Projector
from libs.events.resources import Resources
from libs.events.together import Together

Feed = StoreFeed | BusFeed
Start = Callable[[str, Callable[..., Awaitable[None]]], None]


class Reader(AppliesEvents, Protocol):
    """Whom a feed feeds."""

    @property
    def sources(self) -> Sequence[str]:
        """Whose events it reads."""
        ...


class Feeding:
    """The feeds of a worker.

    Args:
        resources: The service's adapters.
    """

    def __init__(self, resources: Resources) -> None:
        self._service, self._store, self._bus = resources.service, resources.store, resources.bus
        self._fed: dict[tuple[Reader, type[Feed]], Feed] = {}

    def together(self, projectors: Sequence[Projector], start: Start) -> None:
        """Feed *projectors*; *start* is given the name of each feed and what runs it."""
        others = [source for each in projectors for source in each.sources if source != self._service]
        for services, log in (([self._service], self._store), (list(dict.fromkeys(others)), None)):
            members = [each for each in projectors if not set(services).isdisjoint(each.sources)]
            alone = partial(self.alone, services, start)
            if len(members) == 1:
                alone(members[0])
            elif members:
                feed = self._feed(Together("read models", members, services, alone, log), services, "read-models")
                self._fed |= {(each, type(feed)): feed for each in members}
                start("read models", feed.run)

    def alone(self, services: Sequence[str], start: Start, reader: Reader, batch: int = BATCH) -> None:
        """Feed *reader* what it reads of *services*, in place of a feed that it shared."""
        feed = self._feed(reader, [each for each in services if each in reader.sources], reader.name, batch)
        self._fed[reader, type(feed)] = feed
        start(reader.name, feed.run)

    async def offsets(self, name: str) -> dict[Place, tuple[int, int]]:
        """Where *name* stands on the bus, in this process's partitions: the next record, and the log's end."""
        return {
            place: (reader.ledger.next(place), end)
            for (reader, kind), feed in list(self._fed.items())
            if reader.name == name and kind is BusFeed
            for place, end in (await feed.ends()).items()
            if place[0] in reader.sources
        }

    async def lag(self) -> dict[tuple[str, str], int]:
        """Events not applied yet, by consumer and source."""
        fed = list(self._fed.items())
        ends = {feed: await feed.ends() for feed in {feed for _, feed in fed}}
        lag: dict[tuple[str, str], int] = {}
        for (reader, _), feed in fed:
            lag |= {(reader.name, source): 0 for source in feed.services if source in reader.sources}
            for place, end in ends[feed].items():
                if place[0] in reader.sources:
                    lag[reader.name, place[0]] += max(end - max(reader.ledger.next(place), feed.first), 0)
        return lag

    def _feed(self, target: AppliesEvents, services: Sequence[str], name: str, batch: int = BATCH) -> Feed:
        if list(services) == [self._service]:
            return StoreFeed(target, self._store, self._service, batch)
        group = name if name.startswith(f"{self._service}.") else f"{self._service}.{name}"
        return BusFeed(target, self._bus, services, group, batch)
