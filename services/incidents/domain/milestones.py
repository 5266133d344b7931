"""When an incident started, was noticed and ended, and in which order that can have been."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal, get_args

from services.incidents.domain.errors import MilestoneNotReachedError, MilestoneOrderError

Milestone = Literal["impact_started", "detected", "declared", "acknowledged", "mitigated", "resolved", "closed"]
MILESTONES: tuple[Milestone, ...] = get_args(Milestone)

# What cannot lie before what. The others only lie after the start of the impact: acknowledging often precedes
# declaring, and an incident may be declared afterwards.
_NOT_BEFORE: tuple[tuple[Milestone, Milestone], ...] = (
    *((milestone, "impact_started") for milestone in MILESTONES[1:]),
    ("resolved", "mitigated"),
    ("closed", "resolved"),
)


@dataclass(frozen=True, slots=True)
class Milestones:
    """The times of one incident; None: not reached."""

    impact_started: datetime
    detected: datetime
    declared: datetime
    acknowledged: datetime | None = None
    mitigated: datetime | None = None
    resolved: datetime | None = None
    closed: datetime | None = None


@dataclass(frozen=True, slots=True)
class Figures:
    """How long what took, in whole seconds; None: not reached, which is not 0."""

    to_detect_s: int | None = None
    to_acknowledge_s: int | None = None
    to_mitigate_s: int | None = None
    to_resolve_s: int | None = None


def begun(
    declared: datetime, impact_started: datetime | None, detected: datetime | None, reached: Collection[datetime] = ()
) -> Milestones:
    """The times of a new incident; what nobody said is taken for the earliest that is known.

    What was *reached* after the start of the impact had been noticed by then.

    Raises:
        MilestoneOrderError: One lies in the future, or they are out of order.
    """
    noticed = detected or min((declared, *(at for at in reached if not impact_started or at >= impact_started)))
    milestones = Milestones(impact_started or noticed, noticed, declared)
    _check(milestones, "detected", now=declared)
    _check(milestones, "impact_started", now=declared)
    return milestones


def corrected(
    milestones: Milestones,
    times: Mapping[Milestone, datetime],
    *,
    now: datetime,
    passed_over: Collection[Milestone] = (),
) -> Milestones:
    """*milestones* with other *times* for some that were reached, or that were *passed_over*.

    Raises:
        MilestoneNotReachedError: One is still to be reached.
        MilestoneOrderError: One would lie in the future, or out of order.
    """
    for milestone in times:
        if _time(milestones, milestone) is None and milestone not in passed_over:
            raise MilestoneNotReachedError(milestone)
    after = replace(milestones, **times)
    for milestone in times:
        _check(after, milestone, now=now)
    return after


def figures(milestones: Milestones) -> Figures:
    """How long what took: acknowledging counts from the detection, the others from the start of the impact."""
    start = milestones.impact_started
    return Figures(
        to_detect_s=_seconds(start, milestones.detected),
        to_acknowledge_s=_seconds(milestones.detected, milestones.acknowledged),
        to_mitigate_s=_seconds(start, milestones.mitigated),
        to_resolve_s=_seconds(start, milestones.resolved),
    )


def _check(milestones: Milestones, touched: Milestone, *, now: datetime) -> None:
    at = _time(milestones, touched)
    if at is not None and at > now:
        raise MilestoneOrderError(touched, f"{touched} ({at.isoformat()}) cannot lie in the future")
    for later, earlier in _NOT_BEFORE:
        if touched not in {later, earlier}:
            continue
        after, before = _time(milestones, later), _time(milestones, earlier)
        if after is not None and before is not None and after < before:
            rule = f"{later} ({after.isoformat()}) cannot lie before {earlier} ({before.isoformat()})"
            raise MilestoneOrderError(touched, rule)


def _time(milestones: Milestones, milestone: Milestone) -> datetime | None:
    return getattr(milestones, milestone)


def _seconds(start: datetime, end: datetime | None) -> int | None:
    return None if end is None else int((end - start).total_seconds())
