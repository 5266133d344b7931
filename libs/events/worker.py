"""What a service does while nobody asks: relay, project, rebuild, react, fire timers."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, suppress

import msgspec

from libs.events.backoff import PASSING, Backoff, stopped_within, unless_stopped
from libs.events.deadletter import Letter, Replayed, count_letters, letters, replay
from libs.events.errors import (
    FatalBusError,
    FencedError,
    NewerVersionError,
    RebuildFailedError,
    SetupError,
    StandstillError,
)
from libs.events.feeding import Feeding
from libs.events.ids import new_id
from libs.events.ledger import Place
from libs.events.projection import Projection
from libs.events.projector import Projector, save_passed
from libs.events.reactor import FOLLOWERS_BATCH, REACTIONS_BATCH, Reaction, Reactor
from libs.events.rebuild import rebuild, request_rebuild
from libs.events.relay import Relay, unpublished
from libs.events.resources import Resources
from libs.events.timers import Fire, TimerRunner
from libs.events.together import NobodyLeftError

_LOG = logging.getLogger(__name__)

Run = Callable[[asyncio.Event], Awaitable[None]]

_LOOK_EVERY_S = 1.0  # for rebuilds that other processes ask for; less often on a file, which no other writes
_LOOK_ALONE_EVERY_S = 2.0
_REPLACED_EVERY_S = 0.5  # for a generation that replaces one at a standstill
_MEASURE_EVERY_S = 5.0
_RAN_WELL_S = 10.0  # what fails after so long is no failure in a row
_SAVE_EVERY_S = 0.05  # a reader in another process waits so much longer for what changes nothing
_SAVE_ALONE_EVERY_S = 1.0  # on a file, which no other process reads


class Figures(msgspec.Struct, frozen=True):
    """How a worker is doing, for metrics; at most some seconds old.

    Args:
        lag: Events not applied yet, by projection (or `<service>.reactions`, or follower) and source service.
        relay_lag: Events stored and not published yet.
        relay_lag_s: How long the oldest of them has waited.
        dead_letters: By projection, parked events included.
        rebuild_remaining: By projection, events that a rebuild has before it.
    """

    lag: Mapping[tuple[str, str], int] = {}
    relay_lag: int = 0
    relay_lag_s: float = 0.0
    dead_letters: Mapping[str, int] = {}
    rebuild_remaining: Mapping[str, int] = {}


class Worker:
    """The worker role of one service; several processes may play it.

    Args:
        resources: The service's adapters.
        projections: Its read models, kept up to date and rebuilt here.
        reactions: What it does when other services tell it something.
        timers: Per kind of timer, what happens when it is due; each mapping goes on beside the others (`TimerRunner`).
        sinks: More to run until `stop` is set, such as a consumer of measurements.
        followers: Reactors that read by themselves, for what must go on whatever else waits; the service's own store
            without the bus.
        relay: Whether it publishes its events.

    Attributes:
        figures: How it is doing.
    """

    def __init__(  # noqa: PLR0913  each is a part of one role
        self,
        resources: Resources,
        *,
        projections: Sequence[Projection] = (),
        reactions: Sequence[Reaction] = (),
        timers: Sequence[Mapping[str, Fire]] = (),
        sinks: Sequence[Run] = (),
        followers: Sequence[Reactor] = (),
        relay: bool = True,
    ) -> None:
        self.resources = resources
        self.projections = {projection.name: projection for projection in projections}
        self.figures = Figures()
        self._projectors = [Projector(resources.views, each, saved_later=True) for each in projections]
        self._reactions = reactions
        self._reactor = Reactor(resources, reactions)
        self._timers = timers
        self._sinks = sinks
        self._followers = {reactor.name: reactor for reactor in followers}
        self._relay = Relay(resources, f"relay/{new_id()}") if relay else None
        self._feeding = Feeding(resources)
        self._started = False

    @property
    def ready(self) -> bool:
        """Every read model is served by rows of this code, and followed."""
        return self._started and all(projector.loaded for projector in self._projectors)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until *stop* is set; then finish what is in hand, commit, and leave.

        Raises:
            ExceptionGroup: Something cannot be used as it is; the process should end and be started again.
        """
        resources = self.resources
        for name in await resources.views.start(list(self.projections.values())):
            _LOG.warning("the rows of %s come from other code: it is rebuilt", name)
            await request_rebuild(resources.views, self.projections[name])
        await resources.views.note_error(self.projections, "")
        reactors = [(each, FOLLOWERS_BATCH) for each in self._followers.values()]
        if self._reactor.sources:
            reactors.append((self._reactor, REACTIONS_BATCH))
        for reactor, _ in reactors:
            await reactor.start()
        runs: list[tuple[str, Run]] = [(f"sink {number}", sink) for number, sink in enumerate(self._sinks)]
        runs += [("rebuilds", self._rebuild_what_is_asked_for), ("figures", self._measure)]
        runs.append(("checkpoints", self._save_checkpoints))
        runs.append(("letters", self._replay_what_is_understood_now))
        if self._relay is not None:
            runs.append(("relay", self._relay.run))
        if self._timers:
            runs.append(("timers", TimerRunner(resources, self._timers).run))
        self._started = True
        async with asyncio.TaskGroup() as group:

            def start(name: str, run: Run) -> None:
                group.create_task(self._keep_running(name, run, stop), name=f"{resources.service} {name}")

            self._feeding.together(self._projectors, start)
            for reactor, batch in reactors:
                self._feeding.alone(reactor.sources, start, reactor, batch)
            for name, run in runs:
                start(name, run)

    async def offsets(self, projection: str) -> dict[Place, tuple[int, int]]:
        """Where *projection* stands on the bus, in this process's partitions: the next record, and the log's end."""
        return await self._feeding.offsets(projection)

    async def replay(self, consumer: str = "", stream: str = "") -> AsyncGenerator[Replayed]:
        """Try dead letters again, of one consumer or all, of one stream or all; other processes may run meanwhile."""
        found = await letters(self.resources.views, consumer, stream)
        for name, parked in dict.fromkeys((letter.consumer, letter.stream) for letter in found):
            target = self._reader(name)
            await target.load()
            async with aclosing(replay(self.resources.views, name, parked, target.replay)) as tried:
                async for each in tried:
                    yield each

    def _reader(self, consumer: str) -> Projector | Reactor:
        """One more of that *consumer*, to replay letters beside the one that runs."""
        if consumer in self.projections:
            return Projector(self.resources.views, self.projections[consumer])
        if consumer in self._followers:
            return Reactor(self.resources, self._followers[consumer].reactions, follows=consumer)
        return Reactor(self.resources, self._reactions)

    async def _keep_running(self, name: str, run: Run, stop: asyncio.Event) -> None:
        """Start *run* again when it fails, soon if it ran well for a while; end with what the process must end for."""
        backoff, clock = Backoff(), asyncio.get_running_loop().time
        while not stop.is_set():
            began, generation = clock(), None
            try:
                if name in self.projections:
                    generation = await self.resources.views.serving(name)
                await run(stop)
            except (SetupError, FatalBusError):
                raise
            except NobodyLeftError:
                return
            except StandstillError as error:
                with suppress(*PASSING):  # the database went away meanwhile: it says so again
                    await self._stand_still(name, generation, error, stop)
            except PASSING as error:
                _LOG.warning("%s of %s waits: %s", name, self.resources.service, error)
            except Exception:  # noqa: BLE001  the worker's one loop; what is known is above
                _LOG.exception("%s of %s failed; it starts again", name, self.resources.service)
            else:
                return
            if clock() - began > _RAN_WELL_S:
                backoff.succeeded()
            await backoff.pause(stop)

    async def _stand_still(self, name: str, before: int | None, error: StandstillError, stop: asyncio.Event) -> None:
        """Wait until another generation serves in place of *before*, which cannot go on; maybe one does already."""
        views = self.resources.views
        generation = await views.serving(name)
        if name in self.projections and generation != before:
            return
        _LOG.error("%s", error)
        await views.note_error([name], str(error))
        while not await stopped_within(stop, _REPLACED_EVERY_S):
            if generation is None or generation != await views.serving(name):
                return

    async def _save_checkpoints(self, stop: asyncio.Event) -> None:
        """Write, a few times a second, how far the read models came with events that change none of their rows."""
        stopped = False
        every_s = _SAVE_EVERY_S if self.resources.views.is_postgres else _SAVE_ALONE_EVERY_S
        while not stopped:
            stopped = await stopped_within(stop, every_s)
            with suppress(*PASSING):  # they are passed again, or saved with the next rows
                await save_passed(self.resources.views, self._projectors)

    async def _rebuild_what_is_asked_for(self, stop: asyncio.Event) -> None:
        views = self.resources.views
        every_s = _LOOK_EVERY_S if views.is_postgres else _LOOK_ALONE_EVERY_S
        while not stop.is_set():
            views.rebuild_asked.clear()
            for each in await views.unfinished():
                projection = self.projections.get(each.projection)
                # older and newer code may run side by side: whose rows are asked for makes them
                if projection and projection.fingerprint == each.fingerprint:
                    try:
                        await rebuild(self.resources, projection, stop)
                    except (FencedError, RebuildFailedError):
                        continue  # another process does it; or it stands in its row why not
            await unless_stopped(stop, stopped_within(views.rebuild_asked, every_s), otherwise=True)

    async def _replay_what_is_understood_now(self, _stop: asyncio.Event) -> None:
        """Replay streams that wait for a newer version of this code, when this is it."""
        for letter in await letters(self.resources.views):
            if letter.error.startswith(NewerVersionError.__name__) and self._understands(letter):
                async with aclosing(self.replay(letter.consumer, letter.stream)) as replayed:
                    async for each in replayed:
                        _LOG.info("%s understands %s: %s", letter.consumer, letter.type, each.error or "applied")

    def _understands(self, letter: Letter) -> bool:
        if letter.consumer in self.projections:
            return letter.type in self.projections[letter.consumer].events
        own = self._followers.get(letter.consumer)
        reactions = own.reactions if own else self._reactions
        return any(letter.type in reaction.events for reaction in reactions if reaction.source == letter.service)

    async def _measure(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            try:
                self.figures = await self._figures()
            except PASSING:
                _LOG.info("figures of %s are not to be had now", self.resources.service)
            await stopped_within(stop, _MEASURE_EVERY_S)

    async def _figures(self) -> Figures:
        views = self.resources.views
        remaining = dict.fromkeys(self.projections, 0)
        for each in await views.unfinished():
            remaining[each.projection] = each.total - each.done
        relayed = await unpublished(self.resources) if self._relay else (0, 0.0)
        lag = await self._feeding.lag()
        return Figures(lag, *relayed, dict.fromkeys(self.projections, 0) | await count_letters(views), remaining)
