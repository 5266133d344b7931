"""`/v1/working-agreement-templates`: what two teams can begin with."""

from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from libs.web import etag
from libs.web.auth import needs
from libs.web.routing import Router
from services.lifecycle.config import load_agreement_templates
from services.lifecycle.domain.agreements import AgreementTemplates
from services.lifecycle.domain.engagement.charter import Occasion

router = Router(prefix="/v1/working-agreement-templates", tags=["engagements"])


@router.get("", response_model=AgreementTemplates, openapi_extra=needs("engagements.read"))
async def list_working_agreement_templates(
    request: Request, occasion: Annotated[list[Occasion] | None, Query()] = None
) -> Response:
    """Read working agreements to begin with, each with its source: change them, and propose them for an engagement."""
    shipped = load_agreement_templates()
    wanted = tuple(each for each in shipped.templates if not occasion or each.occasion in occasion)
    return etag.answer(request, AgreementTemplates(version=shipped.version, templates=wanted))
