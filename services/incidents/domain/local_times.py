"""Moments as people read them: by UTC, and by the clocks of who reads."""

from datetime import datetime, timedelta, tzinfo

_HOUR, _DAY = "%H:%M", "%a %d %b %H:%M"


def local_times(zone: tzinfo, *moments: datetime, day: bool = False) -> str:
    """*moments*, one to the other: by UTC, and by *zone* too, unless the clocks show the same there.

    With *day* each has its day; else only where that is another in *zone*.
    """
    local = [each.astimezone(zone) for each in moments]
    by_utc = _spelt(moments, _DAY if day else _HOUR)
    if all(each.utcoffset() == timedelta(0) for each in local):
        return f"{by_utc} UTC"
    other = any(mine.date() != each.date() for mine, each in zip(local, moments, strict=True))
    return f"{by_utc} UTC ({_spelt(local, _DAY if day or other else _HOUR)} {zone})"


def _spelt(moments: tuple[datetime, ...] | list[datetime], pattern: str) -> str:
    return " to ".join([each.strftime(pattern) for each in moments])
