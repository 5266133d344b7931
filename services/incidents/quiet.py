"""Which alerts page nobody for now, because a silence covers them, and which come and go too often."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from libs.events.resources import Resources
from services.incidents.contract import SERVICE, SILENCE
from services.incidents.domain.alert.decider import Known
from services.incidents.domain.matchers import all_match
from services.incidents.projections.alerts import ALERTS, earlier, silenced
from services.incidents.projections.silences import SILENCES, ActiveSilence, active_silences

_PATIENCE_S: Final = 2.0  # for a read model that is about to apply what was heard here first
_RECENT: Final = timedelta(hours=1)


class Quiet:
    """What the read models know of silences and of alerts that came before.

    Args:
        resources: The service's adapters.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources, self._views = resources, resources.views
        self._heard = 0

    def hear(self, position: int) -> None:
        """Something happened to a silence there: it counts from then on."""
        self._heard = max(self._heard, position)

    async def covered(self, alerts: Sequence[Known], at: datetime) -> Mapping[str, ActiveSilence]:
        """Those of *alerts* that a silence covers, with the one that lasts longest.

        A read model that does not catch up in time does not hold anything up: what should be silent pages then. What
        was ended, it need not know yet: that is asked of the silences themselves.
        """
        if not alerts:
            return {}
        heard = self._heard
        if heard and not await self._applied(SILENCES.name, heard) and heard == self._heard:
            self._heard = 0  # so that the others do not wait as long
        silences = await self._views.read(active_silences, at)
        while True:
            found = _covering(silences, alerts)
            ended = [each for each in dict.fromkeys(found.values()) if await self._was_ended(each)]
            if not ended:
                return found
            silences = [each for each in silences if each not in ended]

    async def held_by(self, silence: str, position: int) -> tuple[Sequence[str], bool]:
        """The alerts that still fire under *silence*, and whether these are all that were stored before *position*."""
        complete = await self._applied(ALERTS.name, position)
        return await self._views.read(silenced, silence), complete

    async def before(self, alerts: Sequence[Known], at: datetime) -> Mapping[str, Sequence[str]]:
        """By alert, the others of its identity that ended within the last hour, the newest last."""
        if not alerts:
            return {}
        identities = [(alert.opened.integration, alert.opened.dedup_key) for alert in alerts]
        found = await self._views.read(earlier, identities, at - _RECENT)
        return {
            alert.opened.alert: [other for other in found.get(identity, ()) if other != alert.opened.alert]
            for alert, identity in zip(alerts, identities, strict=True)
        }

    async def _was_ended(self, silence: ActiveSilence) -> bool:
        state = (await self._resources.handler.load(SILENCE, silence.silence)).state
        return state is not None and state.ended is not None

    async def _applied(self, projection: str, position: int) -> bool:
        epoch = self._resources.store.epoch
        return await self._views.wait_applied(projection, SERVICE, epoch, 0, position, _PATIENCE_S)


def _covering(silences: Sequence[ActiveSilence], alerts: Sequence[Known]) -> dict[str, ActiveSilence]:
    """By alert, the first of *silences* that matches it."""
    found: dict[str, ActiveSilence] = {}
    for alert in alerts if silences else ():
        labels = _labels(alert)
        covering = next((silence for silence in silences if all_match(silence.matchers, labels)), None)
        if covering:
            found[alert.opened.alert] = covering
    return found


def _labels(alert: Known) -> Mapping[str, str]:
    it = alert.opened
    return {**it.labels, "service": it.service, "integration": it.integration, "dedup_key": it.dedup_key}
