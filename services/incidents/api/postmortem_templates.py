"""`/v1/postmortem-templates`: what a postmortem asks and begins with, as YAML in and out, version by version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final

from fastapi import Depends, Query
from fastapi import Path as Param
from pydantic import Field, TypeAdapter
from starlette.requests import Request
from starlette.responses import Response

from libs.events.resources import Resources
from libs.web import etag
from libs.web.auth import needs
from libs.web.calls import CallDep
from libs.web.documents import write_documents
from libs.web.pagination import Page, PageDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from libs.web.schemas import Body, Line, Moment, Name, Text, example
from libs.web.shapes import FaultyDocumentError, read_shaped
from services.incidents.contract import ALL, POSTMORTEM_TEMPLATES
from services.incidents.domain.errors import AbsentError, UnknownReferenceError
from services.incidents.domain.postmortem.events import Sections
from services.incidents.domain.postmortem_template.commands import Publish
from services.incidents.domain.postmortem_template.decider import Templates
from services.incidents.domain.postmortem_template.events import TemplatePublished

router = Router(prefix="/v1/postmortem-templates", tags=["postmortems"])
_READ, _WRITE = needs("postmortem-templates.read"), needs("postmortem-templates.write")
_SHIPPED: Final = Path(__file__).parents[1] / "templates"
_BEFORE_ALL: Final = datetime.min.replace(tzinfo=UTC)  # what is shipped was known at any time
_MOST_BYTES: Final = 256 * 1024  # an event is stored whole
_LISTS: Final = {"title", "causes", "risks", "timeline", "participants"}  # beside the texts
_SECTIONS: Final = tuple(each.name for each in fields(Sections))
_TEXTS: Final = tuple(name for name in _SECTIONS if name not in _LISTS)


_EXAMPLE: Final[Mapping[str, Any]] = {
    "template": "payments",
    "title": "Postmortem of payments",
    "required": ["summary", "impact", "root_causes"],
    "asks": {"impact": "How many payments failed, and how much money was late?"},
    "texts": {"supporting_information": "- dashboard: https://grafana.example.com/d/payments"},
}


class PostmortemTemplateBody(Body):
    """A template as it is written."""

    model_config = example(**_EXAMPLE)

    template: Name
    version: Annotated[int | None, Field(ge=1, description="The version that this was written from.")] = None
    title: Line
    required: Annotated[list[str], Field(max_length=30)] = Field(default_factory=list[str])
    asks: dict[str, Text] = Field(default_factory=dict[str, str])
    texts: dict[str, Text] = Field(default_factory=dict[str, str])


_SHAPE: Final = TypeAdapter(PostmortemTemplateBody)
_DOCUMENT: Mapping[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "One template, as YAML or JSON.",
        "content": {
            kind: {"schema": {"type": ["object", "string"]}, "example": _EXAMPLE}
            for kind in ("application/yaml", "application/json")
        },
    }
}


Named = Annotated[str, Param(alias="template", min_length=1, max_length=63)]
AsOf = Annotated[Moment | None, Query(description="Answer what was known at this time.")]
Version = Annotated[int | None, Query(ge=1, description="The newest, unless given.")]
Reason = Annotated[str, Query(max_length=10_000, description="Why; kept with the version.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class PostmortemTemplateAnswer:
    """A version of a template; `versions` are those there are, `shipped` comes with the program."""

    name: str
    version: int
    versions: list[int]
    title: str
    required: list[str]
    asks: Mapping[str, str]
    texts: Mapping[str, str]
    shipped: bool
    published_by: str
    published_at: datetime | None
    reason: str


@dataclass(frozen=True, slots=True)
class Shelf:
    """All templates: those that come with the program, and those that were published here."""

    shipped: Mapping[str, TemplatePublished]
    published: Templates

    def versions(self, name: str, pointer: str = "") -> tuple[TemplatePublished, ...]:
        """All versions of a template, the oldest first.

        Raises:
            UnknownReferenceError: There is no such template; *pointer* is where it was named.
            AbsentError: The same, where it is what was asked for.
        """
        published = self.published.get(name, ())
        shipped = self.shipped.get(name)
        found = (shipped, *published) if shipped else published
        if not found and pointer:
            place = pointer.lstrip("/")
            raise UnknownReferenceError("template", name, "GET /v1/postmortem-templates lists them", place)
        if not found:
            raise AbsentError("postmortem template", "/v1/postmortem-templates")
        return found

    def names(self) -> list[str]:
        """All there are, in order."""
        return sorted({*self.shipped, *self.published})

    def version(self, name: str, number: int | None) -> tuple[TemplatePublished, list[int]]:
        """One version of a template, the newest when *number* is None; and all numbers.

        Raises:
            AbsentError: There is no such template or version.
        """
        versions = self.versions(name)
        for each in reversed(versions):
            if number in {None, each.version}:
                return each, [one.version for one in versions]
        kind = f"version {number} of {name}"
        raise AbsentError(kind, f"/v1/postmortem-templates/{name}")


async def _shelf(request: Request, as_of: AsOf = None) -> Shelf:
    resources: Resources = request.app.state.resources
    return Shelf(_shipped(), (await resources.handler.load(POSTMORTEM_TEMPLATES, ALL, as_of=as_of)).state)


ShelfDep = Annotated[Shelf, Depends(_shelf)]


@router.get("", openapi_extra=_READ)
async def list_postmortem_templates(shelf: ShelfDep, page: PageDep) -> Page[PostmortemTemplateAnswer]:
    """All templates by name, each with its newest version."""
    found = page.cut(shelf.names(), place=str, shown=bool)
    items = [_answer(*shelf.version(name, None)) for name in found.items]
    return Page(items=items, next_page_token=found.next_page_token)


@router.get("/{template}", response_model=PostmortemTemplateAnswer, openapi_extra=_READ, responses=responses(404))
async def get_postmortem_template(
    request: Request, template: Named, shelf: ShelfDep, version: Version = None
) -> Response:
    """A version of a template: what its postmortems ask, require and begin with."""
    return etag.answer(request, _answer(*shelf.version(template, version)))


@router.get(
    "/{template}/document",
    openapi_extra=_READ,
    responses={**responses(404), 200: {"content": {"application/yaml": {"schema": {"type": "string"}}}}},
    response_class=Response,
)
async def export_postmortem_template(template: Named, shelf: ShelfDep, version: Version = None) -> Response:
    """Export a version as YAML; imported again it changes nothing."""
    found, _ = shelf.version(template, version)
    document: dict[str, Any] = {
        "template": found.template,
        "version": found.version,
        "title": found.title,
        "required": list(found.required),
        "asks": dict(found.asks),
        "texts": dict(found.texts),
    }
    return Response(write_documents([document]), media_type="application/yaml")


@router.put(
    "/{template}",
    response_model=PostmortemTemplateAnswer,
    openapi_extra={**_WRITE, **_DOCUMENT},
    responses=responses(409, 413, 422),
)
async def put_postmortem_template(
    request: Request, template: Named, call: CallDep, shelf: ShelfDep, reason: Reason = ""
) -> Response:
    """Publish the first or the next version; the document says which it was written from, and misses no newer one.

    Postmortems keep the template that they began with.
    """
    body = _read(await request.body(), template)
    shipped = shelf.shipped.get(template)
    command = Publish(
        template=template,
        title=body.title,
        required=tuple(dict.fromkeys(("title", *body.required))),
        asks=body.asks,
        texts=body.texts,
        based_on=body.version,
        shipped=shipped,
        by=call.principal.name,
        reason=reason,
        at=call.context.at,
    )
    return await call.handle(
        POSTMORTEM_TEMPLATES,
        ALL,
        command,
        body=lambda outcome: _answer(*Shelf(shelf.shipped, outcome.state).version(template, None)),
    )


def _read(text: bytes, template: str) -> PostmortemTemplateBody:
    """The template in *text*.

    Raises:
        Problem: It is none; names every place.
    """
    if len(text) > _MOST_BYTES:
        detail = f"the template has {len(text)} bytes, at most {_MOST_BYTES} are read"
        raise Problem(413, "body-too-large", "The template is too large", detail)
    try:
        body = read_shaped(text, _SHAPE)
    except FaultyDocumentError as error:
        raise _invalid(error.places) from error
    places = [
        Place(f"no section is called so; they are {', '.join(known)}", f"/{name}/{found}")
        for name, known in (("required", _SECTIONS), ("asks", _SECTIONS), ("texts", _TEXTS))
        for found in getattr(body, name)
        if found not in known
    ]
    if body.template != template:
        places.append(Place(f"the document is of {body.template!r}; send it to its own path", "/template"))
    if places:
        raise _invalid(places)
    return body


def _invalid(places: Sequence[Place]) -> Problem:
    detail = "; ".join(f"{place.pointer or 'the document'}: {place.detail}" for place in places[:3])
    return Problem(422, "invalid-template", "The template cannot be used", detail, places)


@cache
def _shipped() -> Mapping[str, TemplatePublished]:
    """The templates that come with the program, by name."""
    bodies = [read_shaped(path.read_bytes(), _SHAPE) for path in sorted(_SHIPPED.glob("*.yaml"))]
    return {
        body.template: TemplatePublished(
            template=body.template,
            version=body.version or 1,
            title=body.title,
            required=tuple(body.required),
            asks=body.asks,
            texts=body.texts,
            by="concordat",
            reason="comes with the program",
            at=_BEFORE_ALL,
        )
        for body in bodies
    }


def _answer(found: TemplatePublished, versions: list[int]) -> PostmortemTemplateAnswer:
    shipped = found.at == _BEFORE_ALL
    return PostmortemTemplateAnswer(
        name=found.template,
        version=found.version,
        versions=versions,
        title=found.title,
        required=list(found.required),
        asks=found.asks,
        texts=found.texts,
        shipped=shipped,
        published_by=found.by,
        published_at=None if shipped else found.at,
        reason=found.reason,
    )
