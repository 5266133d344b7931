"""One service's history: told in any order of aggregates, written in the order of time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any, Final, TypeVar
from uuid import UUID

from libs.events import codec
from libs.events.decider import Decider
from libs.events.envelope import Metadata
from libs.events.handler import NO_EFFECTS, Effects
from libs.events.ids import reaction_id
from libs.events.registry import EventRegistry
from libs.events.store import AppendRequest, NewEvent, StreamWrite, Timer

C = TypeVar("C")
S = TypeVar("S")
E = TypeVar("E")

_NAMESPACE: Final = UUID("7d1c1b0e-52d6-5f2c-9a4b-0f9d2c6f6e51")  # of ids of the demo's events; never changes


@dataclass(frozen=True, slots=True)
class Told:
    """What one command changed."""

    at: datetime
    write: StreamWrite
    effects: Effects


class Chronicle:
    """What happened to the aggregates of one service.

    Args:
        registry: The service's events.
        seed: Ids of events follow from it, from their stream and from their place in it.
    """

    def __init__(self, registry: EventRegistry, seed: int) -> None:
        self.registry = registry
        self._seed = seed
        self._known: dict[str, tuple[Any, int, datetime]] = {}
        self._told: list[Told] = []

    def tell(
        self,
        decider: Decider[C, S, E],
        key: str,
        command: C,
        *,
        at: datetime,
        by: str,
        effects: Callable[[S, tuple[E, ...]], Effects] | Effects = NO_EFFECTS,
    ) -> tuple[E, ...]:
        """Carry *command* out as the service would have at that time; gives its events."""
        stream = decider.stream(key)
        state, version, last = self._known.get(stream, (decider.initial, 0, at))
        at = max(at, last)
        events = decider.decide(command, state)
        state = decider.fold(state, events)
        metadata = codec.encode(Metadata(actor=by, auth_method="demo"))
        new = tuple(
            NewEvent(
                event_id(self._seed, stream, version + number),
                name,
                at,
                data,
                metadata,
            )
            for number, (name, data) in enumerate(map(self.registry.encode, events), 1)
        )
        self._known[stream] = state, version + len(events), at
        beside = effects if isinstance(effects, Effects) else effects(state, events)
        if new or beside != NO_EFFECTS:
            self._told.append(Told(at, StreamWrite(stream, version, new), beside))
        return events

    def wait_for(self, timer: Timer, at: datetime) -> None:
        """Something is due one day, by itself."""
        self._told.append(Told(at, StreamWrite("", 0, ()), Effects(schedule=(timer,))))

    def state(self, decider: Decider[C, S, E], key: str) -> S:
        """What the aggregate *key* has come to."""
        return self._known.get(decider.stream(key), (decider.initial,))[0]

    def version(self, decider: Decider[C, S, E], key: str) -> int:
        """How many events it has."""
        return self._known.get(decider.stream(key), (None, 0))[1]

    def last_id(self, decider: Decider[C, S, E], key: str) -> str:
        """The id of its last event."""
        return str(event_id(self._seed, decider.stream(key), self.version(decider, key)))

    def count(self, category: str) -> int:
        """How many aggregates of one kind there are."""
        return sum(stream.startswith(f"{category}/") for stream in self._known)

    @property
    def last_stream(self) -> str:
        """The stream that is written last."""
        return max(self._told, key=attrgetter("at")).write.stream

    @property
    def events(self) -> int:
        """How many there are."""
        return sum(len(told.write.events) for told in self._told)

    def requests(self) -> Iterator[AppendRequest]:
        """All that happened, in the order of time; then the timers that still wait, so that none fires on the way."""
        timers: dict[str, Timer] = {}
        for told in sorted(self._told, key=attrgetter("at")):
            beside = told.effects
            for gone in beside.cancel:
                timers.pop(gone, None)
            timers |= {timer.key: timer for timer in beside.schedule}
            if told.write.events:
                yield AppendRequest((told.write,), beside.reserve, beside.release, recorded_at=told.at)
        if timers:
            yield AppendRequest(schedule=tuple(timers.values()))


def event_id(seed: int, stream: str, version: int) -> UUID:
    """The id of the event at that place, of the demo with that seed."""
    return reaction_id(_NAMESPACE, f"{seed}/{stream}", version)
