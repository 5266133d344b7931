"""Whom a step calls, by read models that show what was said of people and schedules before it."""

from collections.abc import Callable
from contextlib import suppress
from typing import Concatenate, Final, ParamSpec, TypeVar

from sqlalchemy import Connection

from libs.events.applied import all_applied
from libs.events.envelope import Context, Recorded
from libs.events.errors import StoreUnavailableError
from libs.events.reactor import Act
from libs.events.resources import Resources
from services.incidents.paging.taking import Taken, TakenBeside
from services.incidents.projections.channels import CHANNELS
from services.incidents.projections.people import PEOPLE
from services.incidents.projections.schedules import ROTATIONS, SCHEDULES

_WHO: Final = PEOPLE, CHANNELS, ROTATIONS, SCHEDULES
_PATIENCE_S: Final = 2.0

P = ParamSpec("P")
T = TypeVar("T", bound=Taken | TakenBeside)


class Finding:
    """Asks the read models who can be called.

    Where they are far behind, what they show is better than nobody: nothing is waited for much longer than usual.

    Args:
        resources: The service's adapters.

    Attributes:
        acts: Per event that changes who can be called, what notes it.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources, self._changed = resources, 0
        self.acts: dict[type[object], Act] = dict.fromkeys([kind for each in _WHO for kind in each.folds], self._note)

    async def shown(self) -> None:
        """Wait until what was heard of people and schedules so far is shown."""
        changed = self._changed
        try:
            await all_applied(self._resources, *_WHO, position=changed, patience_s=_PATIENCE_S)
        except StoreUnavailableError:
            if changed == self._changed:
                self._changed = 0  # so that the others do not wait as long

    async def find(self, find: Callable[Concatenate[Connection, P], T], *asked: P.args, **more: P.kwargs) -> T:
        """Whom *find* finds; where somebody is missing, it looks again when all that is stored is shown."""
        await self.shown()
        found = await self._resources.views.read(find, *asked, **more)
        if not found.lacks:
            return found
        with suppress(StoreUnavailableError):
            await all_applied(self._resources, *_WHO, patience_s=_PATIENCE_S)
        return await self._resources.views.read(find, *asked, **more)

    async def _note(self, _: object, recorded: Recorded, __: Context) -> None:
        self._changed = max(self._changed, recorded.position)
