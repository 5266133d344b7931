"""From a document that was sent to a promise that can be kept; or the refusal that says why not."""

import asyncio
from collections.abc import Iterable
from typing import Any

from libs.events.resources import Resources
from libs.web.problems import Place, Problem
from services.slo.domain.errors import UnsupportedError
from services.slo.domain.openslo import Fault, decode, validate
from services.slo.domain.openslo.promise import promise_of
from services.slo.domain.slo.commands import Document, Promise
from services.slo.projections.known_services import unknown_services

_LOOK_AGAIN_S = 0.02


def read_promise(value: object) -> tuple[Promise, tuple[str, ...]]:
    """What the OpenSLO document *value* promises, and what of it has no effect yet.

    Raises:
        Problem: 422, it is no valid SLO, or none that can be evaluated.
    """
    decoded = decode(value)
    faults = [decoded] if isinstance(decoded, Fault) else [*decoded.unknown, *validate(decoded)]
    if faults or isinstance(decoded, Fault):
        said = "; ".join(f"{fault.path or 'the document'}: {fault.detail}" for fault in faults[:3])
        more = f" (and {len(faults) - 3} more)" if len(faults) > 3 else ""  # noqa: PLR2004  as many as are said
        raise Problem(422, "invalid-openslo", "The document is not valid OpenSLO v1", said + more, extra=places(faults))
    if decoded.kind != "SLO":
        detail = f"documents of kind {decoded.kind} are checked but not kept yet; send kind SLO with all of it inline"
        raise Problem(422, "unsupported-kind", "The kind is not kept", detail, [Place(detail, "/kind")])
    document: Document = value  # pyright: ignore[reportAssignmentType]  it was decoded as an object
    try:
        return promise_of(decoded, document)
    except UnsupportedError as error:
        detail = [{"path": error.path, "code": "unsupported", "detail": error.detail, "pointer": error.pointer}]
        raise Problem(
            422, "unsupported-slo", "The SLO cannot be evaluated yet", str(error), extra={"errors": detail}
        ) from error


def places(faults: Iterable[Fault]) -> dict[str, Any]:
    """The member `errors` of a problem about *faults*."""
    return {"errors": [fault_answer(fault) | {"pointer": fault.path.pointer} for fault in faults]}


def fault_answer(fault: Fault) -> dict[str, Any]:
    """A broken rule as it is answered."""
    return {"path": str(fault.path), "code": fault.code, "detail": fault.detail}


async def unknown_after(resources: Resources, services: set[str], wait_s: float) -> set[str]:
    """Those of *services* that nobody has told of, even *wait_s* later: a service just registered is on its way."""
    deadline = asyncio.get_running_loop().time() + wait_s
    while True:
        unknown = await resources.views.read(unknown_services, services)
        if not unknown or asyncio.get_running_loop().time() >= deadline:
            return unknown
        await asyncio.sleep(_LOOK_AGAIN_S)


def unknown_service(service: str) -> Problem:
    """The refusal of an SLO about a service that nobody has told of."""
    detail = f"there is no service {service!r}; register it (POST /v1/services), or correct its name"
    return Problem(422, "unknown-service", "The service is unknown", detail, [Place(detail, "/spec/service")])
