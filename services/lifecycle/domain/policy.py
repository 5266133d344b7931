"""What gates ask for: plain data, every number with the source it comes from.

Readers of documents refuse a key that no field here has (`__pydantic_config__`), so that a misspelt one is noticed.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import ClassVar, Final, Literal

from services.lifecycle.domain.phases import GATES, TRANSITIONS, Kind, Phase

MOST_CRITICAL_TIER = 1  # what a service counts as until its tier is set
TIERS = (1, 2, 3, 4)
_STRICT = {"extra": "forbid"}

Role = Literal["anyone", "owner_member", "owner_lead", "sre_member", "sre_lead"]


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with a policy, and the JSON pointer to the place."""

    pointer: str
    detail: str


class InvalidPolicyError(Exception):
    """The policy contradicts itself, or asks for what nobody can measure."""

    def __init__(self, faults: Collection[Fault] | str) -> None:
        found = (Fault("", faults),) if isinstance(faults, str) else tuple(faults)
        super().__init__("; ".join(f"{fault.pointer}: {fault.detail}".removeprefix(": ") for fault in found))
        self.faults = found


@dataclass(frozen=True, slots=True)
class Number:
    """A number that gates something, and why it is that number.

    Args:
        value: For every tier that `by_tier` does not name.
        source: Who says so; `[D]` is a default of ours.
        by_tier: Other values, by tier.
    """

    __pydantic_config__: ClassVar = _STRICT

    value: float
    source: str
    by_tier: Mapping[str, float] = field(default_factory=dict[str, float])

    def at(self, tier: int) -> float:
        """The number for services of *tier*."""
        return self.by_tier.get(str(tier or MOST_CRITICAL_TIER), self.value)

    def days_at(self, tier: int) -> timedelta:
        """The number for services of *tier*, as a span of days."""
        return timedelta(days=self.at(tier))

    @property
    def days(self) -> timedelta:
        """The number as a span of days."""
        return timedelta(days=self.value)


@dataclass(frozen=True, slots=True)
class Roles:
    """Who may approve: anybody who has one of these roles for the service."""

    __pydantic_config__: ClassVar = _STRICT

    roles: tuple[Role, ...]
    source: str


EVERY_MOVE: Final = "*"


@dataclass(frozen=True, slots=True)
class Approval:
    """Which moves another person must approve, and who that may be.

    Args:
        kinds: Moves of these kinds wait for another person.
        source: Why.
        approvers: Who that is, by move, such as `active_development>general_availability`; `*` is every move that is
            not named. Where neither is, anybody else.
        requesters: Who may ask for a move that another person must approve; None: anybody.
    """

    __pydantic_config__: ClassVar = _STRICT

    kinds: tuple[Kind, ...]
    source: str
    approvers: Mapping[str, Roles] = field(default_factory=dict[str, Roles])
    requesters: Roles | None = None

    def of(self, phase: Phase, target: Phase) -> Roles | None:
        """Who approves this move; None: anybody but the one who asks."""
        return self.approvers.get(f"{phase}>{target}") or self.approvers.get(EVERY_MOVE)


