"""What was promised when: the revision that was in force, as the arithmetic reads it."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from libs.events.resources import Resources
from services.slo.contract import SLO
from services.slo.domain.assessment import Terms
from services.slo.domain.burn_rate import duration
from services.slo.domain.errors import NoSuchSloError
from services.slo.domain.methods import Method
from services.slo.domain.openslo.promise import minutes
from services.slo.domain.slo.decider import Defined, Slo, definition_of
from services.slo.domain.windows import Calendar, Rolling, Unit, Window
from services.slo.measurements import book

_EPOCH, _MINUTE = datetime(1970, 1, 1, tzinfo=UTC), timedelta(minutes=1)
_MONDAY_AND_FIRST: Final = datetime(2024, 1, 1)  # noqa: DTZ001  a wall time, of any zone


def terms_of(defined: Defined) -> Terms:
    """What *defined* promises, and how it is measured."""
    return book.terms_of(definition_of(defined))


def window_text(window: Window) -> str:
    """*window* for people: its length, and for a calendar its zone."""
    if isinstance(window, Calendar):
        return f"{window.count}{window.unit} {window.zone}"
    return duration(window.length_min)


def window_of(length: str) -> Rolling:
    """A rolling window such as `28d`.

    Raises:
        InvalidWindowError: It has no length.
    """
    return Rolling(minutes(length))


def calendar_of(length: str, zone: str) -> Calendar:
    """Periods of *length*, such as `1M`, of the calendar of *zone*: weeks start on Monday.

    Raises:
        InvalidWindowError: There is no such zone, or no length.
    """
    unit: Unit = length[-1]  # pyright: ignore[reportAssignmentType]  Calendar refuses others
    return Calendar(int(length[:-1]), unit, _MONDAY_AND_FIRST, zone)


def method_text(method: Method) -> str:
    """OpenSLO's name of *method*."""
    return next(name for name, each in book.METHODS.items() if each == method)


async def revisions(resources: Resources, slo: str) -> Sequence[Defined]:
    """All revisions of *slo*, the oldest first.

    Raises:
        NoSuchSloError: There is none.
    """
    found: dict[int, Defined] = {}
    state: Slo = SLO.initial
    for recorded in await resources.store.load(SLO.stream(slo)):
        state = SLO.evolve(state, resources.registry.decode(recorded))
        if isinstance(state, Defined):
            found[state.revision] = state
    if not found:
        raise NoSuchSloError(slo)
    return list(found.values())


def in_force(revisions: Sequence[Defined], at: datetime) -> Defined:
    """The one of *revisions* that held at *at*; the first also held before it was written down."""
    return next((each for each in reversed(revisions) if each.at <= at), revisions[0])
