"""What happens to a gate evaluation."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from services.lifecycle.domain.phases import Phase

Result = Literal["pass", "fail", "unknown", "waived", "not_applicable"]
Value = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Evidence:
    """What a check looked at: the id of an event or attestation, and the values it found there."""

    id: str
    kind: str
    at: datetime
    values: dict[str, Value] = field(default_factory=dict[str, Value])


@dataclass(frozen=True, slots=True)
class Limit:
    """A number that the policy compares with, for the service's tier, and where that number comes from."""

    name: str
    value: float
    source: str


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What became of one check.

    Args:
        id: Of the check, in the policy.
        result: Only `pass`, `not_applicable` and `waived` let a service through.
        blocking: Whether the gate stays closed otherwise; advisory checks never block.
        detail: What was found.
        evidence: Where it was found.
        how_to_fix: What to do; empty when there is nothing to do.
        measured: Whether the platform found out itself; else people have attested it.
        source: Who asks for it.
        limits: The numbers it was compared with.
        waiver: The waiver that covers it, or empty.
        who: The teams that must do something about it; none when there is nothing to do.
    """

    id: str
    result: Result
    blocking: bool
    detail: str = ""
    evidence: tuple[Evidence, ...] = ()
    how_to_fix: str = ""
    measured: bool = False
    source: str = ""
    limits: tuple[Limit, ...] = ()
    waiver: str = ""
    who: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GateEvaluated:
    """A gate was evaluated for a service.

    Args:
        evaluation: Its id.
        service: Which service wants through.
        from_phase: Where the service stood.
        phase: Where the gate leads.
        passed: Whether every blocking check lets it through.
        policy_version: Of the policy that says what is checked.
        checks: Every check with its result and evidence.
        basis: The definitions and attestations it rests on; while they are unchanged it may be used again.
        based_on: The earlier evaluation whose attestations it took over, or empty.
        by: Who had it evaluated.
        at: When.
    """

    evaluation: str
    service: str
    from_phase: Phase
    phase: Phase
    passed: bool
    policy_version: str
    checks: tuple[CheckResult, ...]
    basis: tuple[str, ...]
    based_on: str
    by: str
    at: datetime


Event = GateEvaluated
