"""What is done about people and schedules when its time has come."""

from collections.abc import Mapping
from typing import Final

import msgspec

from libs.events import codec
from libs.events.envelope import Context
from libs.events.resources import Resources
from libs.events.store import Timer
from libs.events.timers import Fire
from services.incidents.projections.contacts import erase

ERASING: Final = "person-erase"


class _Erased(msgspec.Struct, frozen=True):
    person: str


_ERASED: Final = codec.decoder(_Erased)


def on_call_timers(resources: Resources) -> Mapping[str, Fire]:
    """What is due: erasing what the process that was asked did not come to."""

    async def erased(timer: Timer, _: Context) -> None:
        await resources.views.write(erase, _ERASED.decode(timer.payload).person)

    return {ERASING: erased}
