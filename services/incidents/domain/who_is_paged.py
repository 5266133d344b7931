"""Who is paged for a service follows its phase: which sides, in which order, and how loudly.

The order is the on-call column of the table of phases (lifecycle: primary / backup).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from services.incidents.domain.escalation_policy.steps import OFFICE, Content, Hours, Side, Step
from services.incidents.domain.incident.terms import Severity

SEVERE: Final = frozenset({"sev1", "sev2"})  # these call the developers' side too
CRITICAL: Final = "sev1"  # what the SRE side of an abandoned service is asked for, as best it can

_QUIET: Final = {
    "architecture_and_design": "it is being designed: nobody is on call, its owner is told quietly",
    "active_development": "it is being developed: its owner is told quietly",
}
_SHARED: Final = {
    "limited_availability": "in limited availability SRE is called first, then the developers",
    "general_availability": "in general availability SRE is called first, then the developers",
    "deprecation": "in deprecation SRE is called first, then the developers",
}


@dataclass(frozen=True, slots=True)
class Order:
    """Who is paged.

    Args:
        sides: One after the other.
        together: Those of them that are called at once too, whoever takes the incident on.
        quiet: Whether they are told once, at the urgency of a message.
        why: In a sentence.
    """

    sides: tuple[Side, ...]
    together: tuple[Side, ...]
    quiet: bool
    why: str


def order_of(phase: str, severity: Severity, *, engaged: bool) -> Order:
    """Who is paged for a service in *phase*; *engaged*: an SRE team works for it."""
    if phase in _QUIET:
        return Order(("dev",), (), quiet=True, why=_QUIET[phase])
    if phase == "unsupported":
        return Order((), (), quiet=False, why="it is unsupported: nobody is paged for it")
    if phase == "abandoned":
        helped = engaged and severity == CRITICAL
        why = "it is abandoned: the developers are called"
        return Order(
            ("dev", "sre") if helped else ("dev",),
            (),
            quiet=False,
            why=f"{why}, then SRE as best it can, because it is critical" if helped else why,
        )
    if not engaged:
        return Order(("dev",), (), quiet=False, why="no SRE team works for it: the developers are called")
    severe = severity in SEVERE
    why = _SHARED.get(phase, "SRE is called first, then the developers")
    return Order(
        ("sre", "dev"),
        ("dev",) if severe else (),
        quiet=False,
        why=f"{why}; {severity} calls the developers at once too" if severe else why,
    )


@dataclass(frozen=True, slots=True)
class Rung:
    """A step of a policy, as an escalation takes it; *number* counts from 1 in its policy."""

    side: Side
    policy: str
    number: int
    step: Step
    hours: Hours = OFFICE


Chain = Sequence[tuple[str, Content]]  # a policy and those that go on after it, by name


def ladder(sides: Sequence[Side], policies: Mapping[Side, Chain]) -> tuple[Rung, ...]:
    """The rungs of all *sides*, one after the other."""
    return tuple(
        Rung(side, name, number, step, content.hours)
        for side in sides
        for name, content in policies.get(side, ())
        for number, step in enumerate(content.steps, 1)
    )


def unwaiting(rungs: Sequence[Rung]) -> tuple[Rung, ...]:
    """*rungs* that are passed over where nobody can be called at once."""
    return tuple(replace(rung, step=replace(rung.step, wait=False)) for rung in rungs)
