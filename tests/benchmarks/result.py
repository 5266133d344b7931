"""What a benchmark says: ours, what it was measured beside, and whether the goal is met."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Result:
    """One row of the table; `value` and `reference_value` are in `unit`.

    Args:
        name: What was done.
        value: Ours.
        unit: Such as `events/s` or `ms`.
        reference: What stood beside it; empty when the goal is absolute.
        reference_value: The reference's, None without one.
        ratio: `value / reference_value`, None without a reference.
        goal: In words, such as `>= 0.6 of the reference`.
        met: Whether it is reached.
    """

    name: str
    value: float
    unit: str
    reference: str
    reference_value: float | None
    ratio: float | None
    goal: str
    met: bool


def against(name: str, value: float, unit: str, reference: str, reference_value: float, *, at_least: float) -> Result:
    """A result whose goal is a share, or a multiple, of a reference."""
    ratio = value / reference_value
    goal = f">= {at_least:g} x" if at_least > 1 else f">= {at_least:.0%}"
    return Result(name, value, unit, reference, reference_value, ratio, goal, ratio >= at_least)


def below(name: str, value: float, unit: str, *, limit: float) -> Result:
    """A result whose goal is an upper limit."""
    return Result(name, value, unit, "", None, None, f"< {limit:g} {unit}", value < limit)


def above(name: str, value: float, unit: str, *, limit: float) -> Result:
    """A result whose goal is a lower limit."""
    return Result(name, value, unit, "", None, None, f">= {limit:,g} {unit}", value >= limit)


def exactly(name: str, value: float, unit: str, *, goal: float) -> Result:
    """A result that is right or wrong."""
    return Result(name, value, unit, "", None, None, f"{goal:g} {unit}", value == goal)


def beside(name: str, value: float, unit: str, reference: str, reference_value: float) -> Result:
    """A result without a goal, to know how things stand."""
    return Result(name, value, unit, reference, reference_value, value / reference_value, "none", met=True)


async def alternate(rounds: int, *measures: Callable[[], Awaitable[float]]) -> Sequence[float]:
    """The median of each measure, taken in turns, so that a slow moment of the machine hits all of them."""
    taken: list[list[float]] = [[] for _ in measures]
    for _ in range(rounds):
        for values, measure in zip(taken, measures, strict=True):
            values.append(await measure())
    return [median(values) for values in taken]
