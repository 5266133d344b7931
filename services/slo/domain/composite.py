"""Composite SLOs: the weighted mean of their components' SLIs, nested without cycles."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from graphlib import CycleError, TopologicalSorter
from typing import Literal

from services.slo.domain.errors import CompositeCycleError, InvalidWeightError
from services.slo.domain.methods import Ratio

Missing = Literal["good", "bad", "ignore"]


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


def spent_by(components: Iterable[Component]) -> dict[str, Fraction]:
    """How much each component takes off the composite's SLI: together exactly 1 - SLI. Those left out take nothing."""
    held = [(part, value) for part in components if (value := part.value) is not None]
    weight = sum((part.weight for part, _ in held), Fraction())
    return {part.name: part.weight * (1 - value) / weight for part, value in held}


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
