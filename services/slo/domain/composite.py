"""Composite SLOs: the weighted mean of their components' SLIs, nested without cycles.

SLI = sum of w_i * SLI_i / sum of w_i, over the composite's window; each component's SLI is made by its own method. A
component that nothing is known of, or whose missing minutes are ignored, leaves its weight to the others.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from graphlib import CycleError, TopologicalSorter
from typing import NamedTuple

from services.slo.domain.adjustments import Excused, clipped
from services.slo.domain.error_budget import Counts
from services.slo.domain.errors import CompositeCycleError, InvalidWeightError
from services.slo.domain.methods import DEFAULT_SLICING, Method, Missing, Ratio, Slicing, Tally
from services.slo.domain.windows import Bounds


@dataclass(frozen=True, slots=True)
class Part:
    """A component as it is promised.

    Args:
        name: Of the SLO, or of the indicator that is the composite's own.
        key: What it is measured under; of an inner composite its name.
        weight: Beside the other components'.
        missing: What minutes count as in which its measurements are missing.
        delay_min: For so long they are waited for.
        method: By which its SLI is made of events.
        slicing: For the methods that slice.
        parts: Of an inner composite.
    """

    name: str
    key: str
    weight: Fraction
    missing: Missing = "ignore"
    delay_min: int = 0
    method: Method = "occurrences"
    slicing: Slicing = DEFAULT_SLICING
    parts: "tuple[Part, ...]" = ()


def leaves_of(parts: Iterable[Part], above: tuple[Part, ...] = ()) -> Iterator[tuple[Part, ...]]:
    """The components that are measured, on all levels: each the last of those that lead to it."""
    for part in parts:
        if part.parts:
            yield from leaves_of(part.parts, (*above, part))
        else:
            yield (*above, part)


@dataclass(frozen=True, slots=True)
class Component:
    """One SLO in a composite, over the composite's window.

    Args:
        name: Of the SLO.
        weight: Beside the other components'; above 0.
        sli: By its own method; an inner composite's is what `composite_sli` gave.
        observed_min: Minutes of the window with measurements.
        missing_min: Minutes of the window in which measurements were expected and none came. Those younger than the
            delay are left out: one waits for them.
        missing: What the missing minutes count as. *ignore*: the component is judged by what was observed, or left out.

    Raises:
        InvalidWeightError: The weight is not above 0.
    """

    name: str
    weight: Fraction
    sli: Ratio
    observed_min: int
    missing_min: int = 0
    missing: Missing = "ignore"

    def __post_init__(self) -> None:
        if self.weight <= 0:
            raise InvalidWeightError(self.name, self.weight)

    @property
    def value(self) -> Fraction | None:
        """Its SLI, missing minutes included as if they had the traffic of the observed ones; None: left out.

        With m missing and o observed minutes, N/o events a minute: (G + x*m*N/o) / (N + m*N/o) = (SLI*o + x*m)/(o + m),
        x = 1 for *good* and 0 for *bad*. So a component does not fall at once when its data stops, but as time passes.
        """
        good, total = self.sli
        if self.missing == "ignore" or self.missing_min == 0:
            return Fraction(good, total) if total else None
        observed = self.observed_min if total else 0
        seen = Fraction(good, total) * observed if total else Fraction()
        return (seen + (self.missing_min if self.missing == "good" else 0)) / (observed + self.missing_min)


def composite_sli(components: Iterable[Component]) -> Ratio:
    """The composite's SLI; undefined (denominator 0) if every component is left out."""
    held = [(part.weight, value) for part in components if (value := part.value) is not None]
    weight = sum((weight for weight, _ in held), Fraction())
    if not weight:
        return 0, 0
    mean = sum((weight * value for weight, value in held), Fraction()) / weight
    return mean.numerator, mean.denominator


