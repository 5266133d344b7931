"""What is sent and answered about rotations."""

import re
from dataclasses import dataclass, fields
from datetime import datetime, time
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from libs.web.schemas import Body, Line, Moment, Name, Text, example
from services.incidents.domain.on_call.sides import Mixture
from services.incidents.domain.on_call.turns import Advance, Length, Rota, Shift, check_rota, shifts
from services.incidents.domain.on_call.wall_clock import checked, first_instant, wall_of, zone_named
from services.incidents.domain.on_call.windows import Weekday, Window
from services.incidents.domain.rotation.decider import Known

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
EffectiveFrom = Annotated[
    Moment | None,
    Field(
        description="Never in the past. Left out: from now on; a change of what is planned leaves it planned for when "
        "it was. Null: from now on."
    ),
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


class RotationBody(Body):
    """How people take turns; a field that is left out of a change stays as it is."""

    display_name: Line | None = None
    zone: Zone = "UTC"
    type: Annotated[Length, Field(description="The unit of `length`, on the zone's clocks.")] = "weekly"
    length: Annotated[int, Field(ge=1, le=1_000)] = 1
    start: Annotated[WallTime, Field(description="The first hand-off.")]
    participants: Annotated[tuple[Name, ...], Field(max_length=200, description="In their order.")]
    restrictions: Annotated[Windows, Field(description="When somebody is on call at all; always, if empty.")] = ()
    advance: Annotated[
        Advance, Field(description="Whether a shift without any open time is somebody's turn, or is passed over.")
    ] = "calendar"
    sides: Annotated[
        Mixture,
        Field(
            description="`both`: people of development and SRE; `alternating`: by turns; `by_phase`: those that the "
            "services of its schedules ask for."
        ),
    ] = "any"
    effective_from: EffectiveFrom = None
    reason: Text = ""

    @property
    def rota(self) -> Rota:
        """The same, for computing."""
        zone = zone_named(self.zone)
        checked(self.start, "start")
        start = wall_of(self.start, zone) if self.start.tzinfo else self.start
        windows = tuple(each.window for each in self.restrictions)
        return Rota(self.zone, self.type, self.length, start, self.participants, windows, self.advance)


_ROTATION: JsonDict = {
    "display_name": "Checkout SRE",
    "zone": "Europe/Berlin",
    "type": "weekly",
    "length": 1,
    "start": "2026-11-23T09:00",
    "participants": ["ana", "bo"],
}


class DefineRotation(RotationBody):
    """A rotation, and its name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "checkout-sre", **_ROTATION}]})

    name: Name


class ChangeRotation(RotationBody):
    """A merge patch of a rotation."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"participants": ["ana", "bo", "cleo"]}]})

    start: WallTime = datetime(1970, 1, 2)  # noqa: DTZ001  a wall time that is never read
    participants: Annotated[tuple[Name, ...], Field(max_length=200)] = ()


@dataclass(frozen=True, slots=True)
class RotationRevisionAnswer:
    """How people take turns from a moment on."""

    effective_from: datetime
    zone: str
    type: Length
    length: int
    start: datetime
    participants: tuple[str, ...]
    restrictions: tuple[Window, ...]
    advance: Advance


@dataclass(frozen=True, slots=True)
class RotationAnswer:
    """A rotation as it was last defined, and every revision of it that counts."""

    name: str
    display_name: str
    sides: Mixture
    zone: str
    type: Length
    length: int
    start: datetime
    participants: tuple[str, ...]
    restrictions: tuple[Window, ...]
    advance: Advance
    effective_from: datetime
    revisions: tuple[RotationRevisionAnswer, ...]
    ended: bool


def rotation_answer(known: Known) -> RotationAnswer:
    """A rotation as it is answered."""
    revisions = tuple(RotationRevisionAnswer(each.effective_from, **_told(each.rota)) for each in known.revisions)
    last = known.revisions[-1]
    return RotationAnswer(
        name=known.rotation,
        display_name=known.display_name,
        sides=known.sides,
        **_told(last.rota),
        effective_from=last.effective_from,
        revisions=revisions,
        ended=known.ended,
    )


def patched(known: Known, sent: ChangeRotation, now: datetime) -> RotationBody:
    """What a merge patch makes of a rotation."""
    rota, since = known.revisions[-1].rota, known.revisions[-1].effective_from
    told = _told(rota) | {"restrictions": tuple(map(window_body, rota.restrictions))}
    told |= {"display_name": known.display_name, "sides": known.sides, "reason": ""}
    told |= {"effective_from": since if since > now else None}
    held = RotationBody.model_construct(None, **told)
    return held.model_copy(update={name: getattr(sent, name) for name in sent.model_fields_set})


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


def window_body(window: Window) -> WindowBody:
    """A window as it was sent."""
    return WindowBody(days=window.days, start=window.start.isoformat(), end=window.end.isoformat())


def _told(rota: Rota) -> dict[str, Any]:
    return {field.name: getattr(rota, field.name) for field in fields(rota)}
