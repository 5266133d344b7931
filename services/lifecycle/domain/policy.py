"""What gates ask for: plain data, every number with the source it comes from."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta

from services.lifecycle.domain.phases import GATES, Kind, Phase


class InvalidPolicyError(Exception):
    """The policy contradicts itself, or asks for what nobody can measure."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number that gates something, and why it is that number."""

    value: float
    source: str

    @property
    def days(self) -> timedelta:
        """The number as a span of days."""
        return timedelta(days=self.value)


@dataclass(frozen=True, slots=True)
class Approval:
    """Which kinds of move another person must approve, and why."""

    kinds: tuple[Kind, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that a gate asks for.

    Args:
        blocking_tiers: For services of these tiers the gate stays closed without it; for others it is advisory.
        source: Who asks for it.
        how_to_fix: What to do when it is not met.
        max_age_days: An attestation older than this is stale; absent for what the platform measures itself.
        applies_in: The phases whose services it concerns; all when empty.
        since_phase_began: Whether evidence from before the service's current phase counts as none.
    """

    blocking_tiers: tuple[int, ...]
    source: str
    how_to_fix: str
    max_age_days: Number | None = None
    applies_in: tuple[Phase, ...] = ()
    since_phase_began: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything that gates and approvals depend on.

    Args:
        version: Named by every evaluation.
        evaluation_valid_days: For how long an evaluation may be used for a move.
        grandfathering_days: For how long the gates that an imported service did not pass here are advisory.
        slo_window_days: The trailing window over which an SLO must be met.
        slo_coverage: The share of that window for which there must be data.
        assessment_fresh_days: Data that ends longer ago than this says nothing about now.
        blocking_severities: Open incidents of these severities close a gate.
        approval: Which moves need a second person.
        checks: What can be asked for; an attestation's name is also the kind of evidence it looks for.
        gates: Per gate, the names of its checks.
    """

    version: str
    evaluation_valid_days: Number
    grandfathering_days: Number
    slo_window_days: Number
    slo_coverage: Number
    assessment_fresh_days: Number
    blocking_severities: tuple[str, ...]
    approval: Approval
    checks: Mapping[str, Check]
    gates: Mapping[str, tuple[str, ...]]

    def asked_at(self, gates: Collection[str]) -> dict[str, Check]:
        """What *gates* ask for together, each check once."""
        return {name: self.checks[name] for gate in gates for name in self.gates[gate]}

    def gates_asking_for(self, evidence: str) -> tuple[str, ...]:
        """The gates that look for this kind of evidence."""
        attestation = evidence in self.checks and self.checks[evidence].max_age_days is not None
        return tuple(gate for gate, names in self.gates.items() if evidence in names) if attestation else ()

    def validate(self, measured: Collection[str]) -> None:
        """Refuse a policy by which no gate could be evaluated; *measured* are the checks that need no attestation.

        Raises:
            InvalidPolicyError: Names the place.
        """
        for gate in set(GATES) ^ set(self.gates):
            message = (
                f"gates.{gate}: {'missing' if gate in GATES else 'leads nowhere'}; the gates are {', '.join(GATES)}"
            )
            raise InvalidPolicyError(message)
        for gate, names in self.gates.items():
            for name in set(names) - set(self.checks):
                message = f"gates.{gate}: {name} is not among the checks"
                raise InvalidPolicyError(message)
        for name, check in self.checks.items():
            if (check.max_age_days is None) != (name in measured):
                message = (
                    f"checks.{name}: an attestation needs max_age_days and a measured check has none;"
                    f" measured are {', '.join(sorted(measured))}"
                )
                raise InvalidPolicyError(message)
