"""What the rules of people, rotations and schedules refuse; *field* says where it stands.

OnCallError
├── NameTakenError        the name is somebody's or something's already
├── StillNeededError      others need it
├── UnknownZoneError      no such time zone
├── NoParticipantsError   a rotation, or a layer, of nobody
├── SidesMissingError     both sides are asked for, and are not there
├── NeverOpenError        a restriction that never lets anybody in
├── TimeRangeError        times that mean nothing, or too much of them
├── PastError             what has happened is not rewritten
├── OverlapError          two decisions about the same time
├── NotOnCallError        who is named is not on call then
├── NotTheirsError        it is somebody else's to decide
└── BadDefinitionError    parts of a definition that do not fit together
"""

from services.incidents.domain.errors import IncidentsError


class OnCallError(IncidentsError):
    """Anything these rules refuse."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


class NameTakenError(OnCallError):
    """The name is somebody's or something's already."""


class StillNeededError(OnCallError):
    """Others need it."""


class UnknownZoneError(OnCallError):
    """No such time zone."""


class NoParticipantsError(OnCallError):
    """A rotation, or a layer, of nobody."""


class SidesMissingError(OnCallError):
    """Both sides are asked for, and are not there."""


class NeverOpenError(OnCallError):
    """A restriction that never lets anybody in."""


class TimeRangeError(OnCallError):
    """Times that mean nothing, or too much of them."""


class PastError(OnCallError):
    """What has happened is not rewritten."""


class OverlapError(OnCallError):
    """Two decisions about the same time."""


class NotOnCallError(OnCallError):
    """Who is named is not on call then."""


class NotTheirsError(OnCallError):
    """It is somebody else's to decide."""


class BadDefinitionError(OnCallError):
    """Parts of a definition that do not fit together."""
