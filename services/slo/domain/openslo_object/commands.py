"""What one can ask of an OpenSLO object."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Store:
    """Keep the document, whether or not something was kept before under this name.

    Args:
        kind: Such as `SLI`.
        name: Unique among objects of its kind.
        document: As it came in.
        uses: What it refers to, directly or not, each as `DataSource/prometheus`.
        at: When.
    """

    kind: str
    name: str
    document: dict[str, object]
    uses: tuple[str, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Remove:
    """Keep it no longer as something that can be referred to."""

    kind: str
    name: str
    reason: str
    at: datetime


Command = Store | Remove
