"""Another service's event becomes an own command."""

import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import Connection

from libs.events.backoff import PASSING, side_by_side
from libs.events.envelope import Context, Recorded
from libs.events.errors import ConflictError, NewerVersionError, StoreUnavailableError
from libs.events.ledger import Batch, Ledger
from libs.events.projector import DeadLetterLimit
from libs.events.registry import EventRegistry
from libs.events.resources import Resources
from libs.events.views import note_consumer

_LOG = logging.getLogger(__name__)

REACTIONS_BATCH = 200  # records at a time: each is a command, and what was done again after a crash stays short
FOLLOWERS_BATCH = 2_000  # events of the own store at a time, most of which say nothing to it

Act = Callable[[Any, Recorded, Context], Awaitable[None]]
ActOnAll = Callable[[Sequence[tuple[Any, Recorded]]], Awaitable[None]]
Refused = Callable[[Recorded, Exception], Awaitable[None]]


@dataclass(frozen=True)
class Reaction:
    """What a service does when another one tells it something.

    An act sends commands with the context it is given: their events' ids follow from the source event, so that acting
    on it again changes nothing. It is repeated while a store or the bus is away; any other error that it lets through
    means that the event cannot be acted on: it becomes a dead letter, and its stream waits behind it.

    Args:
        name: Unique in the service; actor of the events, and part of their ids: never renamed.
        source: The service whose events are read.
        events: Decodes them; a reader declares only the fields it needs.
        act: Per event class, what to do.
        together: What to do with all events of a batch at once, in place of `act`. When it fails, it is given the
            halves of the batch, and so on, until it is known which event cannot be acted on: it may be given the
            same again, and ids do not follow from the events unless it sees to that.
    """

    name: str
    source: str
    events: EventRegistry
    act: Mapping[type[object], Act] = field(default_factory=dict[type[object], Act])
    together: ActOnAll | None = None

    def heard(self, events: Sequence[Recorded]) -> list[tuple[Any, Recorded]]:
        """Those of *events* that it knows, decoded.

        Raises:
            PoisonError: One cannot be decoded, or is of a newer version.
        """
        known = [each for each in events if each.type in self.events or self.events.is_newer(each.type)]
        return [(self.events.decode(recorded), recorded) for recorded in known]


