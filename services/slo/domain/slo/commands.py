"""What one can ask of an SLO."""

from dataclasses import dataclass
from datetime import datetime

Document = dict[str, object]


@dataclass(frozen=True, slots=True)
class Promise:
    """What an SLO says.

    Args:
        slo: Its name.
        service: Whose reliability it is about.
        display_name: What people read; may be empty.
        target: The least ratio of good to total events, in [0, 1).
        window: Length of the rolling window, OpenSLO short form, such as `28d`.
        method: How events become an SLI; `Occurrences` in this version.
        document: The OpenSLO document it was read from.
    """

    slo: str
    service: str
    display_name: str
    target: float
    window: str
    method: str
    document: Document


@dataclass(frozen=True, slots=True)
class Define:
    """Promise something new."""

    promise: Promise
    at: datetime


@dataclass(frozen=True, slots=True)
class Revise:
    """Promise it, whether or not something was promised before under this name."""

    promise: Promise
    at: datetime


Command = Define | Revise
