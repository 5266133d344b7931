"""What is sent and answered about schedules."""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Any

from pydantic import ConfigDict, Field
from pydantic.config import JsonDict

from libs.web.schemas import Body, Line, Name, Text
from services.incidents.api.rotation_schemas import EffectiveFrom, Windows, Zone, window_body
from services.incidents.domain.on_call.roster import Layer, OnCall, ScheduleRevision, Sides
from services.incidents.domain.on_call.spans import Span
from services.incidents.domain.on_call.windows import Window
from services.incidents.domain.schedule.state import Known


class LayerBody(Body):
    """A rotation in a schedule."""

    name: Name
    rotation: Name
    priority: Annotated[
        int, Field(ge=-100, le=100, description="A layer is cut by higher ones; equal ones stand beside each other.")
    ] = 0
    restrictions: Annotated[Windows, Field(description="When it is in force; always, if empty.")] = ()
    shadow: Annotated[bool, Field(description="Its people see the pages without the duty.")] = False

    @property
    def layer(self) -> Layer:
        """The same, for computing."""
        windows = tuple(each.window for each in self.restrictions)
        return Layer(self.name, self.rotation, self.priority, windows, self.shadow)


class ScheduleBody(Body):
    """Who is on call for which services; a field that is left out of a change stays as it is."""

    display_name: Line | None = None
    zone: Annotated[Zone, Field(description="On whose clock restrictions and off-duty hours are.")] = "UTC"
    services: Annotated[tuple[Name, ...], Field(max_length=200)] = ()
    layers: Annotated[tuple[LayerBody, ...], Field(max_length=50)]
    off_duty: Annotated[Windows, Field(description="When nobody needs to be on call: no gaps then.")] = ()
    sides: Annotated[
        Sides,
        Field(
            description="At every moment: `both`, development and SRE; `by_phase`, those that its services ask for by "
            "their phase and engagement."
        ),
    ] = "any"
    managers: Annotated[
        tuple[Name, ...], Field(max_length=50, description="Who approves swaps; any third person, if empty.")
    ] = ()
    effective_from: EffectiveFrom = None
    reason: Text = ""

    def revision(self, now: datetime) -> ScheduleRevision:
        """The same, for computing."""
        return ScheduleRevision(
            self.zone,
            self.services,
            tuple(each.layer for each in self.layers),
            tuple(each.window for each in self.off_duty),
            self.sides,
            self.managers,
            self.effective_from or now,
        )


_SCHEDULE: JsonDict = {
    "display_name": "Checkout",
    "zone": "Europe/Berlin",
    "services": ["checkout-api"],
    "layers": [{"name": "primary", "rotation": "checkout-sre"}, {"name": "secondary", "rotation": "checkout-dev"}],
    "sides": "both",
}


class DefineSchedule(ScheduleBody):
    """A schedule, and its name."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"name": "checkout", **_SCHEDULE}]})

    name: Name


class ChangeSchedule(ScheduleBody):
    """A merge patch of a schedule; lists are sent whole."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"services": ["checkout-api", "search-api"]}]})

    layers: Annotated[tuple[LayerBody, ...], Field(max_length=50)] = ()


@dataclass(frozen=True, slots=True)
class ScheduleRevisionAnswer:
    """A schedule as it is from a moment on."""

    effective_from: datetime
    zone: str
    services: tuple[str, ...]
    layers: tuple[Layer, ...]
    off_duty: tuple[Window, ...]
    sides: Sides
    managers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ScheduleAnswer:
    """A schedule as it was last defined, and every revision of it that counts."""

    name: str
    display_name: str
    zone: str
    services: tuple[str, ...]
    layers: tuple[Layer, ...]
    off_duty: tuple[Window, ...]
    sides: Sides
    managers: tuple[str, ...]
    effective_from: datetime
    revisions: tuple[ScheduleRevisionAnswer, ...]
    has_calendar: bool
    ended: bool


@dataclass(frozen=True, slots=True)
class SourceAnswer:
    """Why somebody is on call.

    Args:
        type: `rotation`, or the kind of override.
        layer: Whose turn it is, or was before somebody took it.
        rotation: Of that layer.
        shift: Of that rotation, by the moment of its hand-off.
        override: The one that put them there; empty when none did.
    """

    type: str
    layer: str
    rotation: str
    shift: str
    override: str


@dataclass(frozen=True, slots=True)
class ShiftAnswer:
    """Somebody on call, from when until when, and why; a shadow sees the pages without the duty."""

    shift: str
    person: str
    start: datetime
    end: datetime
    shadow: bool
    source: SourceAnswer


@dataclass(frozen=True, slots=True)
class OnCallAnswer:
    """Who is on call at a moment, and who is next."""

    schedule: str
    at: datetime
    on_call: tuple[ShiftAnswer, ...]
    next: tuple[ShiftAnswer, ...]


@dataclass(frozen=True, slots=True)
class Shifts:
    """Who is on call, in order, and when nobody is although somebody should be."""

    schedule: str
    shifts: tuple[ShiftAnswer, ...]
    gaps: tuple[Span, ...]


def schedule_answer(known: Known) -> ScheduleAnswer:
    """A schedule as it is answered."""
    revisions = tuple(ScheduleRevisionAnswer(**_shallow(each)) for each in known.revisions)
    return ScheduleAnswer(
        name=known.schedule,
        display_name=known.display_name,
        **_shallow(known.revisions[-1]),
        revisions=revisions,
        has_calendar=bool(known.token),
        ended=known.ended,
    )


def patched(known: Known, sent: ChangeSchedule, now: datetime) -> ScheduleBody:
    """What a merge patch makes of a schedule."""
    told = _shallow(known.revisions[-1])
    layers = (
        LayerBody.model_construct(None, **_shallow(each) | {"restrictions": tuple(map(window_body, each.restrictions))})
        for each in known.revisions[-1].layers
    )
    told |= {"layers": tuple(layers), "off_duty": tuple(map(window_body, told["off_duty"]))}
    told |= {"display_name": known.display_name, "reason": ""}
    told |= {"effective_from": None if told["effective_from"] <= now else told["effective_from"]}
    held = ScheduleBody.model_construct(None, **told)
    return held.model_copy(update={name: getattr(sent, name) for name in sent.model_fields_set})


def shift_answer(each: OnCall) -> ShiftAnswer:
    """A stretch as it is answered."""
    why = each.source
    source = SourceAnswer(why.type, why.layer, why.rotation, why.shift, why.override)
    return ShiftAnswer(each.shift, each.person, each.since, each.until, each.shadow, source)


def _shallow(told: ScheduleRevision | Layer) -> dict[str, Any]:
    return {field.name: getattr(told, field.name) for field in fields(told)}
