"""Schedules that were laid out a moment ago: most who ask who is on call ask about now."""

from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from operator import attrgetter
from typing import Final

from services.incidents.domain.on_call.resolver import resolve
from services.incidents.domain.on_call.roster import OnCall, Roster

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LASTS: Final = timedelta(days=7)
_AHEAD: Final = timedelta(days=28)  # who is next begins within so much
_KEPT: Final = 256
_SINCE: Final = attrgetter("since")


class Charts:
    """Some weeks of some schedules, as the resolver laid them out; a schedule that changes has another version."""

    def __init__(self) -> None:
        self._charts: OrderedDict[tuple[str, tuple[int, ...], int], list[OnCall]] = OrderedDict()

    def at(self, roster: Roster, moment: datetime) -> list[OnCall]:
        """Who is on call at *moment*."""
        chart = self._chart(roster, (moment - _EPOCH) // _LASTS)
        return [each for each in chart if each.since <= moment < each.until]

    def following(self, roster: Roster, now: list[OnCall], moment: datetime) -> list[OnCall]:
        """Whose shifts begin next: in the layer of each who is on call *now*, or the very next where nobody is.

        After somebody who covers for all it is whoever begins next.
        """
        duty = [each for each in now if not each.shadow]
        until = max((each.until for each in duty), default=moment) + _AHEAD
        if not duty:
            ahead = self._ahead(roster, moment, until)
            first = next(ahead, None)
            return [] if first is None else [first, *takewhile(lambda each: each.since == first.since, ahead)]
        found: dict[OnCall, None] = {}
        for held in duty:
            layer = held.source.layer
            for each in self._ahead(roster, held.until - timedelta.resolution, until):
                if not layer or each.source.layer in {layer, ""}:
                    found[each] = None
                    break
        return list(found)

    def _ahead(self, roster: Roster, moment: datetime, until: datetime) -> Iterator[OnCall]:
        """The duties that begin after *moment* and before *until*, in order; a week is laid out when it is needed."""
        number = (moment - _EPOCH) // _LASTS
        while (begins := _EPOCH + number * _LASTS) < until:
            chart = self._chart(roster, number)
            for each in chart[bisect_right(chart, max(moment, begins - timedelta.resolution), key=_SINCE) :]:
                if each.since < until and not each.shadow:
                    yield each
            number += 1

    def _chart(self, roster: Roster, number: int) -> list[OnCall]:
        key = roster.schedule, roster.version, number
        chart = self._charts.get(key)
        if chart is None:
            begins = _EPOCH + number * _LASTS
            chart = self._charts[key] = resolve(roster, begins, begins + _LASTS)
            if len(self._charts) > _KEPT:
                self._charts.popitem(last=False)
        self._charts.move_to_end(key)
        return chart