def spent_by(components: Iterable[Component]) -> list[Fraction]:
    """How much each component takes off the composite's SLI: together exactly 1 - SLI. Those left out take nothing."""
    values = [(part.weight, part.value) for part in components]
    weight = sum((weight for weight, value in values if value is not None), Fraction())
    return [Fraction() if value is None else part * (1 - value) / weight for part, value in values]


def order(components: Mapping[str, Iterable[str]]) -> tuple[str, ...]:
    """The composites such that each comes after those it contains.

    Args:
        components: Per composite, the names of its components.

    Raises:
        CompositeCycleError: One contains itself, maybe through others.
    """
    graph = TopologicalSorter({name: sorted(components[name]) for name in sorted(components)})
    try:
        return tuple(name for name in graph.static_order() if name in components)
    except CycleError as error:
        raise CompositeCycleError(tuple(reversed(error.args[1]))) from error


def asked(part: Part, excuses: Excused, windows: Iterable[range]) -> list[range]:
    """What the tally of the leaf *part* is asked about for *windows*."""
    windows = list(windows)
    if part.missing == "ignore":
        return windows
    more: list[range] = []
    for window in windows:
        waited = window.stop - part.delay_min
        more += (range(waited, window.stop), range(min(window.start, waited), waited))
        more += clipped(excuses.good, window)
    return windows + more


def composed(parts: Iterable[Part], measured: Iterable[tuple[Tally, int]]) -> "Composite":
    """The composite of *parts*; *measured* has tally and first observed minute of each of `leaves_of`."""
    return Composite(tuple(_nodes(parts, iter(measured))))


@dataclass(frozen=True, slots=True)
class Leaf:
    """A component that is measured.

    Args:
        part: As it is promised.
        tally: What its measurements sum up to.
        first: Its first observed minute; after all windows if there is none.
        doubted: Whether it counts as good, as far as anything is known of it.
    """

    part: Part
    tally: Tally
    first: int
    doubted: bool = False

    def component(self, window: range, closed: range) -> Component:
        """It in *window*, of which *closed* are the minutes that have ended."""
        part, tally = self.part, self.tally
        sli = tally.sli(window if part.method == "occurrences" else closed)
        observed = missing = 0
        if part.missing != "ignore":
            observed, missing = tally.counts(window).observed, self._missing(window)
        found = Component(part.name, part.weight, sli, observed, missing, part.missing)
        return Component(part.name, part.weight, (1, 1), 0) if self.doubted and found.value is not None else found

    def counted(self, window: range) -> Counts:
        """What *window* holds of it; missing minutes that count are as good as observed."""
        good, total = self.tally.sli(window)
        missing = 0 if self.part.missing == "ignore" else self._missing(window)
        return Counts(good, total, self.tally.counts(window).observed + missing)

    def _missing(self, window: range) -> int:
        """How many minutes of *window* are missing when it ends, besides those that adjustments cover.

        Measurements are expected from the first on, or all the time if there was none. The minutes of the delay before
        the end are waited for, unless all of them are silent: then nothing came for longer than that.
        """
        tally, waited = self.tally, window.stop - self.part.delay_min
        silent = not tally.counts(range(waited, window.stop)).observed
        seen = range(window.start, window.stop if silent else waited)
        due = range(max(window.start, self.first), seen.stop) if self.first < window.stop else seen
        excused = sum(len(each) for each in clipped(tally.excuses.good, due))
        came = tally.counts(seen).observed - sum(
            tally.counts(each).observed for each in clipped(tally.excuses.good, seen)
        )
        return tally.excuses.expected(due) - excused - came


@dataclass(frozen=True, slots=True)
class Inner:
    """A component that is a composite itself: it says itself what is missing, and is missing if it is undefined."""

    part: Part
    nodes: "tuple[Node, ...]"

    def component(self, window: range, closed: range) -> Component:
        """It in *window*; see `Leaf`."""
        sli = composite_sli([node.component(window, closed) for node in self.nodes])
        missing = 0 if sli[1] else len(window)
        return Component(self.part.name, self.part.weight, sli, 0, missing, self.part.missing)


