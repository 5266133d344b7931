"""Load, fold, decide, append: how a command becomes events."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any, Generic, TypeVar
from weakref import WeakValueDictionary

import msgspec

from libs.events import codec
from libs.events.decider import Decider
from libs.events.envelope import Context
from libs.events.errors import ConflictError, RefusedError
from libs.events.registry import EventRegistry
from libs.events.store import (
    Answer,
    Appended,
    AppendRequest,
    EventLog,
    IdempotencyKey,
    NewEvent,
    Reservation,
    StreamWrite,
    Timer,
)

C = TypeVar("C")
S = TypeVar("S")
E = TypeVar("E")

TRIES = 50  # a command without If-Match that keeps losing the race, to another process, is a conflict in the end
_KEPT_STATES = 10_000
_NOTHING = AppendRequest()


class Loaded(msgspec.Struct, Generic[S], frozen=True):
    """A folded stream: the state, and the version it was folded up to (0: no such stream)."""

    stream: str
    version: int
    state: S


@dataclass(frozen=True, slots=True)
class Effects:
    """What a command changes beside its events, in the same transaction."""

    reserve: tuple[Reservation, ...] = ()
    release: tuple[Reservation, ...] = ()
    schedule: tuple[Timer, ...] = ()
    cancel: tuple[str, ...] = ()


NO_EFFECTS = Effects()


@dataclass(frozen=True, slots=True)
class Step(Generic[C, S, E]):
    """What a command asks of one more aggregate, in the same transaction.

    What it decides, nothing included, holds for the state that was read: if that moves meanwhile, all is decided anew.

    Args:
        decider: The aggregate's rules.
        key: The aggregate's key.
        command: What is asked of it; None asks nothing, it only has to stand as it was read.
        effects: Reservations and timers, or how to derive them.
        expected: The version that was read, of what was worked out from it; None to decide on whatever is there.
    """

    decider: Decider[C, S, E]
    key: str
    command: C
    effects: Callable[[S, tuple[E, ...]], Effects] | Effects = NO_EFFECTS
    expected: int | None = None


class Outcome(msgspec.Struct, Generic[S], frozen=True):
    """What became of a command.

    Args:
        stream: The stream it was for.
        state: After the command's events.
        version: Of the stream, after the command's events.
        events: What it produced; empty when it was already carried out.
        position: Where the last event of its transaction stands; of the log's head when it produced none, and 0
            when nothing at all was stored.
        tail: How many events of its transaction stand behind the stream's last published one; None when none
            leaves the service. Known before the positions are.
    """

    stream: str
    state: S
    version: int
    events: tuple[object, ...]
    position: int
    tail: int | None

    @property
    def published(self) -> int:
        """Where its last published event stands; 0 when none leaves the service."""
        return 0 if self.tail is None else self.position - self.tail


class CommandHandler:
    """Carries out commands on one service's store.

    Folded states are kept by stream and version; a stale one is noticed by the append (or looked at again
    before a refusal), so it never decides wrongly.
    """

    def __init__(self, store: EventLog, registry: EventRegistry) -> None:
        self._store = store
        self._registry = registry
        self._states: OrderedDict[str, Loaded[Any]] = OrderedDict()
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def load(self, decider: Decider[C, S, E], key: str, *, as_of: datetime | None = None) -> Loaded[S]:
        """The state of one aggregate, now or as it was known at *as_of*."""
        stream = decider.stream(key)
        kept = None if as_of is not None else self._states.get(stream)
        before = kept or Loaded(stream, 0, decider.initial)
        return await self._advance(decider, before, as_of)

    async def handle(  # noqa: PLR0913  each is a part of one request
        self,
        decider: Decider[C, S, E],
        key: str,
        command: C,
        context: Context,
        *,
        expected: int | None = None,
        effects: Callable[[S, tuple[E, ...]], Effects] | Effects = NO_EFFECTS,
        also: Sequence[Step[Any, Any, Any]] = (),
        idempotency: IdempotencyKey | None = None,
        answer: Callable[[Outcome[S]], Answer] | None = None,
    ) -> Outcome[S]:
        """Decide *command* on the aggregate *key* and store what follows.

        Args:
            decider: The aggregate's rules.
            key: The aggregate's key.
            command: What is asked.
            context: When, by whom; fixes the ids of the events.
            expected: The version the caller has seen; None to decide on whatever is there.
            effects: Reservations and timers of the same transaction, or how to derive them.
            also: What is asked of other aggregates; all of it is stored, or none.
            idempotency: The key under which the answer is kept.
            answer: Makes the answer to keep; its outcome has no positions yet.

        Raises:
            ConflictError: The stream, or that of a step, is not where it is expected; or others kept winning the race.
            Exception: The decider's own refusals, and the store's (`libs.events.errors`).
        """
        stream = decider.stream(key)
        # A stream not met yet is guessed to be absent: what creates it needs no look, and all else looks again.
        loaded = self._states.get(stream) or Loaded(stream, 0, decider.initial)
        fresh = False
        async with AsyncExitStack() as turn:
            for attempt in range(TRIES):
                if expected is not None and loaded.version != expected:
                    if fresh:
                        raise ConflictError(stream, expected, loaded.version)
                else:
                    events = self._decide(decider, loaded.state, command, fresh=fresh)
                    if events is not None:
                        parts = [_part(decider, loaded, events, effects)]
                        for step in also:
                            other = await self.load(step.decider, step.key)
                            if step.expected is not None and step.expected != other.version:
                                raise ConflictError(other.stream, step.expected, other.version)
                            asked = step.command is not None
                            others = step.decider.decide(step.command, other.state) if asked else ()
                            parts.append(_part(step.decider, other, others, step.effects))
                        try:
                            return await self._store_parts(parts, context, idempotency, answer)
                        except ConflictError as conflict:
                            if (expected is not None and conflict.stream == stream) or attempt == TRIES - 1:
                                raise
                        if not attempt and expected is None:
                            await turn.enter_async_context(self.turn(stream))
                loaded, fresh = await self.load(decider, key), True
        raise ConflictError(stream, loaded.version, loaded.version)

    def turn(self, stream: str) -> asyncio.Lock:
        """Held by one of those who lost a race for *stream*: they try again one by one, so that each wins at last."""
        return self._turns.setdefault(stream, asyncio.Lock())

    async def append(self, request: AppendRequest) -> Appended:
        """Store a request made by hand, such as one over several streams."""
        return await self._store.append(request)

    def encode(self, events: Sequence[object], context: Context, *, first: int = 0) -> tuple[NewEvent, ...]:
        """*events* ready for the store; *first* is the index of the first among the command's events."""
        try:
            metadata = codec.encode(context.metadata)
            named = map(self._registry.encode, events)
            return tuple(
                [
                    NewEvent(context.event_id(first + index), name, context.at, data, metadata)
                    for index, (name, data) in enumerate(named)
                ]
            )
        except UnicodeEncodeError as error:
            message = f"what would be stored is no Unicode text: {error}; remove the lone surrogate"
            raise RefusedError(message) from error

    @staticmethod
    def _decide(decider: Decider[C, S, E], state: S, command: C, *, fresh: bool) -> tuple[E, ...] | None:
        """The events; None when a kept state would refuse or stay silent and must be looked at again."""
        if fresh:
            return decider.decide(command, state)
        try:
            return decider.decide(command, state) or None
        except Exception:  # noqa: BLE001  whatever it refuses, it may refuse because the state is stale
            return None

    async def _store_parts(
        self,
        parts: Sequence["_Part"],
        context: Context,
        idempotency: IdempotencyKey | None,
        answer: Callable[[Outcome[Any]], Answer] | None,
    ) -> Outcome[Any]:
        """Store what was decided for all aggregates; the outcome is the first one's."""
        main = parts[0]
        stream, state, events = main.loaded.stream, main.state, main.events
        version = main.loaded.version + len(events)
        new = self.encode([event for part in parts for event in part.events], context)
        published = [i for i, event in enumerate(new[: len(events)]) if self._registry.is_published(event.type)]
        tail = len(new) - 1 - published[-1] if published else None
        beside = main.effects if len(parts) == 1 else _merged([part.effects for part in parts])
        draft = Outcome(stream, state, version, events, 0, tail)
        request = AppendRequest(
            _writes(parts, new),
            beside.reserve,
            beside.release,
            beside.schedule,
            beside.cancel,
            idempotency,
            answer(draft) if idempotency and answer else None,
        )
        if request == _NOTHING:
            return draft
        appended = await self._store.append(request)
        if appended.duplicate:
            current = await self.load(main.decider, stream.partition("/")[2])
            return Outcome(stream, current.state, current.version, (), appended.position, None)
        for part in parts:
            self._keep(Loaded(part.loaded.stream, part.loaded.version + len(part.events), part.state))
        return Outcome(stream, state, version, events, appended.position, tail)

    async def _advance(self, decider: Decider[C, S, E], before: Loaded[S], as_of: datetime | None) -> Loaded[S]:
        recorded = await self._store.load(before.stream, after=before.version, as_of=as_of)
        if not recorded:
            return before
        state = decider.fold(before.state, map(self._registry.decode, recorded))
        after = Loaded(before.stream, recorded[-1].version, state)
        if as_of is None:
            self._keep(after)
        return after

    def _keep(self, loaded: Loaded[Any]) -> None:
        kept = self._states.get(loaded.stream)
        if kept is None or kept.version < loaded.version:
            self._states[loaded.stream] = loaded
        self._states.move_to_end(loaded.stream)
        if len(self._states) > _KEPT_STATES:
            self._states.popitem(last=False)


