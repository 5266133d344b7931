"""What can go wrong between a command and its events.

EventsError
├── StoreError                     append or read did not happen
│   ├── ConflictError              another writer was first on a stream
│   ├── ReservedError              a name is taken
│   ├── RefusedError               the request can never be stored as it is
│   └── StoreUnavailableError      try again later
│       ├── QueueFullError
│       ├── DeadlineExceededError
│       ├── OutcomeUnknownError    the connection was lost at the commit
│       └── StorageFullError
├── IdempotencyError
│   ├── KeyInFlightError           the first request with this key still runs
│   └── KeyReusedError             this key came with another payload before
├── FencedError                    a lease or checkpoint was taken over
├── StandstillError                a consumer that must not go on by itself
│   ├── AheadOfLogError            it has applied what a restored log lost
│   ├── DeadLetterLimitError       it would swallow everything
│   ├── OtherCodeError             its rows come from other code
│   └── RebuildFailedError         an event cannot be applied while a read model is rebuilt
├── BusUnavailableError            the log that services share cannot be reached
│   └── FatalBusError              this process cannot go on with it; another start can
├── SetupError                     settings, files or servers that cannot be used as they are
│   ├── WrongPartitionCountError
│   └── OffsetGoneError            the log was cut, or made anew, below a consumer's place
└── PoisonError                    an event that cannot be applied
    ├── UnknownEventTypeError
    ├── NewerVersionError
    ├── UndecodableEventError
    └── MalformedRecordError       no CloudEvent of ours
"""


class EventsError(Exception):
    """Anything this package refuses."""


class StoreError(EventsError):
    """The store did not do what was asked."""


class ConflictError(StoreError):
    """Another writer was first: the stream is not at the expected version."""

    def __init__(self, stream: str, expected: int, actual: int) -> None:
        super().__init__(f"{stream} is at version {actual}, expected {expected}")
        self.stream, self.expected, self.actual = stream, expected, actual


class ReservedError(StoreError):
    """The name is taken by another stream."""

    def __init__(self, scope: str, key: str, holder: str) -> None:
        super().__init__(f"{scope} {key!r} is taken by {holder}")
        self.scope, self.key, self.holder = scope, key, holder


class RefusedError(StoreError):
    """It can never be stored, or published, as it is: too large, or text no database keeps."""


class StoreUnavailableError(StoreError):
    """The store cannot be reached now; nothing was written."""


class QueueFullError(StoreUnavailableError):
    """Too many requests wait already."""


class DeadlineExceededError(StoreUnavailableError):
    """The request waited too long; it was not written."""


class OutcomeUnknownError(StoreUnavailableError):
    """The connection was lost at the commit and did not come back in time; the same event ids may be sent again."""


class StorageFullError(StoreUnavailableError):
    """The disk is full; reads go on, writes work again when there is room."""


class IdempotencyError(EventsError):
    """An `Idempotency-Key` cannot be used as asked."""


class KeyInFlightError(IdempotencyError):
    """The first request with this key still runs."""


class KeyReusedError(IdempotencyError):
    """This key came with another payload before."""


class FencedError(EventsError):
    """A lease or a checkpoint was taken over by another process; reload before going on."""


class StandstillError(EventsError):
    """A consumer must not go on by itself; the text says why, and what to do."""


class AheadOfLogError(StandstillError):
    """A log was restored from a backup, and the consumer has applied events that it lost."""

    def __init__(self, consumer: str, service: str, reached: int, epoch: str) -> None:
        super().__init__(
            f"{consumer} has applied position {reached} of {service}, but that log was restored from a backup"
            f" (epoch {epoch}) and has lost it; rebuild: concordat projections rebuild {consumer}"
        )


class DeadLetterLimitError(StandstillError):
    """So many events could not be applied that the fault must be in the code, not in the events."""


class OtherCodeError(StandstillError):
    """The rows come from code with other columns, indexes or `version`; a rebuild replaces them."""


class RebuildFailedError(StandstillError):
    """An event cannot be applied; the read model that served before still serves."""


class BusUnavailableError(EventsError):
    """The log that services share cannot be reached; what was asked is not known to be written."""


class FatalBusError(BusUnavailableError):
    """The producer has lost its place in the log for good: end the process, the next one starts with a fresh one."""


class SetupError(EventsError):
    """The process cannot start like this; the text says what to do."""


class WrongPartitionCountError(SetupError):
    """A topic has another number of partitions than its keys were spread over."""

    def __init__(self, topic: str, expected: int, actual: int) -> None:
        super().__init__(
            f"topic {topic} has {actual} partitions, expected {expected}; make it anew with {expected}"
            " (see deploy/topics.yaml), then republish"
        )


class OffsetGoneError(SetupError):
    """What a consumer is to read next is not in the log: going on would skip events in silence."""

    def __init__(self, topic: str, partition: int, offset: int) -> None:
        super().__init__(
            f"topic {topic}, partition {partition} does not hold offset {offset}, which is to be read next: it was made"
            " anew, or cut by retention. Publish it again (`concordat events republish --from 1`), then rebuild what"
            " was built from it (`concordat projections rebuild`)"
        )
        self.topic, self.partition, self.offset = topic, partition, offset


class PoisonError(EventsError):
    """An event that cannot be applied, however often it is tried."""


class UnknownEventTypeError(PoisonError):
    """No class is registered for this wire name (or no wire name for this class)."""


class NewerVersionError(PoisonError):
    """A later version of a known type: the reader must be updated first."""

    def __init__(self, name: str, newest: int) -> None:
        super().__init__(f"{name} is newer than the v{newest} known here; update this service first")


class UndecodableEventError(PoisonError):
    """The data of an event does not fit its class."""

    def __init__(self, name: str, position: int, detail: str) -> None:
        super().__init__(f"{name} at position {position}: {detail}")


class MalformedRecordError(PoisonError):
    """A record of the bus is no CloudEvent of ours."""

    def __init__(self, topic: str, partition: int, offset: int, detail: str) -> None:
        super().__init__(f"{topic}/{partition} at offset {offset}: {detail}")
        self.topic, self.partition, self.offset = topic, partition, offset
