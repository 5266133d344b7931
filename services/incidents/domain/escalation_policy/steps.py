"""What a policy says: its steps, whom each calls, and when."""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final, Literal
from zoneinfo import ZoneInfo

from services.incidents.domain.on_call.wall_clock import first_instant

TargetKind = Literal["schedule", "person", "team"]
When = Literal["always", "business_hours", "off_hours"]
Side = Literal["dev", "sre"]

_AHEAD: Final = [timedelta(days=days) for days in range(366)]


@dataclass(frozen=True, slots=True)
class Target:
    """Whom a step calls: who is on call in a schedule, one person, or everybody of a team."""

    kind: TargetKind
    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """One call.

    Args:
        targets: Who is called, all of them at once.
        delay: How long they have before the next step, counted from this one's start.
        when: In which hours it is taken; in others it is passed over.
        wait: Whether it waits until somebody is on call, and until its hours begin, instead of being passed over.
    """

    targets: tuple[Target, ...]
    delay: timedelta
    when: When = "always"
    wait: bool = False


@dataclass(frozen=True, slots=True)
class Hours:
    """Business hours: on *days* (0 is Monday) but *holidays*, from *begin* until *end*, by the clocks of *zone*."""

    zone: str = "UTC"
    days: tuple[int, ...] = (0, 1, 2, 3, 4)
    begin: time = time(9)
    end: time = time(18)
    holidays: tuple[date, ...] = ()

    def hold(self, at: datetime) -> bool:
        """Whether *at* lies in them."""
        local = at.astimezone(ZoneInfo(self.zone))
        return self._works(local.date()) and self.begin <= local.time() < self.end

    def allow(self, when: When, at: datetime) -> bool:
        """Whether a step that is taken *when* is taken *at*."""
        return when == "always" or self.hold(at) == (when == "business_hours")

    def open(self, when: When, at: datetime) -> datetime:
        """When a step is taken next that is taken *when*, and not *at*; a year later where that is never."""
        zone, edge = ZoneInfo(self.zone), self.begin if when == "business_hours" else self.end
        today = at.astimezone(zone).date()
        for day in map(today.__add__, _AHEAD):
            moment = first_instant(datetime.combine(day, edge), zone)
            if self._works(day) and moment > at:
                return moment
        return at + _AHEAD[-1]

    def _works(self, day: date) -> bool:
        return day.weekday() in self.days and day not in self.holidays


OFFICE: Final = Hours()


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """All that a policy says.

    Args:
        display_name: What people call it.
        team: Whose it is.
        default: Whether the services of its team are paged by it unless they name another.
        steps: In order.
        repeat: How often all of it is done again.
        acknowledgement_timeout: After so long without a sign of life an acknowledged incident pages again.
        then: The policy that goes on when all steps were taken in vain; empty: none.
        hours: What its steps mean by business hours.
    """

    display_name: str
    team: str
    default: bool = True
    steps: tuple[Step, ...]
    repeat: int = 0
    acknowledgement_timeout: timedelta | None = None
    then: str = ""
    hours: Hours = OFFICE
