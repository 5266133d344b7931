"""OpenSLO documents checked and not kept."""

from typing import Annotated, Any, Literal

from fastapi import Query
from starlette.requests import Request

from libs.web.auth import needs
from libs.web.routing import Router
from services.slo.api.definitions import DOCUMENTS
from services.slo.api.documents import UnreadableError, read_documents
from services.slo.api.promises import fault_answer
from services.slo.api.schemas import Validation
from services.slo.domain.openslo import Fault, decode, validate

router = Router(prefix="/v1", tags=["slos"])
Mode = Literal["strict", "lenient"]


@router.post("/openslo:validate", openapi_extra={**needs("slos.read"), **DOCUMENTS})
async def validate_openslo(request: Request, mode: Annotated[Mode, Query()] = "strict") -> Validation:
    """Check OpenSLO v1 documents of any kind; fields it does not know are warnings in lenient mode."""
    return check(await request.body(), mode)


def check(text: bytes, mode: Mode) -> Validation:
    """What is wrong with the documents in *text*."""
    errors: list[dict[str, Any]] = []
    warnings: list[dict[str, Any]] = []
    try:
        values = read_documents(text)
    except UnreadableError as error:
        where = {"line": error.line, "column": error.column}
        return Validation(
            valid=False, errors=[{"path": "", "code": "unreadable", "detail": str(error)} | where], warnings=[]
        )
    for number, value in enumerate(values):
        decoded = decode(value)
        faults, unknown = ([decoded], ()) if isinstance(decoded, Fault) else (validate(decoded), decoded.unknown)
        errors += [fault_answer(fault) | {"document": number} for fault in faults]
        (errors if mode == "strict" else warnings).extend(fault_answer(f) | {"document": number} for f in unknown)
    return Validation(valid=not errors, errors=errors, warnings=warnings)
