"""How often who is concerned hears how an incident stands, by how bad it is: until somebody says otherwise."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, get_args

from services.incidents.domain.incident.terms import Severity
from services.incidents.domain.learning import InvalidPolicyError

_STRICT = {"extra": "forbid"}
_LEAST, _MOST = 5, 24 * 60  # minutes, as where somebody says it


@dataclass(frozen=True, slots=True)
class Cadence:
    """Every so often, and who says so; None: when there is something to say."""

    __pydantic_config__: ClassVar = _STRICT

    every_minutes: int | None
    source: str


@dataclass(frozen=True, slots=True)
class UpdatesPolicy:
    """The cadence of each severity."""

    __pydantic_config__: ClassVar = _STRICT

    version: str
    cadence: Mapping[Severity, Cadence]

    def every_minutes(self, severity: Severity) -> int | None:
        """How often it is for *severity*."""
        return self.cadence[severity].every_minutes

    def validate(self) -> None:
        """Refuse a policy that leaves a severity out, or asks for what nobody could do.

        Raises:
            InvalidPolicyError: Names the place.
        """
        for severity in get_args(Severity):
            if severity not in self.cadence:
                raise InvalidPolicyError("say how often, or null", f"/cadence/{severity}")
            every = self.every_minutes(severity)
            if every is not None and not _LEAST <= every <= _MOST:
                detail = f"it is from {_LEAST} to {_MOST} minutes, or null"
                raise InvalidPolicyError(detail, f"/cadence/{severity}/every_minutes")
