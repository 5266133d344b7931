"""What is sent to the process that forecasts, and what it answers; a line of JSON each."""

from dataclasses import dataclass
from datetime import date

from services.lifecycle.domain.capacity.events import ForecastMade, ForecastRefused


@dataclass(frozen=True, slots=True)
class Task:
    """A history: the highest demand of each day from *first* on, null where it was not measured."""

    service: str
    first: date
    days: tuple[float | None, ...]
    imports: int
    least_days: int
    most_gaps: float
    most_error: float


@dataclass(frozen=True, slots=True)
class Found:
    """What became of it: one of the two."""

    made: ForecastMade | None = None
    refused: ForecastRefused | None = None
