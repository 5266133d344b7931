"""What the routes of design and architecture reviews and of launches share: what they go by, and who is who."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Annotated, TypeVar

from fastapi import Depends
from pydantic import StringConstraints
from starlette.requests import Request

from libs.events.resources import Resources
from libs.web.pagination import Page, Paging
from services.lifecycle.api.views import live
from services.lifecycle.contract import INSTALLATION, OWN_CATALOG, SERVICE, TEAM
from services.lifecycle.domain.architecture.policy import ArchitecturePolicy
from services.lifecycle.domain.catalogs import Catalogs
from services.lifecycle.domain.own_catalog.decider import in_force
from services.lifecycle.domain.readiness_review.policy import ReviewPolicy
from services.lifecycle.domain.service.decider import Profile
from services.lifecycle.domain.team.decider import Ended
from services.lifecycle.projections.design_work import DESIGN_WORK, Kind, design_work

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$")]


V = TypeVar("V")
_STATE = attrgetter("state")


@dataclass(frozen=True, slots=True)
class Designing:
    """What design and architecture go by here.

    Args:
        resources: The service's adapters.
        policy: The numbers.
        catalogs: What people can name: what comes with the program, and what the installation has beside it.
        shipped: What comes with the program.
        findings: How long a finding may be waived.
    """

    resources: Resources
    policy: ArchitecturePolicy
    catalogs: Catalogs
    shipped: Catalogs
    findings: ReviewPolicy

    async def profile(self, service: str, as_of: datetime | None = None) -> Profile:
        """What is known of *service*.

        Raises:
            UnknownError: There is none.
        """
        return live(await self.resources.handler.load(SERVICE, service, as_of=as_of)).profile

    async def insiders(self, service: str) -> frozenset[str]:
        """The people of the team that owns *service*; empty where it has named nobody."""
        team = (await self.profile(service)).owner_team
        state = (await self.resources.handler.load(TEAM, team)).state if team else None
        known = state.was if isinstance(state, Ended) else state
        return frozenset((*known.structure.members, *known.structure.leads)) if known else frozenset()

    async def listed(
        self,
        page: Paging,
        kind: Kind,
        services: Sequence[str] | None,
        states: Sequence[str] | None,
        as_of: datetime | None,
        load: Callable[[str, str], Awaitable[V]],
    ) -> Page[V]:
        """A page of what there is of *kind*, what began last first; *load* reads one by its service and id."""
        view = DESIGN_WORK.view.c
        found = await self.resources.views.read(
            page.fetch,
            design_work(kind, services or (), states or (), as_of),
            key=view.id,
            orders={"began_at": view.began_at},
            item=lambda row: (str(row["service"]), str(row["id"])),
            descending=True,
        )
        items: list[V] = [await load(service, name) for service, name in found.items]
        return Page(
            items=[each for each in items if not states or _STATE(each) in states],
            next_page_token=found.next_page_token,
        )


async def _designing(request: Request) -> Designing:
    state = request.app.state
    own = (await state.resources.handler.load(OWN_CATALOG, INSTALLATION)).state
    catalogs = in_force(state.catalogs, own)
    return Designing(state.resources, state.policies.architecture, catalogs, state.catalogs, state.policies.reviews)


DesigningDep = Annotated[Designing, Depends(_designing)]
