"""When a team's week begins: on a day and at an hour of the time zone in which most of it sits."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.lifecycle.domain.inbox.policy import DigestTerms
from services.lifecycle.domain.team.structure import Structure

_WEEK = timedelta(days=7)


def zone_of(structure: Structure) -> ZoneInfo:
    """The time zone of the largest site, of the first among equals; UTC where the team names none."""
    site = max(structure.sites, key=lambda each: each.headcount, default=None)
    try:
        return ZoneInfo(site.time_zone if site and site.time_zone else "UTC")
    except (ZoneInfoNotFoundError, ValueError):
        return ZoneInfo("UTC")


def week_of(at: datetime, zone: ZoneInfo) -> str:
    """The ISO week in which *at* falls there, such as `2026-W48`."""
    year, week, _ = at.astimezone(zone).isocalendar()
    return f"{year}-W{week:02}"


def next_digest(after: datetime, zone: ZoneInfo, terms: DigestTerms) -> datetime:
    """The first moment behind *after* at which a digest is due there."""
    local = after.astimezone(zone)
    ahead = timedelta(days=(int(terms.weekday.value) - local.isoweekday()) % 7)
    day = (local + ahead).replace(hour=int(terms.hour.value), minute=0, second=0, microsecond=0)
    due = day if day > local else day + _WEEK  # wall time: it stays the same hour when clocks are changed
    return due.astimezone(UTC)
