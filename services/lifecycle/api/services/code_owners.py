"""`/v1/code-owners`: which team answers for a path of a repository, whichever service it belongs to."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query
from pydantic import HttpUrl, StringConstraints
from starlette.requests import Request
from starlette.responses import Response

from libs.web import etag
from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.problems import responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.contract import SERVICE
from services.lifecycle.domain.phases import Phase
from services.lifecycle.domain.service.code_owners import Part, answering, parts_of
from services.lifecycle.projections.services import SERVICES, code_of_all, names_until

router = Router(prefix="/v1/code-owners", tags=["services"])
_Path = Annotated[str, StringConstraints(max_length=1000, pattern=r"^[^\x00-\x1f\x7f]*$")]


@dataclass(frozen=True, slots=True)
class CodeOwnersView:
    """Who answers for a path of a repository.

    Args:
        repository: As it was asked for.
        path: As it was asked for.
        owners: The team; several when services name different ones for the same part, none when nobody does.
        named_by: The parts that say so, each with its service.
        parts: All parts of the repository that services name.
    """

    repository: str
    path: str
    owners: tuple[str, ...]
    named_by: tuple[Part, ...]
    parts: tuple[Part, ...]


@router.get(
    "",
    response_model=CodeOwnersView,
    openapi_extra=needs("services.read"),
    responses=responses(422),
    dependencies=[fresh(SERVICES)],
)
async def get_code_owners(
    request: Request,
    resources: ResourcesDep,
    repository: Annotated[HttpUrl, Query(description="Its address; `.git` at the end makes no difference.")],
    path: Annotated[_Path, Query(description="A file or a folder; the whole repository, unless given.")] = "",
    as_of: AsOf = None,
) -> Response:
    """Look up which team answers for a path: of all services that are alive, the most specific part wins."""
    if as_of is None:
        code = await resources.views.read_long(code_of_all)
    else:
        code = []
        for name in await resources.views.read_long(names_until, as_of):
            found = (await resources.handler.load(SERVICE, name, as_of=as_of)).state
            if found is not None and found.profile.phase is not Phase.UNSUPPORTED:
                code += [(name, part) for part in found.profile.catalogue.code]
    parts = parts_of(str(repository), code)
    named_by = answering(parts, path)
    owners = tuple(dict.fromkeys(part.owner for part in named_by))
    return etag.answer(request, CodeOwnersView(str(repository), path, owners, named_by, parts))
