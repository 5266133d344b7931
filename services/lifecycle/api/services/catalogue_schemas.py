"""What people look up about a service, as it comes in."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, Field, HttpUrl, StrictBool, StringConstraints
from pydantic_core import PydanticCustomError

from libs.web.schemas import Body, Line, Name, Text
from services.lifecycle.domain.service.catalogue import Catalogue, CodePath, Link

_MANY = 200  # of anything about one service
LabelKey = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9._/-]{0,251}[A-Za-z0-9])?$")]
LabelValue = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x20\x7f]*$")]
_Path = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$")]


def _unique(names: list[str]) -> list[str]:
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        kind, message = "named_twice", "{name} stands here twice; leave one"
        raise PydanticCustomError(kind, message, {"name": twice})
    return names


class LinkBody(Body):
    """Somewhere to look."""

    title: Line
    url: HttpUrl
    kind: Name | None = Field(default=None, description="Such as dashboard, runbook, design.")


class CodePathBody(Body):
    """A part of a repository, and the team that answers for it."""

    repository: HttpUrl
    path: _Path = Field(default="", description="The whole repository, unless given.")
    owner: Name = Field(description="A team.")


class CatalogueBody(Body):
    """What people look up about a service; what is left out stays, null unsets."""

    description: Text | None = None
    product: Name | None = Field(default=None, description="The product that it is a part of.")
    technologies: Annotated[list[Name], Field(max_length=_MANY), AfterValidator(_unique)] | None = Field(
        default=None, description="What it is built of, such as go, postgres."
    )
    labels: Annotated[dict[LabelKey, LabelValue | None], Field(max_length=_MANY)] | None = Field(
        default=None, description="What others sort services by; in a change null removes a label."
    )
    links: Annotated[list[LinkBody], Field(max_length=_MANY)] | None = None
    code: Annotated[list[CodePathBody], Field(max_length=_MANY)] | None = Field(
        default=None, description="Where its code is, and who answers for which part."
    )
    stateful: StrictBool | None = Field(
        default=None, description="Whether it keeps data that could be lost; false: gates ask for no restore test."
    )


def catalogue_of(body: CatalogueBody, before: Catalogue) -> Catalogue:
    """*before*, with what *body* says (JSON merge patch)."""
    given = body.model_fields_set
    changes: dict[str, Any] = {
        "description": body.description or "",
        "product": body.product or "",
        "technologies": tuple(body.technologies or ()),
        "labels": _labels(body.labels, before.labels),
        "links": tuple(Link(link.title, str(link.url), link.kind or "") for link in body.links or ()),
        "code": tuple(CodePath(str(part.repository), part.path, part.owner) for part in body.code or ()),
        "stateful": body.stateful,
    }
    return replace(before, **{name: value for name, value in changes.items() if name in given})


def _labels(sent: Mapping[str, str | None] | None, before: Mapping[str, str]) -> dict[str, str]:
    if sent is None:
        return {}
    return {key: value for key, value in {**before, **sent}.items() if value is not None}