Node = Leaf | Inner


@dataclass(frozen=True)
class Composite:
    """What answers for windows of a composite, from the tallies of its components; see `assessment.Measurable`."""

    nodes: tuple[Node, ...]

    @cached_property
    def leaves(self) -> Mapping[str, Leaf]:
        """The components that are measured, by what they are measured under: each once, wherever it is contained."""
        return {leaf.part.key: leaf for leaf in _leaves(self.nodes)}

    def components(self, window: range, closed: range | None = None) -> list[Component]:
        """Its components in *window*; see `Leaf.component`."""
        return [node.component(window, window if closed is None else closed) for node in self.nodes]

    def counts(self, window: range) -> Counts:
        """The events in the minutes of *window*, of all components together."""
        return sum((leaf.tally.counts(window) for leaf in self.leaves.values()), Counts())

    def sli(self, window: range) -> Ratio:
        """The SLI of the minutes in *window*."""
        return composite_sli(self.components(window))

    def judged(self, passed: Bounds) -> Ratio:
        """The SLI of the time that has passed of a window."""
        return composite_sli(self.components(passed.minutes, passed.closed_minutes))

    def expected(self, window: range) -> int:
        """How many minutes of *window* are expected to be observed, of all components together."""
        return sum(leaf.tally.expected(window) for leaf in self.leaves.values())

    def spent(self, window: range) -> Counts:
        """The SLI of *window* as counts: only their ratio means something. Observed minutes are those of `counts`."""
        good, total = self.sli(window)
        return Counts(good, total, self.counts(window).observed)

    def doubting(self, doubted: Callable[[Leaf], bool]) -> "Composite":
        """The composite in which those components that are *doubted* count as good, as far as anything is known."""
        return Composite(_doubting(self.nodes, doubted))


def _nodes(parts: Iterable[Part], measured: Iterator[tuple[Tally, int]]) -> Iterator[Node]:
    for part in parts:
        yield Inner(part, tuple(_nodes(part.parts, measured))) if part.parts else Leaf(part, *next(measured))


def _leaves(nodes: Iterable[Node]) -> Iterator[Leaf]:
    for node in nodes:
        if isinstance(node, Leaf):
            yield node
        else:
            yield from _leaves(node.nodes)


class Weighed(NamedTuple):
    """A component that is measured: under which name, its sums, and its share in a composite's SLI."""

    key: str
    tally: Tally
    share: Fraction


def weighed(tally: Tally | Composite, window: range, closed: range | None = None) -> list[Weighed]:
    """The components that are measured, and what each weighs in the SLI of *window*; see `Leaf.component`.

    What they lack of 1, so weighed, is what the composite lacks, but for what missing minutes take off. An SLO that is
    no composite is its own component, without a name.
    """
    if isinstance(tally, Tally):
        return [Weighed("", tally, Fraction(1))]
    return list(_shares(tally.nodes, window, window if closed is None else closed, Fraction(1)))


def _doubting(nodes: Iterable[Node], doubted: Callable[[Leaf], bool]) -> tuple[Node, ...]:
    return tuple(
        [
            Inner(node.part, _doubting(node.nodes, doubted))
            if isinstance(node, Inner)
            else replace(node, doubted=doubted(node))
            for node in nodes
        ]
    )


def _shares(nodes: Sequence[Node], window: range, closed: range, whole: Fraction) -> Iterator[Weighed]:
    held = [(node, part) for node in nodes if (part := node.component(window, closed)).value is not None]
    weight = sum((part.weight for _, part in held), Fraction())
    for node, part in held:
        share = whole * part.weight / weight
        if isinstance(node, Inner):
            if part.sli[1]:
                yield from _shares(node.nodes, window, closed, share)
        elif part.sli[1]:
            minutes = part.observed_min + part.missing_min
            seen = Fraction(part.observed_min, minutes) if part.missing_min else 1
            yield Weighed(node.part.key, node.tally, share * seen)
