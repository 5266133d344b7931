"""`/v1/changes`: what senders say was changed. They tell it through `/v2/change/enqueue`."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Query
from sqlalchemy import select

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.routing import Router
from services.incidents.api.filters import matching
from services.incidents.api.schemas import of_row
from services.incidents.projections.changes import CHANGES

router = Router(prefix="/v1/changes", tags=["changes"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeAnswer:
    """A change, such as a deployment, as its sender told it."""

    id: str
    integration: str
    service: str
    summary: str
    at: datetime
    details: Mapping[str, Any]


@router.get("", openapi_extra=needs("changes.read"), dependencies=[fresh(CHANGES)])
async def list_changes(
    resources: ResourcesDep,
    page: PageDep,
    service: Annotated[list[str] | None, Query()] = None,
) -> Page[ChangeAnswer]:
    """List what was changed, the newest first."""
    c = CHANGES.view.c
    query = select(CHANGES.view).where(*matching({c.service: service}))
    return await resources.views.read(
        page.fetch, query, key=c.id, item=lambda row: of_row(ChangeAnswer, row), descending=True
    )
