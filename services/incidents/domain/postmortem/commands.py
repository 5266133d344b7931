"""What can be asked of a postmortem."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from services.incidents.domain.asked import Asked
from services.incidents.domain.incident.decider import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft(Asked):
    """Begin one from what is known of an incident at *incident_version* of its stream."""

    postmortem: str
    incident: Record
    incident_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Amend(Asked):
    """Let some of its sections say something else, or name other authors."""

    verb: ClassVar[str] = "amend"
    sections: Mapping[str, str]
    authors: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddAction(Asked):
    """An action item follows from it."""

    action: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Submit(Asked):
    """Ask others to read it."""

    verb: ClassVar[str] = "submit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish(Asked):
    """Let everybody learn from it."""

    verb: ClassVar[str] = "publish"


Command = Draft | Amend | AddAction | Submit | Publish
