"""What can happen to a source. Health is said when it changes; every single poll is telemetry."""

from dataclasses import dataclass
from datetime import datetime

from services.slo.domain.source.commands import Settings


@dataclass(frozen=True, slots=True)
class SourceDefined:
    """It is asked with these settings from now on."""

    source: str
    revision: int
    settings: Settings
    at: datetime


@dataclass(frozen=True, slots=True)
class SourceRetired:
    """It is asked no more."""

    source: str
    reason: str
    at: datetime


@dataclass(frozen=True, slots=True)
class SourceFailed:
    """It stopped giving measurements, or fails for another reason than before.

    Args:
        source: The source.
        code: What kind of fault; `source-late` when it answers and its newest minute is old.
        place: Where it is.
        detail: What happened.
        remedy: How to mend it.
        last_success: When it answered last; None for never.
        at: When.
    """

    source: str
    code: str
    place: str
    detail: str
    remedy: str
    last_success: datetime | None
    at: datetime


@dataclass(frozen=True, slots=True)
class SourceWorked:
    """It gives measurements: for the first time, or again.

    Args:
        source: The source.
        read_until: The end of the newest minute that was read.
        failed_since: When it had begun to fail; None if it had not.
        at: When.
    """

    source: str
    read_until: datetime
    failed_since: datetime | None
    at: datetime


Event = SourceDefined | SourceRetired | SourceFailed | SourceWorked
