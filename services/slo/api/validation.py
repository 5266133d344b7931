"""OpenSLO documents checked and not kept."""

import asyncio
from typing import Any

from starlette.requests import Request

from libs.web.app import ResourcesDep
from libs.web.auth import needs
from libs.web.consistency import fresh
from libs.web.documents import UnreadableError, read_documents
from libs.web.routing import Router
from services.slo.api.definitions import DOCUMENTS, ModeParameter
from services.slo.api.promises import check_all, fault_answer, unresolved
from services.slo.api.schemas import Validation
from services.slo.projections.known_services import KNOWN_SERVICES

router = Router(prefix="/v1", tags=["slos"])


@router.post(
    "/openslo:validate", openapi_extra={**needs("slos.read"), **DOCUMENTS}, dependencies=[fresh(KNOWN_SERVICES)]
)
async def validate_openslo(request: Request, resources: ResourcesDep, mode: ModeParameter = "strict") -> Validation:
    """Check OpenSLO v1 documents of any kind and their PromQL; nothing is stored."""
    try:
        values = read_documents(await request.body())
    except UnreadableError as error:
        unreadable = {
            "path": "",
            "code": "unreadable",
            "detail": str(error),
            "line": error.line,
            "column": error.column,
        }
        return Validation(valid=False, errors=[unreadable], warnings=[], unresolved=[])
    errors: list[dict[str, Any]] = []
    warnings: list[dict[str, Any]] = []
    verdicts = await asyncio.to_thread(check_all, values, mode)
    for number, verdict in enumerate(verdicts):
        errors += [fault_answer(fault) | {"document": number} for fault in verdict.errors]
        warnings += [fault_answer(fault) | {"document": number} for fault in verdict.warnings]
    valid = {number: each.document for number, each in enumerate(verdicts) if each.valid and each.document}
    missing = [
        fault_answer(fault) | {"document": number}
        for number, faults in (await unresolved(resources, valid)).items()
        for fault in faults
    ]
    return Validation(valid=not errors, errors=errors, warnings=warnings, unresolved=missing)
