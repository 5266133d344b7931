"""The numbers of checkpoints: plain data, each with the source it comes from."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.lifecycle.domain.checkpoint.plans import KINDS, Kind, Signal
from services.lifecycle.domain.policy import Fault, InvalidPolicyError, Number


@dataclass(frozen=True, slots=True)
class Signals:
    """What a build must send, and why."""

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    names: tuple[Signal, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointPolicy:
    """For how long a checkpoint speaks for a service, and what a build must show.

    Args:
        version: Of these numbers.
        stale_after_days: By kind.
        required_signals: Of an observability report.
    """

    __pydantic_config__: ClassVar = {"extra": "forbid"}

    version: str
    stale_after_days: Mapping[Kind, Number]
    required_signals: Signals

    def stale_at(self, kind: Kind, performed_at: datetime, tier: int) -> datetime:
        """When a checkpoint of *kind* has to be repeated for a service of *tier*."""
        return performed_at + self.stale_after_days[kind].days_at(tier)

    def validate(self) -> None:
        """Refuse a policy by which a kind never goes stale, or a report asks for nothing.

        Raises:
            InvalidPolicyError: Names every place.
        """
        if faults := list(self._faults()):
            raise InvalidPolicyError(faults)

    def _faults(self) -> Iterator[Fault]:
        for kind in KINDS:
            number = self.stale_after_days.get(kind)
            if number is None:
                yield Fault(f"/stale_after_days/{kind}", "say for how many days it speaks")
            elif min(number.value, *number.by_tier.values(), number.value) <= 0:
                yield Fault(f"/stale_after_days/{kind}", "more than 0 days, or it speaks for nothing")
        if not self.required_signals.names:
            yield Fault("/required_signals/names", "name at least one, or every report passes")
