"""`/v1/review-templates`: checklists as YAML in and out, version by version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

from fastapi import Depends, Query
from sqlalchemy import select
from starlette.requests import Request
from starlette.responses import Response

from libs.events import codec
from libs.events.handler import Outcome
from libs.events.resources import Resources
from libs.web import etag
from libs.web.auth import needs
from libs.web.calls import Call, CallDep
from libs.web.consistency import fresh
from libs.web.pagination import Page, PageDep
from libs.web.problems import Place, Problem, responses
from libs.web.routing import Router
from services.lifecycle.api.asked import AsOf
from services.lifecycle.api.reviews.review_template_schemas import (
    TemplateDocument,
    TemplateSummary,
    TemplateView,
    read_template,
    template_summary,
    template_view,
    write_template,
)
from services.lifecycle.contract import REVIEW_TEMPLATE
from services.lifecycle.domain.errors import UnknownError
from services.lifecycle.domain.policy import Policy
from services.lifecycle.domain.review_template.commands import Publish
from services.lifecycle.domain.review_template.decider import ReviewTemplate
from services.lifecycle.domain.review_template.events import TemplatePublished
from services.lifecycle.projections.review_templates import REVIEW_TEMPLATES

router = Router(prefix="/v1/review-templates", tags=["review-templates"])
_READ, _WRITE = needs("review-templates.read"), needs("review-templates.write")
_SCHEMA = TemplateDocument.model_json_schema(ref_template="#/components/schemas/{model}")
_EXAMPLE: Any = _SCHEMA["examples"][0]
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
_TEXT: Mapping[int | str, dict[str, Any]] = {
    200: {"content": {kind: {"schema": {"type": "string"}} for kind in ("application/yaml", "application/json")}}
}
VersionParameter = Annotated[int | None, Query(ge=1, description="The newest, unless given.")]
Reason = Annotated[str, Query(max_length=10_000, description="Why; kept with the version.")]


@dataclass(frozen=True, slots=True)
class Shelf:
    """All templates: those that come with the program, and those that were published here.

    Args:
        resources: The service's adapters.
        shipped: By name, those that come with the program.
        checks: What gates can check.
    """

    resources: Resources
    shipped: Mapping[str, TemplatePublished]
    checks: frozenset[str]

    async def versions(self, name: str, as_of: datetime | None = None) -> tuple[TemplatePublished, ...]:
        """All versions of a template, the oldest first.

        Raises:
            UnknownError: There is no such template.
        """
        published = (await self.resources.handler.load(REVIEW_TEMPLATE, name, as_of=as_of)).state
        found = self.with_shipped(name, published)
        if not found:
            raise UnknownError("review template", name)
        return found

    def with_shipped(self, name: str, published: ReviewTemplate) -> tuple[TemplatePublished, ...]:
        """*published*, and before them the version that comes with the program."""
        shipped = self.shipped.get(name)
        if shipped is None or any(each.version <= shipped.version for each in published):
            return published
        return (shipped, *published)

    async def version(self, name: str, number: int | None, as_of: datetime | None = None) -> TemplatePublished:
        """One version of a template; the newest when *number* is None.

        Raises:
            UnknownError: There is no such template or version.
        """
        versions = await self.versions(name, as_of)
        for each in reversed(versions):
            if number in {None, each.version}:
                return each
        noun = f"version {number} of review template"
        raise UnknownError(noun, name)


async def _shelf(request: Request) -> Shelf:
    policy: Policy = request.app.state.policies.gates
    return Shelf(request.app.state.resources, request.app.state.review_templates, frozenset(policy.checks))


ShelfDep = Annotated[Shelf, Depends(_shelf)]


@router.post(
    "",
    status_code=201,
    response_model=TemplateView,
    openapi_extra={**_WRITE, **_DOCUMENT},
    responses=responses(409, 422),
)
async def publish_template(request: Request, call: CallDep, shelf: ShelfDep, reason: Reason = "") -> Response:
    """Publish the first version of a review template; a version in the document is where it came from."""
    document = read_template(await request.body(), shelf.checks)
    return await _publish(call, shelf, document, reason, is_new=True)


@router.put(
    "/{template}",
    response_model=TemplateView,
    openapi_extra={**_WRITE, **_DOCUMENT},
    responses=responses(404, 409, 422),
)
async def revise_template(
    request: Request, template: str, call: CallDep, shelf: ShelfDep, reason: Reason = ""
) -> Response:
    """Publish the next version; the document says which version it was written from, and must not miss a newer one.

    Reviews that are under way keep the checklist that they began with.
    """
    document = read_template(await request.body(), shelf.checks)
    if document.template != template:
        detail = f"the document is of {document.template!r}; send it to its own path"
        raise Problem(422, "invalid-template", "The names differ", detail, [Place(detail, "/template")])
    return await _publish(call, shelf, document, reason, is_new=False)


@router.get("", openapi_extra=_READ, dependencies=[fresh(REVIEW_TEMPLATES)])
async def list_templates(shelf: ShelfDep, page: PageDep, as_of: AsOf = None) -> Page[TemplateSummary]:
    """List all review templates by name, each with its newest version."""
    view = REVIEW_TEMPLATES.view
    query = select(view.c.template)
    if as_of:
        query = query.where(view.c.recorded_at <= as_of)
    stored = await shelf.resources.views.read(lambda connection: connection.scalars(query).all())
    found = page.cut(sorted({*stored, *shelf.shipped}), place=str, shown=bool)
    items = [template_summary(await shelf.version(name, None, as_of)) for name in found.items]
    return Page(items=items, next_page_token=found.next_page_token)


@router.get("/{template}", response_model=TemplateView, openapi_extra=_READ, responses=responses(404))
async def get_template(
    request: Request, template: str, shelf: ShelfDep, version: VersionParameter = None, as_of: AsOf = None
) -> Response:
    """Read a version of a review template."""
    versions = await shelf.versions(template, as_of)
    found = await shelf.version(template, version, as_of)
    stored = sum(each is not shelf.shipped.get(template) for each in versions)  # the version of the stream
    view = template_view(found, [each.version for each in versions])
    return etag.answer(request, view, version=stored if found is versions[-1] else None)


@router.get(
    "/{template}/document",
    openapi_extra=_READ,
    responses={**responses(404), **_TEXT},
    response_class=Response,
)
async def get_template_document(
    request: Request, template: str, shelf: ShelfDep, version: VersionParameter = None, as_of: AsOf = None
) -> Response:
    """Export a version as YAML, or as JSON if that is accepted before it; imported again it changes nothing."""
    found = await shelf.version(template, version, as_of)
    text, headers = write_template(found), {"Vary": "Accept"}
    if request.headers.get("accept", "").startswith("application/json"):
        document = read_template(text.encode(), None)
        plain = document.model_dump(mode="json", exclude_defaults=True)
        return Response(codec.encode(plain), headers=headers, media_type="application/json")
    return Response(text, headers=headers, media_type="application/yaml")


async def _publish(call: Call, shelf: Shelf, document: TemplateDocument, reason: str, *, is_new: bool) -> Response:
    name = document.template
    command = Publish(
        template=name,
        checklist=document.checklist,
        based_on=document.version,
        is_new=is_new,
        shipped=shelf.shipped.get(name),
        by=call.principal.name,
        reason=reason,
        at=call.context.at,
    )

    def shown(outcome: Outcome[ReviewTemplate]) -> TemplateView:
        versions = shelf.with_shipped(name, outcome.state)
        return template_view(versions[-1], [each.version for each in versions])

    return await call.handle(
        REVIEW_TEMPLATE,
        name,
        command,
        body=shown,
        status=201 if is_new else 200,
        location=f"/v1/review-templates/{name}" if is_new else None,
    )
