"""What can be asked of a silence."""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from services.incidents.domain.asked import Asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Make(Asked):
    """Keep what matches from paging anybody."""

    silence: str
    matchers: tuple[str, ...]
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class End(Asked):
    """Let it page again."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Keep an alert that matches from paging, in the same transaction: refused when it is over."""

    verb: ClassVar[str] = "hold"

    at: datetime


Command = Make | End | Hold
