"""What surrounds a fact: who, when, where in the log, and because of what."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import msgspec

from libs.events.ids import new_id, reaction_id


class Metadata(msgspec.Struct, frozen=True, omit_defaults=True):
    """Who caused an event, and through what.

    Args:
        actor: Label of a person, or name of a machine or service.
        auth_method: How the actor was recognised, such as `api-key`, or `reaction`.
        client: What the actor used, such as the id of an API key.
        request_id: The HTTP request that carried the command.
        correlation_id: Shared by everything that follows from one request.
        causation_id: The event this one reacts to.
        traceparent: W3C trace context.
    """

    actor: str
    auth_method: str = ""
    client: str = ""
    request_id: str = ""
    correlation_id: str = ""
    causation_id: str = ""
    traceparent: str = ""


class Recorded(msgspec.Struct, frozen=True, gc=False):
    """An event as it stands in the log, its data still encoded.

    Args:
        position: Place in the log of its service; rises, may have gaps.
        stream: `<category>/<key>`.
        version: Place in its stream, from 1, without gaps.
        type: Wire name, such as `io.concordat.lifecycle.team.registered.v1`.
        event_id: Unique in all logs.
        occurred_at: When it was so, UTC.
        recorded_at: When the log took it, UTC; never decreases with position.
        data: The event, JSON.
        metadata: A `Metadata`, JSON.
    """

    position: int
    stream: str
    version: int
    type: str
    event_id: UUID
    occurred_at: datetime
    recorded_at: datetime
    data: bytes
    metadata: bytes

    @property
    def meta(self) -> Metadata:
        """Who caused it, decoded."""
        return _METADATA.decode(self.metadata)

    @property
    def category(self) -> str:
        """The kind of aggregate: what stands before the first slash of the stream."""
        return self.stream.partition("/")[0]

    @property
    def key(self) -> str:
        """The aggregate's own key: what stands behind the first slash of the stream."""
        return self.stream.partition("/")[2]


@dataclass(frozen=True, slots=True)
class Context:
    """The circumstances of one command: its time, who sends it, and the ids its events will have.

    The ids are fixed before the first try, so that a repeated append is recognised.
    """

    at: datetime
    metadata: Metadata
    _make_id: Callable[[int], UUID] = field(repr=False)
    _made: dict[int, UUID] = field(default_factory=dict[int, UUID], repr=False)

    def event_id(self, index: int) -> UUID:
        """The id of the command's *index*-th event; asking again gives the same."""
        if index not in self._made:
            self._made[index] = self._make_id(index)
        return self._made[index]

    @classmethod
    def of_request(cls, at: datetime, metadata: Metadata) -> "Context":
        """The context of a command that came from outside."""
        return cls(at, metadata, lambda _: new_id())

    @classmethod
    def of_reaction(cls, source: Recorded, reaction: str, at: datetime) -> "Context":
        """The context of a command that *reaction* derives from the event *source*."""
        cause = source.meta
        metadata = Metadata(
            actor=reaction,
            auth_method="reaction",
            correlation_id=cause.correlation_id,
            causation_id=str(source.event_id),
            traceparent=cause.traceparent,
        )
        return cls(at, metadata, lambda index: reaction_id(source.event_id, reaction, index))

    def part(self, name: str) -> "Context":
        """The context of one of several commands under this one; the ids of its events follow from *name* too."""
        source = self.event_id(0)
        return Context(self.at, self.metadata, lambda index: reaction_id(source, name, index))


_METADATA = msgspec.json.Decoder(Metadata)
