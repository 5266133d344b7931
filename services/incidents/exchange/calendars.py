"""A schedule as a calendar feed (RFC 5545): what the resolver says, and nothing else.

What was cancelled is not in it. Calendars that subscribe take the feed for the whole truth: an entry that is gone
goes, while one of `STATUS:CANCELLED` stays visible in some of them. Whose shift it was comes back under the UID that
it had before, with a higher `SEQUENCE`: the time of the last change that may concern it, in seconds.
"""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Final

from services.incidents.domain.on_call.roster import OnCall

_COUNTED_FROM: Final = datetime(2020, 1, 1, tzinfo=UTC)  # a SEQUENCE has 31 bits
_PRODUCT: Final = "-//Concordat//on call//EN"


def feed(name: str, display_name: str, shifts: Sequence[OnCall], changed: Callable[[OnCall], datetime]) -> bytes:
    """The feed of a schedule.

    Args:
        name: Of the schedule.
        display_name: As calendars show it.
        shifts: From the resolver.
        changed: When the last change was made that may concern a shift; it never goes back.
    """
    from icalendar import Calendar, Event  # noqa: PLC0415  takes a tenth of a second, and only feeds need it

    calendar = Calendar()
    calendar.add("prodid", _PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", display_name)
    for shift in shifts:
        event, stamp = Event(), changed(shift).astimezone(UTC).replace(microsecond=0)
        event.add("uid", uid_of(name, shift))
        event.add("sequence", int((stamp - _COUNTED_FROM).total_seconds()))
        event.add("dtstamp", stamp)
        event.add("dtstart", shift.since.astimezone(UTC))
        event.add("dtend", shift.until.astimezone(UTC))
        event.add("summary", f"{shift.person} on call: {display_name}{' (shadow)' if shift.shadow else ''}")
        event.add("description", _why(shift))
        event.add("transp", "TRANSPARENT")
        calendar.add_component(event)
    return calendar.to_ical()


def uid_of(schedule: str, shift: OnCall) -> str:
    """The same for a shift whoever has it: it stays one entry when somebody else takes it."""
    source = shift.source
    place = source.shift or source.override
    return f"{schedule}/{source.layer or source.type}/{place}/{shift.since:%Y%m%dT%H%M%SZ}@concordat"


def _why(shift: OnCall) -> str:
    source = shift.source
    by = f", by {source.type} {source.override}" if source.override else ""
    return f"layer {source.layer}, rotation {source.rotation}{by}" if source.layer else f"{source.type}{by}"
