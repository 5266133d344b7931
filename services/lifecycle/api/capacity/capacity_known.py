"""What the routes of capacity ask first: the service, its teams, and by which numbers it is planned."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import Response

from libs.events.handler import Outcome
from libs.events.resources import Resources
from libs.web.auth import needs
from libs.web.calls import Call
from services.lifecycle.api.capacity.capacity_steps import Around
from services.lifecycle.api.capacity.capacity_views import CapacityView, capacity_view
from services.lifecycle.api.references import living_service
from services.lifecycle.api.views import live
from services.lifecycle.contract import CAPACITY, SERVICE
from services.lifecycle.domain.capacity.commands import Command
from services.lifecycle.domain.capacity.policy import CapacityPolicy
from services.lifecycle.domain.capacity.state import Capacity

READ, WRITE = needs("capacity.read"), needs("capacity.write")


@dataclass(frozen=True, slots=True)
class Capacities:
    """The capacity of services of this installation, and by which numbers it is planned."""

    resources: Resources
    policy: CapacityPolicy

    async def around(self, service: str, as_of: datetime | None = None) -> Around:
        """What the capacity of *service* is looked at against.

        Raises:
            UnknownError: There is no such service.
        """
        profile = live(await self.resources.handler.load(SERVICE, service, as_of=as_of)).profile
        sre_team = profile.engaged.sre_team if profile.engaged else ""
        now = self.resources.clock.now()
        at = min(as_of, now) if as_of else now  # of what is to come, nothing more is known than now
        return Around(service, profile.owner_team, sre_team, self.policy, at)

    async def do(self, call: Call, command: Command, *, status: int = 200) -> Response:
        """Carry out *command* and answer the capacity of its service."""
        around = await self.around(command.service)
        await living_service(self.resources, command.service, "service")
        shown: Callable[[Outcome[Capacity]], CapacityView] = lambda outcome: capacity_view(outcome.state, around)  # noqa: E731
        return await call.handle(CAPACITY, command.service, command, body=shown, status=status)


async def _capacities(request: Request) -> Capacities:
    return Capacities(request.app.state.resources, request.app.state.policies.capacity)


CapacitiesDep = Annotated[Capacities, Depends(_capacities)]
