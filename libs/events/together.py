"""Several read models of one service, fed as one: a log is read and decoded once, and only whom it concerns has work.

Each keeps its own checkpoints and transactions. One that fails, or is so far behind that the others would wait for it,
leaves, and is fed alone from then on.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any

from libs.events.backoff import PASSING
from libs.events.errors import FencedError, SetupError
from libs.events.feeds import BATCH, adopt_epoch
from libs.events.ledger import Batch, Ledger, Place
from libs.events.projector import Projector
from libs.events.store import EventLog

_LOG = logging.getLogger(__name__)


class NobodyLeftError(Exception):
    """All are fed alone now."""


class Together:
    """A target of a feed that is several; see `feeds.AppliesEvents`.

    Args:
        name: Of all of them.
        members: Whom the feed concerns.
        services: Whose logs it reads.
        leave: Told who has to be fed alone.
        log: The store, when that is what is read; its epoch is adopted by each.
    """

    def __init__(
        self,
        name: str,
        members: Sequence[Projector],
        services: Sequence[str],
        leave: Callable[[Projector], None],
        log: EventLog | None = None,
    ) -> None:
        self.name = name
        self.members = list(members)
        self.ledger = _Last(name, self.members)
        self._services, self._leave, self._log = services, leave, log

    @property
    def fenced(self) -> bool:
        """Whether one of them must be loaded again before events are read on."""
        return any(member.fenced for member in self.members)

    async def load(self) -> None:
        """Read where they stand, and part with who is far behind.

        Raises:
            NobodyLeftError: There is nobody to feed.
            StoreUnavailableError: The database is away.
        """
        await self._all({member: self._load(member) for member in self.members})
        places = {place for member in self.members for place in member.ledger.checkpoints if place[0] in self._services}
        first = {place: max(each.ledger.next(place) for each in self.members) for place in places}
        for member in list(self.members):
            behind = (at - member.ledger.next(place) for place, at in first.items() if place[0] in member.sources)
            if sum(behind) > BATCH:
                self._part_with(member, "it has much to catch up with")

    async def apply(self, batches: Sequence[Batch]) -> None:
        """Hand *batches* to those whom they concern; the others go on behind them.

        Raises:
            FencedError: Another process went on for one of them; load, and read from there.
            NobodyLeftError: There is nobody to feed.
            StoreUnavailableError: The database is away.
        """
        work: dict[Projector, Coroutine[Any, Any, None]] = {}
        for member in self.members:
            own = [batch for batch in batches if batch.service in member.sources]
            if own and not member.passes(own):
                work[member] = member.apply(own)
        await self._all(work)

    async def _load(self, member: Projector) -> None:
        await member.load()
        if self._log is not None:
            await adopt_epoch(member, self._log, self._services[0])

    async def _all(self, work: Mapping[Projector, Coroutine[Any, Any, None]]) -> None:
        """Do all of *work* side by side; whoever fails by a fault of its own leaves."""
        errors = await asyncio.gather(*work.values(), return_exceptions=True)
        passing: BaseException | None = None
        for member, error in zip(work, errors, strict=True):
            if isinstance(error, FencedError) and not all(isinstance(each, FencedError) for each in errors):
                member.fenced = True  # somebody else was first for this one only: no reason to stand by
            elif isinstance(error, (FencedError, SetupError, *PASSING)) or not isinstance(error, Exception | None):
                passing = error
            elif error is not None:
                self._part_with(member, error)
        if passing is not None:
            raise passing
        if not self.members:
            raise NobodyLeftError

    def _part_with(self, member: Projector, why: object) -> None:
        _LOG.info("%s is fed alone from now on: %s", member.name, why)
        self.members.remove(member)
        self._leave(member)


class _Last(Ledger):
    """Where the last of several consumers stands."""

    def __init__(self, name: str, members: Sequence[Projector]) -> None:
        super().__init__(name, 0)
        self._members = members

    def next(self, place: Place) -> int:
        """The offset to read from; who is further drops what it has."""
        return min(member.ledger.next(place) for member in self._members if place[0] in member.sources)
