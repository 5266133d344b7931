"""How long incidents took, how often they come, and when they woke whom: counted, never guessed.

What was not reached is missing, and while the incident lasts it is still open: neither is ever a 0.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from math import ceil
from statistics import fmean, median
from typing import Final, Literal

Dimension = Literal["service", "team", "severity", "priority", "phase", "cause"]
Band = Literal["business", "off_hours", "sleep"]
BANDS: Final[tuple[Band, ...]] = ("business", "off_hours", "sleep")

_WORKDAYS: Final = range(5)  # Monday to Friday
_BUSINESS: Final = range(8, 18)
_AWAKE: Final = range(8, 22)
_P90: Final = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One incident, as far as figures need it; empty: nobody said.

    Args:
        over: Whether what was not reached will not be any more.
        implied: Whether another command than acknowledging said that somebody works on it.
    """

    number: str
    service: str
    team: str
    severity: str
    priority: str
    phase: str
    cause: str
    impact_started: datetime
    detected: datetime
    acknowledged: datetime | None
    implied: bool
    mitigated: datetime | None
    resolved: datetime | None
    over: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Duration:
    """Of *n* incidents that reached it, in seconds; null: none did. *missing* never will, *still_open* may."""

    n: int
    median_s: float | None
    p90_s: float | None
    mean_s: float | None
    missing: int
    still_open: int


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFigures:
    """The figures of some incidents.

    Args:
        key: What they have in common; empty: nobody said.
        mttd: Detected after the start of the impact.
        mtta: Acknowledged by somebody who said so, after the detection.
        mtta_implied: Taken on by another command, after the detection.
        mttm: Mitigated after the start of the impact.
        mttr: Resolved after the start of the impact.
        mtbf: From one start to the next.
    """

    key: str
    incidents: int
    still_open: int
    mttd: Duration
    mtta: Duration
    mtta_implied: Duration
    mttm: Duration
    mttr: Duration
    mtbf: Duration


@dataclass(frozen=True, slots=True, kw_only=True)
class RepeatCause:
    """A class of outage that came more than once."""

    cause: str
    incidents: int
    numbers: list[str]
    services: list[str]


@dataclass(frozen=True, slots=True)
class Interruption:
    """Somebody was called; *local* is the time on their own clock, None where nobody knows their zone."""

    person: str
    local: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interruptions:
    """How often somebody was called, by the hours of their own clock."""

    key: str
    pages: int
    business: int
    off_hours: int
    sleep: int
    unknown_zone: int


def figures_by(dimension: Dimension, incidents: Iterable[Counted]) -> list[IncidentFigures]:
    """The figures of each group, by its key."""
    groups: defaultdict[str, list[Counted]] = defaultdict(list)
    for incident in incidents:
        groups[getattr(incident, dimension)].append(incident)
    return [figures_of(key, groups[key]) for key in sorted(groups)]


def figures_of(key: str, incidents: Sequence[Counted]) -> IncidentFigures:
    """The figures of *incidents*."""
    explicit = [each for each in incidents if not each.implied]
    implied = [each for each in incidents if each.implied]
    return IncidentFigures(
        key=key,
        incidents=len(incidents),
        still_open=sum(not each.over for each in incidents),
        mttd=_duration(incidents, lambda each: each.impact_started, lambda each: each.detected),
        mtta=_duration(explicit, lambda each: each.detected, lambda each: each.acknowledged),
        mtta_implied=_duration(implied, lambda each: each.detected, lambda each: each.acknowledged),
        mttm=_duration(incidents, lambda each: each.impact_started, lambda each: each.mitigated),
        mttr=_duration(incidents, lambda each: each.impact_started, lambda each: each.resolved),
        mtbf=_between(incidents),
    )


def repeat_causes(incidents: Iterable[Counted]) -> list[RepeatCause]:
    """The classes of outage that came more than once, the most frequent first."""
    found: defaultdict[str, list[Counted]] = defaultdict(list)
    for incident in incidents:
        if incident.cause:
            found[incident.cause].append(incident)
    repeated = [(cause, those) for cause, those in found.items() if len(those) > 1]
    return [
        RepeatCause(
            cause=cause,
            incidents=len(those),
            numbers=[each.number for each in sorted(those, key=lambda each: each.impact_started)],
            services=sorted({each.service for each in those}),
        )
        for cause, those in sorted(repeated, key=lambda pair: (-len(pair[1]), pair[0]))
    ]


def interruptions_of(key: str, interruptions: Iterable[Interruption]) -> Interruptions:
    """How many of *interruptions* came in which hours."""
    bands = Counter(band(each.local) if each.local else "unknown_zone" for each in interruptions)
    return Interruptions(
        key=key,
        pages=bands.total(),
        business=bands["business"],
        off_hours=bands["off_hours"],
        sleep=bands["sleep"],
        unknown_zone=bands["unknown_zone"],
    )


def band(local: datetime) -> Band:
    """Business from 8 to 18 from Monday to Friday, sleep from 22 to 8, off hours else."""
    if local.hour not in _AWAKE:
        return "sleep"
    return "business" if local.weekday() in _WORKDAYS and local.hour in _BUSINESS else "off_hours"


def _duration(
    incidents: Sequence[Counted],
    start: Callable[[Counted], datetime],
    end: Callable[[Counted], datetime | None],
) -> Duration:
    reached = [(each, at) for each in incidents if (at := end(each)) is not None]
    absent = [each for each in incidents if end(each) is None]
    missing = sum(each.over for each in absent)
    took = [(at - start(each)).total_seconds() for each, at in reached]
    return _of(took, missing, len(absent) - missing)


def _between(incidents: Sequence[Counted]) -> Duration:
    """Between the starts of incidents that came one after the other."""
    starts = sorted(each.impact_started for each in incidents)
    return _of([(later - sooner).total_seconds() for sooner, later in pairwise(starts)], 0, 0)


def _of(took: list[float], missing: int, still_open: int) -> Duration:
    ordered = sorted(took)
    return Duration(
        n=len(ordered),
        median_s=median(ordered) if ordered else None,
        p90_s=ordered[ceil(_P90 * len(ordered)) - 1] if ordered else None,  # nearest rank: one that really happened
        mean_s=fmean(ordered) if ordered else None,
        missing=missing,
        still_open=still_open,
    )
