"""What is sent and answered about rotations."""

import re
from dataclasses import dataclass
from datetime import datetime, time
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from libs.web.schemas import Body, example
from services.incidents.domain.on_call.turns import Advance, Length, Rota, Shift, check_rota, shifts
from services.incidents.domain.on_call.wall_clock import checked, first_instant, wall_of, zone_named
from services.incidents.domain.on_call.windows import Weekday, Window

_TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d.*", re.ASCII)


def _moment(said: object) -> datetime:
    try:
        if not isinstance(said, str) or not _TIME.fullmatch(said):
            raise ValueError  # noqa: TRY301  said once below
        return datetime.fromisoformat(said)
    except ValueError:
        kind, message = "time", "use a time such as 2026-11-21T09:00 (on the zone's clocks) or 2026-11-21T09:00:00Z"
        raise PydanticCustomError(kind, message) from None


Clock = Annotated[str, StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9])?$")]
WallTime = Annotated[
    datetime, BeforeValidator(_moment), WithJsonSchema({"type": "string", "examples": ["2026-11-23T09:00"]})
]
Zone = Annotated[str, Field(min_length=1, max_length=64)]


class WindowBody(Body):
    """Open every week; one that ends before it starts belongs to the day on which it starts."""

    days: Annotated[tuple[Weekday, ...], Field(max_length=7)]
    start: Clock
    end: Annotated[Clock, Field(description="The same as `start`: a whole day.")]

    @property
    def window(self) -> Window:
        """The same, for computing."""
        return Window(self.days, time.fromisoformat(self.start), time.fromisoformat(self.end))


Windows = Annotated[tuple[WindowBody, ...], Field(max_length=50)]


class PreviewRotation(Body):
    """A rotation that is not stored, and the time to look at."""

    model_config = example(
        **{
            "zone": "America/Chicago",
            "type": "hourly",
            "length": 24,
            "start": "2020-10-30T01:30",
            "participants": ["ana", "bo"],
            "restrictions": [{"days": ["monday"], "start": "20:00", "end": "08:00"}],
            "from": "2020-10-30T01:00",
            "until": "2020-11-03T01:00",
        }
    )

    zone: Zone
    type: Length
    length: Annotated[int, Field(ge=1, le=10_000)]
    start: WallTime
    participants: Annotated[tuple[Annotated[str, Field(max_length=200)], ...], Field(max_length=1_000)]
    restrictions: Windows = ()
    advance: Advance = "calendar"
    from_: Annotated[WallTime, Field(alias="from")]
    until: WallTime

    @property
    def shifts(self) -> list[Shift]:
        """What follows from it.

        Raises:
            OnCallError: It means nothing.
        """
        zone = zone_named(self.zone)
        start = moment_of(self.start, zone, "start")
        rota = Rota(
            self.zone,
            self.type,
            self.length,
            wall_of(start, zone) if self.start.tzinfo else self.start,
            self.participants,
            tuple(each.window for each in self.restrictions),
            self.advance,
        )
        check_rota(rota)
        return list(shifts(rota, moment_of(self.from_, zone, "from"), moment_of(self.until, zone, "until")))


@dataclass(frozen=True, slots=True)
class PreviewedShift:
    """A shift; its ends are told with the offsets of the zone."""

    participant: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Preview:
    """Computed shifts, in order."""

    shifts: tuple[PreviewedShift, ...]


def preview_of(body: PreviewRotation) -> Preview:
    """What is answered to a preview.

    Raises:
        OnCallError: It means nothing; says where, and what to do.
    """
    found, zone = body.shifts, zone_named(body.zone)
    return Preview(
        tuple(
            PreviewedShift(each.participant, each.start.astimezone(zone), each.end.astimezone(zone)) for each in found
        )
    )


def moment_of(said: datetime, zone: ZoneInfo, field: str) -> datetime:
    """A moment from a time that may be one on the clocks of *zone*.

    Raises:
        TimeRangeError: It is too far away.
    """
    checked(said, field)
    return first_instant(said, zone) if said.tzinfo is None else said
