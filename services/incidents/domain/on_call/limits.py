"""How much being on call may cost: numbers with their sources, and who is beyond them.

SRE book: Google, "Site Reliability Engineering", ch. 11, "Being On-Call".
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from statistics import fmean

from services.incidents.domain.on_call.load import HOUR, Member, Share, at_once, shares_of
from services.incidents.domain.on_call.roster import OnCall
from services.incidents.domain.on_call.spans import Span, cut, joined


@dataclass(frozen=True, slots=True)
class Limit:
    """A number, and why it is that."""

    most: float
    source: str


@dataclass(frozen=True, slots=True)
class Least:
    """As `Limit`, of what must not be less."""

    least: float
    source: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OnCallPolicy:
    """The limits.

    Args:
        version: Of these numbers.
        window_days: How far ahead plans are looked at.
        share: Of all time, for one person.
        incidents_per_shift: In each *shift_hours* of a shift.
        shift_hours: What counts as one shift.
        people_at_one_site: In a rota of one site.
        people_at_each_of_two_sites: In a rota of two.
        nights: Of one person, against the mean of all.
        weekends: The same of days at weekends.
        shift_length_hours: Without relief.
        rest_hours: Between two shifts of one person.
        schedules_at_once: By which one person is on call at the same moment.
    """

    version: str
    window_days: int
    share: Limit
    incidents_per_shift: Limit
    shift_hours: Limit
    people_at_one_site: Least
    people_at_each_of_two_sites: Least
    nights: Limit
    weekends: Limit
    shift_length_hours: Limit
    rest_hours: Least
    schedules_at_once: Limit


@dataclass(frozen=True, slots=True, order=True)
class Breach:
    """Something beyond its limit; *subject* is a person, a shift, a service, or empty: the schedule itself."""

    limit: str
    subject: str
    value: float
    allowed: float
    detail: str
    source: str


def breaches(
    policy: OnCallPolicy, duty: Sequence[OnCall], members: Mapping[str, Member], start: datetime, until: datetime
) -> list[Breach]:
    """What a plan between two moments asks too much; of who is in it, *duty* tells the time by other schedules too."""
    if not members:
        return []
    shares = shares_of(duty, members, start, until)
    found = [*_too_few(policy, members), *_too_much(policy, shares, start, until)]
    for name, allowed in (("nights", policy.nights), ("weekends", policy.weekends)):
        found += _uneven(name, allowed, {person: getattr(share, name) for person, share in shares.items()})
    for person in shares:
        theirs = [each for each in duty if each.person == person and not each.shadow]
        found += _too_long(policy, person, joined(Span(each.since, each.until) for each in theirs))
        found += _too_many(policy, person, theirs)
    return sorted(found)


def of_shift(policy: OnCallPolicy, shift: str, lasts: timedelta, incidents: int) -> Breach | None:
    """Whether a shift had more incidents than leave time to follow them up."""
    worth = max(lasts / (policy.shift_hours.most * HOUR), 1.0)
    allowed = policy.incidents_per_shift.most * worth
    if incidents <= allowed:
        return None
    detail = f"{incidents} incidents in {lasts / HOUR:.1f} hours; remove the causes of the most frequent ones"
    return Breach("incidents_per_shift", shift, incidents, round(allowed, 2), detail, policy.incidents_per_shift.source)


def _too_few(policy: OnCallPolicy, members: Mapping[str, Member]) -> Iterator[Breach]:
    alone, together = policy.people_at_one_site, policy.people_at_each_of_two_sites
    sites = Counter(member.site for member in members.values())
    if max(sites.values()) >= alone.least or sum(count >= together.least for count in sites.values()) > 1:
        return
    told = ", ".join(f"{count} at {site or 'no site'}" for site, count in sorted(sites.items()))
    detail = f"{told}; have {alone.least:g} people at one site, or {together.least:g} at each of two"
    yield Breach("people", "", len(members), alone.least, detail, alone.source)


def _too_much(policy: OnCallPolicy, shares: Mapping[str, Share], start: datetime, until: datetime) -> Iterator[Breach]:
    for person, share in shares.items():
        part = share.hours / ((until - start) / HOUR)
        if part > policy.share.most:
            detail = f"{person} is on call {part:.0%} of the time; add people to the rotation"
            yield Breach("share", person, round(part, 4), policy.share.most, detail, policy.share.source)


def _uneven(name: str, limit: Limit, counts: Mapping[str, int]) -> Iterator[Breach]:
    mean = fmean(counts.values())
    for person, count in counts.items():
        if count > limit.most * mean and count - mean >= 1:
            detail = f"{person} has {count} {name}, the mean is {mean:.1f}; let others take some"
            yield Breach(name, person, count, round(limit.most * mean, 2), detail, limit.source)


def _too_long(policy: OnCallPolicy, person: str, spans: Sequence[Span]) -> Iterator[Breach]:
    longest = max((span.lasts / HOUR for span in spans), default=0.0)
    if longest > policy.shift_length_hours.most:
        detail = f"{person} is on call for {longest:.0f} hours without relief; hand over in between"
        allowed = policy.shift_length_hours
        yield Breach("shift_length", person, round(longest, 2), allowed.most, detail, allowed.source)
    shortest = min(((other.start - one.end) / HOUR for one, other in pairwise(spans)), default=policy.rest_hours.least)
    if shortest < policy.rest_hours.least:
        detail = f"{person} has {shortest:.1f} hours between two shifts; let somebody else take one"
        allowed = policy.rest_hours
        yield Breach("rest", person, round(shortest, 2), allowed.least, detail, allowed.source)


def _too_many(policy: OnCallPolicy, person: str, theirs: Sequence[OnCall]) -> Iterator[Breach]:
    allowed = policy.schedules_at_once
    spans = at_once(theirs, allowed.most)
    if spans:
        by = sorted({each.schedule for each in theirs if any(cut(Span(each.since, each.until), spans))})
        hours = sum((span.lasts for span in spans), timedelta()) / HOUR
        detail = f"{person} is on call by {' and '.join(by)} at once, for {hours:.0f} hours; let others take some"
        yield Breach("schedules_at_once", person, len(by), allowed.most, detail, allowed.source)
