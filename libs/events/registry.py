"""Which wire name stands for which class, what may leave the service, and how old versions are read."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from libs.events import codec
from libs.events.envelope import Recorded
from libs.events.errors import NewerVersionError, RefusedError, UndecodableEventError, UnknownEventTypeError

Upcast = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class EventType:
    """One type of event: its wire name, its class, and whether other services may see it."""

    name: str
    cls: type[object]
    published: bool


class EventRegistry:
    """The event types that one service writes, or those that one reader understands.

    Args:
        published: Wire name to class, of the types that leave the service: the contract.
        internal: Wire name to class, of the types that stay inside.
        upcasts: Old wire name to (its successor's wire name, a pure function from dict to dict).
    """

    def __init__(
        self,
        published: Mapping[str, type[object]],
        internal: Mapping[str, type[object]] | None = None,
        upcasts: Mapping[str, tuple[str, Upcast]] | None = None,
    ) -> None:
        self._types = {n: EventType(n, c, published=True) for n, c in published.items()}
        self._types |= {n: EventType(n, c, published=False) for n, c in (internal or {}).items()}
        self._names = {kind.cls: name for name, kind in self._types.items()}
        self._upcasts = dict(upcasts or {})
        self._decoders = {name: codec.decoder(kind.cls) for name, kind in self._types.items()}
        self._newest: dict[str, int] = {}
        for name in (*self._types, *self._upcasts):
            family, version = _family(name)
            self._newest[family] = max(version, self._newest.get(family, 0))
        self._published = frozenset(name for name in (*self._types, *self._upcasts) if self._leaves(name))

    def __iter__(self) -> Iterator[EventType]:
        """Every type that is written today."""
        return iter(self._types.values())

    def __contains__(self, name: str) -> bool:
        """Whether events of this wire name can be decoded, upcast or not."""
        return name in self._decoders or name in self._upcasts

    def only(self, classes: Collection[type[object]]) -> "EventRegistry":
        """One that reads events of *classes*, their old versions too, and knows of no others."""
        known = {name: kind for name, kind in self._types.items() if kind.cls in classes}
        published = {name: kind.cls for name, kind in known.items() if kind.published}
        internal = {name: kind.cls for name, kind in known.items() if not kind.published}
        upcasts = {old: step for old, step in self._upcasts.items() if self._today(old) in known}
        return EventRegistry(published, internal, upcasts)

    def is_newer(self, name: str) -> bool:
        """Whether *name* is a later version of a type known here."""
        family, version = _family(name)
        return version > self._newest.get(family, version)

    def name_of(self, cls: type[object]) -> str:
        """The wire name of *cls*.

        Raises:
            UnknownEventTypeError: The class is not registered.
        """
        try:
            return self._names[cls]
        except KeyError:
            raise UnknownEventTypeError(cls.__qualname__) from None

    def encode(self, event: object) -> tuple[str, bytes]:
        """The wire name of *event*, and its data, which can be read again.

        Raises:
            UnknownEventTypeError: Its class is not registered.
            RefusedError: A value in it is none of its class, such as an infinite number: whoever reads it would fail.
        """
        name = self.name_of(type(event))
        data = codec.encode(event)
        try:
            self._decoders[name].decode(data)
        except msgspec.MsgspecError as error:
            message = f"what would be stored could not be read again: {error}"
            raise RefusedError(message) from error
        return name, data

    def is_published(self, name: str) -> bool:
        """Whether events of this wire name leave the service; old versions follow their successor."""
        return name in self._published

    def decode(self, recorded: Recorded) -> Any:  # noqa: ANN401  the class depends on the wire name
        """The event inside *recorded*, as today's class.

        Raises:
            NewerVersionError: A later version of a type known here; the reader must be updated first.
            UnknownEventTypeError: Nothing here reads this type.
            UndecodableEventError: The data does not fit the class.
        """
        name = recorded.type
        decode = self._decoders.get(name)
        try:
            if decode is not None:
                return decode.decode(recorded.data)
            if name in self._upcasts:
                return self._decode_old(name, recorded.data)
        except msgspec.MsgspecError as error:
            raise UndecodableEventError(name, recorded.position, str(error)) from error
        if self.is_newer(name):
            raise NewerVersionError(name, self._newest[_family(name)[0]])
        raise UnknownEventTypeError(name)

    def _leaves(self, name: str) -> bool:
        kind = self._types.get(self._today(name))
        return kind is not None and kind.published

    def _today(self, name: str) -> str:
        """What events of *name* are read as."""
        while name in self._upcasts:
            name = self._upcasts[name][0]
        return name

    def _decode_old(self, name: str, data: bytes) -> object:
        value = msgspec.json.decode(data)
        while name in self._upcasts:
            name, upcast = self._upcasts[name]
            value = upcast(value)
        return codec.convert(value, self._types[name].cls)


def _family(name: str) -> tuple[str, int]:
    family, _, version = name.rpartition(".v")
    return (family, int(version)) if version.isdecimal() else (name, 0)
