"""What the capacity of a service refuses.

LifecycleError
└── CapacityError
    ├── CapacityFaultError      a number or date that cannot be; names the place
    ├── MetricChangedError      demand is counted in something else here
    ├── InorganicUnknownError   nothing of that name is expected
    ├── MetricUnknownError      nobody has said what a unit can do in it
    ├── NoDemandSourceError     no source is asked
    ├── OrderUnknownError       no order of that name is on its way
    ├── NoStrategyError         nobody has proposed one
    └── SecondSideError         the other side, or another person, must agree
"""

from collections.abc import Iterable

from services.lifecycle.domain.errors import LifecycleError


class CapacityError(LifecycleError):
    """Anything that is refused about capacity; *pointer* is where it stands in the body."""

    pointer: str = ""


class CapacityFaultError(CapacityError):
    """A number or a date that cannot be."""

    def __init__(self, detail: str, pointer: str) -> None:
        super().__init__(detail)
        self.pointer = pointer


class MetricChangedError(CapacityError):
    """Demand is counted in something else here."""

    pointer = "/metric"

    def __init__(self, metric: str, before: str) -> None:
        super().__init__(
            f"demand is counted in {before!r} here, not {metric!r}; send that, replace the history (`replace`),"
            f" or say first what a unit can do in it (PUT .../capacity/metrics/{metric})"
        )
        self.metric, self.before = metric, before


class InorganicUnknownError(CapacityError):
    """Nothing of that name is expected."""

    def __init__(self, name: str) -> None:
        super().__init__(f"nothing of the name {name!r} is expected")


class MetricUnknownError(CapacityError):
    """Nobody has said what a unit can do in it."""

    pointer = "/metric"

    def __init__(self, metric: str, known: Iterable[str]) -> None:
        told = ", ".join(known) or "no other"
        super().__init__(f"nobody has said what a unit can do in {metric!r}; known beside the first: {told}")


class NoDemandSourceError(CapacityError):
    """No source is asked."""

    def __init__(self) -> None:
        super().__init__("no source is asked for the demand of this service; PUT one first")


class OrderUnknownError(CapacityError):
    """No order of that name is on its way."""

    def __init__(self, order: str, known: Iterable[str]) -> None:
        on_the_way = ", ".join(sorted(known)) or "nothing"
        super().__init__(f"no order {order!r} is on its way; what is: {on_the_way}")


class NoStrategyError(CapacityError):
    """Nobody has proposed one."""

    def __init__(self) -> None:
        super().__init__("nobody has proposed a scaling strategy; PUT one first")


class SecondSideError(CapacityError):
    """The other side, or another person, must agree."""

    def __init__(self, by: str, who: str) -> None:
        super().__init__(f"{by!r} cannot agree to it; it takes {who}")
        self.by = by
