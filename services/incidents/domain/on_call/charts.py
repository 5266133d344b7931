"""Schedules that were laid out a moment ago: most who ask who is on call ask about now."""

from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Final

from services.incidents.domain.on_call.resolver import resolve
from services.incidents.domain.on_call.roster import OnCall, Roster

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LASTS: Final = timedelta(days=14)
_BEYOND: Final = timedelta(days=7)  # who is next is mostly on the same chart
_KEPT: Final = 64


class Charts:
    """Some weeks of some schedules, as the resolver laid them out; a schedule that changes has another version."""

    def __init__(self) -> None:
        self._charts: OrderedDict[tuple[str, tuple[int, ...], int], list[OnCall]] = OrderedDict()

    def around(self, roster: Roster, moment: datetime) -> list[OnCall]:
        """Who is on call at *moment* and at least a week from then on."""
        number = (moment - _EPOCH) // _LASTS
        key = roster.schedule, roster.version, number
        chart = self._charts.get(key)
        if chart is None:
            begins = _EPOCH + number * _LASTS
            chart = self._charts[key] = resolve(roster, begins, begins + _LASTS + _BEYOND)
            if len(self._charts) > _KEPT:
                self._charts.popitem(last=False)
        self._charts.move_to_end(key)
        return chart