class _Part(msgspec.Struct, frozen=True):
    """One aggregate's share of a command: what it was, what was decided, what it is then."""

    decider: Decider[Any, Any, Any]
    loaded: Loaded[Any]
    events: tuple[Any, ...]
    state: Any
    effects: Effects


def _part(
    decider: Decider[C, S, E],
    loaded: Loaded[S],
    events: tuple[E, ...],
    effects: Callable[[S, tuple[E, ...]], Effects] | Effects,
) -> _Part:
    state = decider.fold(loaded.state, events)
    return _Part(decider, loaded, events, state, effects if isinstance(effects, Effects) else effects(state, events))


def _merged(effects: Sequence[Effects]) -> Effects:
    return Effects(
        reserve=tuple(name for each in effects for name in each.reserve),
        release=tuple(name for each in effects for name in each.release),
        schedule=tuple(timer for each in effects for timer in each.schedule),
        cancel=tuple(key for each in effects for key in each.cancel),
    )


def _writes(parts: Sequence[_Part], new: tuple[NewEvent, ...]) -> tuple[StreamWrite, ...]:
    """The parts' events, which *new* holds one after the other, by stream.

    A part without events was asked too, and must still stand where it was read; unless nothing is stored at all.
    """
    if not new:
        return ()
    if len(parts) == 1:
        return (StreamWrite(parts[0].loaded.stream, parts[0].loaded.version, new),)
    rest = iter(new)
    return tuple(
        StreamWrite(part.loaded.stream, part.loaded.version, tuple(islice(rest, len(part.events)))) for part in parts
    )
