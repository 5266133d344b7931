"""Where an escalation goes next: from step to step until one calls somebody, waits, or there is none left."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.incidents.domain.escalation.events import Called, EscalationBegun, Passed
from services.incidents.domain.who_is_paged import Rung, unwaiting

NOWHERE: Final = (0, 0)  # the place after all passes
LOOK_AGAIN: Final = timedelta(minutes=1)  # whether somebody is on call by now: anybody may take a shift at any time


@dataclass(frozen=True, slots=True)
class Found:
    """Whom a step calls now, and who or what of it cannot be called, each with its reason."""

    people: tuple[Called, ...]
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Climbed:
    """Where it stands, what it does there, and where it goes on when.

    Args:
        round: Which pass, from 1.
        step: Which step of the plan, from 1.
        people: Who is called; nobody where it waits, or ran out of steps.
        passed: What was passed over.
        next_round: Where it goes on, with *next_step*; 0: nowhere.
        next_step: Likewise.
        due: When; None: never.
        fruitless: Whether a whole pass called nobody.
    """

    round: int
    step: int
    people: tuple[Called, ...] = ()
    passed: tuple[Passed, ...] = ()
    next_round: int = 0
    next_step: int = 0
    due: datetime | None = None
    fruitless: bool = False


def climb(
    plan: Sequence[Rung], rounds: int, place: tuple[int, int], at: datetime, find: Callable[[Rung], Found]
) -> Climbed:
    """Go on from *place* (pass and step, from 1).

    A step that calls nobody is passed over at once, but for one that waits. A further pass begins no earlier than the
    delay of the last step allows, also where that was passed over.
    """
    number, first = place
    passed: list[Passed] = []
    for step in range(first, len(plan) + 1):
        rung = plan[step - 1]
        taken_now = rung.hours.allow(rung.step.when, at)
        found = find(rung) if taken_now else Found((), (f"it is not taken now: {_when(rung)}",))
        passed += [Passed(rung.policy, rung.number, why) for why in found.missing]
        if found.people:
            further, on = (number, step + 1) if step < len(plan) else (number + 1, 1)
            if further > rounds:
                further = on = 0
            return Climbed(
                round=number,
                step=step,
                people=found.people,
                passed=tuple(passed),
                next_round=further,
                next_step=on,
                due=at + rung.step.delay,
            )
        if rung.step.wait:
            return Climbed(
                round=number,
                step=step,
                passed=tuple(passed),
                next_round=number,
                next_step=step,
                due=at + LOOK_AGAIN if taken_now else rung.hours.open(rung.step.when, at),
            )
    again = bool(plan) and number < rounds
    return Climbed(
        round=number,
        step=len(plan),
        passed=tuple(passed),
        next_round=number + 1 if again else 0,
        next_step=1 if again else 0,
        due=at + plan[-1].step.delay if again else None,
        fruitless=first == 1,
    )


def beside(rungs: Sequence[Rung], at: datetime, find: Callable[[Rung], Found]) -> Climbed:
    """The first of *rungs* that calls somebody *at* that moment; none of them is waited for."""
    return climb(unwaiting(rungs), 1, (1, 1), at, find)


def place_in(
    after: EscalationBegun, before: EscalationBegun, place: tuple[int, int], *, waits: bool
) -> tuple[int, int]:
    """Where it goes on in the plan of *after*: behind the last step that it took of the plan of *before*."""
    number, step = place
    if place == NOWHERE:
        number, step = before.rounds, len(before.plan) + 1
    elif step == 1 and number > 1 and not waits:
        number, step = number - 1, len(before.plan) + 1
    there = {(rung.side, rung.policy, rung.number): index for index, rung in enumerate(after.plan, 1)}
    taken = [there.get((rung.side, rung.policy, rung.number), 0) for rung in before.plan[: step - 1]]
    step = max(taken, default=0) + 1
    if step <= len(after.plan):
        return number, step
    return (number + 1, 1) if number < after.rounds else NOWHERE


def _when(rung: Rung) -> str:
    return "outside of business hours" if rung.step.when == "business_hours" else "in business hours"
