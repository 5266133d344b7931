"""What a checklist holds, and what is wrong with one.

Source of the axes: SRE book ch. 32; of what an item says: Kubernetes production-readiness reviews, AWS operational
readiness reviews.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from typing import Final, Literal, get_args

from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.review_template.errors import Fault, InvalidChecklistError

Severity = Literal["blocking", "conditional", "advisory"]
SEVERITIES: Final[tuple[Severity, ...]] = get_args(Severity)  # the worst first
AUTO: Final = "auto:"  # before the name of a gate check
SECURITY: Final = "security_and_data"  # the axis whose blocking items are the security review


@dataclass(frozen=True, slots=True)
class Axis:
    """A group of items."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class FrameworkSince:
    """A framework that does what an item asks for, from a version on."""

    framework: str
    since: str


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that a review looks at.

    Args:
        id: Unique in the checklist.
        axis: The group it belongs to.
        text: What must be so.
        why: What goes wrong otherwise.
        evidence: `auto:<check>` (the platform knows), `link` (where to see it) or `attestation` (somebody says so).
        severity: `blocking`: no approval without it; `conditional`: a condition of the approval; `advisory`.
        phases: The phases that a service should not enter without it.
        minimum_tier: The least critical tier that is asked for it.
        source: Who asks for it.
        after: The items that are answered first, because this one builds on them.
        satisfied_by: The frameworks that bring it with them.
    """

    id: str
    axis: str
    text: str
    why: str
    evidence: str
    severity: Severity
    phases: tuple[Phase, ...]
    minimum_tier: int
    source: str
    after: tuple[str, ...] = ()
    satisfied_by: tuple[FrameworkSince, ...] = ()

    @property
    def check(self) -> str:
        """The gate check that answers it; empty when people do."""
        return self.evidence.removeprefix(AUTO) if self.evidence.startswith(AUTO) else ""

    def is_asked(self, phase: Phase, tier: int) -> bool:
        """Whether a service of *tier* (0, not set, is the most critical) is asked for it before it enters *phase*."""
        return phase in self.phases and tier <= self.minimum_tier


@dataclass(frozen=True, slots=True)
class Checklist:
    """What a version of a template holds."""

    title: str
    axes: tuple[Axis, ...]
    items: tuple[Item, ...]


def require_sound(checklist: Checklist, checks: Collection[str] | None) -> None:
    """Refuse a checklist that cannot be worked with; *checks* are those that gates know, None: not looked at.

    Raises:
        InvalidChecklistError: Names every place.
    """
    faults = tuple(_faults(checklist, checks))
    if faults:
        raise InvalidChecklistError(faults)


def _faults(checklist: Checklist, checks: Collection[str] | None) -> Iterator[Fault]:
    yield from _doubled("axes", [axis.id for axis in checklist.axes])
    yield from _doubled("items", [item.id for item in checklist.items])
    axes, ids = {axis.id for axis in checklist.axes}, {item.id for item in checklist.items}
    for index, item in enumerate(checklist.items):
        place = f"/items/{index}"
        if item.axis not in axes:
            yield Fault(f"{place}/axis", f"{item.axis!r} is none of the axes; they are {', '.join(sorted(axes))}")
        if item.check and checks is not None and item.check not in checks:
            known = ", ".join(sorted(checks))
            yield Fault(f"{place}/evidence", f"no gate has a check {item.check!r}; the checks are {known}")
        for number, other in enumerate(item.after):
            if other not in ids:
                yield Fault(f"{place}/after/{number}", f"there is no item {other!r}; name one of this checklist")
    yield from _cycle(checklist.items)


def _doubled(field: str, ids: list[str]) -> Iterator[Fault]:
    first: dict[str, int] = {}
    for index, name in enumerate(ids):
        if first.setdefault(name, index) != index:
            yield Fault(f"/{field}/{index}/id", f"{name!r} is the id of /{field}/{first[name]} already; choose another")


def _cycle(items: tuple[Item, ...]) -> Iterator[Fault]:
    try:
        TopologicalSorter({item.id: item.after for item in items}).prepare()
    except CycleError as error:
        around: list[str] = error.args[1][::-1]  # each builds on the one behind it
        index = next(index for index, item in enumerate(items) if item.id == around[0])
        yield Fault(f"/items/{index}/after", f"a cycle: {' after '.join(around)}; take one of them out")