class Reactor:
    """Carries out the reactions of one service.

    The partitions of a poll go on side by side, the events of one partition one after the other; of one that reads by
    itself, the streams. Offsets move by compare-and-set when all is done; an event that is delivered again makes no
    second event.

    Args:
        resources: The service's adapters.
        reactions: What it does.
        limit: How many dead letters are too many.
        follows: The name of one that reads by itself, so that no other reaction holds it up, and the service's own
            store without the bus; never renamed.
        refused: Hears of each event that becomes a dead letter, before it does.
    """

    def __init__(
        self,
        resources: Resources,
        reactions: Sequence[Reaction],
        limit: DeadLetterLimit | None = None,
        *,
        follows: str = "",
        refused: Refused | None = None,
    ) -> None:
        self.name = follows or f"{resources.service}.reactions"
        self.reactions = tuple([each if each.together else _of_what_it_acts_on(each) for each in reactions])
        self._follows = bool(follows)
        self.fenced = False  # whatever it does is a transaction, which says so itself
        self.sources = list(dict.fromkeys(reaction.source for reaction in reactions))
        self.ledger = Ledger(self.name, 0)
        self._views, self._clock = resources.views, resources.clock
        self._reactions = {s: [reaction for reaction in self.reactions if reaction.source == s] for s in self.sources}
        self._limit = limit or DeadLetterLimit()
        self._refused = refused

    async def start(self) -> None:
        """Make the row that serialises its checkpoints."""
        await self._views.write(note_consumer, self.name, 0)

    async def load(self) -> None:
        """Read where it stands."""
        await self._views.read(self.ledger.load)

    async def apply(self, batches: Sequence[Batch]) -> None:
        """Act on *batches*, each of another partition, then move their checkpoints.

        Raises:
            FencedError: Another process went on in the meantime; load, and read from there.
            StoreUnavailableError: A store is away.
            StandstillError: Going on would be wrong.
        """
        fresh = [self.ledger.fresh(batch) for batch in batches]
        concerned = [batch.only(self._concerned) for batch in fresh]
        if self._follows and not any(batch.events for batch in concerned):
            self.ledger.passed(self.ledger.moves(fresh))  # of a busy log most says nothing to it
            return
        letters = [letter for found in await side_by_side(map(self._act_on, concerned)) for letter in found]
        moves = self.ledger.unsaved() | self.ledger.moves(fresh)

        def advance(connection: Connection) -> None:
            self.ledger.lock(connection)
            for batch, error in letters:
                self.ledger.keep_letters(connection, batch, error)
            self.ledger.advance(connection, moves)

        await self._views.write(advance)
        self.ledger.committed(moves, [(batch.service, batch.events[0].stream) for batch, error in letters if error])

    async def replay(self, letter: Batch) -> None:
        """Act on the event of a dead letter, and take the letter away."""
        await self._act(letter)

        def remove(connection: Connection) -> None:
            self.ledger.lock(connection)
            self.ledger.remove_letter(connection, letter)

        await self._views.write(remove)

    def _concerned(self, recorded: Recorded) -> bool:
        """Whether it acts on events of this type, or must say that it cannot."""
        return any(
            recorded.type in reaction.events or reaction.events.is_newer(recorded.type) for reaction in self.reactions
        )

    async def _act_on(self, batch: Batch) -> list[tuple[Batch, str]]:
        """Act on the events of one partition; what could not be acted on, and why.

        They are acted on in their order. That of a whole log is of no meaning: there only those of a stream are.
        """
        parked = set(self.ledger.parked)
        if any(reaction.together for reaction in self.reactions):
            return await self._try(batch, parked)
        lanes: defaultdict[str, list[Batch]] = defaultdict(list)
        for index, recorded in enumerate(batch.events):
            lanes[recorded.stream if self._follows else ""].append(batch.part(index, index + 1))
        found = await side_by_side(self._act_in_turn(lane, parked) for lane in lanes.values())
        return [letter for letters in found for letter in letters]

    async def _act_in_turn(self, parts: Sequence[Batch], parked: set[tuple[str, str]]) -> list[tuple[Batch, str]]:
        return [letter for part in parts for letter in await self._try(part, parked)]

    async def _try(self, part: Batch, parked: set[tuple[str, str]]) -> list[tuple[Batch, str]]:
        """Act on *part*, but for the streams that are *parked*; what fails is tried by halves."""
        free = part.only(lambda recorded: (part.service, recorded.stream) not in parked)
        waiting = part.only(lambda recorded: (part.service, recorded.stream) in parked)
        letters = [(waiting, "")] if waiting.events else []
        try:
            await self._act(free)
        except (*PASSING, ConnectionError, TimeoutError):
            raise
        except ConflictError as error:  # lost every race so far: that passes
            raise StoreUnavailableError(str(error)) from error
        except Exception as error:  # noqa: BLE001  whatever it is, these events cannot be acted on
            for half in free.halves():
                letters += await self._try(half, parked)
            if len(free.events) == 1:
                letters.append((free, await self._refuse(free.events[0], error)))
                parked.add((free.service, free.events[0].stream))
        else:
            self._limit.passed(len(free.events))
        return letters

    async def _refuse(self, recorded: Recorded, error: Exception) -> str:
        """Say that *recorded* cannot be acted on; what its dead letter says."""
        _LOG.error("%s cannot act on %s at position %s", self.name, recorded.type, recorded.position, exc_info=error)
        if not isinstance(error, NewerVersionError):
            self._limit.refused(self.name, error)
        if self._refused:
            await self._refused(recorded, error)
        return repr(error)

    async def _act(self, batch: Batch) -> None:
        for reaction in self._reactions[batch.service]:
            heard = reaction.heard(batch.events)
            if reaction.together and heard:
                await reaction.together(heard)
            for event, recorded in () if reaction.together else heard:
                context = Context.of_reaction(recorded, reaction.name, self._clock.now())
                await reaction.act[type(event)](event, recorded, context)


def _of_what_it_acts_on(reaction: Reaction) -> Reaction:
    """*reaction* without the types that say nothing to it: a newer version of these is none of its business either."""
    return replace(reaction, events=reaction.events.only(reaction.act))
