"""The numbers of design, architecture and launches: plain data, each with the source it comes from."""

from collections.abc import Iterator
from dataclasses import dataclass

from services.lifecycle.domain.launch.events import PROVING
from services.lifecycle.domain.policy import TIERS, Fault, InvalidPolicyError
from services.lifecycle.domain.readiness_review.policy import Count, Days, StartPhases
from services.lifecycle.domain.review_template.checklist import Severity


@dataclass(frozen=True, slots=True)
class Weight:
    """How severe a finding is that opens by itself, and why."""

    severity: Severity
    source: str


@dataclass(frozen=True, slots=True)
class Tiers:
    """The tiers for which something holds, and why."""

    tiers: tuple[int, ...]
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedCheckpoint:
    """What a launch has to show.

    Args:
        id: By which evidence names it.
        text: What is to be so.
        blocking_tiers: For services of these tiers nothing is launched without it.
        source: Who asks for it.
        max_age_days: Older evidence is none.
        check: The check of the gates that measures it; then people record no evidence.
        records: What proves it beside a link: kinds of checkpoints, `design_review`, `rollout`, and `rollback` for a
            roll-out or deployment that was taken back.
    """

    id: str
    text: str
    blocking_tiers: tuple[int, ...]
    source: str
    max_age_days: Days | None = None
    check: str = ""
    records: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchitecturePolicy:
    """What design and architecture reviews and launches go by.

    Args:
        version: Of these numbers.
        pre_read: So long before it people can read what an architecture review is about.
        repeated_cause: A cause that comes back so often is a finding.
        repeated_within: If that is within this time.
        without_redundancy: How severe it is that a critical component stands alone.
        in_one_failure_domain: How severe it is that all of a critical component can fail together.
        came_back: How severe a cause is that has come back.
        live: Where a service has users, so that something can be launched in it.
        second_person: For services of these tiers somebody else than who planned a launch says that it is ready.
        checkpoints: What a launch has to show.
    """

    version: str
    pre_read: Days
    repeated_cause: Count
    repeated_within: Days
    without_redundancy: Weight
    in_one_failure_domain: Weight
    came_back: Weight
    live: StartPhases
    second_person: Tiers
    checkpoints: tuple[AskedCheckpoint, ...]

    def validate(self) -> None:
        """Refuse a policy by which a launch shows nothing, or shows what nobody can.

        Raises:
            InvalidPolicyError: Names every place.
        """
        if faults := list(self._faults()):
            raise InvalidPolicyError(faults)

    def _faults(self) -> Iterator[Fault]:
        if self.pre_read.days < 0:
            yield Fault("/pre_read/days", f"{self.pre_read.days} is too few; at least 0")
        if self.repeated_cause.count < 2:  # noqa: PLR2004  once is no repetition
            yield Fault("/repeated_cause/count", f"{self.repeated_cause.count} is too few; at least 2")
        if self.repeated_within.days < 1:
            yield Fault("/repeated_within/days", f"{self.repeated_within.days} is too few; at least 1")
        if not self.checkpoints:
            yield Fault("/checkpoints", "is empty; a launch shows something")
        yield from self._faulty_checkpoints()

    def _faulty_checkpoints(self) -> Iterator[Fault]:
        seen: set[str] = set()
        for index, each in enumerate(self.checkpoints):
            place = f"/checkpoints/{index}"
            if each.id in seen:
                yield Fault(f"{place}/id", f"{each.id} stands here twice")
            seen.add(each.id)
            if not each.source.strip():
                yield Fault(f"{place}/source", "says nothing; [D] is a default of your own")
            if bool(each.check) == bool(each.max_age_days):
                yield Fault(place, "needs either a check that measures it or max_age_days for evidence")
            if each.check and each.records:
                yield Fault(f"{place}/records", "it is measured, so no record proves it; remove them")
            for name in sorted(set(each.records) - set(PROVING)):
                yield Fault(f"{place}/records", f"{name} proves nothing; what does is {', '.join(PROVING)}")
            for tier in set(each.blocking_tiers) - set(TIERS):
                yield Fault(f"{place}/blocking_tiers", f"{tier} is no tier; tiers are 1 (most critical) to 4")
