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
        target: The least ratio of good to total events, in [0, 1); of the first objective.
        window: Length of the window, OpenSLO short form, such as `28d`.
        method: How events become an SLI.
        document: The OpenSLO document it was read from.
        definition: What the document means, every reference followed, as `openslo.encoding` writes it.
        uses: What it refers to, directly or not, each as `SLI/checkout-answers`.
    """

    slo: str
    service: str
    display_name: str
    target: float
    window: str
    method: str
    document: Document
    definition: dict[str, object]
    uses: tuple[str, ...] = ()


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


@dataclass(frozen=True, slots=True)
class End:
    """Promise it no longer."""

    slo: str
    reason: str
    at: datetime


Command = Define | Revise | End