@dataclass(frozen=True, slots=True)
class WaiverTerms:
    """For how long, how often and by whom a check may be waived.

    Args:
        max_days: From its approval, or renewal, to its end.
        renewals: How often it may be renewed.
        approvers: By tier.
    """

    __pydantic_config__: ClassVar = _STRICT

    max_days: Number
    renewals: Number
    approvers: Mapping[str, Roles]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that a gate asks for.

    Args:
        blocking_tiers: For services of these tiers the gate stays closed without it; for others it is advisory.
        source: Who asks for it.
        how_to_fix: What to do when it is not met.
        max_age_days: An attestation older than this is stale; absent where only what is measured counts.
        applies_in: The phases whose services it concerns; all when empty.
        since_phase_began: Whether evidence from before the service's current phase counts as none.
        numbers: What a measured check compares with.
        at_least: What the figures of an attestation must reach, where they are given.
        at_most: What they must not exceed.
        met_by: Other checks that are more than this one: when one of them passes, so does this.
        unless: Evidence of this kind says that the check does not concern the service.
        waivable: Whether a waiver may cover it.
        who: The sides that must do something when it is not met; SRE only where a team is engaged.
    """

    __pydantic_config__: ClassVar = _STRICT

    blocking_tiers: tuple[int, ...]
    source: str
    how_to_fix: str
    max_age_days: Number | None = None
    applies_in: tuple[Phase, ...] = ()
    since_phase_began: bool = False
    numbers: Mapping[str, Number] = field(default_factory=dict[str, Number])
    at_least: Mapping[str, Number] = field(default_factory=dict[str, Number])
    at_most: Mapping[str, Number] = field(default_factory=dict[str, Number])
    met_by: tuple[str, ...] = ()
    unless: str = ""
    waivable: bool = True
    who: tuple[Literal["owner", "sre"], ...] = ("owner",)

    def limits(self) -> Iterator[tuple[str, Number]]:
        """Every number of the check with its name."""
        if self.max_age_days is not None:
            yield "max_age_days", self.max_age_days
        yield from self.numbers.items()
        yield from ((f"at_least.{name}", number) for name, number in self.at_least.items())
        yield from ((f"at_most.{name}", number) for name, number in self.at_most.items())


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything that gates and approvals depend on.

    Args:
        version: Named by every evaluation.
        evaluation_valid_days: For how long an evaluation may be used for a move.
        grandfathering_days: For how long the gates that an imported service did not pass here are advisory.
        review_every_days: How often it is looked at whether a service still keeps what its phase asks for.
        blocking_severities: Open incidents of these severities close a gate.
        urgent_priorities: Actions of postmortems of these priorities must be done.
        approval: Which moves need a second person.
        waivers: The terms of waivers.
        checks: What can be asked for; an attestation's name is also the kind of evidence it looks for.
        gates: Per gate, the names of its checks.
        keeps: What a service must go on showing while it is in a phase; what fails opens an item for people.
    """

    __pydantic_config__: ClassVar = _STRICT

    version: str
    evaluation_valid_days: Number
    grandfathering_days: Number
    review_every_days: Number
    blocking_severities: tuple[str, ...]
    urgent_priorities: tuple[str, ...]
    approval: Approval
    waivers: WaiverTerms
    checks: Mapping[str, Check]
    gates: Mapping[str, tuple[str, ...]]
    keeps: Mapping[Phase, tuple[str, ...]]

    def asked_at(self, gates: Collection[str]) -> dict[str, Check]:
        """What *gates* ask for together, each check once."""
        return self.named([name for gate in gates for name in self.gates[gate]])

    def kept_in(self, phase: Phase) -> dict[str, Check]:
        """What a service in *phase* must go on showing."""
        return self.named(self.keeps.get(phase, ()))

    def named(self, names: Collection[str]) -> dict[str, Check]:
        """The checks of these names, each once."""
        return {name: self.checks[name] for name in names}

    def gates_asking_for(self, evidence: str) -> tuple[str, ...]:
        """The gates that look for this kind of evidence."""
        looking = {
            name
            for name, check in self.checks.items()
            if (name == evidence and check.max_age_days is not None) or check.unless == evidence
        }
        looking |= {name for name, check in self.checks.items() if looking & set(check.met_by)}
        return tuple(gate for gate, names in self.gates.items() if looking & set(names))

    def validate(self, measured: Mapping[str, Collection[str]]) -> None:
        """Refuse a policy by which no gate could be evaluated.

        Args:
            measured: The checks that the platform measures itself, and the numbers that each needs.

        Raises:
            InvalidPolicyError: Names every place.
        """
        faults = [*self._faulty_gates(), *self._faulty_checks(measured), *self._faulty_people()]
        if faults:
            raise InvalidPolicyError(faults)

    def _faulty_gates(self) -> Iterator[Fault]:
        for gate in sorted(set(GATES) ^ set(self.gates)):
            what = "missing" if gate in GATES else "leads nowhere"
            yield Fault(f"/gates/{gate}", f"{what}; the gates are {', '.join(GATES)}")
        lists = [("gates", self.gates), ("keeps", {str(phase): names for phase, names in self.keeps.items()})]
        for field_name, groups in lists:
            for group, names in groups.items():
                for index, name in enumerate(names):
                    place = f"/{field_name}/{group}/{index}"
                    if name not in self.checks:
                        yield Fault(place, f"{name} is not among the checks")
                    if name in names[:index]:
                        yield Fault(place, f"{name} stands here twice")

    def _faulty_checks(self, measured: Mapping[str, Collection[str]]) -> Iterator[Fault]:
        for name, check in self.checks.items():
            place = f"/checks/{name}"
            if name not in measured and check.max_age_days is None:
                known = ", ".join(sorted(measured))
                yield Fault(place, f"an attestation needs max_age_days; what is measured is {known}")
            wanted = set(measured.get(name, ()))
            for number in sorted(wanted ^ set(check.numbers)):
                what = "is missing" if number in wanted else "is not looked at; remove it"
                yield Fault(f"{place}/numbers/{number}", what)
            for tier in set(check.blocking_tiers) - set(TIERS):
                yield Fault(f"{place}/blocking_tiers", f"{tier} is no tier; tiers are 1 (most critical) to 4")
            for limit, number in check.limits():
                yield from _faulty_number(f"{place}/{limit}", number)
            for index, other in enumerate(check.met_by):
                if other not in self.checks:
                    yield Fault(f"{place}/met_by/{index}", f"{other} is not among the checks")
            if circle := self._circle(name):
                yield Fault(f"{place}/met_by", f"goes round in a circle: {' > '.join(circle)}")
        for name in ("evaluation_valid_days", "grandfathering_days", "review_every_days"):
            yield from _faulty_number(f"/{name}", getattr(self, name))

    def _circle(self, start: str) -> list[str]:
        """The way from *start* back to it through `met_by`, or nothing."""
        ways = [[start]]
        seen: set[str] = set()
        while ways:
            way = ways.pop()
            check = self.checks.get(way[-1])
            for other in check.met_by if check else ():
                if other == start:
                    return [*way, start]
                if other not in seen:
                    seen.add(other)
                    ways.append([*way, other])
        return []

    def _faulty_people(self) -> Iterator[Fault]:
        moves = {f"{phase}>{target}" for phase, target in TRANSITIONS}
        for move in sorted(set(self.approval.approvers) - moves - {EVERY_MOVE}):
            yield Fault(
                f"/approval/approvers/{move}", f"no transition is called so; they are {', '.join(sorted(moves))}"
            )
        for tier in sorted(set(self.waivers.approvers) ^ set(map(str, TIERS))):
            what = "nobody could approve a waiver" if tier in map(str, TIERS) else "is no tier"
            yield Fault(f"/waivers/approvers/{tier}", f"{what}; name the approvers of tiers 1 to 4")
        yield from _faulty_number("/waivers/max_days", self.waivers.max_days)


def _faulty_number(place: str, number: Number) -> Iterator[Fault]:
    if min(number.value, *number.by_tier.values(), number.value) < 0:
        yield Fault(f"{place}/value", "must not be negative")
    if not number.source.strip():
        yield Fault(f"{place}/source", "every number says where it comes from; [D] is a default of your own")
    for tier in sorted(set(number.by_tier) - set(map(str, TIERS))):
        yield Fault(f"{place}/by_tier/{tier}", "is no tier; tiers are 1 to 4")
